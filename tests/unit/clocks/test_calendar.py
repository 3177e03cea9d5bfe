"""The working calendar: hours, holidays, terms, early closing, clock changes, and what it does not know."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from broker.calendar import (
    FRIDAY,
    MASH_CALENDAR,
    MIDNIGHT,
    OFFICE_WEEK,
    Hours,
    NaiveTimeError,
    NeverOpenError,
    Span,
    WorkingCalendar,
    english_bank_holidays,
)
from tests.unit.clocks.times import local, shown

ROUND_THE_CLOCK = WorkingCalendar(week=(Hours(MIDNIGHT, MIDNIGHT),) * 7, bank_holidays=frozenset(), known_years=None)
SURGERY = WorkingCalendar(week=(Hours(time(8), time(18, 30)),) * 5 + (None, None))
SCHOOL = WorkingCalendar(terms=(Span(date(2026, 9, 2), date(2026, 12, 18)), Span(date(2027, 1, 4), date(2027, 7, 21))))
FRIDAY_AT_FOUR = MASH_CALENDAR.with_early_close(FRIDAY, time(16))


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-24 10:12", "2026-11-24 10:12"),
        ("2026-11-24 09:00", "2026-11-24 09:00"),
        ("2026-11-24 08:59", "2026-11-24 09:00"),
        ("2026-11-24 17:00", "2026-11-25 09:00"),
        ("2026-11-24 18:40", "2026-11-25 09:00"),
        ("2026-11-27 17:00", "2026-11-30 09:00"),
        ("2026-12-24 17:00", "2026-12-29 09:00"),
        ("2027-03-25 18:00", "2027-03-30 09:00"),
    ],
)
def test_a_start_rolls_to_the_next_working_moment(moment: str, opens: str) -> None:
    """Opening moments belong to the office, closing moments do not; Christmas and Easter are four days each."""
    assert opens == shown(MASH_CALENDAR.next_working_moment(local(moment)))


@pytest.mark.parametrize(
    ("issued", "one_day", "three_days", "twenty_four_hours"),
    [
        ("2026-11-24 10:12", "2026-11-25 10:12", "2026-11-27 10:12", "2026-11-27 10:12"),
        ("2026-11-27 15:40", "2026-11-30 15:40", "2026-12-02 15:40", "2026-12-02 15:40"),
        ("2026-12-31 12:00", "2027-01-04 12:00", "2027-01-06 12:00", "2027-01-06 12:00"),
    ],
)
def test_working_days_and_hours_are_those_of_the_published_table(
    issued: str, one_day: str, three_days: str, twenty_four_hours: str
) -> None:
    """The test vectors of the service levels, row by row."""
    moment = local(issued)
    assert one_day == shown(MASH_CALENDAR.add_working_days(moment, 1))
    assert three_days == shown(MASH_CALENDAR.add_working_days(moment, 3))
    assert twenty_four_hours == shown(MASH_CALENDAR.add_working_hours(moment, 24))


def test_an_office_day_ends_at_closing_and_not_at_the_next_opening() -> None:
    """Eight hours from nine are up at five: the sooner of the two readings."""
    assert shown(MASH_CALENDAR.add_working_hours(local("2026-11-24 09:00"), 8)) == "2026-11-24 17:00"


@pytest.mark.parametrize("changes", ["2027-03-25 12:00", "2026-10-23 12:00"])
def test_a_working_day_keeps_its_clock_time_when_the_clocks_change(changes: str) -> None:
    """28 March 2027 and 25 October 2026: the wall clock stays, the UTC hour moves."""
    before = local(changes)
    due = MASH_CALENDAR.add_working_days(before, 1)
    assert shown(due)[11:] == "12:00"
    assert before.utcoffset() != due.astimezone(MASH_CALENDAR.zone).utcoffset()


@pytest.mark.parametrize(("day", "hours"), [("2027-03-28", 23), ("2026-10-25", 25), ("2026-10-26", 24)])
def test_a_day_round_the_clock_has_the_hours_that_really_pass(day: str, hours: int) -> None:
    """An office that never closes works 23 hours when the clocks go forward and 25 when they go back."""
    start = local(f"{day} 00:00")
    end = datetime.combine(start.date() + timedelta(days=1), MIDNIGHT, start.tzinfo)
    assert timedelta(hours=hours) == ROUND_THE_CLOCK.working_time_between(start, end)
    assert end == ROUND_THE_CLOCK.add_working_hours(start, hours)


def test_a_clock_time_that_the_spring_night_skips_falls_one_hour_later() -> None:
    """Half past one on 28 March 2027 does not exist: a day after Saturday's half past one is half past two."""
    assert shown(ROUND_THE_CLOCK.add_working_days(local("2027-03-27 01:30"), 1)) == "2027-03-28 02:30"


def test_a_clock_time_that_the_autumn_night_repeats_is_the_first_of_the_two() -> None:
    """Half past one on 25 October 2026 comes twice: the sooner counts."""
    due = ROUND_THE_CLOCK.add_working_days(local("2026-10-24 01:30"), 1)
    assert datetime(2026, 10, 25, 0, 30, tzinfo=UTC) == due


@pytest.mark.parametrize(
    ("issued", "due"),
    [
        ("2026-11-26 16:30", "2026-11-27 16:00"),  # clock time after Friday's closing: that closing
        ("2026-11-26 15:00", "2026-11-27 15:00"),
        ("2026-11-27 16:00", "2026-12-01 09:00"),  # closed already: Monday's opening and a day
        ("2026-11-27 15:59", "2026-11-30 15:59"),
    ],
)
def test_a_working_day_never_ends_after_an_early_closing(issued: str, due: str) -> None:
    """A clock time outside that day's hours comes to the nearest moment within them: sooner, not a day later."""
    assert due == shown(FRIDAY_AT_FOUR.add_working_days(local(issued), 1))


def test_an_early_closing_takes_its_hour_out_of_the_working_time() -> None:
    """Thursday nine to Friday closing is 8 + 7 hours."""
    worked = FRIDAY_AT_FOUR.working_time_between(local("2026-11-26 09:00"), local("2026-11-28 00:00"))
    assert timedelta(hours=15) == worked


def test_a_surgery_keeps_its_own_hours() -> None:
    """08:00 to 18:30: an alert at 18:00 finds somebody, one at 18:30 does not."""
    assert SURGERY.is_working(local("2026-11-24 18:00"))
    assert not SURGERY.is_working(local("2026-11-24 18:30"))
    assert not SURGERY.is_working(local("2026-12-25 10:00"))


def test_a_school_is_closed_out_of_term() -> None:
    """The Christmas holidays run from the last day of term to the first of the next."""
    assert shown(SCHOOL.next_working_moment(local("2026-12-18 17:00"))) == "2027-01-04 09:00"


def test_a_local_closure_is_no_working_day() -> None:
    """A council that closes between Christmas and New Year works on from 4 January."""
    council = replace(MASH_CALENDAR, closures=(Span(date(2026, 12, 29), date(2026, 12, 31)),))
    assert shown(council.next_working_moment(local("2026-12-24 17:00"))) == "2027-01-04 09:00"


def test_a_calendar_says_which_years_it_does_not_know() -> None:
    """A calendar without next year's holidays is found before the year begins."""
    stale = WorkingCalendar(bank_holidays=english_bank_holidays(range(2026, 2027)), known_years=range(2026, 2027))
    assert stale.covers(2026)
    assert not stale.covers(2027)
    assert MASH_CALENDAR.covers(2027)


def test_a_calendar_without_next_years_holidays_makes_due_times_sooner_and_never_later() -> None:
    """Unknown holidays count as working days: a promise may come early, it is not lengthened silently."""
    stale = WorkingCalendar(bank_holidays=english_bank_holidays(range(2026, 2027)), known_years=range(2026, 2027))
    issued = local("2026-12-31 12:00")
    assert shown(stale.add_working_days(issued, 1)) == "2027-01-01 12:00"


def test_a_school_calendar_covers_a_year_only_with_terms_on_both_sides_of_the_summer() -> None:
    """The autumn of 2027 is missing from a calendar that ends in July."""
    assert not SCHOOL.covers(2027)
    assert not SCHOOL.covers(2026)
    whole = replace(SCHOOL, terms=(*(SCHOOL.terms or ()), Span(date(2027, 9, 2), date(2027, 12, 17))))
    assert whole.covers(2027)


@pytest.mark.parametrize("calendar", [WorkingCalendar(week=(None,) * 7), replace(SCHOOL, terms=())])
def test_an_office_that_never_opens_is_an_error_and_not_an_endless_search(calendar: WorkingCalendar) -> None:
    """Empty hours or terms are a mistake in the settings; the operator is told so."""
    with pytest.raises(NeverOpenError):
        calendar.next_working_moment(local("2026-11-24 10:12"))
    with pytest.raises(NeverOpenError):
        calendar.add_working_hours(local("2026-11-24 10:12"), 1)


def test_working_time_backwards_is_negative() -> None:
    """What is left of a clock that has run out is less than nothing."""
    late, early = local("2026-11-24 12:00"), local("2026-11-24 10:00")
    assert timedelta(hours=-2) == MASH_CALENDAR.working_time_between(late, early)


def test_a_time_without_a_zone_is_refused() -> None:
    """A naive time could be an hour off in summer: nothing is guessed."""
    with pytest.raises(NaiveTimeError):
        MASH_CALENDAR.next_working_moment(datetime(2026, 11, 24, 10, 12))  # noqa: DTZ001 - the attack itself


@pytest.mark.parametrize("length", [-1, -3])
def test_allowances_are_not_counted_backwards(length: int) -> None:
    """A negative allowance would make a due time before its issue."""
    with pytest.raises(ValueError, match="forwards"):
        MASH_CALENDAR.add_working_days(local("2026-11-24 10:12"), length)
    with pytest.raises(ValueError, match="forwards"):
        MASH_CALENDAR.add_working_hours(local("2026-11-24 10:12"), length)


def test_impossible_hours_spans_and_weeks_are_refused() -> None:
    """Closing before opening, ending before beginning and a week of five days are mistakes in the settings."""
    with pytest.raises(ValueError, match="closes after it opens"):
        Hours(time(17), time(9))
    with pytest.raises(ValueError, match="ends on or after"):
        Span(date(2026, 12, 31), date(2026, 12, 29))
    with pytest.raises(ValueError, match="seven days"):
        WorkingCalendar(week=OFFICE_WEEK[:5])


def test_a_closed_day_has_no_early_closing() -> None:
    """An early closing on a Sunday opens nothing."""
    assert MASH_CALENDAR.with_early_close(6, time(12)) == MASH_CALENDAR


def test_a_date_becomes_the_closing_of_its_office() -> None:
    """A date that falls on a weekend is that of the next working day."""
    assert shown(FRIDAY_AT_FOUR.closing_of(date(2026, 11, 27))) == "2026-11-27 16:00"
    assert shown(FRIDAY_AT_FOUR.closing_of(date(2026, 11, 28))) == "2026-11-30 17:00"
