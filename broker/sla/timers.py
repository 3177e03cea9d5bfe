"""The timers of one request: what has to happen when, as rows that each fire once (SLA-02, SLA-08).

A row is a kind, a moment and the people it calls; its `key` is stable, so that working the rows out again after a
restart gives the same rows and nothing fires twice.
Percentages are of the kind of time the clock runs on: RED of elapsed time, the others of office time.
A leg is one promise of a due time; a re-rating that moves it begins the next leg, and the rows of the old one lapse.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final

from broker.calendar import WorkingCalendar, as_utc
from broker.sla.allowances import DEFAULT_ALLOWANCES, Allowances, elapsed
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


_ORDER: Final = {kind: place for place, kind in enumerate(TimerKind)}


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

    def moments_of(
        self, shares: Sequence[Fraction], *, calendar: WorkingCalendar, allowances: Allowances = DEFAULT_ALLOWANCES
    ) -> tuple[datetime, ...]:
        """Give when each of `shares` of the clock has run; exactly `due_at` for the whole.

        The clock runs on elapsed time also where no office time lies between its ends.
        """
        own = allowances.response.of(self.rating)
        length = own.between(self.began_at, self.due_at, calendar=calendar)
        if length <= timedelta(0):
            own, length = elapsed(), self.due_at - self.began_at
        parts = (length * share.numerator / share.denominator for share in shares)
        ends = (own.measured(part) for part in parts)
        return tuple(
            self.due_at if share == 1 else end.after(self.began_at, calendar=calendar)
            for share, end in zip(shares, ends, strict=True)
        )


def advice_alert_due(
    leg: Leg, sought_at: datetime, *, calendar: WorkingCalendar, allowances: Allowances = DEFAULT_ALLOWANCES
) -> datetime:
    """Give when advice that was asked for is missed: half-way from asking to the due time, which stands (LAW-28)."""
    asking = replace(leg, began_at=min(as_utc(sought_at), leg.due_at))
    return asking.moments_of([Fraction(1, 2)], calendar=calendar, allowances=allowances)[0]


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
    moments = leg.moments_of([rung.share for rung in LADDER], calendar=calendar, allowances=allowances)
    rows += [Timer(rung.kind, moment, rung.calls, leg.number) for rung, moment in zip(LADDER, moments, strict=True)]
    return tuple(sorted(rows, key=lambda row: (row.due_at, _ORDER[row.kind])))


def _tasks(leg: Leg, calendar: WorkingCalendar, allowances: Allowances) -> Iterator[Timer]:
    seen = human_ack_due(leg.rating, leg.began_at, calendar=calendar, allowances=allowances)
    yield Timer(TimerKind.HUMAN_ACK, seen, (Contact.CONTACT_OFFICER, Contact.COORDINATOR), leg.number)
    if is_urgent(leg.began_at, leg.due_at, calendar=calendar, allowances=allowances):
        called = phone_call_due(leg.rating, leg.began_at, calendar=calendar, allowances=allowances)
        yield Timer(TimerKind.PHONE_CALL, called, (Contact.COORDINATOR,), leg.number)
