"""The whole Ashgrove-Test enquiry with the watch on the tap: what the hub knows of it, and what it cannot know."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from broker.alerts import AlertKind
from broker.topology import MONITOR, Topology
from broker.watch.standing import Phase
from deploy.demo.agencies import COUNCIL
from deploy.demo.area import Area, make_homes
from deploy.demo.scenario import STEPS, Ashgrove
from schemas.rating import RagRating
from schemas.routing import Lane, queue_name
from tests.integration.watch.watching import Watching, World, watching
from tests.support.hubs import embedded_factory, until_depth

pytestmark = pytest.mark.timeout(300)
START = STEPS[0][0]


async def test_the_hub_knows_who_answered_when_and_nothing_about_whom(tmp_path: Path) -> None:
    """Real adapters, real events: eight requests, the health answer late, and no word of the family in the store."""
    directory = make_homes(tmp_path / "homes", hub="embedded:hub.db", now=START)
    world = World(now=START, directory=directory)
    async with (
        embedded_factory(tmp_path)(Topology.of(directory)) as hub,
        Area.opened(tmp_path / "homes", directory, hub, start=START) as area,
        watching(f"sqlite:///{tmp_path}/ledger.sqlite", world, clock=lambda: area.time) as opened,
    ):
        tap = await hub.connect(MONITOR)
        await opened.watch.listen(tap)
        running = asyncio.create_task(opened.watch.run())
        await Ashgrove(area, tell=lambda _when, _said: None).run()
        for lane in Lane:
            await until_depth(hub, queue_name(MONITOR, lane), depth=0)
        running.cancel()
        await asyncio.wait([running])
        await opened.watch.round()
        await tap.close()
        await check(opened)
        check_alerts(opened.world)


async def check(opened: Watching) -> None:
    standings = opened.watch.standings
    assert {one.requester for one in standings} == {COUNCIL}
    phases = {one.responder: one.phase for one in standings}
    assert phases.pop("testford-health") is Phase.ANSWERED_LATE
    assert len(phases) == 7
    assert set(phases.values()) == {Phase.ANSWERED}
    assert all(one.received_at and one.seen_at for one in standings)
    rated = {one.responder: one.rating for one in standings}
    assert rated["testford-police"] is RagRating.RED
    assert rated["testford-education"] is RagRating.AMBER
    assert (await opened.ledger.verify()).fault is None
    assert opened.value("mash_watch_faults_total") == 0
    async with opened.ledger.reading() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM quarantine"))).scalar_one() == 0
        rows = (await connection.execute(text("SELECT * FROM stub_ledger"))).all()
    everything = b"".join(value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row)
    for word in (b"Ashgrove", b"Tilly", b"Dean", b"ENQ-2026", b"Example Row"):
        assert word not in everything


def check_alerts(world: World) -> None:
    """One answer was late, and nothing about the messages themselves was ever out of order."""
    late = {entry.alert.participant for entry in world.told if entry.alert.kind is AlertKind.BREACHED}
    assert late == {"testford-health"}
    assert AlertKind.BREACHED in world.cleared()
    out_of_order = {AlertKind.GAP, AlertKind.FORK, AlertKind.REFUSED, AlertKind.EQUIVOCATION, AlertKind.FLOOD}
    assert not out_of_order & set(world.raised())
