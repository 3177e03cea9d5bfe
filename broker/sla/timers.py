"""The timers of one request: what has to happen when, as rows that each fire once (SLA-02, SLA-08).

A row is a kind, a moment and the people it calls; its `key` is stable, so that working the rows out again after a
restart gives the same rows and nothing fires twice.
Percentages are of the kind of time the clock runs on: RED of elapsed time, the others of office time.
A leg is one promise of a due time; a re-rating that moves it begins the next leg, and the rows of the old one lapse.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final

from broker.calendar import WorkingCalendar, as_utc
from broker.sla.allowances import DEFAULT_ALLOWANCES, Allowance, Allowances, elapsed
from broker.sla.due import human_ack_due, is_urgent, phone_call_due
from schemas.rating import RagRating


class TimerKind(StrEnum):
    """What a timer is about."""

    HUMAN_ACK = "human_ack"
    PHONE_CALL = "phone_call"
    NUDGE = "nudge"
    WARNING = "warning"
    BREACH = "breach"
    ESCALATION = "escalation"


class Contact(StrEnum):
    """Whom a timer calls, as functions of an agency and never as persons (SLA-08)."""

    COORDINATOR = "coordinator"
    CONTACT_OFFICER = "contact_officer"
    DEPUTY = "deputy"
    SPOC = "spoc"
    AGENCY_LEAD = "agency_lead"


@dataclass(frozen=True)
class Rung:
    """One step of the escalation ladder: at which share of the clock, and who is called."""

    kind: TimerKind
    share: Fraction
    calls: tuple[Contact, ...]


LADDER: Final = (
    Rung(TimerKind.NUDGE, Fraction(50, 100), (Contact.CONTACT_OFFICER,)),
    Rung(TimerKind.WARNING, Fraction(80, 100), (Contact.CONTACT_OFFICER, Contact.DEPUTY)),
    Rung(TimerKind.BREACH, Fraction(100, 100), (Contact.SPOC, Contact.COORDINATOR)),
    Rung(TimerKind.ESCALATION, Fraction(125, 100), (Contact.AGENCY_LEAD, Contact.COORDINATOR)),
)


@dataclass(frozen=True)
class Timer:
    """One row: fires once at `due_at` (UTC). `leg` counts the due times that the request has had, from 1."""

    kind: TimerKind
    due_at: datetime
    calls: tuple[Contact, ...]
    leg: int = 1

    @property
    def key(self) -> str:
        """Name this row among those of its request."""
        return f"{self.kind.value}.{self.leg}"


@dataclass(frozen=True)
class Leg:
    """One promise: a due time, when it began to count, and under which rating. Times in UTC."""

    rating: RagRating
    began_at: datetime
    due_at: datetime
    number: int = 1

    def measure(self, *, calendar: WorkingCalendar, allowances: Allowances = DEFAULT_ALLOWANCES) -> Allowance:
        """Give the kind of time this leg runs on: elapsed also where no office time lies between its ends."""
        own = allowances.response.of(self.rating)
        length = own.between(self.began_at, self.due_at, calendar=calendar)
        return own if length > timedelta(0) else elapsed()

    def moment_of(
        self, share: Fraction, *, calendar: WorkingCalendar, allowances: Allowances = DEFAULT_ALLOWANCES
    ) -> datetime:
        """Give when `share` of the clock has run; exactly `due_at` for the whole."""
        if share == 1:
            return self.due_at
        measure = self.measure(calendar=calendar, allowances=allowances)
        length = measure.between(self.began_at, self.due_at, calendar=calendar)
        part = length * share.numerator / share.denominator
        return _after(self.began_at, part, measure, calendar)

    def share_at(
        self, now: datetime, *, calendar: WorkingCalendar, allowances: Allowances = DEFAULT_ALLOWANCES
    ) -> float:
        """Give how much of the clock has run at `now`: 0.0 before it began, 1.0 at the due time, more after it."""
        measure = self.measure(calendar=calendar, allowances=allowances)
        whole = measure.between(self.began_at, self.due_at, calendar=calendar)
        run = measure.between(self.began_at, now, calendar=calendar)
        late = now >= self.due_at
        return max(1.0 if late else 0.0, run / whole) if whole > timedelta(0) else float(late)


def advice_alert_due(
    leg: Leg, sought_at: datetime, *, calendar: WorkingCalendar, allowances: Allowances = DEFAULT_ALLOWANCES
) -> datetime:
    """Give when advice that was asked for is missed: half-way from asking to the due time, which stands (LAW-28)."""
    asking = replace(leg, began_at=min(as_utc(sought_at), leg.due_at))
    return asking.moment_of(Fraction(1, 2), calendar=calendar, allowances=allowances)


def timers_for(
    rating: RagRating,
    issued_at: datetime,
    due_at: datetime,
    *,
    calendar: WorkingCalendar,
    allowances: Allowances = DEFAULT_ALLOWANCES,
) -> tuple[Timer, ...]:
    """Give the rows of a request just issued, soonest first. Raises `NobodyAskedError` for BLUE."""
    leg = Leg(rating, as_utc(issued_at), as_utc(due_at))
    return timers_of_leg(leg, calendar=calendar, allowances=allowances)


def timers_of_leg(
    leg: Leg, *, calendar: WorkingCalendar, allowances: Allowances = DEFAULT_ALLOWANCES
) -> tuple[Timer, ...]:
    """Give the rows of one leg, soonest first: acknowledgement, telephone call when urgent, and the ladder."""
    rows = [*_tasks(leg, calendar, allowances)]
    for rung in LADDER:
        moment = leg.moment_of(rung.share, calendar=calendar, allowances=allowances)
        rows.append(Timer(rung.kind, moment, rung.calls, leg.number))
    return tuple(sorted(rows, key=lambda row: (row.due_at, list(TimerKind).index(row.kind))))


def _tasks(leg: Leg, calendar: WorkingCalendar, allowances: Allowances) -> Iterator[Timer]:
    seen = human_ack_due(leg.rating, leg.began_at, calendar=calendar, allowances=allowances)
    yield Timer(TimerKind.HUMAN_ACK, seen, (Contact.CONTACT_OFFICER, Contact.COORDINATOR), leg.number)
    if is_urgent(leg.began_at, leg.due_at, calendar=calendar, allowances=allowances):
        called = phone_call_due(leg.rating, leg.began_at, calendar=calendar, allowances=allowances)
        yield Timer(TimerKind.PHONE_CALL, called, (Contact.COORDINATOR,), leg.number)


def _after(moment: datetime, part: timedelta, measure: Allowance, calendar: WorkingCalendar) -> datetime:
    """Add a part of a clock, measured as that clock is, to the moment it began."""
    if measure.measure is elapsed().measure:
        return moment + part
    return calendar.add_working_time(moment, part)
