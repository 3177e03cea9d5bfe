"""The clocks under any history: promises that are never lengthened silently, ladders in order, sums that agree."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as some

from broker.calendar import LONDON, MASH_CALENDAR
from broker.sla import (
    ClockEvent,
    ClockEventKind,
    ClockState,
    RfiClock,
    TimerKind,
    is_urgent,
    rerated_due,
    response_due,
    sub_request_due,
    timers_for,
)
from schemas.rating import RagRating
from tests.unit.clocks.oracles import LibraryOffice, MinuteOffice, is_sorted
from tests.unit.clocks.times import local

EXAMPLES = int(os.environ.get("MASH_EXAMPLES", "100"))
thorough = settings(max_examples=EXAMPLES, deadline=None, database=None)
FIRST, LAST = datetime(2025, 1, 1), datetime(2029, 12, 31, 23, 59)  # noqa: DTZ001 - hypothesis wants bounds without a zone
RED, AMBER, GREEN, BLUE = RagRating

moments = some.datetimes(FIRST, LAST).map(lambda moment: moment.replace(second=0, microsecond=0, tzinfo=UTC))
ratings = some.sampled_from([RED, AMBER, GREEN])
library = LibraryOffice(range(2024, 2032))
office = MinuteOffice(((540, 1020),) * 5 + (None, None))

WITHOUT_REASON = [kind for kind in ClockEventKind if kind is not ClockEventKind.ISSUED]


@some.composite
def histories(draw: some.DrawFn, *, ties: bool = True) -> list[ClockEvent]:
    """Draw a request and what happens to it in the ten days after, none of it with a reason for lengthening."""
    issued_at = draw(moments)
    events = [ClockEvent(ClockEventKind.ISSUED, issued_at, draw(ratings))]
    for minute in sorted(draw(some.lists(some.integers(1, 14_400), max_size=8, unique=not ties))):
        kind = draw(some.sampled_from(WITHOUT_REASON))
        at = issued_at + timedelta(minutes=minute)
        rating = draw(some.sampled_from(list(RagRating))) if kind is ClockEventKind.RERATED else None
        due = at + timedelta(minutes=draw(some.integers(-600, 20_000))) if kind is ClockEventKind.DUE_SET else None
        events.append(ClockEvent(kind, at, rating, due))
    return events


def clock(events: Sequence[ClockEvent], now: datetime) -> RfiClock:
    """Work the clock out on the default calendar."""
    return RfiClock.from_events(events, now=now, calendar=MASH_CALENDAR)


@thorough
@given(issued=moments)
@example(issued=local("2026-12-24 17:00"))
@example(issued=local("2027-03-27 23:00"))
@example(issued=local("2026-10-24 23:00"))
def test_every_response_is_due_when_the_oracles_say(issued: datetime) -> None:
    """RED four hours of real time; AMBER and GREEN one and three working days by stepping through minutes."""
    assert response_due(RED, issued, calendar=MASH_CALENDAR) - issued == timedelta(hours=4)
    assert response_due(AMBER, issued, calendar=MASH_CALENDAR) == office.after_days(issued, 1)
    assert response_due(GREEN, issued, calendar=MASH_CALENDAR) == office.after_days(issued, 3)


@thorough
@given(issued=moments, length=some.integers(0, 14_400))
def test_urgent_is_what_the_library_counts_below_24_hours(issued: datetime, length: int) -> None:
    """SLA-02 against the independent count."""
    due = issued + timedelta(minutes=length)
    assert is_urgent(issued, due, calendar=MASH_CALENDAR) == (library.between(issued, due) < timedelta(hours=24))


@thorough
@given(issued=moments)
def test_red_and_amber_are_always_urgent_and_green_never(issued: datetime) -> None:
    """At nine to five, whenever issued: GREEN is exactly 24 working hours."""
    due = {rating: response_due(rating, issued, calendar=MASH_CALENDAR) for rating in (RED, AMBER, GREEN)}
    urgent = {rating: is_urgent(issued, due[rating], calendar=MASH_CALENDAR) for rating in due}
    assert urgent == {RED: True, AMBER: True, GREEN: False}


@thorough
@given(issued=moments, first=ratings, second=ratings, later=some.integers(0, 14_400))
def test_a_rerating_never_gives_more_time(issued: datetime, first: RagRating, second: RagRating, later: int) -> None:
    """SLA-10, whatever the order of ratings and however late."""
    existing = response_due(first, issued, calendar=MASH_CALENDAR)
    rerated_at = issued + timedelta(minutes=later)
    due = rerated_due(existing, rerated_at, second, calendar=MASH_CALENDAR)
    assert due in {existing, response_due(second, rerated_at, calendar=MASH_CALENDAR)}
    assert due <= existing


@thorough
@given(events=histories(ties=False))
def test_no_history_without_a_reason_lengthens_a_promise(events: list[ClockEvent]) -> None:
    """The enquiry's due time only ever comes nearer; the responder's own moves away at a correction alone (RFI-15)."""
    before = clock(events[:1], events[0].at)
    for count in range(2, len(events) + 1):
        after = clock(events[:count], events[count - 1].at)
        assert after.enquiry_due_at <= before.enquiry_due_at
        if events[count - 1].kind is not ClockEventKind.CORRECTED:
            assert after.due_at <= before.due_at
        before = after


@thorough
@given(events=histories(), data=some.data())
def test_any_order_and_repetition_of_events_gives_the_same_clock(
    events: list[ClockEvent], data: some.DataObject
) -> None:
    """Requester and hub hear of the same things in different orders."""
    now = events[-1].at + timedelta(minutes=data.draw(some.integers(0, 5000)))
    shuffled = data.draw(some.permutations(events))
    assert clock([*shuffled, *events], now) == clock(events, now)


@thorough
@given(events=histories(), later=some.integers(0, 20_000))
def test_rows_do_not_depend_on_when_they_are_worked_out(events: list[ClockEvent], later: int) -> None:
    """After a restart or a sleep the same rows come out, under the same keys: so none can fire twice."""
    now = events[-1].at
    assert clock(events, now + timedelta(minutes=later)).timers == clock(events, now).timers


@thorough
@given(events=histories(), later=some.integers(0, 20_000))
def test_silence_always_has_a_row_or_a_breach(events: list[ClockEvent], later: int) -> None:
    """No request waits unseen: open means a breach row in the store, and past its due time it says so."""
    now = events[-1].at + timedelta(minutes=later)
    read = clock(events, now)
    if read.state in {ClockState.RUNNING, ClockState.BREACHED}:
        assert TimerKind.BREACH in {timer.kind for timer in read.timers}
        assert (read.state is ClockState.BREACHED) == (now >= read.due_at)
    assert len({timer.key for timer in read.timers}) == len(read.timers)


@thorough
@given(issued=moments, rating=ratings, by_hand=some.one_of(some.none(), some.integers(1, 20_000)))
def test_a_ladder_is_in_order_and_starts_after_the_issue(
    issued: datetime, rating: RagRating, by_hand: int | None
) -> None:
    """Nudge, warning, breach at the due time itself, agency lead: also for due times set by hand to any minute."""
    computed = response_due(rating, issued, calendar=MASH_CALENDAR)
    due = issued + timedelta(minutes=by_hand) if by_hand else computed
    timers = {timer.kind: timer.due_at for timer in timers_for(rating, issued, due, calendar=MASH_CALENDAR)}
    ladder = [timers[kind] for kind in (TimerKind.NUDGE, TimerKind.WARNING, TimerKind.BREACH, TimerKind.ESCALATION)]
    assert is_sorted([issued, *ladder])
    assert timers[TimerKind.BREACH] == due
    assert timers[TimerKind.ESCALATION] > due


@thorough
@given(asked=moments, left=some.integers(-600, 5000), margin=some.integers(0, 600))
def test_a_source_is_never_given_longer_than_its_conduit(asked: datetime, left: int, margin: int) -> None:
    """FAN-04: due no later than the request, and never before it was asked unless the request was due already."""
    rfi_due = asked + timedelta(minutes=left)
    due = sub_request_due(rfi_due, asked_at=asked, margin=timedelta(minutes=margin))
    assert due <= rfi_due
    assert due >= min(asked, rfi_due)


@thorough
@given(issued=moments, rating=ratings)
def test_a_due_time_reads_the_same_in_any_zone(issued: datetime, rating: RagRating) -> None:
    """The zone in which an issue time is written changes nothing about the moment it is."""
    in_london = response_due(rating, issued.astimezone(LONDON), calendar=MASH_CALENDAR)
    assert in_london == response_due(rating, issued, calendar=MASH_CALENDAR)
