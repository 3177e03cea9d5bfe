"""The requests of a month as a report sees them: one line each, worked out by the clocks of `broker.sla`. Pure.

Nothing about a person is in a history: references, participants, ratings and moments.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from broker.calendar import WorkingCalendar
from broker.reports.months import Month
from broker.sla import DEFAULT_ALLOWANCES, Allowances, ClockEvent, ClockEventKind, ClockState, RfiClock
from schemas.rating import RagRating


@dataclass(frozen=True)
class History:
    """One request: its pseudonymous reference, the participant asked, what happened to it, and who asked."""

    reference: str
    agency: str
    events: tuple[ClockEvent, ...]
    requester: str = ""


@dataclass(frozen=True)
class Handled:
    """One request as the report sees it. Times in UTC; `hours` of real time and `office_hours` to the answer."""

    reference: str
    agency: str
    rating: RagRating
    state: ClockState
    issued_at: datetime
    due_at: datetime
    answered_at: datetime | None
    hours: float | None
    office_hours: float | None
    requester: str = ""


def handled_in(
    month: Month,
    histories: Iterable[History],
    *,
    now: datetime,
    calendar: WorkingCalendar,
    allowances: Mapping[str, Allowances] | None = None,
) -> tuple[Handled, ...]:
    """Read the requests that were issued in `month`, as they stand at `now`; `allowances` by agency where agreed.

    Raises `NotIssuedError` for a history without an issue: a request must not fall out of a report unseen.
    """
    agreed = allowances or {}
    read = (
        _handled(history, now=now, calendar=calendar, allowances=agreed.get(history.agency, DEFAULT_ALLOWANCES))
        for history in histories
    )
    return tuple(
        sorted((one for one in read if one.issued_at in month), key=lambda one: (one.issued_at, one.reference))
    )


def _handled(history: History, *, now: datetime, calendar: WorkingCalendar, allowances: Allowances) -> Handled:
    clock = RfiClock.from_events(history.events, now=now, calendar=calendar, allowances=allowances)
    issued = min(event.at for event in history.events if event.kind is ClockEventKind.ISSUED)
    answered = clock.answered_at
    return Handled(
        reference=history.reference,
        agency=history.agency,
        rating=clock.rating,
        state=clock.state,
        issued_at=issued,
        due_at=clock.due_at,
        answered_at=answered,
        hours=(answered - issued).total_seconds() / 3600 if answered else None,
        office_hours=calendar.working_time_between(issued, answered).total_seconds() / 3600 if answered else None,
        requester=history.requester,
    )
