"""Timers: none early, none twice, none lost; through sleeps, restarts, moved clocks and a store that fails."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from broker.timers import ClockStep, ClockTrust, Reading, Row, Scheduler, Trouble, judge, read_clocks

START = datetime(2026, 11, 24, 10, 12, tzinfo=UTC)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


@dataclass
class Machine:
    """A machine's two clocks. Time passes on both; somebody may set the wall clock."""

    wall: datetime = START
    steady: float = 1000.0

    def passes(self, length: timedelta) -> None:
        """Let time pass, awake or asleep."""
        self.wall += length
        self.steady += length.total_seconds()

    def is_set(self, by: timedelta) -> None:
        """Move the wall clock alone."""
        self.wall += by

    def __call__(self) -> Reading:
        return Reading(self.wall, self.steady)


@dataclass
class Store:
    """A store of rows that claims each once, as a database does; it can be down, and rows can be broken."""

    due: dict[str, datetime]
    fired: dict[str, datetime] = field(default_factory=dict)
    effects: list[str] = field(default_factory=list)
    lapsed: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    down: bool = False
    calls: int = 0
    called: asyncio.Event = field(default_factory=asyncio.Event)

    async def fire(self, keys: Sequence[str], now: datetime) -> None:
        """Claim rows and have their effects in one transaction."""
        self.calls += 1
        self.called.set()
        await asyncio.sleep(0)
        if self.down:
            raise ConnectionError("the database at 192.0.2.1 does not answer")
        if self.broken & set(keys):
            raise ValueError("a row that cannot be fired")
        for key in keys:
            if key not in self.fired and key not in self.lapsed:
                self.fired[key] = now
                self.effects.append(key)

    async def open_rows(self) -> AsyncIterator[Sequence[Row]]:
        """Give what has not fired, in batches."""
        rows = [Row(key, due) for key, due in self.due.items() if key not in self.fired]
        for begin in range(0, len(rows), 2):
            yield rows[begin : begin + 2]


@pytest.fixture
def machine() -> Machine:
    """A machine at 10:12."""
    return Machine()


@pytest.fixture
def store() -> Store:
    """Three rows: in an hour, in a day, and in six days."""
    return Store({"hour": START + HOUR, "day": START + DAY, "six days": START + 6 * DAY})


async def started(store: Store, machine: Machine, heard: list[Trouble]) -> Scheduler:
    """Start a scheduler as after a restart."""
    scheduler = Scheduler(store.fire, tell=heard.append, clocks=machine)
    await scheduler.load(store.open_rows())
    return scheduler


async def test_a_row_fires_when_it_is_due_and_not_before(store: Store, machine: Machine) -> None:
    """A millisecond before: nothing. At its slot: once."""
    scheduler = await started(store, machine, [])
    machine.passes(HOUR - timedelta(milliseconds=1))
    await scheduler.tick()
    assert store.effects == []
    machine.passes(timedelta(milliseconds=51))
    await scheduler.tick()
    await scheduler.tick()
    assert store.effects == ["hour"]


async def test_rows_that_were_due_in_a_sleep_fire_after_it(store: Store, machine: Machine) -> None:
    """A laptop that slept two days catches up at once, in order, and without an alarm about its clock."""
    heard: list[Trouble] = []
    scheduler = await started(store, machine, heard)
    machine.passes(2 * DAY)
    await scheduler.tick()
    assert store.effects == ["hour", "day"]
    assert heard == []


async def test_rows_that_fired_before_a_restart_do_not_fire_again(store: Store, machine: Machine) -> None:
    """What the store has claimed is over, also when a second process was told of it."""
    first = await started(store, machine, [])
    second = await started(store, machine, [])
    machine.passes(HOUR + timedelta(seconds=1))
    await asyncio.gather(first.tick(), second.tick())
    after_restart = await started(store, machine, [])
    await after_restart.tick()
    assert store.effects == ["hour"]


async def test_a_clock_put_forward_a_week_fires_nothing_early(store: Store, machine: Machine) -> None:
    """The attack: three due times breached at once by setting a clock. It is told once, and not acted on."""
    heard: list[Trouble] = []
    scheduler = await started(store, machine, heard)
    machine.is_set(WEEK)
    await scheduler.tick()
    await scheduler.tick()
    assert store.effects == []
    assert heard == [Trouble(step=ClockStep(WEEK))]
    machine.passes(HOUR + timedelta(seconds=1))
    await scheduler.tick()
    assert store.effects == ["hour"]
    assert store.fired["hour"] == START + HOUR + timedelta(seconds=1)


async def test_a_clock_put_back_a_day_makes_nothing_late_and_nothing_twice(store: Store, machine: Machine) -> None:
    """Rows that fired stay fired; the others keep their real time; it is told."""
    heard: list[Trouble] = []
    scheduler = await started(store, machine, heard)
    machine.passes(HOUR + timedelta(seconds=1))
    await scheduler.tick()
    machine.is_set(-DAY)
    await scheduler.tick()
    machine.passes(DAY)
    await scheduler.tick()
    assert store.effects == ["hour", "day"]
    assert [trouble.step for trouble in heard] == [ClockStep(-DAY)]


async def test_a_clock_that_is_right_again_is_told_too(store: Store, machine: Machine) -> None:
    """The operator sees the end of the trouble as well as its beginning."""
    heard: list[Trouble] = []
    scheduler = await started(store, machine, heard)
    for step in (WEEK, -WEEK):
        machine.is_set(step)
        await scheduler.tick()
    assert [trouble.step for trouble in heard] == [ClockStep(WEEK), ClockStep(timedelta(0), over=True)]


async def test_an_operator_may_confirm_a_moved_clock(store: Store, machine: Machine) -> None:
    """A machine restored from a snapshot was really away: once somebody says so, its rows fire."""
    scheduler = await started(store, machine, [])
    machine.is_set(2 * DAY)
    await scheduler.tick()
    assert store.effects == []
    scheduler.believe_wall_clock()
    await scheduler.tick()
    assert store.effects == ["hour", "day"]


async def test_a_small_correction_is_believed(store: Store, machine: Machine) -> None:
    """What a time service does every day is no alarm."""
    heard: list[Trouble] = []
    scheduler = await started(store, machine, heard)
    machine.passes(HOUR - timedelta(seconds=30))
    machine.is_set(timedelta(seconds=30))
    await scheduler.tick()
    assert store.effects == ["hour"]
    assert heard == []


async def test_a_restart_with_a_clock_put_back_goes_on_from_what_the_store_has_seen(machine: Machine) -> None:
    """Without a steady clock to compare with, the latest time in the store is the floor, and the step is told."""
    store = Store({"soon": START + timedelta(seconds=10)})
    heard: list[Trouble] = []
    machine.is_set(-DAY)
    scheduler = Scheduler(store.fire, tell=heard.append, clocks=machine, floor=START)
    await scheduler.load(store.open_rows())
    machine.passes(timedelta(seconds=11))
    await scheduler.tick()
    assert store.effects == ["soon"]
    assert heard == [Trouble(step=ClockStep(-DAY))]


async def test_a_row_added_while_running_fires_in_its_turn(store: Store, machine: Machine) -> None:
    """Also when it is overdue already, and also in a minute that was dealt with."""
    scheduler = await started(store, machine, [])
    await scheduler.tick()
    scheduler.add([Row("overdue", START - HOUR), Row("now", START + timedelta(seconds=1))])
    machine.passes(timedelta(seconds=2))
    await scheduler.tick()
    assert store.effects == ["overdue", "now"]


async def test_a_lapsed_row_comes_up_and_has_no_effect(store: Store, machine: Machine) -> None:
    """An answer came: the row is gone from the store, whatever memory still holds."""
    scheduler = await started(store, machine, [])
    store.lapsed.add("hour")
    machine.passes(2 * DAY)
    await scheduler.tick()
    assert store.effects == ["day"]


async def test_a_broken_row_holds_no_other_up_and_comes_again(store: Store, machine: Machine) -> None:
    """The poison row is told by its kind of failure, tried again, and fires when it can."""
    heard: list[Trouble] = []
    store.due |= {f"row {number}": START + HOUR for number in range(10)}
    store.broken = {"row 3"}
    scheduler = await started(store, machine, heard)
    machine.passes(HOUR + timedelta(seconds=1))
    await scheduler.tick()
    assert set(store.effects) == {"hour", *(f"row {number}" for number in range(10) if number != 3)}
    assert heard == [Trouble(failed=1, error="ValueError")]
    store.broken.clear()
    machine.passes(timedelta(seconds=6))
    await scheduler.tick()
    assert store.effects[-1] == "row 3"
    assert len(store.effects) == 11


async def test_many_broken_rows_do_not_starve_the_rest(machine: Machine) -> None:
    """Three failures running look like a store that is down; the rows not tried go first the next time."""
    poison = {f"poison {number}" for number in range(4)}
    store = Store(dict.fromkeys([*sorted(poison), "well 1", "well 2"], START), broken=poison)
    scheduler = await started(store, machine, [])
    for _ in range(3):
        await scheduler.tick()
        machine.passes(timedelta(seconds=6))
    assert store.effects == ["well 1", "well 2"]


async def test_a_store_that_is_down_is_not_hammered_and_loses_nothing(machine: Machine) -> None:
    """Five hundred rows, four attempts; when it is back, all of them fire, once."""
    heard: list[Trouble] = []
    store = Store({f"row {number}": START for number in range(400)}, down=True)
    scheduler = await started(store, machine, heard)
    await scheduler.tick()
    assert store.calls == 4
    assert heard == [Trouble(failed=400, error="ConnectionError")]
    assert "192.0.2.1" not in repr(heard)
    store.down = False
    machine.passes(timedelta(seconds=6))
    await scheduler.tick()
    assert sorted(store.effects) == sorted(store.due)


async def test_a_cancelled_tick_loses_no_row(machine: Machine) -> None:
    """A shutdown in the middle of firing: the rows are still there for the next start of the same scheduler."""
    store = Store({"row": START})
    scheduler = await started(store, machine, [])
    task = asyncio.create_task(scheduler.tick())
    await store.called.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert store.effects == []
    await scheduler.tick()
    assert store.effects == ["row"]


async def test_a_scheduler_runs_until_it_is_cancelled() -> None:
    """With the machine's own clocks: a row that is due fires without anybody's help."""
    fired = asyncio.Event()

    async def fire(keys: Sequence[str], now: datetime) -> None:
        fired.set()

    scheduler = Scheduler(fire, tell=lambda trouble: None)
    scheduler.add([Row("now", read_clocks().wall)])
    task = asyncio.create_task(scheduler.run())
    await fired.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert scheduler.open_rows == 0


def test_a_trust_that_begins_near_its_floor_believes_the_wall_clock() -> None:
    """A store written a moment ago, or by a machine slightly ahead, is no step."""
    reading = Reading(START, 0.0)
    begun = ClockTrust.begin(reading, floor=START + timedelta(seconds=30))
    assert judge(begun, reading) == (begun, START, None)
