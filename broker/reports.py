"""The month's reports: response times, the late list, overrides and re-ratings, as pure functions of what happened.

It guarantees: a report that may leave the partnership shows no count from 1 to 5 and none that can be worked out
(REC-19); a time is shown for six answers or more only; the same histories give the same report.
The late list is the exception and says so in its first line: it names requests one by one, by their reference, for the
people who answer for them; it is never suppressed and never published.
Nothing about a person is in a history: references, participants, ratings, moments and reason codes.
The limit: each month is a table of its own. A table of the year beside its months can be set against them.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise
from math import ceil
from typing import Final

from broker.calendar import LONDON, WorkingCalendar, as_utc
from broker.sla import DEFAULT_ALLOWANCES, Allowances, ClockEvent, ClockEventKind, ClockState, RfiClock
from broker.sla.events import ORDER
from broker.suppression import SMALL, suppress
from schemas.rating import RagRating

HIDDEN: Final = "[c]"
"""The mark of a confidential count, as official statistics write it."""
NOT_FOR_PUBLICATION: Final = "NOT FOR PUBLICATION: names requests one by one"
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
RATINGS: Final = tuple(RagRating)
TIMES: Final = ("median hours", "nine in ten within hours", "median office hours")


class OverrideReason(StrEnum):
    """Why a manager went on without consent (LAW-06, DPA Schedule 1 paragraph 18(2))."""

    CANNOT_CONSENT = "cannot_consent"
    NOT_REASONABLE_TO_OBTAIN = "not_reasonable_to_obtain"
    WOULD_INCREASE_RISK = "would_increase_risk"
    WOULD_PREJUDICE_CRIME = "would_prejudice_crime"


@dataclass(frozen=True)
class History:
    """One request: its pseudonymous reference, the participant asked, and what happened to it."""

    reference: str
    agency: str
    events: tuple[ClockEvent, ...]


@dataclass(frozen=True)
class Month:
    """A calendar month in London; a request belongs to the month in which it was issued."""

    year: int
    month: int

    def __contains__(self, moment: datetime) -> bool:
        there = moment.astimezone(LONDON)
        return (there.year, there.month) == (self.year, self.month)

    def __str__(self) -> str:
        return date(self.year, self.month, 1).strftime("%Y-%m")


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


STATES: Final = (
    ClockState.ANSWERED,
    ClockState.ANSWERED_LATE,
    ClockState.BREACHED,
    ClockState.RUNNING,
    ClockState.WAITING,
    ClockState.CLOSED,
)


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


def response_times_csv(month: Month, handled: Sequence[Handled]) -> str:
    """Write how requests were answered, by agency and rating: safe to publish."""
    rows = sorted({(one.agency, one.rating) for one in handled}, key=lambda row: (row[0], RATINGS.index(row[1])))
    counts = Counter((one.agency, one.rating, one.state) for one in handled)
    table = suppress([[counts[agency, rating, state] for state in STATES] for agency, rating in rows])
    lines = [
        [
            "month",
            "agency",
            "rating",
            *STATES,
            "asked",
            "median hours",
            "nine in ten within hours",
            "median office hours",
        ]
    ]
    for number, (agency, rating) in enumerate(rows):
        of_row = [one for one in handled if (one.agency, one.rating) == (agency, rating)]
        shown = [*table.cells[number], table.row_totals[number]]
        lines.append([str(month), agency, rating, *map(_count, shown), *_times(of_row, hidden=None in shown)])
    lines.append([str(month), "all", "all", *map(_count, (*table.column_totals, table.total)), "", "", ""])
    return _csv(lines)


def late_list_csv(month: Month, handled: Sequence[Handled], *, now: datetime) -> str:
    """Write every request that was answered late or is overdue, the longest overdue first: not for publication."""
    late = [one for one in handled if one.state in {ClockState.ANSWERED_LATE, ClockState.BREACHED}]
    lines = [
        [f"{NOT_FOR_PUBLICATION}, {month}"],
        ["reference", "agency", "rating", "issued", "due", "answered", "hours late"],
    ]
    for one in sorted(late, key=lambda one: (one.due_at - (one.answered_at or now), one.reference)):
        over = ((one.answered_at or now) - one.due_at).total_seconds() / 3600
        answered = _moment(one.answered_at) if one.answered_at else "no reply"
        lines.append(
            [
                one.reference,
                one.agency,
                one.rating,
                _moment(one.issued_at),
                _moment(one.due_at),
                answered,
                f"{over:.1f}",
            ]
        )
    return _csv(lines)


def overrides_csv(month: Month, overrides: Iterable[tuple[datetime, OverrideReason]]) -> str:
    """Write how often consent was overridden, and why: safe to publish."""
    counts = Counter(reason for at, reason in overrides if at in month)
    table = suppress([[counts[reason]] for reason in OverrideReason])
    lines = [["month", "reason", "overrides"]]
    lines += [[str(month), reason, _count(row[0])] for reason, row in zip(OverrideReason, table.cells, strict=True)]
    return _csv([*lines, [str(month), "all", _count(table.total)]])


def reratings_csv(month: Month, histories: Iterable[History]) -> str:
    """Write how often ratings were changed in `month`, from which to which: safe to publish."""
    moves = Counter(move for history in histories for move in _moves(month, history.events))
    table = suppress([[moves[before, after] for after in RATINGS] for before in RATINGS])
    lines = [["month", "from", *(f"to {rating}" for rating in RATINGS), "all"]]
    lines += [
        [str(month), rating, *map(_count, (*table.cells[number], table.row_totals[number]))]
        for number, rating in enumerate(RATINGS)
    ]
    return _csv([*lines, [str(month), "all", *map(_count, (*table.column_totals, table.total))]])


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
    )


def _moves(month: Month, events: Iterable[ClockEvent]) -> list[tuple[RagRating, RagRating]]:
    """List the changes of rating of one request, each event once, those to the same rating left out."""
    rated = {event for event in events if event.rating is not None}
    told = sorted(rated, key=lambda event: (ORDER[event.kind] > 0, as_utc(event.at)))
    return [
        (before.rating, after.rating)
        for before, after in pairwise(told)
        if before.rating and after.rating and before.rating is not after.rating and after.at in month
    ]


def _times(handled: Sequence[Handled], *, hidden: bool) -> list[str]:
    """Give median, ninth decile and median office time; nothing for a row with a hidden count or few answers."""
    hours = sorted(one.hours for one in handled if one.hours is not None)
    office = sorted(one.office_hours for one in handled if one.office_hours is not None)
    if hidden or len(hours) in SMALL:
        return [HIDDEN] * len(TIMES)
    if not hours:
        return [""] * len(TIMES)
    return [f"{at:.1f}" for at in (_quantile(hours, 0.5), _quantile(hours, 0.9), _quantile(office, 0.5))]


def _quantile(values: Sequence[float], share: float) -> float:
    """Give the smallest value that at least `share` of the values do not exceed."""
    return values[max(0, ceil(share * len(values)) - 1)]


def _count(value: int | None) -> str:
    return HIDDEN if value is None else str(value)


def _moment(moment: datetime) -> str:
    return moment.astimezone(LONDON).strftime("%Y-%m-%d %H:%M")


def _csv(lines: Iterable[Sequence[str]]) -> str:
    """Write lines, with no field that a spreadsheet would take for a formula."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(
        [f"'{field}" if field.startswith(FORMULA_STARTS) else field for field in line] for line in lines
    )
    return text.getvalue()
