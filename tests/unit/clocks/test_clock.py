"""The clock of one request: what its events add up to, in any order, and which rows it keeps in the store."""

from datetime import timedelta
from itertools import permutations

import pytest

from broker.calendar import MASH_CALENDAR, NaiveTimeError
from broker.sla import (
    ClockEvent,
    ClockEventKind,
    ClockState,
    Contact,
    NobodyAskedError,
    NotIssuedError,
    RfiClock,
    TimerKind,
)
from schemas.rating import RagRating
from tests.unit.clocks.times import local, shown

RED, AMBER, GREEN, BLUE = RagRating
DAY = "2026-11-24 "


def happened(
    kind: ClockEventKind, at: str, *, rating: RagRating | None = None, due: str = "", reason: bool = False
) -> ClockEvent:
    """Write an event of Tuesday 24 November, or of another day when one is given."""
    moment = local(at if " " in at else DAY + at)
    return ClockEvent(kind, moment, rating, local(due) if due else None, reason)


ISSUED = happened(ClockEventKind.ISSUED, "10:12", rating=AMBER)
TO_RED = happened(ClockEventKind.RERATED, "14:20", rating=RED)


def clock(*events: ClockEvent, now: str) -> RfiClock:
    """Work out the clock of these events at `now`."""
    return RfiClock.from_events(events, now=local(now if " " in now else DAY + now), calendar=MASH_CALENDAR)


def rows(read: RfiClock) -> list[tuple[str, str]]:
    """Write the rows as key and wall clock."""
    return [(timer.key, shown(timer.due_at)) for timer in read.timers]


def test_a_running_clock_shows_its_next_row() -> None:
    """A quarter of AMBER's eight hours, and the call still to be made."""
    read = clock(ISSUED, now="12:12")
    assert read.state is ClockState.RUNNING
    assert read.next_timer is not None
    assert read.next_timer.kind is TimerKind.NUDGE


def test_the_scenario_rerates_amber_to_red() -> None:
    """SLA-10: due at 18:20 on the day, new rows from 14:20, and the old ones gone."""
    read = clock(ISSUED, TO_RED, now="14:20")
    assert shown(read.due_at) == "2026-11-24 18:20"
    assert rows(read) == [
        ("human_ack.2", "2026-11-24 14:50"),
        ("phone_call.2", "2026-11-24 14:50"),
        ("nudge.2", "2026-11-24 16:20"),
        ("warning.2", "2026-11-24 17:32"),
        ("breach.2", "2026-11-24 18:20"),
        ("escalation.2", "2026-11-24 19:20"),
    ]


def test_the_scenario_counts_eleven_telephone_prompts() -> None:
    """Eight at issue, and at the re-rating one for each of the three that are still outstanding."""
    outstanding = [clock(ISSUED, TO_RED, now="14:20")] * 3
    at_issue = [clock(ISSUED, now="10:12")] * 8
    prompts = [row for read in (*at_issue, *outstanding) for row in read.timers if row.kind is TimerKind.PHONE_CALL]
    assert len(prompts) == 11


@pytest.mark.parametrize(("answered", "state"), [("16:45", ClockState.ANSWERED), ("18:20", ClockState.ANSWERED)])
def test_an_answer_up_to_the_due_moment_is_in_time(answered: str, state: ClockState) -> None:
    """The police answer at 16:45; one at 18:20 sharp would be in time too."""
    read = clock(ISSUED, TO_RED, happened(ClockEventKind.ANSWERED, answered), now="19:00")
    assert read.state is state
    assert read.timers == ()


def test_a_late_answer_still_counts_as_an_answer() -> None:
    """RSP-14: the surgery answers on Wednesday; the clock shows how late and stands still."""
    late = happened(ClockEventKind.ANSWERED, "2026-11-25 11:30")
    read = clock(ISSUED, late, now="2026-12-01 09:00")
    assert read.state is ClockState.ANSWERED_LATE
    assert read.timers == ()


def test_an_answer_in_part_does_not_stop_the_clock() -> None:
    """FAN-04: health answers in part at 17:30, its sources are outstanding."""
    read = clock(ISSUED, TO_RED, happened(ClockEventKind.ANSWERED_IN_PART, "17:30"), now="18:20")
    assert read.state is ClockState.BREACHED
    assert read.in_part_at is not None


def test_silence_is_a_breach_and_never_an_answer() -> None:
    """At the very moment it is due, without an answer, a request is in breach; the rows stay until somebody acts."""
    read = clock(ISSUED, now="2026-11-25 10:12")
    assert read.state is ClockState.BREACHED
    assert TimerKind.ESCALATION in {timer.kind for timer in read.timers}


def test_a_task_that_is_done_takes_its_row_away() -> None:
    """An acknowledgement and a logged call end their own alerts and no other."""
    seen = happened(ClockEventKind.ACKNOWLEDGED, "10:20")
    called = happened(ClockEventKind.PHONED, "10:25")
    kinds = {timer.kind for timer in clock(ISSUED, seen, called, now="11:00").timers}
    assert kinds == {TimerKind.NUDGE, TimerKind.WARNING, TimerKind.BREACH, TimerKind.ESCALATION}


def test_a_rerating_upwards_has_to_be_seen_and_telephoned_again() -> None:
    """What was acknowledged was an AMBER; nobody has seen the RED yet."""
    seen = happened(ClockEventKind.ACKNOWLEDGED, "10:20")
    called = happened(ClockEventKind.PHONED, "10:25")
    kinds = {timer.kind for timer in clock(ISSUED, seen, called, TO_RED, now="14:20").timers}
    assert {TimerKind.HUMAN_ACK, TimerKind.PHONE_CALL} <= kinds


def test_a_rerating_downwards_changes_no_row_and_no_due_time() -> None:
    """TRI-06: AMBER to GREEN gains nobody two days."""
    down = happened(ClockEventKind.RERATED, "14:20", rating=GREEN)
    before, after = clock(ISSUED, now="14:20"), clock(ISSUED, down, now="14:20")
    assert after.rating is GREEN
    assert (after.due_at, after.timers) == (before.due_at, before.timers)


def test_a_rating_that_goes_to_blue_closes_nothing_by_itself() -> None:
    """What was asked stays asked until it is withdrawn: the due time stands."""
    blue = happened(ClockEventKind.RERATED, "14:20", rating=BLUE)
    read = clock(ISSUED, blue, now="14:20")
    assert (read.state, shown(read.due_at)) == (ClockState.RUNNING, "2026-11-25 10:12")
    back = clock(ISSUED, blue, happened(ClockEventKind.RERATED, "15:00", rating=RED), now="15:00")
    assert shown(back.due_at) == "2026-11-24 19:00"


def test_a_later_due_time_without_a_reason_changes_nothing() -> None:
    """RFI-02: the attack is an agency's own extension; the promise stands."""
    later = "2026-11-30 10:12"
    silent = happened(ClockEventKind.DUE_SET, "11:00", due=later)
    reasoned = happened(ClockEventKind.DUE_SET, "11:00", due=later, reason=True)
    assert shown(clock(ISSUED, silent, now="12:00").due_at) == "2026-11-25 10:12"
    assert shown(clock(ISSUED, reasoned, now="12:00").due_at) == later


def test_an_issue_with_a_later_due_time_by_hand_needs_a_reason_too() -> None:
    """The same attack at the issue itself; sooner is free."""

    def issued(due: str, *, reason: bool) -> ClockEvent:
        return happened(ClockEventKind.ISSUED, "10:12", rating=AMBER, due=due, reason=reason)

    assert shown(clock(issued("2026-11-30 10:12", reason=False), now="12:00").due_at) == "2026-11-25 10:12"
    assert shown(clock(issued("2026-11-30 10:12", reason=True), now="12:00").due_at) == "2026-11-30 10:12"
    assert shown(clock(issued("2026-11-24 16:00", reason=False), now="12:00").due_at) == "2026-11-24 16:00"


def test_a_sooner_due_time_has_to_be_seen_again_and_a_later_one_not() -> None:
    """Who acknowledged Wednesday has not acknowledged this afternoon."""
    seen = happened(ClockEventKind.ACKNOWLEDGED, "10:20")
    sooner = happened(ClockEventKind.DUE_SET, "11:00", due="2026-11-24 16:00")
    later = happened(ClockEventKind.DUE_SET, "11:00", due="2026-11-30 10:12", reason=True)
    assert TimerKind.HUMAN_ACK in {timer.kind for timer in clock(ISSUED, seen, sooner, now="11:00").timers}
    assert TimerKind.HUMAN_ACK not in {timer.kind for timer in clock(ISSUED, seen, later, now="11:00").timers}


def test_a_request_sent_back_waits_while_the_enquirys_due_time_stands() -> None:
    """RFI-15: only the responder's own clock halts; the coordinator still hears when the enquiry is late."""
    back = happened(ClockEventKind.SENT_BACK, "12:12")
    read = clock(ISSUED, back, now="16:00")
    assert read.state is ClockState.WAITING
    assert [(row.kind, row.calls) for row in read.timers] == [(TimerKind.BREACH, (Contact.COORDINATOR,))]
    fixed = clock(ISSUED, back, happened(ClockEventKind.CORRECTED, "15:12"), now="16:00")
    assert shown(fixed.due_at) == "2026-11-25 15:12"
    assert shown(fixed.enquiry_due_at) == "2026-11-25 10:12"


def test_a_due_time_set_after_a_correction_does_not_lengthen_the_enquirys() -> None:
    """Sooner than the responder's new due time, later than the enquiry's: without a reason the enquiry's stands."""
    events = [
        happened(ClockEventKind.SENT_BACK, "12:12"),
        happened(ClockEventKind.CORRECTED, "15:12"),
        happened(ClockEventKind.DUE_SET, "15:30", due="2026-11-25 12:00"),
    ]
    read = clock(ISSUED, *events, now="16:00")
    assert (shown(read.due_at), shown(read.enquiry_due_at)) == ("2026-11-25 12:00", "2026-11-25 10:12")


def test_a_request_is_sent_back_once_only() -> None:
    """RFI-15: a second return would be a way to win time without end."""
    events = [
        happened(ClockEventKind.SENT_BACK, "12:12"),
        happened(ClockEventKind.CORRECTED, "13:12"),
        happened(ClockEventKind.SENT_BACK, "14:12"),
    ]
    read = clock(ISSUED, *events, now="16:00")
    assert (read.state, shown(read.due_at)) == (ClockState.RUNNING, "2026-11-25 13:12")
    again = clock(ISSUED, *events, happened(ClockEventKind.CORRECTED, "15:00"), now="16:00")
    assert shown(again.due_at) == "2026-11-25 13:12"


def test_a_red_is_never_sent_back_and_ends_a_wait() -> None:
    """RFI-15: a RED is worked, and its gaps are queried."""
    red = happened(ClockEventKind.ISSUED, "10:12", rating=RED)
    back = happened(ClockEventKind.SENT_BACK, "10:30")
    assert clock(red, back, now="11:00").state is ClockState.RUNNING
    waiting_then_red = clock(ISSUED, back, TO_RED, now="14:20")
    assert (waiting_then_red.state, shown(waiting_then_red.due_at)) == (ClockState.RUNNING, "2026-11-24 18:20")


def test_events_after_an_answer_move_no_due_time() -> None:
    """A re-rating after the answer cannot make a timely answer late."""
    answered = happened(ClockEventKind.ANSWERED, "13:00")
    assert clock(ISSUED, answered, TO_RED, now="19:00").state is ClockState.ANSWERED
    for kind in (ClockEventKind.SENT_BACK, ClockEventKind.CORRECTED):
        assert clock(ISSUED, answered, happened(kind, "14:00"), now="19:00").state is ClockState.ANSWERED


def test_a_withdrawn_request_keeps_no_rows_and_still_takes_an_answer() -> None:
    """GOV-10 closes it; an answer that was on its way is not thrown away."""
    closed = happened(ClockEventKind.CLOSED, "13:00")
    assert clock(ISSUED, closed, now="19:00").state is ClockState.CLOSED
    assert clock(ISSUED, closed, now="2026-11-26 10:00").timers == ()
    answered = happened(ClockEventKind.ANSWERED, "15:00")
    assert clock(ISSUED, closed, answered, now="19:00").state is ClockState.ANSWERED


def test_requester_and_hub_read_the_same_clock_whatever_order_events_arrive_in() -> None:
    """Receipts overtake each other and repeat: the clock is a function of the set."""
    events = (ISSUED, TO_RED, happened(ClockEventKind.ACKNOWLEDGED, "10:20"), happened(ClockEventKind.PHONED, "14:30"))
    expected = clock(*events, now="17:00")
    for shuffled in permutations(events):
        assert clock(*shuffled, *shuffled, now="17:00") == expected


def test_an_acknowledgement_dated_before_the_issue_still_counts() -> None:
    """Two offices' clocks differ by seconds; nobody is woken for that."""
    early = ClockEvent(ClockEventKind.ACKNOWLEDGED, ISSUED.at - timedelta(seconds=3))
    assert TimerKind.HUMAN_ACK not in {timer.kind for timer in clock(ISSUED, early, now="11:00").timers}


def test_events_in_the_future_have_not_happened() -> None:
    """A clock asked about noon knows nothing of the afternoon."""
    assert clock(ISSUED, TO_RED, now="12:00") == clock(ISSUED, now="12:00")


def test_a_request_without_an_issue_has_no_clock() -> None:
    """An empty history must not read as a request that nobody owes."""
    with pytest.raises(NotIssuedError):
        clock(TO_RED, now="15:00")
    with pytest.raises(NotIssuedError):
        clock(ISSUED, now="09:00")


def test_a_blue_issue_is_refused() -> None:
    """BLUE asks nobody: a request issued so is a mistake that must be seen."""
    with pytest.raises(NobodyAskedError):
        clock(happened(ClockEventKind.ISSUED, "10:12", rating=BLUE), now="11:00")


def test_events_without_what_they_are_about_are_refused() -> None:
    """An issue has a rating, a set due time has a moment, and every moment a zone."""
    with pytest.raises(ValueError, match="say the rating"):
        happened(ClockEventKind.RERATED, "10:12")
    with pytest.raises(ValueError, match="says when"):
        happened(ClockEventKind.DUE_SET, "10:12")
    with pytest.raises(NaiveTimeError):
        ClockEvent(ClockEventKind.PHONED, local(DAY + "10:12").replace(tzinfo=None))
