"""Two independent opinions on working time: one that steps through minutes, and the library businesstimedelta.

Neither shares a line with `broker.calendar`: bank holidays are worked out here by the rules of the Bank Holidays Act,
not by the `holidays` library, and office hours are asked minute by minute, not by intervals.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from businesstimedelta import BusinessTimeDelta, HolidayRule, Rules, WorkDayRule

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
LONDON = ZoneInfo("Europe/London")


def easter(year: int) -> date:
    """Give Easter Sunday by the anonymous Gregorian algorithm."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    h = (19 * a + b - d - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    month, day = divmod(h + weekday - 7 * ((a + 11 * h + 22 * weekday) // 451) + 114, 31)
    return date(year, month, day + 1)


@cache
def bank_holidays(year: int) -> frozenset[date]:
    """Give the days on which the offices of England close in a year without a proclaimed holiday."""
    first_may, last_may, last_august = date(year, 5, 1), date(year, 5, 31), date(year, 8, 31)
    days = {
        easter(year) - 2 * DAY,
        easter(year) + DAY,
        first_may + (-first_may.weekday() % 7) * DAY,
        last_may - last_may.weekday() * DAY,
        last_august - last_august.weekday() * DAY,
    }
    for fixed in (date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)):
        while fixed.weekday() > 4 or fixed in days:
            fixed += DAY
        days.add(fixed)
    return frozenset(days)


@dataclass(frozen=True)
class MinuteOffice:
    """An office described by minutes since midnight; asks every minute whether it is open."""

    opens: tuple[tuple[int, int] | None, ...]
    closures: Collection[date] = ()
    term_days: Collection[date] | None = None
    keeps_bank_holidays: bool = True

    def works_on(self, day: date) -> bool:
        """Say whether the office opens at all on `day`."""
        if self.keeps_bank_holidays and day in bank_holidays(day.year):
            return False
        in_term = self.term_days is None or day in self.term_days
        return in_term and day not in self.closures and self.opens[day.weekday()] is not None

    def open_in(self, moment: datetime) -> bool:
        """Say whether the office is open in the minute that begins at `moment`."""
        there = moment.astimezone(LONDON)
        hours = self.opens[there.weekday()]
        return (
            hours is not None and hours[0] <= there.hour * 60 + there.minute < hours[1] and self.works_on(there.date())
        )

    def next_open(self, moment: datetime) -> datetime:
        """Step forward until the office is open."""
        moment = moment.astimezone(UTC)
        while not self.open_in(moment):
            moment += MINUTE
        return moment

    def after_minutes(self, moment: datetime, minutes: int) -> datetime:
        """Step forward until the office has been open for so many minutes."""
        moment = self.next_open(moment)
        while minutes > 0:
            minutes -= self.open_in(moment)
            moment += MINUTE
        return moment

    def minutes_between(self, start: datetime, end: datetime) -> int:
        """Count the open minutes from `start` to `end`."""
        moment, end, open_minutes = start.astimezone(UTC), end.astimezone(UTC), 0
        while moment < end:
            open_minutes += self.open_in(moment)
            moment += MINUTE
        return open_minutes

    def after_days(self, moment: datetime, days: int) -> datetime:
        """Give the same clock time so many working days on, held within that day's hours."""
        start = self.next_open(moment)
        if days == 0:
            return start
        there = start.astimezone(LONDON)
        day, minute = there.date(), there.hour * 60 + there.minute
        for _ in range(days):
            day += DAY
            while not self.works_on(day):
                day += DAY
        opens, closes = self.opens[day.weekday()] or (0, 0)
        held = min(max(minute, opens), closes)
        return datetime(day.year, day.month, day.day, *divmod(held, 60), tzinfo=LONDON).astimezone(UTC)


class _Localising(ZoneInfo):
    """A zone with the one method of pytz that businesstimedelta calls."""

    def localize(self, wall_clock: datetime) -> datetime:
        """Read a wall clock in this zone."""
        return wall_clock.replace(tzinfo=self)


class LibraryOffice:
    """Monday to Friday, nine to five, as businesstimedelta counts it."""

    def __init__(self, years: range) -> None:
        zone = _Localising("Europe/London")
        closed = set().union(*(bank_holidays(year) for year in years))
        working = WorkDayRule(start_time=time(9), end_time=time(17), working_days=[0, 1, 2, 3, 4], tz=zone)
        self._rules = Rules([working, HolidayRule(closed, tz=zone)])

    def after(self, moment: datetime, work: timedelta) -> datetime:
        """Give when so much working time is over."""
        end: datetime = moment + BusinessTimeDelta(self._rules, timedelta=work)
        return end.astimezone(UTC)

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Give the working time between two moments."""
        found: timedelta = self._rules.difference(start, end).timedelta
        return found


def days_of(*spans: tuple[date, date]) -> frozenset[date]:
    """List the days of spans, both ends included."""
    return frozenset(first + DAY * step for first, last in spans for step in range((last - first).days + 1))


def is_sorted(moments: Collection[datetime]) -> bool:
    """Say whether moments follow each other."""
    return all(earlier <= later for earlier, later in pairwise(moments))
