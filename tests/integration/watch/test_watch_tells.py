"""What the watch over both hubs tells: alerts once, with their end; figures; and that it has become deaf."""

import asyncio
from datetime import timedelta
from pathlib import Path

from adapters.kit.envelope.sealing import Event, Section
from broker.alerts import AlertKind, book
from broker.alerts.book import Entry
from broker.topology import MONITOR
from broker.watch.probe import embedded_probe, management_probe
from deploy.local.rabbitmq import LocalRabbitMQ
from schemas.receipt import Outcome as ReceiptOutcome
from schemas.receipt import Receipt, ReceiptKind
from schemas.routing import Lane
from schemas.stub import Stub
from tests.integration.watch.street import TOPOLOGY, Street, tapped, until_entered, until_told
from tests.integration.watch.watching import World, watching
from tests.support.hubs import HubFactory, embedded_factory, rabbit_hub, until
from tests.unit.watch.traffic import LA, POLICE, Post


async def test_an_alert_is_told_once_and_its_end_once_through_a_restart(hub_factory: HubFactory, db: str) -> None:
    """Raised once, cleared when over, kept in the book."""
    world, post = World(), Post()
    async with hub_factory(TOPOLOGY) as hub, Street.laid(hub, post) as street:
        async with tapped(hub, db, world) as first:
            await street.send(LA, POLICE, Event.REQUEST)
            await until_entered(first, 1)
            request = (await first.ledger.passages())[0].stub
            for seconds in (61, 1, 1):
                world.now += timedelta(seconds=seconds)
                await first.watch.round()
        async with tapped(hub, db, world) as second:
            await second.watch.round()
            assert world.raised() == [AlertKind.UNDELIVERED]
            assert [entry.alert.kind for entry in await book.standing(second.ledger)] == [AlertKind.UNDELIVERED]
            await street.send(POLICE, LA, Event.RECEIPT, in_reply_to=request.mid, sections=receipt_for(request))
            await until_entered(second, 2)
            await second.watch.round()
            await second.watch.round()
            assert (world.raised(), world.cleared()) == ([AlertKind.UNDELIVERED], [AlertKind.UNDELIVERED])
            assert await book.standing(second.ledger) == ()
            (row,) = await book.recent(second.ledger)
            assert row.cleared_at == world.now


def receipt_for(request: Stub) -> dict[Section, bytes]:
    """The sealed text of a receipt, which the watch never sees."""
    receipt = Receipt(
        kind=ReceiptKind.RECEIVED,
        outcome=ReceiptOutcome.RECEIVED,
        original_stub_hash=bytes(32),
        seq_seen=request.seq,
        at=World().now,
    )
    return {Section.TEAM: receipt.to_bytes()}


async def test_a_sink_that_fails_is_told_again_and_holds_no_other_up(db: str) -> None:
    """Delivery failures are seen; the alert is not lost."""
    world = World()
    attempts: list[Entry] = []

    async def down(entry: Entry) -> None:
        attempts.append(entry)
        if len(attempts) < 3:
            raise ConnectionError

    async with watching(db, world, sinks=(down, world.sink)) as opened:
        await opened.watch.intake.handle(Post().write(LA, POLICE, Event.REQUEST))
        world.now += timedelta(seconds=61)
        for _ in range(4):
            await opened.watch.round()
        assert len(attempts) == 3
        assert world.raised()[0] is AlertKind.UNDELIVERED
        assert opened.value("mash_alert_tellings_failed_total") == 2


async def test_an_answer_is_counted_once_and_not_again_by_the_next_process(db: str) -> None:
    """A restart must not double the month's figures."""
    world, post = World(), Post()
    counted = []
    for said in ((LA, POLICE, Event.REQUEST), (POLICE, LA, Event.ANSWER)):
        async with watching(db, world) as opened:
            await opened.watch.intake.handle(post.write(*said, now=world.now))
            for _ in range(2):
                await opened.watch.round()
            counted.append(opened.value("mash_answer_seconds_count", participant=POLICE, rag="AMBER"))
        world.now += timedelta(minutes=1)
    async with watching(db, world) as opened:
        await opened.watch.round()
        counted.append(opened.value("mash_answer_seconds_count", participant=POLICE, rag="AMBER"))
    assert counted == [0, 1, 0]


async def test_a_tap_that_went_deaf_is_told(hub_factory: HubFactory, db: str) -> None:
    """A connected consumer may be deaf; one that is gone certainly is."""
    world = World()
    async with hub_factory(TOPOLOGY) as hub, watching(db, world) as opened:
        connection = await hub.connect(MONITOR)
        await opened.watch.listen(connection)
        await until(lambda: all(connection.alive(lane) for lane in Lane))
        await opened.watch.round()
        assert opened.value("mash_tap_alive", lane="urgent") == 1
        await connection.close()
        await until_told(opened, AlertKind.WATCH_DEAF)


async def test_dead_letters_of_a_real_broker_are_told(rabbitmq: LocalRabbitMQ, db: str) -> None:
    """From the management interface, with the queue's own figures."""
    world = World()
    async with rabbit_hub(rabbitmq, TOPOLOGY) as hub:
        probe = management_probe(rabbitmq.management_url, vhost=hub.management.vhost)
        await hub.management.post(
            f"exchanges/{hub.management.vhost}/amq.default/publish",
            {"properties": {}, "routing_key": "mash.q.dead", "payload": "x", "payload_encoding": "string"},
        )
        async with tapped(hub, db, world, probe=probe) as opened:
            await until_told(opened, AlertKind.DEAD_LETTERED)
            assert opened.value("mash_dead_letters") == 1
            async with asyncio.timeout(20):
                while opened.value("mash_queue_consumers", participant=MONITOR, lane="urgent") != 1:
                    await opened.watch.round()
                    await asyncio.sleep(0.2)


async def test_the_embedded_hub_gives_its_figures_too(tmp_path: Path, db: str) -> None:
    """What waits, by participant and lane."""
    world = World()
    async with embedded_factory(tmp_path)(TOPOLOGY) as hub, Street.laid(hub, Post()) as street:
        await street.send(LA, POLICE, Event.REQUEST)
        async with watching(db, world, probe=embedded_probe(hub, TOPOLOGY)) as opened:  # type: ignore[arg-type]  # the factory's hub is the embedded one
            await opened.watch.round()
            assert opened.value("mash_queue_messages", participant=POLICE, lane="urgent") == 1
            assert opened.value("mash_dead_letters") == 0


async def test_a_hub_that_gives_no_figures_is_told(db: str) -> None:
    """Silence is no proof of health."""
    async with watching(db, World(), probe=management_probe("http://nobody:x@127.0.0.1:1", vhost="mash")) as opened:
        await opened.watch.round()
        assert AlertKind.HUB_UNREADABLE in opened.world.raised()
