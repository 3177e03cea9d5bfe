"""The wheel under any rows and any course of time: none early, none twice, none lost, none late."""

import os
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as some

from broker.timers import Row, Wheel

EXAMPLES = int(os.environ.get("MASH_EXAMPLES", "100"))
thorough = settings(max_examples=EXAMPLES, deadline=None, database=None)
START = datetime(2026, 11, 24, 10, 12, tzinfo=UTC)
SLOT = timedelta(milliseconds=50)

offsets = some.one_of(some.integers(-(10**8), 10**8), some.integers(-10, 10).map(lambda minute: minute * 60_000_000))
moves = some.one_of(some.integers(0, 10**5), some.integers(0, 10**8), some.just(10**12))


@thorough
@given(
    first=some.lists(offsets, max_size=30),
    second=some.lists(offsets, max_size=30),
    steps=some.lists(moves, min_size=1, max_size=12),
    budget=some.integers(1, 10),
)
def test_every_row_comes_out_once_and_in_its_time(
    first: list[int], second: list[int], steps: list[int], budget: int
) -> None:
    """Rows put in before and between steps of any length, with any budget: out at the first step at or after due."""
    wheel, now, due = Wheel(), START, {}
    for number, (round_of, offset) in enumerate([*((0, at) for at in first), *((1, at) for at in second)]):
        due[f"{round_of}.{number}"] = START + timedelta(microseconds=offset)
    wheel.put(Row(key, at) for key, at in due.items() if key.startswith("0."))
    out: dict[str, datetime] = {}
    for place, step in enumerate(steps):
        now += timedelta(microseconds=step)
        if place == 1:
            wheel.put(Row(key, at) for key, at in due.items() if key.startswith("1."))
        while wheel.busy(now):
            taken = wheel.take(now, budget=budget)
            assert not out.keys() & set(taken)
            out |= dict.fromkeys(taken, now)
        present = {key for key in due if key.startswith("0.") or place >= 1}
        assert {key for key in present if due[key] + SLOT <= now} <= out.keys()
    assert all(due[key] <= moment for key, moment in out.items())
    assert len(wheel) == len([key for key in due if key.startswith("0.") or len(steps) > 1]) - len(out)
