"""From decisions to an answer: what each section holds, and why an answer may not go yet."""

from datetime import date

import pytest

from adapters.kit.desk.answer import NothingWorded, objections
from adapters.kit.desk.request_file import RequestFile, SubRequest
from schemas.content.codes import Outcome
from schemas.content.response import Nil
from tests.unit.desk.office import JUDGEMENT, NOW, candidate, file, judged, reading, record, replied

OWED = SubRequest(source="gp", asked_at=NOW, due_at=NOW)
EVERYWHERE = ("gp", "acute")


def why_not(about: RequestFile, *, incomplete: tuple[str, ...] = ()) -> list[str]:
    return list(objections(about, [], incomplete=incomplete))


def test_a_file_that_was_looked_up_and_judged_may_be_answered() -> None:
    """The plain case, so that every refusal below is for its own reason."""
    assert why_not(file()) == []


def test_an_item_whose_only_audience_is_the_decision_maker_is_in_no_part_that_the_team_can_open() -> None:
    """DIS-02: not its wording, not its reference; only that there is one."""
    reply = replied(file(), judged(onward=("decision_maker",)))

    team = reply.response.canonical_bytes().decode()
    assert "text of HOU-01" not in team
    assert "item-HOU-01" not in team
    assert reply.response.for_decision_maker == 1
    assert [item.wording for item in reply.sealed.items] == ["text of HOU-01"]


def test_an_item_that_names_no_audience_is_not_put_before_the_team() -> None:
    """An empty list means nobody; it never means everybody."""
    reply = replied(file(), judged(onward=()))

    assert reply.response.items == ()


def test_what_lies_behind_an_indicator_is_sealed_and_the_team_learns_only_whom_to_ring() -> None:
    """DIS-01: the indicator has neither content nor category."""
    hidden = candidate(record=record(summary="a police action is expected", category="police_intelligence"))
    reply = replied(file(), judged(hidden, Outcome.INDICATE_ONLY, sealed_for=("decision_maker",)))

    team = reply.response.canonical_bytes().decode()
    assert "police action" not in team
    assert "police_intelligence" not in team
    assert reply.response.indicators[0].telephone == "0113 496 0170"
    assert [item.wording for item in reply.sealed.items] == ["a police action is expected"]


def test_an_indicator_without_a_sealed_part_leaves_nothing_for_anybody() -> None:
    """An empty `sealed_for` means that nothing goes, to nobody."""
    reply = replied(file(), judged(candidate(record=record(summary="wording")), Outcome.INDICATE_ONLY))

    assert reply.sealed.items == ()


def test_an_item_names_no_subject_that_the_request_does_not_name() -> None:
    """RSP-05: whoever else stands in the record is not told of by the answer."""
    mixed = candidate(record=record(subjects=("tilly", "other:Joyce Pelham-Test", "stranger")))
    reply = replied(file(), judged(mixed))

    assert reply.response.items[0].subjects == ("tilly",)
    assert "Pelham" not in reply.response.canonical_bytes().decode()


def test_an_item_answers_only_questions_that_were_put() -> None:
    """RSP-04: a code that nobody asked would tell what else the record is about."""
    broad = candidate(record=record(answers=("tenancy_condition", "sexual_abuse")))

    assert replied(file(), judged(broad)).response.items[0].answers == ("tenancy_condition",)


def test_the_records_own_id_does_not_leave() -> None:
    """The outside knows the item by a reference of its own; the agency's numbering stays inside."""
    reply = replied(file(), judged(candidate("CASE-4412", item="abc", record=record("CASE-4412", text="x"))))

    assert "CASE-4412" not in reply.response.canonical_bytes().decode()


def test_what_should_leave_in_a_prepared_wording_and_has_none_does_not_leave_at_all() -> None:
    """The text is never the fallback for a missing wording."""
    with pytest.raises(NothingWorded):
        replied(file(), judged(outcome=Outcome.SUMMARISE))


def test_an_answer_without_a_look_up_does_not_go() -> None:
    """The danger: "no trace" from an agency that never looked."""
    never = file().model_copy(update={"readings": (), "sources": (), "judgement": None})

    assert len(why_not(never)) == 1
    assert "looked the family up" in why_not(never)[0]
    assert replied(never).response.nil is None


def test_an_answer_does_not_go_while_a_source_was_neither_looked_into_nor_named_as_owed() -> None:
    """FAN-04: a health answer that forgot the hospital would read as "the hospital has nothing"."""
    half = file(reading("gp"), sources=EVERYWHERE)

    assert why_not(half) == ["not looked into: acute; look there too, or record that they were asked and still owe"]
    assert why_not(half.model_copy(update={"sub_requests": (OWED.model_copy(update={"source": "acute"}),)})) == []


def test_unread_records_block_an_answer_until_a_named_person_accepts() -> None:
    """Issue "Bad input": it answers for what it could read only if a person says so."""
    assert why_not(file(reading(unread=("records.csv row 3",)))) == [
        "1 parts of the records could not be read; mend them, or accept the answer without them"
    ]
    assert why_not(file(reading(unread=("records.csv row 3",), accepted_by="housing-lead"))) == []


@pytest.mark.parametrize("traces", [{"tilly": "unknown"}, {"tilly": "trace"}, {"tilly": "no_trace"}])
def test_unread_records_never_give_a_nil_even_when_they_were_accepted(traces: dict[str, str]) -> None:
    """The danger: "nothing to share" about records that nobody could read."""
    accepted = file(reading(unread=("records.csv row 3",), accepted_by="housing-lead", **traces))

    assert replied(accepted).response.nil is None


def test_accepting_what_one_source_could_not_read_does_not_accept_anothers_gaps() -> None:
    """Each look-up's gaps are accepted for themselves."""
    about = file(
        reading("gp", unread=("a",), accepted_by="health-rep"), reading("acute", unread=("b",)), sources=EVERYWHERE
    )

    assert about.unread_and_not_accepted == ("b",)
    assert len(why_not(about)) == 1


def test_looking_again_in_one_source_loses_neither_the_trace_nor_the_gap_of_another() -> None:
    """The attack on oneself: look again where it is clean, and the answer says no trace."""
    about = file(reading(*EVERYWHERE, unread=("acute.json",), tilly="trace"), sources=EVERYWHERE)
    again = about.with_reading(reading("gp", tilly="no_trace"), sources=frozenset(EVERYWHERE))

    assert again.traces["tilly"] == "trace"
    assert again.unread == ("acute.json",)


def test_looking_again_everywhere_replaces_what_was_read_before() -> None:
    """A source that was mended is no longer a gap."""
    about = file(reading("gp", unread=("gp.json",)), sources=EVERYWHERE)
    again = about.with_reading(reading(*EVERYWHERE), sources=frozenset(EVERYWHERE))

    assert again.unread == ()


@pytest.mark.parametrize("trace", ["trace", "no_trace"])
def test_a_partial_answer_with_a_source_outstanding_is_no_nil(trace: str) -> None:
    """RSP-17: what is still owed is not nothing."""
    assert replied(file(reading(tilly=trace), sub_requests=(OWED,))).response.nil is None


def test_an_answer_that_found_nobody_everywhere_says_no_trace() -> None:
    """One of the two nils: nobody of the request is known here."""
    assert replied(file(reading(tilly="no_trace", carys="no_trace"))).response.nil is Nil.NO_TRACE


def test_a_request_that_went_back_is_not_answered() -> None:
    """RFI-15: the corrected one is."""
    assert [line[:6] for line in why_not(file(state="bounced"))] == ["RFI-15"]
    assert [line[:6] for line in why_not(file(), incomplete=("Name the child.",))] == ["RFI-15"]


def test_a_judgement_is_mandatory_once_anybody_was_found() -> None:
    """RSP-02; and not where nobody was: a nil return is one step."""
    assert why_not(file(judgement=None)) == ["RSP-02: give the level of need and the agency best placed"]
    assert why_not(file(reading(tilly="no_trace"), judgement=None)) == []


@pytest.mark.parametrize("trace", ["possible_match", "unknown"])
def test_a_judgement_is_mandatory_where_nobody_can_say_that_nobody_was_found(trace: str) -> None:
    """RSP-02: an unsure trace is not "no trace"."""
    about = file(reading(tilly=trace, unread=("x",), accepted_by="housing-lead"), judgement=None)

    assert [line[:6] for line in why_not(about)] == ["RSP-02"]


def test_an_answer_is_held_by_every_approval_that_is_still_needed() -> None:
    """RSP-18: one record that waits stops the whole answer, and every waiting record is named."""
    waiting = [judged(candidate(key), approvals_needed=(role,)) for key, role in (("A-1", "lead"), ("A-2", "doctor"))]

    assert list(objections(file(), waiting)) == ["A-1: still needs lead", "A-2: still needs doctor"]


def test_an_answered_request_is_not_answered_again_without_anything_new() -> None:
    """The danger: a second, empty answer that reads as a nil."""
    done = file(state="answered", parts_sent=1, sent_judgement=JUDGEMENT)

    assert [line[:18] for line in why_not(done)] == ["nothing is new sin"]
    assert why_not(done.model_copy(update={"judgement": JUDGEMENT.model_copy(update={"level_of_need": "4"})})) == []


def test_a_new_record_after_the_answer_goes_as_a_supplement() -> None:
    """RSP-12."""
    done = file(state="answered", parts_sent=1, sent_judgement=JUDGEMENT)

    assert replied(done, judged()).response.supplement
    assert replied(done, judged()).response.part == 2


@pytest.mark.parametrize(
    ("marac_date", "whom", "heard_on"),
    [
        (None, "marac", None),
        ("hidden", "marac", None),
        ("shown", "marac", date(2026, 11, 3)),
        ("shown", "police", None),
    ],
)
def test_when_somebody_was_heard_at_marac_is_said_only_where_the_agreement_lets_it(
    marac_date: str | None, whom: str, heard_on: date | None
) -> None:
    """Overview, decision 5: a setting of the agreement, the strictest without one, and of MARAC alone."""
    about = file()
    agreement = about.rfi.agreement.model_copy(update={"marac_date": marac_date})
    asked = about.model_copy(update={"rfi": about.rfi.model_copy(update={"agreement": agreement})})
    heard = candidate(record=record(event_on=date(2026, 11, 3)))
    (referral,) = replied(asked, judged(heard, Outcome.REFER_TO_ORIGINATOR, refer_to=(whom,))).response.referrals

    assert (referral.refer_to, referral.heard_on) == ((whom,), heard_on)
