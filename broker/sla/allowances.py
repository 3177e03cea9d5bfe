"""How long everybody has: the service levels of an area as one table, and how an allowance is added to a moment.

Every figure is a default of the domain (source at its line) and a setting of the area; none is a constant elsewhere.
An allowance is measured in elapsed time, in working hours or in working days, and says which.
BLUE has no row: nobody is asked, so there is nothing to be late with (P2).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from broker.calendar import WorkingCalendar, as_utc
from schemas.rating import RagRating


class NobodyAskedError(ValueError):
    """A BLUE enquiry asks nobody, so no request of it has a due time: rate it RED, AMBER or GREEN first."""


class Measure(StrEnum):
    """What an allowance counts."""

    ELAPSED = "elapsed"
    WORKING_HOURS = "working_hours"
    WORKING_DAYS = "working_days"


@dataclass(frozen=True)
class Allowance:
    """A length of time: `time` for elapsed and working hours, whole `days` for working days."""

    measure: Measure
    time: timedelta = timedelta(0)
    days: int = 0

    def after(self, moment: datetime, *, calendar: WorkingCalendar) -> datetime:
        """Give the moment, in UTC, at which this allowance that starts at `moment` is used up."""
        if self.measure is Measure.WORKING_DAYS:
            return calendar.add_working_days(moment, self.days)
        if self.measure is Measure.WORKING_HOURS:
            return calendar.add_working_time(moment, self.time)
        return as_utc(moment) + self.time

    def between(self, start: datetime, end: datetime, *, calendar: WorkingCalendar) -> timedelta:
        """Give how much of this allowance's kind of time lies between two moments; days are counted in office time."""
        if self.measure is Measure.ELAPSED:
            return as_utc(end) - as_utc(start)
        return calendar.working_time_between(start, end)

    def measured(self, time: timedelta) -> "Allowance":
        """Give a length of this allowance's kind of time; of working days, the office time in them."""
        kind = Measure.ELAPSED if self.measure is Measure.ELAPSED else Measure.WORKING_HOURS
        return Allowance(kind, time=time)


def elapsed(**length: float) -> Allowance:
    """Make an allowance of elapsed time, at every hour of every day; arguments as for `timedelta`."""
    return Allowance(Measure.ELAPSED, time=timedelta(**length))


def working_hours(hours: float) -> Allowance:
    """Make an allowance of office time."""
    return Allowance(Measure.WORKING_HOURS, time=timedelta(hours=hours))


def working_days(days: int) -> Allowance:
    """Make an allowance of working days: the same clock time so many working days later."""
    return Allowance(Measure.WORKING_DAYS, days=days)


@dataclass(frozen=True)
class ByRating:
    """One allowance for each rating that asks somebody."""

    red: Allowance
    amber: Allowance
    green: Allowance

    def of(self, rating: RagRating) -> Allowance:
        """Give the allowance of `rating`. Raises `NobodyAskedError` for BLUE."""
        rows = {RagRating.RED: self.red, RagRating.AMBER: self.amber, RagRating.GREEN: self.green}
        if rating not in rows:
            raise NobodyAskedError
        return rows[rating]


ONE_MINUTE: Final = elapsed(seconds=60)
ONE_DAY: Final = working_days(1)
THREE_DAYS: Final = working_days(3)
# PBO §6, P1-P4. RED runs on elapsed time: it is worked to completion beyond office hours (SLA-06).
RESPONSE: Final = ByRating(red=elapsed(hours=4), amber=ONE_DAY, green=THREE_DAYS)
# SEF §2.6, SLA-02. GREEN is urgent only when its due time was set earlier by hand; then as AMBER.
PHONE_CALL: Final = ByRating(red=elapsed(minutes=30), amber=working_hours(2), green=working_hours(2))
# FAN-07: a person at the recipient has seen it.
HUMAN_ACK: Final = ByRating(red=elapsed(minutes=30), amber=working_hours(2), green=ONE_DAY)
# DIS-04
ONWARD_QUESTION: Final = ByRating(red=elapsed(hours=4), amber=ONE_DAY, green=ONE_DAY)


@dataclass(frozen=True)
class Allowances:
    """The service levels of one area."""

    response: ByRating = RESPONSE
    phone_call: ByRating = PHONE_CALL
    human_ack: ByRating = HUMAN_ACK
    onward_question: ByRating = ONWARD_QUESTION
    adapter_ack: Allowance = ONE_MINUTE  # FAN-08: by the machine, at any hour
    decision: Allowance = ONE_DAY  # from receipt of the referral
    outcome_to_partners: Allowance = THREE_DAYS  # SEF §2.6, SLA-03
    referrer_below_threshold: Allowance = ONE_DAY  # SEF A4 §10, SLA-04
    referrer_other: Allowance = THREE_DAYS  # P5, SLA-05
    correction_ack: Allowance = ONE_DAY  # LON §4.7, RSP-13
    marac_minutes: Allowance = THREE_DAYS  # P22b
    urgent_below: timedelta = timedelta(hours=24)  # of office time, literally (SEF §2.6)
    sub_request_margin: timedelta = timedelta(hours=1)  # FAN-04: what the conduit keeps for putting answers together

    def __post_init__(self) -> None:
        if self.urgent_below < timedelta(0) or self.sub_request_margin < timedelta(0):
            raise ValueError("a margin is not negative")


DEFAULT_ALLOWANCES: Final = Allowances()
# Testfordshire's own setting, in which every referrer hears within a working day whatever was decided.
EVERY_REFERRER_IN_A_DAY: Final = replace(DEFAULT_ALLOWANCES, referrer_other=ONE_DAY)
# For an area that says so (P3), knowing that a RED issued on Friday at 15:40 is then due on Monday at 11:40.
RED_IN_WORKING_HOURS: Final = replace(DEFAULT_ALLOWANCES, response=replace(RESPONSE, red=working_hours(4)))
