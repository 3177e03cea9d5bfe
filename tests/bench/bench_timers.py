"""A million open timers: load, tick and fire, with the event loop watched. `python -m tests.bench.bench_timers`.

Prints the time to load, the longest moment in which the loop could do nothing else (as the wall clock saw it, and how
much of that this process worked: on a busy machine others take the rest), the lateness of rows that fell due while it
ran, and the highest resident memory; ends with 1 when a figure is beyond its bound, the stall being judged by its work.
Rows: 40 in 100 are overdue (a catch-up after a sleep), 50 in 100 fall due over thirty days. When those are loaded and
caught up with, 10 in 100 more fall due within the next seconds, many of them at once: lateness is theirs, for they are
the ones that fall due while the process is up. The store is a byte a row that refuses a second claim.
"""

import argparse
import asyncio
import random
import resource
import sys
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from broker.timers import Row, Scheduler

STALL_LIMIT_MS = 100
MEMORY_LIMIT_MB = 300
LATE_LIMIT = 1.0


class Claims:
    """Claims each row once and notes how late those came that fell due in the run."""

    def __init__(self, count: int) -> None:
        self.due: list[float] = []
        self.started = float("inf")
        self._claimed = bytearray(count)
        self.fired = 0
        self.early = 0
        self.twice = 0
        self.latest = 0.0

    async def fire(self, keys: Sequence[str], now: datetime) -> None:
        """Claim rows, as a store does in one transaction."""
        moment = time.time()
        for key in keys:
            number = int(key.split(".", 1)[0], 16)
            self.twice += self._claimed[number]
            self._claimed[number] = 1
            self.early += self.due[number] > moment
            if self.due[number] >= self.started:
                self.latest = max(self.latest, moment - self.due[number])
        self.fired += len(keys)


class Watch:
    """Notes how long the loop keeps a sleeper of one millisecond waiting, and how long it worked meanwhile."""

    def __init__(self) -> None:
        self.waited = 0.0
        self.worked = 0.0

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            before, work = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.001)
            self.waited = max(self.waited, time.perf_counter() - before - 0.001)
            self.worked = max(self.worked, time.thread_time() - work)

    def read(self) -> tuple[float, float]:
        """Give the longest wait and the longest work since the last reading, in milliseconds."""
        figures = round(self.waited * 1000, 1), round(self.worked * 1000, 1)
        self.waited = self.worked = 0.0
        return figures


def draw_standing(count: int, now: float, dice: random.Random) -> list[float]:
    """Draw due times of rows that are there at the start: overdue, and far ahead."""
    due = [now - dice.uniform(0, 7 * 86_400) for _ in range(count * 40 // 100)]
    due += [now + 3600 + dice.uniform(0, 30 * 86_400) for _ in range(count * 50 // 100)]
    dice.shuffle(due)
    return due


def draw_near(count: int, started: float, seconds: float, dice: random.Random) -> list[float]:
    """Draw due times within the run: half of them crowded at three moments."""
    moments = [started + seconds * part for part in (0.3, 0.5, 0.8)]
    due = [dice.choice(moments) for _ in range(count // 2)]
    due += [started + dice.uniform(0, seconds) for _ in range(count - count // 2)]
    dice.shuffle(due)
    return due


async def rows(due: Sequence[float], *, first: int = 0) -> AsyncIterator[Sequence[Row]]:
    """Give the rows as a store reads them, numbered from `first`: keys of a thread's length, in batches."""
    for begin in range(0, len(due), 500):
        yield [
            Row(f"{first + begin + place:022x}.escalation.1", datetime.fromtimestamp(at, UTC))
            for place, at in enumerate(due[begin : begin + 500])
        ]


async def catch_up(scheduler: Scheduler, claims: Claims, watch: Watch) -> dict[str, float]:
    """Load the rows that are there at the start, and fire what is overdue."""
    begun = time.perf_counter()
    await scheduler.load(rows(claims.due))
    loaded, (stall, work) = time.perf_counter() - begun, watch.read()
    begun = time.perf_counter()
    await scheduler.tick()
    return {
        "load_seconds": loaded,
        "load_longest_stall_ms": stall,
        "load_longest_work_ms": work,
        "overdue_fired_in_first_tick": claims.fired,
        "first_tick_seconds": time.perf_counter() - begun,
    }


async def run_until(moment: float, scheduler: Scheduler, watch: Watch) -> dict[str, float]:
    """Let the scheduler run until `moment` (Unix seconds)."""
    watch.read()
    runner = asyncio.create_task(scheduler.run())
    await asyncio.sleep(max(0.0, moment - time.time()))
    runner.cancel()
    stall, work = watch.read()
    return {"run_longest_stall_ms": stall, "run_longest_work_ms": work}


def resident_mb() -> float:
    """Read the highest resident memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def measure(count: int, seconds: float) -> int:
    """Run the bench; give 0 when every figure is within its bound."""
    empty = resident_mb()
    dice = random.Random(20261124)  # noqa: S311 - a bench wants the same rows every time
    claims, watch = Claims(count), Watch()
    watcher = asyncio.create_task(watch.run())
    scheduler = Scheduler(claims.fire, tell=lambda trouble: sys.exit(f"trouble: {trouble}"))
    claims.due = draw_standing(count, time.time(), dice)
    load = await catch_up(scheduler, claims, watch)
    first, near = len(claims.due), count - len(claims.due)
    claims.started = time.time() + 1 + 3 * near * load["load_seconds"] / first  # when the last rows are surely loaded
    claims.due = [*claims.due, *draw_near(near, claims.started, seconds, dice)]
    await scheduler.load(rows(claims.due[first:], first=first))
    run = await run_until(claims.started + seconds + 2, scheduler, watch)
    watcher.cancel()
    memory = resident_mb()
    expected = sum(at <= claims.started + seconds for at in claims.due)
    show({"rows": count, **load, **run} | of_claims(claims, expected=expected))
    show({"memory_mb": round(memory), "memory_mb_before": round(empty), "open_after": scheduler.open_rows})
    within = (
        max(load["load_longest_work_ms"], run["run_longest_work_ms"]) <= STALL_LIMIT_MS
        and memory <= MEMORY_LIMIT_MB
        and claims.latest <= LATE_LIMIT
        and claims.fired == expected
        and not claims.early + claims.twice
    )
    return 0 if within else 1


def of_claims(claims: Claims, *, expected: int) -> dict[str, float]:
    """Give what was claimed, beside how many should have been."""
    late = round(claims.latest * 1000, 1)
    return {
        "fired": claims.fired,
        "expected": expected,
        "early": claims.early,
        "twice": claims.twice,
        "latest_ms": late,
    }


def show(figures: dict[str, float]) -> None:
    """Print figures, one a line."""
    for name, value in figures.items():
        print(f"{name:32} {round(value, 2)}")  # noqa: T201 - a bench speaks to a person


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long rows keep falling due")
    options = parser.parse_args()
    sys.exit(asyncio.run(measure(options.rows, options.seconds)))
