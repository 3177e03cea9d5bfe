"""The working calendar: when an office is open, and what a working hour or day after a moment is.

It guarantees: aware time in, UTC out; local wall clocks only to find opening and closing, elapsed UTC time for every
length, so both are exact over clock changes; opening moments belong to the office, closing moments do not.
A day's clock time that falls outside the hours of the day it lands on (Friday early close) is brought to the nearest
moment of that same day's hours: a due time may come sooner by this, never on a later day.
A year whose bank holidays are not known counts as having none, so due times come sooner, never later;
`covers` says so beforehand, and somebody has to ask it.
It refuses naive times. It knows no clock, no rating and no agency.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final, Self
from zoneinfo import ZoneInfo

from holidays import country_holidays

LONDON: Final = ZoneInfo("Europe/London")
MIDNIGHT: Final = time(0)
FRIDAY: Final = 4
# One-off bank holidays are proclaimed a year or two ahead: beyond these years the library only guesses by rule.
KNOWN_YEARS: Final = range(2020, 2031)
SEARCH_DAYS: Final = 400
"""An office that does not open for longer than this is a mistake in its settings."""


class NeverOpenError(Exception):
    """The calendar of this office has no working day for more than a year: correct its hours, closures or terms."""


class NaiveTimeError(ValueError):
    """A time without a zone reached the calendar: every time has to say its zone."""


@dataclass(frozen=True)
class Hours:
    """The office hours of one day, local wall clock; closing at 00:00 means the midnight that ends the day."""

    opens: time
    closes: time

    def __post_init__(self) -> None:
        if self.closes != MIDNIGHT and self.closes <= self.opens:
            raise ValueError("an office closes after it opens")


@dataclass(frozen=True)
class Span:
    """A run of days, both ends included: a local closure or a school term."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("a span ends on or after its first day")

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


Week = tuple[Hours | None, ...]
OFFICE: Final = Hours(time(9), time(17))
OFFICE_WEEK: Final[Week] = (OFFICE, OFFICE, OFFICE, OFFICE, OFFICE, None, None)


@cache
def english_bank_holidays(years: range = KNOWN_YEARS) -> frozenset[date]:
    """Give the bank holidays of England and Wales, substitute days included."""
    return frozenset(country_holidays("GB", subdiv="ENG", years=years))


@dataclass(frozen=True)
class WorkingCalendar:
    """The hours of one office. The default is the MASH: Mon-Fri 09:00-17:00 Europe/London, English bank holidays.

    `week` has seven entries, Monday first, None for a day on which the office is closed.
    `terms` is None where no terms apply; an empty tuple means that the office never opens.
    `known_years` are the years whose bank holidays are in `bank_holidays`; None for an office that keeps none.
    """

    week: Week = OFFICE_WEEK
    bank_holidays: frozenset[date] = field(default_factory=english_bank_holidays, repr=False)
    known_years: range | None = KNOWN_YEARS
    closures: tuple[Span, ...] = ()
    terms: tuple[Span, ...] | None = None
    zone: ZoneInfo = LONDON
    _days: dict[date, tuple[datetime, datetime] | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if len(self.week) != 7:
            raise ValueError("a week has seven days")

    def with_early_close(self, weekday: int, closes: time) -> Self:
        """Give this calendar with one weekday (Monday is 0) closing at `closes`; a closed day stays closed."""
        week = list(self.week)
        hours = week[weekday]
        week[weekday] = Hours(hours.opens, closes) if hours else None
        return replace(self, week=tuple(week))

    def covers(self, year: int) -> bool:
        """Say whether the bank holidays of `year`, and the terms of both its school years, are known."""
        return (self.known_years is None or year in self.known_years) and self._terms_cover(year)

    def is_working(self, moment: datetime) -> bool:
        """Say whether the office is open at `moment`: from the second it opens until the second it closes."""
        moment = as_utc(moment)
        hours = self._hours_of(self._local_day(moment))
        return hours is not None and hours[0] <= moment < hours[1]

    def next_working_moment(self, moment: datetime) -> datetime:
        """Give `moment` itself when the office is open, else its next opening. Raises `NeverOpenError`."""
        moment = as_utc(moment)
        opens, _ = next(self._open_from(moment))
        return max(moment, opens)

    def add_working_days(self, moment: datetime, days: int) -> datetime:
        """Give the same clock time `days` working days after the next working moment from `moment`.

        Raises `NeverOpenError`, and `ValueError` for negative days.
        """
        if days < 0:
            raise ValueError("working days are counted forwards")
        start = self.next_working_moment(moment)
        ahead = self._open_from(start)
        opens, closes = next(ahead)
        if days == 0:
            return start
        for _ in range(days):
            opens, closes = next(ahead)
        clock = start.astimezone(self.zone).replace(tzinfo=None, fold=0).time()
        same_clock = datetime.combine(self._local_day(opens), clock, self.zone).astimezone(UTC)
        return min(max(same_clock, opens), closes)

    def add_working_time(self, moment: datetime, work: timedelta) -> datetime:
        """Give the first moment at which the office has been open for `work` since `moment`.

        Raises `NeverOpenError`, and `ValueError` for a negative length.
        """
        if work < timedelta(0):
            raise ValueError("working time is counted forwards")
        moment = as_utc(moment)
        for opens, closes in self._open_from(moment):
            start = max(moment, opens)
            if work <= closes - start:
                return start + work
            work -= closes - start
        raise NeverOpenError  # the days ahead end only by raising it themselves

    def add_working_hours(self, moment: datetime, hours: float) -> datetime:
        """Give the first moment at which the office has been open for `hours` hours since `moment`."""
        return self.add_working_time(moment, timedelta(hours=hours))

    def working_time_between(self, start: datetime, end: datetime) -> timedelta:
        """Give how long the office is open between two moments; negative when `end` comes before `start`."""
        start, end = as_utc(start), as_utc(end)
        if end < start:
            return -self.working_time_between(end, start)
        total, day, last = timedelta(0), self._local_day(start), self._local_day(end)
        while day <= last:
            hours = self._hours_of(day)
            if hours is not None:
                total += max(timedelta(0), min(end, hours[1]) - max(start, hours[0]))
            day += timedelta(days=1)
        return total

    def closing_of(self, day: date) -> datetime:
        """Give when the office closes on `day`, or on its next working day when it does not open then."""
        midnight = datetime.combine(day, MIDNIGHT, self.zone).astimezone(UTC)
        _, closes = next(self._open_from(midnight))
        return closes

    def _open_from(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Give opening and closing of each working day that is not over at `moment`, in order."""
        day, closed = self._local_day(moment), 0
        while closed <= SEARCH_DAYS:
            hours = self._hours_of(day)
            if hours is not None and moment < hours[1]:
                closed = 0
                yield hours
            closed += 1
            day += timedelta(days=1)
        raise NeverOpenError

    def _hours_of(self, day: date) -> tuple[datetime, datetime] | None:
        """Give opening and closing of `day` in UTC; remembered, because every question asks for the same few days."""
        if day not in self._days:
            self._days[day] = self._work_out(day)
        return self._days[day]

    def _work_out(self, day: date) -> tuple[datetime, datetime] | None:
        hours = self.week[day.weekday()]
        if hours is None or day in self.bank_holidays or any(day in span for span in self.closures):
            return None
        if self.terms is not None and not any(day in term for term in self.terms):
            return None
        last = day + timedelta(days=1) if hours.closes == MIDNIGHT else day
        opens = datetime.combine(day, hours.opens, self.zone)
        closes = datetime.combine(last, hours.closes, self.zone)
        return opens.astimezone(UTC), closes.astimezone(UTC)

    def _local_day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def _terms_cover(self, year: int) -> bool:
        """Say whether there are terms before and after the summer of `year`, where the school year turns."""
        if self.terms is None:
            return True
        summer = date(year, 8, 1)
        before = any(term.last >= date(year, 1, 1) and term.first < summer for term in self.terms)
        after = any(term.first <= date(year, 12, 31) and term.last >= summer for term in self.terms)
        return before and after


def as_utc(moment: datetime) -> datetime:
    """Give the same moment in UTC. Raises `NaiveTimeError` where `astimezone` would guess the machine's zone."""
    if moment.utcoffset() is None:
        raise NaiveTimeError
    return moment.astimezone(UTC)


MASH_CALENDAR: Final = WorkingCalendar()
