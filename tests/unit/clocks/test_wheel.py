"""The wheel: bounded steps, crowded minutes dealt ahead, keys given back as they came."""

from datetime import UTC, datetime, timedelta

import pytest

from broker.timers import Row, Wheel

START = datetime(2026, 11, 24, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_wheel_does_no_more_than_its_budget_in_one_step() -> None:
    """Ten thousand rows due in one second: each step takes out 100, and all of them come out."""
    wheel = Wheel()
    wheel.put([Row(str(number), START + HOUR) for number in range(10_000)])
    now, taken = START + HOUR, []
    while wheel.busy(now):
        part = wheel.take(now, budget=100)
        assert len(part) <= 100
        taken += part
    assert sorted(taken, key=int) == [str(number) for number in range(10_000)]
    assert len(wheel) == 0


def test_a_crowded_minute_is_dealt_before_it_begins() -> None:
    """So that its first second is not late: a minute ahead the work is already done."""
    wheel = Wheel()
    minute = START + timedelta(minutes=1)
    wheel.put([Row(str(number), minute) for number in range(1000)])
    while wheel.busy(START):
        assert wheel.take(START, budget=100) == []
    assert len(wheel.take(minute, budget=1000)) == 1000


def test_a_minute_that_could_not_be_dealt_in_time_gives_no_row_early() -> None:
    """A machine that stood still wakes in a crowded minute: what is due at its end waits, however small the steps."""
    wheel = Wheel()
    minute, end = START + timedelta(minutes=1), START + timedelta(minutes=1, seconds=59)
    wheel.put([Row(str(number), end) for number in range(1000)])
    while wheel.busy(minute):
        assert wheel.take(minute, budget=100) == []
    assert wheel.take(end - timedelta(seconds=1), budget=1000) == []
    assert len(wheel.take(end, budget=1000)) == 1000


def test_a_key_of_any_one_line_comes_out_as_it_went_in() -> None:
    """Spaces and carriage returns are part of a key; a second line would be a second row, so it is refused."""
    wheel = Wheel()
    keys = ["a b", "c\rd", "Größe.breach.1", ""]
    wheel.put([Row(key, START) for key in keys])
    assert sorted(wheel.take(START + HOUR, budget=9)) == sorted(keys)
    with pytest.raises(ValueError, match="one line"):
        wheel.put([Row("a\n1795500000000000 b", START)])
