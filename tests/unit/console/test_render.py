"""The collation on a terminal: whole wordings at any width, plain words, no markup obeyed, nothing sealed shown."""

from datetime import timedelta

import pytest
from rich.console import Console

from adapters.la.console.arrived import PhoneAnswer, Progress
from adapters.la.console.collation import Collation
from adapters.la.console.render import decided_lines, issued_lines, render_collation
from adapters.la.console.render_items import scale
from schemas.content.response import Nil, Refusal, TraceStatus
from tests.unit.console.ashgrove import ashgrove
from tests.unit.console.office import (
    DUE,
    ISSUED,
    LATE,
    NOW,
    answered,
    collation,
    decided,
    enquiry,
    indicator,
    item,
    judged,
    marking,
    owed,
)

POLICE, HEALTH, HOUSING = "testford-police", "testford-health", "testford-housing"


def shown(view: Collation, *, width: int = 100) -> str:
    """Give what the terminal shows, with line breaks and runs of spaces made one space."""
    return " ".join(raw(view, width=width).split())


def raw(view: Collation, *, width: int = 100) -> str:
    """Give what a terminal without colour shows, line by line."""
    console = Console(width=width, no_color=True, highlight=False, force_terminal=False)
    with console.capture() as capture:
        console.print(render_collation(view))
    return capture.get()


@pytest.mark.parametrize("width", [80, 100, 140])
@pytest.mark.parametrize("open_sealed", [False, True])
def test_every_wording_is_shown_whole_at_every_width(width: int, open_sealed: bool) -> None:
    """No wording is cut and no line runs over the edge, on a narrow terminal as on a wide one."""
    view = ashgrove(open_sealed=open_sealed)
    text = shown(view, width=width)
    assert all(" ".join(one.item.wording.split()) in text for one in view.items)
    assert all(len(line) <= width for line in raw(view, width=width).splitlines())
    assert "…" not in text


def test_a_word_longer_than_the_terminal_is_folded_and_not_cut() -> None:
    """Attack: a wording hides its end behind the edge of the terminal."""
    word = "a" * 500 + "END"
    view = collation(answered(HOUSING, item("HOU-01", "police", wording=word)))
    assert word in "".join(raw(view, width=80).split())


def test_the_team_never_sees_a_sealed_item_in_a_view_made_for_it() -> None:
    """Attack: sealed wordings in the team's view; they stand in the decision maker's alone, marked."""
    team, decision_maker = shown(ashgrove()), shown(ashgrove(open_sealed=True))
    for wording in ("controlled drugs", "A warrant is planned"):
        assert wording not in team
        assert wording in decision_maker
    assert "SEALED for the decision maker" in decision_maker


def test_a_sealed_item_is_not_shown_when_the_view_is_given_to_the_team_afterwards() -> None:
    """Attack: the decision maker's collation is rendered with the team as its reader."""
    opened = ashgrove(open_sealed=True)
    relabelled = opened.model_copy(update={"reader": ashgrove().reader})
    assert "A warrant is planned" not in shown(relabelled)
    assert "not shown: sealed for the decision maker" in shown(relabelled)


def test_markup_and_escape_sequences_of_a_partner_are_text() -> None:
    """Attack: a wording paints the screen, or deletes itself, with console markup or escape sequences."""
    wording = "[red]not[/red] [link=file:///x]here[/link] \x1b[8mhidden\x1b[0m :warning:"
    text = shown(collation(answered(HOUSING, item("HOU-01", "police", wording=wording))))
    assert "[red]not[/red] [link=file:///x]here[/link]" in text
    assert "\x1b" not in text
    assert "hidden" in text
    assert ":warning:" in text


def test_every_field_that_a_partner_words_is_tamed() -> None:
    """Attack: the escape sequence hides in a name, a contact, a grading or an analysis instead of a wording."""
    bad = "\x1b]0;owned\x07"
    marks = marking("police", grading=bad, handling_conditions=(bad,), conditions=(bad,), nature=bad, gsc=bad)
    held = indicator(contact=bad, telephone=bad, conditions=(bad,), handling_conditions=(bad,), alerts=(bad,))
    arrived = answered(
        HEALTH,
        item(bad, wording=bad, marks=marks, alerts=(bad,), refer_to=(bad,), subjects=(bad,)),
        item("ok", "police", bad, wording=bad, alerts=(bad,), refer_to=(bad,), subjects=(bad,)),
        indicators=(held,),
        refusals=(Refusal(reasons=(bad,)),),
        outstanding=(owed(bad),),
        traces={bad: TraceStatus.UNKNOWN},
        judgement=judged("3", bad).model_copy(update={"analysis": bad}),
    )
    assert "\x1b" not in raw(collation(arrived, not_contacted={bad: bad}))


def test_urgent_content_stands_on_top_and_is_pointed_to_in_its_place() -> None:
    """Probation's contact restriction is the first wording of all (scenario)."""
    text = shown(ashgrove())
    assert text.index("URGENT: read first") < text.index("no unsupervised contact") < text.index("Who answered")
    assert text.count("no unsupervised contact") == 1
    assert "see the urgent item on top" in text


def test_what_must_not_be_copied_into_a_chronology_stands_apart_from_it() -> None:
    """The originator's condition is kept by the view itself (rules §2)."""
    text = shown(ashgrove())
    apart = text.index("Not to be copied into a chronology")
    assert text.index("In figures") > text.index("Officer attending noted") > apart


def test_the_chronology_runs_by_day_and_undated_items_follow() -> None:
    """Items of different agencies stand in the order in which things happened."""
    text = shown(ashgrove())
    order = [
        "Three of five",
        "Kitchen without",
        "Called to 4",
        "He checks my",
        "Attendance since",
        "Health visitor was",
    ]
    assert sorted(order, key=text.index) == order


def test_the_reader_is_told_who_may_receive_an_item_and_that_the_family_may_not() -> None:
    """The marking protects the worker: who may have it, in words, and who may not."""
    text = shown(collation(answered(HOUSING, item("a", "police", "early_help"), item("b"))))
    assert "May go to police and early help. Not to the family." in text
    assert "May go to nobody beyond the MASH team. Not to the family." in text
    assert "May go to the family." in shown(collation(answered(HOUSING, item("a", "family"))))


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (collation(asked=(POLICE,), now=ISSUED), "owed until Tue 24 Nov 18:20 no reply: sent"),
        (
            collation(asked=(POLICE,), now=ISSUED, progress={f"rfi-{POLICE}": Progress(seen_at=ISSUED)}),
            "somebody there has seen it",
        ),
        (collation(asked=(POLICE,), now=LATE), "OVERDUE since Tue 24 Nov 18:20"),
        (collation(answered(POLICE)), "answered Tue 24 Nov 11:20"),
        (collation(answered(POLICE, at=LATE), now=LATE), "answered LATE Wed 25 Nov 11:30"),
        (
            collation(answered(HEALTH, outstanding=(owed("gp", DUE + timedelta(days=1)),))),
            "partly answered Tue 24 Nov 11:20 GP owed until Wed 25 Nov 18:20",
        ),
        (collation(answered(HEALTH, nil=Nil.NO_TRACE)), "nobody of this family found"),
    ],
)
def test_the_state_of_an_answer_is_said_in_words(view: Collation, expected: str) -> None:
    """Each column is read by itself; the words do not depend on colour. 200 columns keep them on one line each."""
    lines = raw(view, width=200).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("Who answered"))
    column = lines[start + 1].index("Answer"), lines[start + 1].index("Need")
    came = lines[start + 1].index("What came")
    cells = [(line[slice(*column)].strip(), line[came:].strip()) for line in lines[start + 3 : start + 9]]
    assert expected in " ".join(f"{one}" for one, _ in cells if one) + " " + " ".join(two for _, two in cells)


def test_levels_of_need_stand_side_by_side_and_the_conflict_is_said() -> None:
    """Four and two are shown as four and two, never as three."""
    text = shown(collation(answered(POLICE, judgement=judged("4")), answered(HOUSING, judgement=judged("2"))))
    assert "Levels of need: THEY DIFFER" in text
    assert "Testfordshire Police · · · 4 Testford Housing · 2 · ·" in text


@pytest.mark.parametrize(
    ("level", "expected"), [("1", ("1", "·", "·", "·")), ("2-3", ("·", "2", "3", "·")), ("4", ("·", "·", "·", "4"))]
)
def test_a_level_between_two_marks_both(level: str, expected: tuple[str, ...]) -> None:
    """A range is shown as a range."""
    assert scale(level) == expected


def test_what_is_held_back_says_whom_to_ring_and_whom_to_ask() -> None:
    """DIS-01: a name and a number to ring, so that nobody assumes that nothing is there."""
    text = shown(ashgrove())
    assert "holds confidential information: ring Force Intelligence Desk-Test on 020 7946 0199." in text
    assert "says: ask police (police already asked). Because: somebody else's information." in text
    assert "says: ask MARAC. Because: governed by the MARAC agreement." in text
    assert "withheld something. Because: does not answer what was asked and more than is needed." in text


def test_what_is_owed_and_who_was_not_asked_are_said_with_reasons() -> None:
    """Sources within an agency are owed beside agencies, most pressing first."""
    text = shown(ashgrove())
    assert text.index("Testford Health: GP") < text.rindex("Testford Recovery")
    assert "DWP: no relevance stated" in text


def test_a_telephone_answer_and_a_gap_are_seen() -> None:
    """An answer by telephone says so; a request that came back says what was missing."""
    phone = PhoneAnswer(taken_by="coordinator", call_back_verified=True, not_overheard=True)
    by_phone = answered(HOUSING).model_copy(update={"by_phone": phone})
    text = shown(collation(by_phone, asked=(POLICE,), progress={f"rfi-{POLICE}": Progress(gaps=("RFI-09 who asks",))}))
    assert "by telephone" in text
    assert "missing: RFI-09 who asks" in text


def test_the_decision_is_shown_with_what_had_not_been_seen() -> None:
    """RSP-15, RSP-16: outcome, reason, next step, and who had not answered, by name."""
    made = decided("strategy_discussion", not_seen=(POLICE,))
    text = shown(collation(asked=(POLICE,), decided=made))
    assert "strategy discussion (section 47), level of need 2" in text
    assert "Decided without an answer from Testfordshire Police." in text


def test_an_enquiry_without_anything_yet_still_reads_well() -> None:
    """Nothing asked, nothing answered: the view says so and does not break."""
    text = shown(collation())
    assert "No items yet." in text
    assert "Nothing: everybody asked has answered." in text


def test_issuing_and_deciding_are_confirmed_in_words() -> None:
    """The confirmation says due times in London's time, whom to ring, and by when others have to hear."""
    assert "testford-police: due Tue 24 Nov 2026 18:20, urgent" in issued_lines(enquiry(POLICE))
    said = decided_lines(enquiry(POLICE, decided=decided("early_help", not_seen=(POLICE,))))
    assert "Tell the referrer by Wed 25 Nov 2026 18:40." in said
    assert "Decided without an answer from testford-police." in said
    assert decided_lines(enquiry(POLICE)) == "ENQ-2026-000431 is not decided."


def test_the_figures_are_those_of_the_counters() -> None:
    """The last paragraph is how the course of the enquiry is checked."""
    figures = ashgrove().counters
    text = shown(ashgrove())
    assert f"{figures.rfis} requests, {figures.answered} answered in full" in text
    assert "referred: 1 to police and 2 to MARAC" in text
    assert NOW > DUE
    assert "1 breach of a due time, 1 within an agency" in text
