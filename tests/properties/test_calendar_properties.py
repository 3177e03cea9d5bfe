"""The calendar against two independent oracles, over five years and every clock change in them.

`MASH_EXAMPLES` says how many cases each property gets; 10,000 is the long form. One test has its 10,000 in every run.
"""

import os
import random
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from broker.calendar import (
    FRIDAY,
    LONDON,
    MASH_CALENDAR,
    MIDNIGHT,
    Hours,
    Span,
    WorkingCalendar,
    english_bank_holidays,
)
from tests.unit.clocks.oracles import LibraryOffice, MinuteOffice, bank_holidays, days_of
from tests.unit.clocks.times import local

EXAMPLES = int(os.environ.get("MASH_EXAMPLES", "100"))
thorough = settings(max_examples=EXAMPLES, deadline=None, database=None)
FIRST, LAST = datetime(2025, 1, 1), datetime(2029, 12, 31, 23, 59)  # noqa: DTZ001 - hypothesis wants bounds without a zone

TERMS = (
    (date(2024, 9, 3), date(2024, 12, 20)),
    *(
        term
        for year in range(2025, 2031)
        for term in (
            (date(year, 1, 6), date(year, 3, 27)),
            (date(year, 4, 14), date(year, 7, 21)),
            (date(year, 9, 2), date(year, 12, 18)),
        )
    ),
)
CLOSURE = (date(2026, 12, 29), date(2026, 12, 31))
NINE_TO_FIVE = ((540, 1020),) * 5 + (None, None)

OFFICES: dict[str, tuple[WorkingCalendar, MinuteOffice]] = {
    "mash": (MASH_CALENDAR, MinuteOffice(NINE_TO_FIVE)),
    "friday at four": (
        MASH_CALENDAR.with_early_close(FRIDAY, time(16)),
        MinuteOffice((*NINE_TO_FIVE[:4], (540, 960), None, None)),
    ),
    "surgery": (
        WorkingCalendar(week=(Hours(time(8), time(18, 30)),) * 5 + (None, None)),
        MinuteOffice(((480, 1110),) * 5 + (None, None)),
    ),
    "school": (
        WorkingCalendar(
            week=(Hours(time(8, 30), time(16)),) * 5 + (None, None), terms=tuple(Span(*term) for term in TERMS)
        ),
        MinuteOffice(((510, 960),) * 5 + (None, None), term_days=days_of(*TERMS)),
    ),
    "closed at Christmas": (
        WorkingCalendar(closures=(Span(*CLOSURE),)),
        MinuteOffice(NINE_TO_FIVE, closures=days_of(CLOSURE)),
    ),
    "round the clock": (
        WorkingCalendar(week=(Hours(MIDNIGHT, MIDNIGHT),) * 7, bank_holidays=frozenset(), known_years=None),
        MinuteOffice(((0, 1440),) * 7, keeps_bank_holidays=False),
    ),
    "night and weekend": (
        WorkingCalendar(week=(Hours(time(0, 30), time(2, 30)),) * 7, bank_holidays=frozenset(), known_years=None),
        MinuteOffice(((30, 150),) * 7, keeps_bank_holidays=False),
    ),
}

seconds = some.datetimes(FIRST, LAST).map(lambda moment: moment.replace(microsecond=0, tzinfo=UTC))
minutes = seconds.map(lambda moment: moment.replace(second=0))
around_clock_changes = some.builds(
    lambda year, spring, shift: _change(year, spring=spring) + timedelta(minutes=shift),
    some.integers(2025, 2029),
    some.booleans(),
    some.integers(-3 * 1440, 3 * 1440),
)
moments = some.one_of(minutes, around_clock_changes)
offices = some.sampled_from(sorted(OFFICES))


def _change(year: int, *, spring: bool) -> datetime:
    """Give the hour at which London's clocks change: the last Sunday of March or October, 01:00 UTC."""
    last = date(year, 3 if spring else 10, 31)
    sunday = last - timedelta(days=(last.weekday() + 1) % 7)
    return datetime.combine(sunday, time(1), UTC)


library = LibraryOffice(range(2024, 2032))
SPRING, AUTUMN = local("2027-03-28 00:30"), local("2026-10-25 00:30")


@pytest.mark.parametrize("year", range(2024, 2031))
def test_the_bank_holidays_are_those_of_the_act(year: int) -> None:
    """The library's weekdays off are those worked out by rule, substitute days included."""
    weekdays = {day for day in english_bank_holidays() if day.year == year and day.weekday() < 5}
    assert weekdays == {day for day in bank_holidays(year) if day.year == year}


def test_ten_thousand_moments_of_five_years_agree_with_the_library() -> None:
    """The figure that is promised, in every run and not only in the long form: the same cases each time."""
    dice = random.Random(20261124)  # noqa: S311 - the same cases each time, and no secret
    begin, five_years = datetime(2025, 1, 1, tzinfo=UTC), 5 * 365 * 86_400
    for _ in range(10_000):
        moment = begin + timedelta(seconds=dice.randrange(five_years))
        work = timedelta(seconds=dice.randrange(1, 30 * 3600))
        end = MASH_CALENDAR.add_working_time(moment, work)
        assert end == library.after(moment, work)
        assert library.between(moment, moment + 3 * work) == MASH_CALENDAR.working_time_between(
            moment, moment + 3 * work
        )


@thorough
@given(moment=seconds, hours=some.integers(0, 80), extra=some.integers(0, 3599))
@example(moment=local("2026-12-24 16:59"), hours=24, extra=0)
@example(moment=local("2027-03-25 12:00"), hours=8, extra=0)
def test_working_hours_agree_with_the_library(moment: datetime, hours: int, extra: int) -> None:
    """To the second, for any start in five years."""
    work = timedelta(hours=hours, seconds=extra)
    if work:
        assert MASH_CALENDAR.add_working_time(moment, work) == library.after(moment, work)


@thorough
@given(moment=seconds, days=some.integers(0, 30), extra=some.integers(0, 86399))
def test_working_time_between_agrees_with_the_library(moment: datetime, days: int, extra: int) -> None:
    """Any span of up to a month, to the second."""
    end = moment + timedelta(days=days, seconds=extra)
    assert MASH_CALENDAR.working_time_between(moment, end) == library.between(moment, end)


@thorough
@given(office=offices, moment=moments, days=some.integers(0, 4))
@example(office="round the clock", moment=SPRING - timedelta(days=1), days=1)
@example(office="round the clock", moment=AUTUMN, days=1)
@example(office="friday at four", moment=local("2026-11-26 16:30"), days=1)
@example(office="school", moment=local("2026-12-18 15:59"), days=1)
def test_working_days_agree_with_stepping_through_minutes(office: str, moment: datetime, days: int) -> None:
    """Every kind of office, over holidays, terms, early closing and clock changes."""
    calendar, oracle = OFFICES[office]
    assert calendar.add_working_days(moment, days) == oracle.after_days(moment, days)


@thorough
@given(office=offices, moment=moments, worked=some.integers(0, 1500))
@example(office="round the clock", moment=SPRING, worked=120)
@example(office="night and weekend", moment=SPRING, worked=119)
@example(office="night and weekend", moment=AUTUMN, worked=179)
def test_working_time_agrees_with_stepping_through_minutes(office: str, moment: datetime, worked: int) -> None:
    """The hour that spring takes and the hour that autumn gives are counted as they pass."""
    calendar, oracle = OFFICES[office]
    assert calendar.add_working_time(moment, timedelta(minutes=worked)) == oracle.after_minutes(moment, worked)


@thorough
@given(office=offices, moment=moments, length=some.integers(0, 6 * 1440))
@example(office="round the clock", moment=AUTUMN, length=240)
@example(office="night and weekend", moment=SPRING, length=240)
def test_time_between_agrees_with_stepping_through_minutes(office: str, moment: datetime, length: int) -> None:
    """Counting open minutes one by one gives the same sum."""
    calendar, oracle = OFFICES[office]
    end = moment + timedelta(minutes=length)
    assert calendar.working_time_between(moment, end) == timedelta(minutes=oracle.minutes_between(moment, end))


@thorough
@given(office=offices, moment=seconds, work=some.integers(1, 200_000))
def test_time_that_was_added_lies_between(office: str, moment: datetime, work: int) -> None:
    """Adding and measuring are each other's inverse, to the second."""
    calendar, _ = OFFICES[office]
    length = timedelta(seconds=work)
    assert calendar.working_time_between(moment, calendar.add_working_time(moment, length)) == length


@thorough
@given(office=offices, first=seconds, second=some.integers(0, 10**7), third=some.integers(0, 10**7))
def test_spans_add_up(office: str, first: datetime, second: int, third: int) -> None:
    """The time to a point and from it is the time over it: no second is lost or counted twice at any boundary."""
    calendar, _ = OFFICES[office]
    middle = first + timedelta(seconds=second)
    end = middle + timedelta(seconds=third)
    between = calendar.working_time_between
    assert between(first, middle) + between(middle, end) == between(first, end)


@thorough
@given(office=offices, moment=seconds)
def test_what_the_calendar_gives_is_utc_and_at_work(office: str, moment: datetime) -> None:
    """A rolled start is in UTC, never before the moment, and within office hours; rolling again changes nothing."""
    calendar, _ = OFFICES[office]
    rolled = calendar.next_working_moment(moment.astimezone(LONDON))
    assert rolled.tzinfo is UTC
    assert rolled >= moment
    assert calendar.is_working(rolled)
    assert calendar.next_working_moment(rolled) == rolled
