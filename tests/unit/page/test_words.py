"""Times in words, to the minute and local to London."""

from datetime import UTC, datetime, timedelta

import pytest

from broker.page import words
from tests.unit.page.scene import NIGHT


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (timedelta(0), "less than a minute"),
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=59, seconds=59), "59 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=2, minutes=1), "2 hours 1 minute"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=1, minutes=59), "1 day"),
        (timedelta(days=2, hours=23, minutes=59), "2 days 23 hours"),
        (timedelta(days=1000), "1,000 days"),
        (-timedelta(hours=2, minutes=5), "2 hours 5 minutes"),
    ],
)
def test_a_length_is_said_in_its_two_coarsest_units(length: timedelta, expected: str) -> None:
    """As a person would say it on the telephone."""
    assert words.span(length) == expected


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (timedelta(minutes=40), "40 minutes left"),
        (timedelta(seconds=1), "less than a minute left"),
        (timedelta(0), "less than a minute overdue"),
        (-timedelta(hours=1, minutes=2), "1 hour 2 minutes overdue"),
    ],
)
def test_the_moment_at_which_an_answer_is_due_is_overdue(left: timedelta, expected: str) -> None:
    """The clock breaches at 100 per cent and not a second after it."""
    assert words.to_breach(NIGHT + left, NIGHT) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (NIGHT, "today 03:04"),
        (NIGHT - timedelta(hours=4), "yesterday 23:04"),
        (NIGHT + timedelta(days=1), "tomorrow 03:04"),
        (NIGHT + timedelta(days=5), "Mon 30 Nov 03:04"),
        (NIGHT + timedelta(days=60), "Sun 24 Jan 2027 03:04"),
    ],
)
def test_a_moment_is_named_by_its_day(moment: datetime, expected: str) -> None:
    """With the year only where it is another one."""
    assert words.local(moment, NIGHT) == expected


def test_summer_time_is_told_as_people_live_it() -> None:
    """14:12 in London is 13:12 UTC in July."""
    assert words.clock(datetime(2026, 7, 1, 13, 12, tzinfo=UTC)) == "14:12"


def test_the_hour_that_comes_twice_says_which_it_is() -> None:
    """25 October 2026: 01:30 comes at 00:30 UTC and again at 01:30 UTC."""
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert (words.clock(first), words.clock(second)) == ("01:30 BST", "01:30 GMT")
    assert words.clock(second + timedelta(hours=1)) == "02:30"


def test_today_is_the_day_in_london_and_not_in_greenwich() -> None:
    """23:30 UTC in July is tomorrow already."""
    evening = datetime(2026, 7, 1, 21, 0, tzinfo=UTC)
    assert words.local(evening + timedelta(hours=2, minutes=30), evening) == "tomorrow 00:30"


def test_a_whole_day_needs_no_time() -> None:
    """A review falls on a day."""
    midnight = datetime(2026, 12, 18, tzinfo=UTC)
    assert words.local_day_or_moment(midnight, NIGHT) == "Fri 18 Dec"
    assert words.local_day_or_moment(midnight + timedelta(minutes=1), NIGHT) == "Fri 18 Dec 00:01"


@pytest.mark.parametrize(("number", "expected"), [(0, "no request"), (1, "1 request"), (2000, "2,000 requests")])
def test_a_number_is_said_with_its_thing(number: int, expected: str) -> None:
    """None at all is said in words."""
    assert words.count(number, "request") == expected
