"""An adapter's timers while somebody else works on the same store: once, never when stopped, never before due."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.kit.running.timekeeper import Timekeeper
from adapters.kit.store.alarms import Priority
from adapters.kit.store.errors import LeaseLost
from adapters.kit.store.store import Store
from adapters.kit.store.timers import Timer
from adapters.kit.store.transaction import Transaction
from tests.support.stations import COUNCIL, KEY, START, FakeClock

Meanwhile = Callable[[], Awaitable[object]]


class Slow(Timekeeper):
    """A timekeeper that is held up between reading what is due and firing it, for `meanwhile` to happen, once."""

    meanwhile: Meanwhile | None = None

    async def _due(self, now: object) -> list[Timer]:
        found = await super()._due(now)  # type: ignore[arg-type]  # handed on as it came
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None and found:
            await happens()
        return found


@dataclass
class Office:
    """A store with one timer that is due now, and what has rung."""

    store: Store
    clock: FakeClock
    rung: list[str] = field(default_factory=list)

    async def ring(self, tx: Transaction, timer: Timer) -> None:
        self.rung.append(timer.ref)

    def keeper(self, meanwhile: Meanwhile | None = None) -> Slow:
        made = Slow(self.store, {"clock.test": self.ring}, clock=self.clock)
        made.meanwhile = meanwhile
        return made

    async def put_off(self) -> None:
        """Move the timer an hour, as a command of another process does."""
        async with self.store.transaction() as tx:
            await tx.add_timer("clock.test", "one", self.clock.now + timedelta(hours=1))

    async def stop(self) -> None:
        """Stop it."""
        async with self.store.transaction() as tx:
            await tx.cancel_timer("clock.test", "one")


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    clock = FakeClock(START)
    async with Store.open(f"sqlite:///{tmp_path}/store", participant=COUNCIL, store_key=KEY, clock=clock) as store:
        async with store.transaction() as tx:
            await tx.add_timer("clock.test", "one", START)
        yield Office(store, clock)


async def test_of_two_that_see_a_timer_due_only_one_fires_it(office: Office) -> None:
    """C40, the race: another fires it between our looking and our firing."""
    other = office.keeper()
    assert await office.keeper(other.run_once).run_once() == 0
    assert office.rung == ["one"]


async def test_a_timer_that_is_stopped_at_the_last_moment_does_not_ring(office: Office) -> None:
    """The answer was recorded between our looking and our firing."""
    await office.keeper(office.stop).run_once()
    assert office.rung == []


async def test_a_timer_that_is_put_off_at_the_last_moment_rings_at_its_new_time_and_not_before(office: Office) -> None:
    """Never early: a row that was moved between our looking and our firing is not the row that was due."""
    keeper = office.keeper(office.put_off)
    await keeper.run_once()
    assert office.rung == []
    office.clock.pass_(minutes=59)
    await keeper.run_once()
    assert office.rung == []
    office.clock.pass_(minutes=1)
    await keeper.run_once()
    assert office.rung == ["one"]


async def test_one_timer_that_cannot_fire_holds_no_other_of_its_transaction_up(office: Office) -> None:
    """Those that are due together share a transaction: of one that fails nothing stays, and the others still fire."""
    async with office.store.transaction() as tx:
        for ref in ("two", "three"):
            await tx.add_timer("clock.test", ref, START)

    async def ring(tx: Transaction, timer: Timer) -> None:
        await tx.alarm(timer.ref, priority=Priority.P2, code="rung", refs={})
        if timer.ref == "two":
            raise LookupError

    keeper = Timekeeper(office.store, {"clock.test": ring}, clock=office.clock)
    assert await keeper.run_once() == 2
    async with office.store.snapshot() as view:
        assert {alarm.alarm_id for alarm in await view.alarms()} == {"one", "three"}
        assert [timer.ref for timer in await view.due_timers(office.clock.now)] == ["two"]


async def test_a_row_rings_when_it_falls_due_and_not_at_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looks are a minute apart here: what a look has seen coming rings in its moment, unless it was stopped since."""
    monkeypatch.setattr("adapters.kit.running.timekeeper.LOOK_EVERY", 60.0)
    rung: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()

    async def ring(tx: Transaction, timer: Timer) -> None:
        rung.put_nowait((timer.ref, datetime.now(UTC) >= timer.due_at))
        await tx.cancel_timer("clock.test", "stopped")

    def now() -> datetime:
        return datetime.now(UTC)

    async with Store.open(f"sqlite:///{tmp_path}/store", participant=COUNCIL, store_key=KEY, clock=now) as store:
        async with store.transaction() as tx:
            for step, ref in enumerate(("one", "stopped", "two")):
                await tx.add_timer("clock.test", ref, now() + timedelta(seconds=0.5 + step / 5))
        running = asyncio.create_task(Timekeeper(store, {"clock.test": ring}, clock=now).run())
        assert [await rung.get(), await rung.get()] == [("one", True), ("two", True)]
        running.cancel()


async def test_a_store_that_has_another_owner_stops_the_timers(office: Office) -> None:
    """The danger: a timekeeper that takes a lost lease for a fault of one timer, and goes on beside the new owner."""

    async def ring(tx: Transaction, timer: Timer) -> None:
        raise LeaseLost

    with pytest.raises(LeaseLost):
        await Timekeeper(office.store, {"clock.test": ring}, clock=office.clock).run_once()
