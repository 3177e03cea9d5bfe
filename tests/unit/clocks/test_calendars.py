"""The settings of an area: hours, terms and service levels, and what is refused in them."""

import tomllib
from datetime import time, timedelta

import pytest
from pydantic import ValidationError

from broker.calendar import MASH_CALENDAR
from broker.calendars import Calendars, read_allowance, read_calendars, read_hours
from broker.sla import elapsed, response_due, working_days, working_hours
from schemas.rating import RagRating
from tests.unit.clocks.times import local, shown

SETTINGS = """
[area]
week = { fri = "09:00-16:30" }
closures = [{ first = 2026-12-29, last = 2026-12-31 }]
[area.allowances]
referrer_other = "1 working day"

[agencies.testford-surgery]
pattern = "surgery"

[agencies.testford-police]
pattern = "round_the_clock"
keeps_bank_holidays = false
[agencies.testford-police.allowances.response]
red = "2 hours"

[agencies.meadowbank-test-primary]
week = { mon = "08:30-16:00", sat = "closed" }
terms = [{ first = 2026-09-02, last = 2026-12-18 }, { first = 2027-01-04, last = 2027-07-21 }]

[agencies.oldford-council.allowances.response]
red = "4 working hours"
"""


@pytest.fixture
def testfordshire() -> Calendars:
    """The calendars of the fictional area."""
    return read_calendars(tomllib.loads(SETTINGS))


def test_an_area_keeps_its_own_fridays_and_closures(testfordshire: Calendars) -> None:
    """The council closes at half past four on Fridays and between Christmas and New Year."""
    assert shown(testfordshire.area.next_working_moment(local("2026-11-27 16:30"))) == "2026-11-30 09:00"
    assert shown(testfordshire.area.next_working_moment(local("2026-12-24 17:00"))) == "2027-01-04 09:00"


def test_each_agency_is_alerted_in_its_own_hours(testfordshire: Calendars) -> None:
    """A surgery at 08:00, the police at Christmas, a school not in August."""
    assert testfordshire.of("testford-surgery").is_working(local("2026-11-24 08:00"))
    assert testfordshire.of("testford-police").is_working(local("2026-12-25 03:00"))
    assert not testfordshire.of("meadowbank-test-primary").is_working(local("2026-10-24 10:00"))
    assert testfordshire.of("meadowbank-test-primary").is_working(local("2026-11-23 08:30"))


def test_an_agency_without_a_calendar_keeps_the_areas_hours(testfordshire: Calendars) -> None:
    """No settings are no reason to alert somebody at night."""
    assert testfordshire.of("testford-housing") == testfordshire.area


def test_service_levels_are_the_areas_unless_an_agency_has_its_own(testfordshire: Calendars) -> None:
    """P3: a council may measure RED in working hours; its neighbours do not."""
    friday = local("2026-11-27 15:40")

    def red(agency: str) -> str:
        allowances = testfordshire.allowances_of(agency)
        return shown(response_due(RagRating.RED, friday, calendar=MASH_CALENDAR, allowances=allowances))

    assert red("testford-housing") == "2026-11-27 19:40"
    assert red("testford-police") == "2026-11-27 17:40"
    assert red("oldford-council") == "2026-11-30 11:40"
    assert testfordshire.allowances_of("testford-police").referrer_other == working_days(1)


def test_calendars_that_do_not_know_a_year_are_named(testfordshire: Calendars) -> None:
    """The school's terms end in July 2027; nobody's bank holidays of 2040 are known, save where none are kept."""
    assert testfordshire.uncovered(2027) == ("meadowbank-test-primary",)
    assert testfordshire.uncovered(2040) == ("area", "meadowbank-test-primary", "oldford-council", "testford-surgery")


def test_no_settings_are_the_domains_defaults() -> None:
    """An area that says nothing works Monday to Friday, nine to five."""
    assert read_calendars({}).area == MASH_CALENDAR


@pytest.mark.parametrize(
    ("text", "allowance"),
    [
        ("4 hours", elapsed(hours=4)),
        ("30 minutes", elapsed(minutes=30)),
        ("1 hour", elapsed(hours=1)),
        ("2 working hours", working_hours(2)),
        ("1 working day", working_days(1)),
    ],
)
def test_an_allowance_reads_as_the_domain_writes_it(text: str, allowance: object) -> None:
    """The wording of the service levels is the wording of the settings."""
    assert read_allowance(text) == allowance


@pytest.mark.parametrize("text", ["", "4", "-4 hours", "four hours", "4 hours ", "1 working week", "99999 hours", 4])
def test_an_allowance_that_is_not_understood_is_refused(text: object) -> None:
    """A misread allowance would be a wrong promise to every agency."""
    with pytest.raises(ValueError, match="reads like"):
        read_allowance(text)


@pytest.mark.parametrize("text", ["9-17", "09:00", "09:00-25:00", "17:00-09:00", "", None])
def test_hours_that_are_not_understood_are_refused(text: object) -> None:
    """Nobody guesses when an office is open."""
    with pytest.raises(ValueError, match=r"."):
        read_hours(text)


def test_hours_may_end_at_midnight() -> None:
    """24:00 is the midnight that ends the day."""
    hours = read_hours("06:00-24:00")
    assert hours is not None
    assert (hours.opens, hours.closes) == (time(6), time(0))


@pytest.mark.parametrize(
    "settings",
    [
        {"areas": {}},
        {"area": {"hours": "09:00-17:00"}},
        {"area": {"week": {"monday": "09:00-17:00"}}},
        {"area": {"allowances": {"response": {"blue": "1 hour"}}}},
        {"agencies": {"Testford Police": {}}},
        {"area": {"closures": [{"first": "2026-12-29"}]}},
    ],
)
def test_settings_with_a_word_that_is_not_known_are_refused(settings: dict[str, object]) -> None:
    """Closed: a closure misspelt must not become a working day without anybody hearing of it."""
    with pytest.raises(ValidationError):
        read_calendars(settings)


def test_margins_are_not_settings_of_a_rating() -> None:
    """Urgency stays what the agreement says: 24 hours of office time (SEF §2.6)."""
    with pytest.raises(ValidationError):
        read_calendars({"area": {"allowances": {"urgent_below": "1 hour"}}})
    assert Calendars().allowances.urgent_below == timedelta(hours=24)
