"""How an attempt ended is stored with the next claim of its lane, or a moment later, or at the end: on both stores."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.kit.delivery.states import OutboxState
from adapters.kit.store.errors import StoreUnavailable
from adapters.kit.store.tables import outbox_rows
from broker.hub import Outcome
from broker.pace import GATHER
from schemas.routing import Lane
from tests.integration.store.conftest import NewStore
from tests.support.fake_sealing import request_to
from tests.support.stations import COUNCIL, POLICE, FakeClock, Parcel, Road, Station, station

S = OutboxState


@pytest.fixture
async def council(new_store: NewStore, road: Road, clock: FakeClock) -> AsyncIterator[Station]:
    """The council's adapter, alone on the road."""
    async with station(COUNCIL, await new_store(), road=road, clock=clock) as one:
        await one.pump.adopt()
        yield one


async def states(one: Station) -> list[OutboxState]:
    return [OutboxState(row["state"]) for row in sorted(await one.rows(outbox_rows), key=lambda row: row["seq"])]


async def until_states(one: Station, wanted: list[OutboxState]) -> None:
    async with asyncio.timeout(20):
        while await states(one) != wanted:  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(0.01)


@asynccontextmanager
async def pumping(one: Station) -> AsyncIterator[None]:
    """Let the pump run for the block."""
    running = asyncio.create_task(one.pump.run(idle=0.05))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_an_outcome_shares_the_transaction_of_the_next_claim(council: Station) -> None:
    """While messages keep coming, a step of the pump is one commit and not two."""
    seen: list[None] = []
    await council.send(request_to(POLICE))
    await council.pump._pump(Lane.ROUTINE)
    await council.send(request_to(POLICE))
    council.store.on_commit(lambda: seen.append(None))
    await council.pump._pump(Lane.ROUTINE)
    assert (await states(council), len(seen)) == ([S.CONFIRMED, S.INFLIGHT], 1)


async def test_when_nothing_follows_the_outcome_is_stored_a_moment_later(council: Station, road: Road) -> None:
    """The last message of a Friday evening does not stay in flight until Monday."""
    async with pumping(council):
        await council.send(request_to(POLICE))
        await until_states(council, [S.CONFIRMED])
    assert len(road.log) == 1


async def test_whoever_stops_stores_how_his_last_attempts_ended(
    council: Station, road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An adapter that is restarted does not send again what the hub has confirmed."""
    monkeypatch.setattr("adapters.kit.delivery.outbox_pump.GATHER", 30.0)
    async with pumping(council):
        await council.send(request_to(POLICE))
        async with asyncio.timeout(20):
            while not any(council.pump._ended.values()):  # noqa: ASYNC110 - the pump tells nobody
                await asyncio.sleep(0.01)
        assert await states(council) == [S.INFLIGHT]
    assert (await states(council), len(road.log)) == ([S.CONFIRMED], 1)


async def test_an_outcome_that_could_not_be_stored_is_stored_when_the_database_is_back(
    council: Station, road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database went away between the confirm and its commit: it is not forgotten, and nothing is sent twice."""
    begin = council.store._begin

    async def away(connection: object) -> None:
        raise StoreUnavailable("gone")

    def taken(parcel: Parcel) -> Outcome:
        monkeypatch.setattr(council.store, "_begin", away)
        return Outcome.CONFIRMED

    road.outcome = taken
    await council.send(request_to(POLICE))
    async with pumping(council):
        await asyncio.sleep(3 * GATHER)
        assert await states(council) == [S.INFLIGHT]
        monkeypatch.setattr(council.store, "_begin", begin)
        await until_states(council, [S.CONFIRMED])
    assert len(road.log) == 1


async def test_an_outcome_that_comes_too_late_changes_nothing(council: Station, road: Road, clock: FakeClock) -> None:
    """The lease ran out before the outcome was stored: the message is sent again, and the second outcome counts."""
    await council.send(request_to(POLICE))
    await council.pump._pump(Lane.ROUTINE)
    clock.pass_(seconds=61)
    await council.pump.tend()
    road.outcome = lambda parcel: Outcome.UNKNOWN
    await council.pump._pump(Lane.ROUTINE)
    assert (await states(council), len(road.log)) == ([S.INFLIGHT], 2)
    await council.pump._settle(Lane.ROUTINE)
    assert await states(council) == [S.SEALED]
