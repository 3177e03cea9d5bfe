"""The sheets of a month: response times, re-ratings and overrides to publish, the lists that stay inside. Pure.

It guarantees: what may be published shows no count from 1 to 5 and none that can be worked out (REC-19); a time is
shown for six answers or more only; the same histories give the same sheets.
The limit: each month is a table of its own. A table of the year beside its months can be set against them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from math import ceil
from typing import Final, NamedTuple

from broker.calendar import as_utc
from broker.reports.handled import Handled, History
from broker.reports.months import Month
from broker.reports.sheets import HIDDEN, Sheet, count, moment
from broker.sla import ClockEvent, ClockState
from broker.sla.events import ORDER
from broker.suppression import SMALL, suppress
from schemas.rating import RagRating

RATINGS: Final = tuple(RagRating)
TIMES: Final = ("median hours", "nine in ten within hours", "median office hours")
STATES: Final = (
    ClockState.ANSWERED,
    ClockState.ANSWERED_LATE,
    ClockState.BREACHED,
    ClockState.RUNNING,
    ClockState.WAITING,
    ClockState.CLOSED,
)


class OverrideReason(StrEnum):
    """Why a manager went on without consent (LAW-06, DPA Schedule 1 paragraph 18(2)), or that no ground is on file."""

    CANNOT_CONSENT = "cannot_consent"
    NOT_REASONABLE_TO_OBTAIN = "not_reasonable_to_obtain"
    WOULD_INCREASE_RISK = "would_increase_risk"
    PREJUDICE_TO_CRIME = "prejudice_to_crime"
    OTHER = "other"


class Move(NamedTuple):
    """One change of rating, in UTC."""

    at: datetime
    before: RagRating
    after: RagRating


def response_times(month: Month, handled: Sequence[Handled]) -> Sheet:
    """Give how requests were answered, by agency and rating: safe to publish."""
    rows = sorted({(one.agency, one.rating) for one in handled}, key=lambda row: (row[0], RATINGS.index(row[1])))
    counts = Counter((one.agency, one.rating, one.state) for one in handled)
    table = suppress([[counts[agency, rating, state] for state in STATES] for agency, rating in rows])
    lines = []
    for number, (agency, rating) in enumerate(rows):
        of_row = [one for one in handled if (one.agency, one.rating) == (agency, rating)]
        shown = [*table.cells[number], table.row_totals[number]]
        lines.append((str(month), agency, rating, *map(count, shown), *_times(of_row, hidden=None in shown)))
    if rows:
        lines.append((str(month), "all", "all", *map(count, (*table.column_totals, table.total)), "", "", ""))
    head = ("month", "agency", "rating", *STATES, "asked", *TIMES)
    title = "Response times by agency and rating"
    return Sheet("response-times", title, head, tuple(lines), for_publication=True, left=3)


def reratings(month: Month, histories: Iterable[History]) -> Sheet:
    """Give how often ratings were changed in `month`, from which to which: safe to publish."""
    moves = Counter((move.before, move.after) for history in histories for move in moves_in(month, history.events))
    table = suppress([[moves[before, after] for after in RATINGS] for before in RATINGS])
    rows = [
        (str(month), rating.value, *map(count, (*table.cells[number], table.row_totals[number])))
        for number, rating in enumerate(RATINGS)
    ]
    rows.append((str(month), "all", *map(count, (*table.column_totals, table.total))))
    head = ("month", "from", *(f"to {rating}" for rating in RATINGS), "all")
    return Sheet("reratings", "Changes of rating", head, tuple(rows), for_publication=True, left=2)


def overrides(month: Month, recorded: Iterable[tuple[datetime, OverrideReason]]) -> Sheet:
    """Give how often consent was overridden, and why: safe to publish."""
    counts = Counter(reason for at, reason in recorded if at in month)
    table = suppress([[counts[reason]] for reason in OverrideReason])
    rows = [(str(month), reason.value, count(row[0])) for reason, row in zip(OverrideReason, table.cells, strict=True)]
    rows.append((str(month), "all", count(table.total)))
    head = ("month", "reason", "overrides")
    return Sheet("overrides", "Consent overridden, by reason", head, tuple(rows), for_publication=True, left=2)


def late_list(handled: Sequence[Handled], *, now: datetime) -> Sheet:
    """Give every request that was answered late or is overdue, the longest overdue first: not for publication."""
    late = [one for one in handled if one.state in {ClockState.ANSWERED_LATE, ClockState.BREACHED}]
    late.sort(key=lambda one: (one.due_at - (one.answered_at or now), one.reference))
    head = ("reference", "agency", "rating", "issued", "due", "answered", "hours late")
    rows = tuple(
        (
            one.reference,
            one.agency,
            one.rating.value,
            moment(one.issued_at),
            moment(one.due_at),
            moment(one.answered_at) if one.answered_at else "no reply",
            f"{((one.answered_at or now) - one.due_at).total_seconds() / 3600:.1f}",
        )
        for one in late
    )
    title = "Late or without a reply"
    return Sheet("late-list", title, head, rows, for_publication=False, left=6, widths="5624442")


def rerating_list(month: Month, histories: Iterable[History]) -> Sheet:
    """Give every change of rating in `month`, in the order of time: not for publication."""
    moved = [(move, history) for history in histories for move in moves_in(month, history.events)]
    moved.sort(key=lambda pair: (pair[0].at, pair[1].reference, pair[1].agency))
    rows = tuple(
        (history.reference, history.agency, move.before.value, move.after.value, moment(move.at))
        for move, history in moved
    )
    head = ("reference", "agency", "from", "to", "changed")
    title = "Changes of rating, one by one"
    return Sheet("rerating-list", title, head, rows, for_publication=False, left=5, widths="56334")


def moves_in(month: Month, events: Iterable[ClockEvent]) -> list[Move]:
    """List the changes of rating of one request, each event once, those to the same rating left out."""
    rated = {event for event in events if event.rating is not None}
    told = sorted(rated, key=lambda event: (ORDER[event.kind] > 0, as_utc(event.at)))
    return [
        Move(as_utc(after.at), before.rating, after.rating)
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
