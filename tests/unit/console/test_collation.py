"""The collation: every state of a request, late and overdue, partial answers, supplements, what is held back."""

from datetime import timedelta

import pytest

from adapters.la.console.arrived import PhoneAnswer, Progress
from adapters.la.console.collation import Status, collate
from adapters.la.console.enquiry import CorrectionTask, PhonePrompt, Rating
from schemas.content.response import Nil, Referral, Refusal, TraceStatus
from tests.unit.console import office
from tests.unit.console.office import DUE, ISSUED, LATE, NOW, ON_TIME, answered, collation, indicator, item, judged

POLICE, HEALTH, IDVA, HOUSING = "testford-police", "testford-health", "testford-idva", "testford-housing"


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (Progress(), Status.SENT),
        (Progress(received_at=ISSUED), Status.RECEIVED),
        (Progress(received_at=ISSUED, seen_at=ISSUED), Status.SEEN),
        (Progress(received_at=ISSUED, gaps=("RFI-09",)), Status.BOUNCED),
    ],
)
def test_a_request_without_an_answer_shows_how_far_it_came(progress: Progress, expected: Status) -> None:
    """Sent, received, seen by a person and sent back are four states, and none of them is an answer."""
    view = collation(asked=(POLICE,), progress={f"rfi-{POLICE}": progress})
    assert view.rows[0].status is expected
    assert view.rows[0].nil is None
    assert view.counters.answered == 0


def test_a_silent_agency_is_never_shown_as_a_nil_return() -> None:
    """No reply is a visible state (design, Never 4): a child is not safe because an agency was silent."""
    row = collation(asked=(POLICE,), now=DUE + timedelta(minutes=1)).rows[0]
    assert (row.nil, row.status, row.overdue) == (None, Status.SENT, True)


def test_an_answer_with_a_source_owed_is_partial_and_says_until_when() -> None:
    """The conduit's partial answer stays partial until the owed source has come (FAN-04)."""
    view = collation(answered(HEALTH, outstanding=(office.owed("gp"),)))
    row = view.rows[0]
    assert row.status is Status.PARTIAL
    assert row.owed == ("gp",)
    assert row.owed_until == {"gp": DUE}
    assert view.counters.answered == 0


def test_a_second_part_that_owes_nothing_completes_the_answer() -> None:
    """The last part decides what is still owed; the answer's time is that of the first part."""
    row = collation(
        answered(HEALTH, item("HLT-01"), outstanding=(office.owed("gp"),)),
        answered(HEALTH, item("HLT-02"), at=LATE, part=2),
        now=LATE,
    ).rows[0]
    assert (row.status, row.items, row.owed, row.answered_at) == (Status.ANSWERED, 2, (), ON_TIME)
    assert not row.late


def test_a_supplement_does_not_make_an_owed_source_vanish() -> None:
    """Only an answer that is not a supplement clears what is owed; otherwise a silent GP would look like a nil."""
    view = collation(
        answered(HEALTH, outstanding=(office.owed("gp"),)),
        answered(HEALTH, item("later"), at=ON_TIME + timedelta(hours=1), part=2, supplement=True),
    )
    assert view.rows[0].status is Status.PARTIAL
    assert view.rows[0].owed == ("gp",)
    assert view.counters.sub_request_breaches == 1


def test_a_supplement_alone_does_not_hide_the_nil_before_it() -> None:
    """Once something was shared the row is no nil any more."""
    row = collation(
        answered(HOUSING, nil=Nil.NOTHING_TO_SHARE),
        answered(HOUSING, item("later"), at=LATE, part=2, supplement=True),
        now=LATE,
    ).rows[0]
    assert (row.nil, row.items, row.supplements) == (None, 1, 1)


def test_an_answer_after_its_time_is_late_and_not_overdue() -> None:
    """Late is an answer that came after its time (RSP-14); overdue is no answer at all."""
    view = collation(answered(POLICE, item("POL-01"), at=LATE), asked=(HOUSING,), now=LATE)
    late, missing = view.rows
    assert (late.late, late.overdue) == (True, False)
    assert (missing.late, missing.overdue) == (False, True)
    assert view.items[0].late
    assert view.counters.rfi_breaches == 2


@pytest.mark.parametrize(("at", "late"), [(DUE, False), (DUE + timedelta(seconds=1), True)])
def test_an_answer_is_on_time_up_to_the_due_moment(at: object, late: bool) -> None:
    """At the due time is in time; a second later is late."""
    assert collation(answered(POLICE, at=at)).rows[0].late is late  # type: ignore[arg-type]  # a datetime from the table


def test_an_owed_source_that_comes_late_breaches_its_own_clock_alone() -> None:
    """The GP's late reply is a breach of the sub-request, while the agency's answer was in time (scenario)."""
    counters = collation(
        answered(HEALTH, outstanding=(office.owed("gp"),)), answered(HEALTH, at=LATE, part=2), now=LATE
    ).counters
    assert (counters.rfi_breaches, counters.sub_request_breaches) == (0, 1)


def test_an_owed_source_in_time_is_no_breach() -> None:
    """A source that came by its time counts for nothing, however late one looks."""
    counters = collation(
        answered(HEALTH, outstanding=(office.owed("gp"),)),
        answered(HEALTH, at=ON_TIME + timedelta(hours=1), part=2),
        now=LATE,
    ).counters
    assert counters.sub_request_breaches == 0


def test_an_owed_source_is_a_breach_while_it_is_still_missing() -> None:
    """The clock of a source that never comes runs out too, and is counted once however often it is named."""
    again = answered(HEALTH, at=ON_TIME + timedelta(hours=1), part=2, outstanding=(office.owed("gp"),))
    counters = collation(answered(HEALTH, outstanding=(office.owed("gp"),)), again, now=LATE).counters
    assert counters.sub_request_breaches == 1


def test_differing_levels_of_need_are_shown_side_by_side_and_not_resolved() -> None:
    """The collation computes no level of its own: what the agencies said is all there is (design, Never 7)."""
    view = collation(answered(POLICE, judgement=judged("4")), answered(HOUSING, judgement=judged("2-3")))
    assert view.levels_differ
    assert view.levels_of_need == {"Testfordshire Police": "4", "Testford Housing": "2-3"}


def test_agencies_of_one_mind_do_not_differ() -> None:
    """The same level twice is no conflict, and an agency without a judgement is none either."""
    view = collation(
        answered(POLICE, judgement=judged("3")), answered(HOUSING, judgement=judged("3")), answered(HEALTH)
    )
    assert not view.levels_differ


def test_the_team_does_not_see_a_sealed_item_even_once_it_was_opened() -> None:
    """Attack: a part that the decision maker has opened is read by asking for the collation as the team."""
    arrived = answered(POLICE, item("open", "police"), sealed=(item("secret", wording="covert wording"),))
    team, decision_maker = collation(arrived), collation(arrived, open_sealed=True)
    assert [one.item.item for one in team.items] == ["open"]
    assert "covert wording" not in team.model_dump_json()
    assert [(one.item.item, one.sealed) for one in decision_maker.items] == [("open", False), ("secret", True)]


def test_a_referral_to_somebody_already_asked_says_so() -> None:
    """IDVA's police information is referred to police, who have been asked (scenario); MARAC has not."""
    referrals = (
        Referral(refer_to=("police",), reasons=("SECOND_HAND",)),
        Referral(refer_to=("marac",), reasons=("MARAC_GOVERNED",)),
    )
    view = collation(answered(IDVA, referrals=referrals), asked=(POLICE,))
    assert [held.note for held in view.held_back] == ["police already asked", None]
    assert view.counters.referred_to == {"police": 1, "marac": 1}


def test_what_is_held_back_is_counted_and_named_without_content() -> None:
    """Indicators, referrals and refusals stand beside the items, each with its agency (DIS-01)."""
    view = collation(
        answered(POLICE, indicators=(indicator(),), refusals=(Refusal(reasons=("NOT_RELEVANT",)),)),
    )
    row = view.rows[0]
    assert (row.indicated, row.referred, row.refused) == (1, 0, 1)
    assert {held.name for held in view.held_back} == {"Testfordshire Police"}
    assert view.counters.indicate_only == 1


def test_an_answer_to_a_request_that_was_never_made_is_shown_nowhere() -> None:
    """Attack: an answer that names a request of another enquiry slips items into this one."""
    stray = answered(POLICE, item("stray"), indicators=(indicator(),))
    view = collate(office.enquiry(HOUSING), [stray], {}, register=office.register(), now=NOW)
    assert (view.items, view.held_back) == ((), ())


def test_an_answer_by_telephone_is_marked_as_one() -> None:
    """What was said on the telephone is an answer, and is seen to be one (RSP-09)."""
    phone = PhoneAnswer(taken_by="coordinator", call_back_verified=True, not_overheard=True)
    arrived = answered(HOUSING, item("said")).model_copy(update={"by_phone": phone})
    assert collation(arrived).rows[0].by_phone


def test_records_that_could_not_be_read_are_seen_in_the_row() -> None:
    """A trace that is not known is kept beside the others, so that it is not taken for a nil."""
    row = collation(answered(POLICE, traces={"tilly": TraceStatus.UNKNOWN})).rows[0]
    assert row.traces == {"tilly": TraceStatus.UNKNOWN}


def test_a_party_that_left_the_register_keeps_its_line() -> None:
    """An agency that was asked is never lost from the view, even where the register no longer lists it."""
    assert collation(asked=("testford-gone",)).rows[0].name == "testford-gone"


def test_the_counters_follow_the_course_of_the_enquiry() -> None:
    """Ratings, prompts, supplements and corrections are counted as the scenario expects them."""
    prompt = PhonePrompt(prompt="p", participant=POLICE, cause="issue", raised_at=ISSUED, due_at=DUE)
    task = CorrectionTask(item="HOU-02", rfi=f"rfi-{HOUSING}", audience="decision_maker", due_at=DUE)
    ratings = tuple(Rating(rag=rag, at=ISSUED, by="manager", rationale="r") for rag in ("AMBER", "RED"))
    counters = collation(
        answered(HOUSING, item("HOU-02")),
        answered(HOUSING, item("new"), at=LATE, part=2, supplement=True),
        prompts=(prompt, prompt.model_copy(update={"prompt": "q", "made_at": NOW})),
        ratings=ratings,
        corrections=(task, task.model_copy(update={"audience": "receiving_service", "acknowledged_at": NOW})),
        now=LATE,
    ).counters
    assert (counters.phone_prompts, counters.phone_prompts_open) == (2, 1)
    assert (counters.reratings, counters.supplements, counters.corrections) == (1, 1, 1)
    assert (counters.correction_acknowledgements, counters.correction_acknowledgements_owed) == (1, 1)
