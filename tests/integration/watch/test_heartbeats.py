"""Signs of life: an agency that only listens is not called silent, and one that is dead is, on both hubs."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.kit.delivery.outbox_pump import OutboxPump
from adapters.kit.envelope.envelopes import KeyedEnvelopes
from adapters.kit.running.heartbeats import beat
from adapters.kit.store.store import Store
from adapters.kit.store.tables import outbox_rows
from broker.alerts import AlertKind
from broker.topology import MONITOR, Topology
from schemas.directory import Directory, Pair
from tests.integration.watch.watching import World, watching
from tests.support.hubs import HubFactory, HubUnderTest, embedded_factory
from tests.support.parties import NOW
from tests.unit.watch.traffic import HEALTH, LA, POLICE, directory, parties

SILENT = AlertKind.SILENT


@dataclass
class Living:
    """An adapter that has nothing to say: its store, its pump, and the sign of life."""

    name: str
    store: Store
    pump: OutboxPump
    world: World

    async def live(self) -> int:
        """Do what the chore and the pump do; gives how many heartbeats were new."""
        made = await beat(self.store, participant=self.name, directory=self.world.directory)
        await self.pump.run_once()
        return made


@asynccontextmanager
async def living(name: str, folder: Path, hub: HubUnderTest, world: World) -> AsyncIterator[Living]:
    party = parties()[name]
    seals = KeyedEnvelopes(name, party.sender, lambda now: party.recipient(now=now), lambda: world.directory)
    key = party.keyring.store_key()
    url, connection = f"sqlite:///{folder / name}.sqlite", await hub.connect(name)
    async with Store.open(
        url, participant=name, store_key=key, clock=lambda: world.now, envelopes=seals, exclusive=True
    ) as store:
        yield Living(name, store, OutboxPump(store, connection), world)
    await connection.close()


async def test_an_agency_that_only_listens_is_not_silent_and_one_that_is_dead_is(
    hub_factory: HubFactory, tmp_path: Path
) -> None:
    """SILENT_AFTER is 26 hours; nobody in this test ever asks or answers anything."""
    world = World()
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(hub_factory(Topology.of(directory())))
        opened = await stack.enter_async_context(watching(f"sqlite:///{tmp_path}/ledger.sqlite", world))
        connection = await hub.connect(MONITOR)
        stack.push_async_callback(connection.close)
        await opened.watch.listen(connection)
        here = [await stack.enter_async_context(living(name, tmp_path, hub, world)) for name in (LA, POLICE)]
        silent, entries = [], 0
        for alive in ([*here], [*here], here[:1], here[:1]):
            entries += sum([await one.live() for one in alive])
            while (await opened.ledger.head()).entries < entries:
                await opened.watch.round()
            world.now += timedelta(hours=24)
            alerts = await opened.watch.round()
            silent.append({alert.participant for alert in alerts if alert.kind is SILENT})
    assert silent == [set(), {HEALTH}, {HEALTH, POLICE}, {HEALTH, POLICE}]
    assert entries == 2 * 4 + 2 * 2


@pytest.fixture
async def police(tmp_path: Path) -> AsyncIterator[Living]:
    """The police's adapter, with a hub that nobody reads."""

    world = World()
    async with (
        embedded_factory(None)(Topology.of(directory())) as hub,
        living(POLICE, tmp_path, hub, world) as one,
    ):
        yield one


async def test_a_partner_gets_one_heartbeat_a_day_however_often_the_adapter_looks(police: Living) -> None:
    """Also after a restart in between: the day is in the key."""
    made = [await police.live() for _ in range(3)]
    police.world.now = NOW + timedelta(days=1)
    assert [*made, await police.live()] == [2, 0, 0, 2]


async def test_a_heartbeat_goes_to_nobody_who_may_not_be_written_to(police: Living) -> None:
    """No pair, no sign of life; a suspended partner gets none either."""
    plain = directory()
    police.world.directory = Directory.build(
        2, plain.records.values(), [(POLICE, LA), (POLICE, HEALTH)], suspended=[LA]
    )
    assert await police.live() == 1
    async with police.store.snapshot() as view:
        rows = await view.select(outbox_rows, outbox_rows.select())
    assert {row["recipient"] for row in rows} == {HEALTH}


async def test_a_partner_without_a_key_gets_no_heartbeat_and_raises_no_alarm(police: Living) -> None:
    """A draft that could not be sealed would be tried again every minute, with an alarm a day."""
    plain = directory()
    bare = plain.records[LA].model_copy(update={"roles": ()})
    records = [bare, plain.records[POLICE], plain.records[HEALTH]]
    police.world.directory = Directory.build(2, records, [(POLICE, LA), (POLICE, HEALTH)])
    assert await police.live() == 1
    async with police.store.snapshot() as view:
        assert await view.alarms() == []


async def test_a_heartbeat_travels_in_a_class_that_the_pair_allows(police: Living) -> None:
    """A pair for RED alone refuses every other class (E07)."""
    plain = directory()
    only_red = Pair(sender=POLICE, recipient=LA, classes=("RED",))
    police.world.directory = Directory.build(2, plain.records.values(), [only_red])
    assert await police.live() == 1
