"""Which timers an enquiry has, worked out from the enquiry alone by the clocks of `broker.sla`. Pure.

Every clock of a request (seen by a person, telephone call, half and four fifths of the time gone, due, a quarter over),
and those beside it: the decision, corrections, questions to originators, the outcome to agencies and referrer.
A row's reference says which enquiry, which request and which clock; there is no place in it for a person.
What has happened meanwhile is judged when a row fires (`clock_keeping`), so that no row has to be hunted down and
stopped by whatever makes it pointless.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from adapters.kit.store.timers import Timer
from adapters.la.console.arrived import Arrived, Progress
from adapters.la.console.enquiry import Enquiry, Issued
from adapters.la.console.owed import outstanding, parts_of
from broker.calendar import WorkingCalendar
from broker.sla import ClockEvent, ClockEventKind, RfiClock, decision_due
from schemas.rating import RagRating

REQUEST: Final = "clock.request"
CORRECTION: Final = "clock.correction"
ONWARD: Final = "clock.onward"
DECISION: Final = "clock.decision"
OUTCOME: Final = "clock.outcome"
REFERRER: Final = "clock.referrer"
SOURCE: Final = "clock.source"
KINDS: Final = (REQUEST, CORRECTION, ONWARD, DECISION, OUTCOME, REFERRER, SOURCE)


@dataclass(frozen=True)
class Way:
    """What is known of one request besides its issue: how far it came, and what was answered."""

    progress: Progress = field(default_factory=Progress)
    arrived: Sequence[Arrived] = ()


def rows_of(enquiry: Enquiry, *, now: datetime, calendar: WorkingCalendar) -> tuple[Timer, ...]:
    """Give the rows that an enquiry needs as it stands, answers apart."""
    return (*_of_requests(enquiry, now, calendar), *_of_what_follows(enquiry, calendar))


def clock_of(enquiry: Enquiry, issued: Issued, way: Way, *, now: datetime, calendar: WorkingCalendar) -> RfiClock:
    """Give the clock of one request."""
    events = (event for event in events_of(enquiry, issued, way) if event.at <= now)
    return RfiClock.from_events(events, now=max(now, issued.issued_at), calendar=calendar)


def events_of(enquiry: Enquiry, issued: Issued, way: Way) -> Iterator[ClockEvent]:
    """Tell the clock what happened to one request, in the words of `broker.sla`."""
    begun = [rating for rating in enquiry.ratings if rating.at <= issued.issued_at]
    later = [rating for rating in enquiry.ratings if rating.at > issued.issued_at]
    first = RagRating(begun[-1].rag if begun else RagRating.RED)
    set_by_hand = None if later else issued.due_at
    yield ClockEvent(ClockEventKind.ISSUED, issued.issued_at, rating=first, due_at=set_by_hand)
    for rating in later:
        yield ClockEvent(ClockEventKind.RERATED, rating.at, rating=RagRating(rating.rag))
    if later:  # a due time set sooner by hand stands through a new rating; a later one is none without a reason
        yield ClockEvent(ClockEventKind.DUE_SET, later[-1].at, due_at=issued.due_at)
    if way.progress.gaps:
        yield ClockEvent(ClockEventKind.SENT_BACK, issued.issued_at)
    if way.progress.seen_at:
        yield ClockEvent(ClockEventKind.ACKNOWLEDGED, max(way.progress.seen_at, issued.issued_at))
    yield from _calls(enquiry, issued)
    yield from _answers(way.arrived)
    if issued.cancelled:
        yield ClockEvent(ClockEventKind.CLOSED, issued.cancelled.at)


def source_rows(enquiry: str, arrived: Arrived) -> tuple[Timer, ...]:
    """Give a row for each source that an answer names as owed (FAN-04), numbered as the answer names them."""
    response = arrived.response
    return tuple(
        Timer(SOURCE, f"{enquiry}/{response.rfi}/{int(one.due_at.timestamp())}.{number}", one.due_at)
        for number, one in enumerate(response.outstanding)
    )


def _of_requests(enquiry: Enquiry, now: datetime, calendar: WorkingCalendar) -> Iterator[Timer]:
    for issued in enquiry.issued:
        if RagRating(enquiry.rag or RagRating.RED) is RagRating.BLUE:
            continue
        clock = clock_of(enquiry, issued, Way(), now=now, calendar=calendar)
        for row in clock.timers:
            yield Timer(REQUEST, f"{enquiry.reference}/{issued.rfi}/{row.key}", row.due_at)


def _of_what_follows(enquiry: Enquiry, calendar: WorkingCalendar) -> Iterator[Timer]:
    """Give what runs beside the requests; the opening of the enquiry stands for the receipt of the referral."""
    reference = enquiry.reference
    for number, task in enumerate(enquiry.corrections):
        if task.acknowledged_at is None:
            yield Timer(CORRECTION, f"{reference}/{number}", task.due_at)
    for asked in enquiry.onward:
        if asked.answered_at is None:
            yield Timer(ONWARD, f"{reference}/{asked.question}", asked.due_at)
    if enquiry.decided is None:
        yield Timer(DECISION, reference, decision_due(enquiry.opened_at, calendar=calendar))
    else:
        yield Timer(OUTCOME, reference, enquiry.decided.partners_due_at)
        if enquiry.referrer_told is None:
            yield Timer(REFERRER, reference, enquiry.decided.referrer_due_at)


def _calls(enquiry: Enquiry, issued: Issued) -> Iterator[ClockEvent]:
    for prompt in enquiry.prompts:
        if prompt.participant == issued.participant and prompt.made_at is not None:
            yield ClockEvent(ClockEventKind.PHONED, prompt.made_at)


def _answers(arrived: Iterable[Arrived]) -> Iterator[ClockEvent]:
    """An answer that leaves a source owed is one in part; the last one that owes nothing ends the clock."""
    so_far: list[Arrived] = []
    for one in sorted(arrived, key=lambda each: each.at):
        so_far.append(one)
        yield ClockEvent(ClockEventKind.ACKNOWLEDGED, one.at)
        owing = bool(outstanding(parts_of(so_far)))
        yield ClockEvent(ClockEventKind.ANSWERED_IN_PART if owing else ClockEventKind.ANSWERED, one.at)
