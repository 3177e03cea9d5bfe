"""The council's own report of a month: what the hub's report cannot know, by the same tables. Pure.

The council knows which requests belong to one enquiry, due times that were set by hand, and why consent was overridden.
What may be published hides small numbers as the hub's does (REC-19); the lists that name enquiries stay inside, and
hold references and reason codes, never a word of why: that is in the enquiry.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adapters.la.console.clock_rows import Way, events_of
from adapters.la.console.enquiry import Enquiry, Issued
from broker.calendar import WorkingCalendar
from broker.reports import History, Month, OverrideReason, Sheet, handled_in, overrides, reratings, response_times
from broker.reports.handled import Handled
from broker.reports.month_report import MonthReport, remarks_on
from broker.reports.paper import Source
from broker.reports.sheets import moment
from broker.reports.tables import moves_in
from broker.sla import ClockEvent, ClockEventKind, ClockState
from broker.watch.threads import reference_of
from schemas.rating import RagRating

COUNTED: Final = (
    "A request is one question to one agency; an enquiry asks several. It belongs to the month in which it was issued, "
    "and to the rating that it had last.",
    "Due times are those that were promised, also where one was set by hand.",
    "A nil return is an answer. No reply is no reply: it says nothing about a child. "
    "A request that was cancelled counts as closed.",
    "A change of rating and an overridden consent are counted once an enquiry, in the month in which they were made.",
)
USE: Final = (
    "Every line names an enquiry, and the request by the reference under which the hub speaks of it. "
    "Why consent was overridden, and by whom, stands in the enquiry."
)
LATE: Final = frozenset({ClockState.ANSWERED_LATE, ClockState.BREACHED})


@dataclass(frozen=True)
class Told:
    """One enquiry with what is known of each of its requests, by the request's reference."""

    enquiry: Enquiry
    ways: Mapping[str, Way]


def council_report(
    month: Month, told: Sequence[Told], *, source: Source, now: datetime, calendar: WorkingCalendar
) -> MonthReport:
    """Make the report of a council. Hiding small numbers may take seconds: not on an event loop."""
    histories = [history for one in told for history in _histories(one)]
    handled = handled_in(month, histories, now=now, calendar=calendar)
    changes = [_ratings_of(one.enquiry) for one in told if one.enquiry.ratings]
    enquiry_of = {reference_of(issued.thread): one.enquiry.reference for one in told for issued in one.enquiry.issued}
    return MonthReport(
        month=month,
        as_at=now,
        source=source,
        published=(
            response_times(month, handled),
            overrides(month, [(at, reason) for one in told for at, reason in overridden(one.enquiry)]),
            reratings(month, changes),
        ),
        inside=(_late(handled, enquiry_of, now=now), _overrides(month, told), _reratings(month, changes)),
        remarks=tuple(remarks_on(month, source, now=now)),
        counted=COUNTED,
        use=USE,
    )


def overridden(enquiry: Enquiry) -> Iterator[tuple[datetime, OverrideReason]]:
    """Give when consent was overridden and on which ground (LAW-06); a ground that is not on the list is `other`."""
    override = enquiry.form.consent.override
    if override is None or override.at is None:
        return
    known = {reason.value: reason for reason in OverrideReason}
    yield override.at, known.get(override.ground or "", OverrideReason.OTHER)


def _histories(told: Told) -> Iterator[History]:
    for issued in told.enquiry.issued:
        events = tuple(events_of(told.enquiry, issued, told.ways.get(issued.rfi, Way())))
        yield History(reference_of(issued.thread), issued.participant, events)


def _ratings_of(enquiry: Enquiry) -> History:
    """Give the ratings of an enquiry as a history of its own: it is rated once, however many it asks."""
    first, *later = enquiry.ratings
    events = [ClockEvent(ClockEventKind.ISSUED, first.at, rating=RagRating(first.rag))]
    events += [ClockEvent(ClockEventKind.RERATED, one.at, rating=RagRating(one.rag)) for one in later]
    return History(enquiry.reference, "", tuple(events))


def _late(handled: Iterable[Handled], enquiry_of: Mapping[str, str], *, now: datetime) -> Sheet:
    late = [one for one in handled if one.state in LATE]
    late.sort(key=lambda one: (one.due_at - (one.answered_at or now), one.reference))
    rows = tuple(
        (
            enquiry_of[one.reference],
            one.reference,
            one.agency,
            one.rating.value,
            moment(one.due_at),
            moment(one.answered_at) if one.answered_at else "no reply",
            f"{((one.answered_at or now) - one.due_at).total_seconds() / 3600:.1f}",
        )
        for one in late
    )
    head = ("enquiry", "request", "agency", "rating", "due", "answered", "hours late")
    title = "Late or without a reply"
    return Sheet("late-list", title, head, rows, for_publication=False, left=6, widths="5552442")


def _overrides(month: Month, told: Iterable[Told]) -> Sheet:
    made = sorted(
        (at, one.enquiry.reference, why) for one in told for at, why in overridden(one.enquiry) if at in month
    )
    rows = tuple((reference, moment(at), why.value.replace("_", " ")) for at, reference, why in made)
    head = ("enquiry", "overridden", "ground")
    return Sheet("override-list", "Consent overridden", head, rows, for_publication=False, left=3, widths="546")


def _reratings(month: Month, changes: Iterable[History]) -> Sheet:
    moved = sorted((move.at, one.reference, move) for one in changes for move in moves_in(month, one.events))
    rows = tuple((ref, move.before.value, move.after.value, moment(at)) for at, ref, move in moved)
    head = ("enquiry", "from", "to", "changed")
    title = "Changes of rating, one by one"
    return Sheet("rerating-list", title, head, rows, for_publication=False, left=4, widths="5334")


def found(reference: str, told: Iterable[Told]) -> tuple[Enquiry, Issued] | None:
    """Give the enquiry and the request that the hub speaks of under `reference`, or None."""
    for one in told:
        for issued in one.enquiry.issued:
            if reference_of(issued.thread) == reference.strip().upper():
                return one.enquiry, issued
    return None
