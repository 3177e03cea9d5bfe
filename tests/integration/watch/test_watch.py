"""The watch over both hubs, while a council and a police station exchange sealed envelopes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.kit.envelope.sealing import Event, Section
from broker.alerts import AlertKind, book
from broker.alerts.book import Entry
from broker.calendars import Calendars
from broker.hub import HubConnection, Outcome
from broker.topology import MONITOR, Topology
from broker.watch.picture import standing
from broker.watch.probe import embedded_probe, management_probe
from broker.watch.standing import Phase
from deploy.local.rabbitmq import LocalRabbitMQ
from schemas.receipt import Outcome as ReceiptOutcome
from schemas.receipt import Receipt, ReceiptKind
from schemas.routing import Lane, queue_name
from schemas.stub import Stub
from tests.integration.watch.watching import Watching, World, watching
from tests.support.hubs import HubFactory, HubUnderTest, embedded_factory, rabbit_hub, until, until_depth
from tests.support.trio import Inbox
from tests.unit.watch.traffic import LA, POLICE, Post, directory


@pytest.fixture
def db(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.sqlite"


TOPOLOGY = Topology.of(directory())


class Street:
    """The council and the police, each with a connection to the hub."""

    def __init__(self, hub: HubUnderTest, ends: dict[str, HubConnection], post: Post) -> None:
        self.hub, self._ends, self._post = hub, ends, post

    @classmethod
    @asynccontextmanager
    async def laid(cls, hub: HubUnderTest, post: Post) -> AsyncIterator["Street"]:
        ends = {name: await hub.connect(name) for name in (LA, POLICE)}
        yield cls(hub, ends, post)
        for end in ends.values():
            await end.close()

    async def send(self, sender: str, recipient: str, event: Event, **changes: Any) -> None:
        delivery = self._post.write(sender, recipient, event, **changes)
        for attempt in range(20):
            sent: dict[str, Any] = {"recipient": recipient, "lane": delivery.lane, "attempt_id": f"one.{attempt}"}
            if await self._ends[sender].publish(delivery.body, **sent) is Outcome.CONFIRMED:
                return
        raise AssertionError("never confirmed")


@asynccontextmanager
async def tapped(hub: HubUnderTest, db: str, world: World, **outside: Any) -> AsyncIterator[Watching]:
    """Open a watch that listens to the hub; what it has not acknowledged stays with the hub when it goes."""
    async with watching(db, world, **outside) as opened:
        connection = await hub.connect(MONITOR)
        await opened.watch.listen(connection)
        try:
            yield opened
        finally:
            await connection.close()


async def until_entered(opened: Watching, entries: int) -> None:
    async with asyncio.timeout(20):
        while (await opened.ledger.head()).entries < entries:  # noqa: ASYNC110 - the ledger tells nobody
            await asyncio.sleep(0.02)


async def phases(opened: Watching) -> list[Phase]:
    await opened.watch.round()
    return [one.phase for one in opened.watch.standings]


async def test_a_request_is_followed_from_question_to_answer(hub_factory: HubFactory, db: str) -> None:
    """Through a real hub and a real tap, from sealed envelopes of which the watch can open none."""
    world = World()
    async with hub_factory(TOPOLOGY) as hub, Street.laid(hub, Post()) as street, tapped(hub, db, world) as opened:
        seen = []
        for number, (sender, recipient, event) in enumerate(
            [(LA, POLICE, Event.REQUEST), (POLICE, LA, Event.ACKNOWLEDGED), (POLICE, LA, Event.ANSWER)], start=1
        ):
            await street.send(sender, recipient, event)
            await until_entered(opened, number)
            seen += await phases(opened)
        assert seen == [Phase.CARRIED, Phase.READ, Phase.ANSWERED]
        assert (await opened.ledger.verify()).fault is None
        assert opened.value("mash_tap_alive", lane="urgent") == 1
        assert opened.value("mash_answer_seconds_count", participant=POLICE, rag="AMBER") == 1


async def test_a_watch_that_is_restarted_in_the_middle_loses_nothing(hub_factory: HubFactory, db: str) -> None:
    """What passes while nobody watches waits in the tap; the picture afterwards is that of a watch that never slept."""
    world, post = World(), Post()
    async with hub_factory(TOPOLOGY) as hub, Street.laid(hub, post) as street:
        async with tapped(hub, db, world) as first:
            await street.send(LA, POLICE, Event.REQUEST, thread="answered")
            await until_entered(first, 1)
        await street.send(LA, POLICE, Event.REQUEST, thread="owed")
        await street.send(POLICE, LA, Event.ANSWER, thread="answered")
        async with tapped(hub, db, world) as second:
            await until_entered(second, 3)
            assert await phases(second) == [Phase.CARRIED, Phase.ANSWERED]
            entries = await second.ledger.passages()
            assert second.watch.standings == standing(entries, now=world.now, calendars=Calendars())
            assert [(one.stub.from_, one.stub.seq) for one in entries if one.stub.from_ == LA] == [(LA, 1), (LA, 2)]
            assert (await second.ledger.verify()).fault is None


async def test_a_watch_that_dies_before_it_has_committed_sees_the_stub_again(
    hub_factory: HubFactory, db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not acknowledged until it is durable."""
    world = World()
    async with hub_factory(TOPOLOGY) as hub, Street.laid(hub, Post()) as street:
        async with tapped(hub, db, world) as dying:
            reached = asyncio.Event()

            async def hangs(*_: object, **__: object) -> None:
                reached.set()
                await asyncio.Event().wait()

            monkeypatch.setattr(dying.ledger, "append", hangs)
            await street.send(LA, POLICE, Event.REQUEST)
            await asyncio.wait_for(reached.wait(), 20)
        async with tapped(hub, db, world) as living:
            await until_entered(living, 1)
            await until_depth(hub, queue_name(MONITOR, Lane.URGENT), depth=0)
            assert (await living.ledger.head()).entries == 1


async def test_a_neighbour_is_read_while_one_lane_waits(hub_factory: HubFactory, db: str) -> None:
    """The watch takes copies: whatever happens to it, the police have their message."""
    world = World()
    async with hub_factory(TOPOLOGY) as hub, Street.laid(hub, Post()) as street:
        inbox, police = Inbox(), await hub.connect(POLICE)
        await police.consume(Lane.URGENT, inbox)
        await street.send(LA, POLICE, Event.REQUEST)
        await inbox.until(taken=1)
        await police.close()
        async with tapped(hub, db, world) as late:
            await until_entered(late, 1)


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


async def until_told(opened: Watching, kind: AlertKind) -> None:
    async with asyncio.timeout(20):
        while kind not in opened.world.raised():
            await opened.watch.round()
            await asyncio.sleep(0.05)


async def test_a_watch_runs_by_itself_and_stops_when_it_is_told(hub_factory: HubFactory, db: str) -> None:
    """Round after round; nothing of it is left behind."""
    world = World()
    async with hub_factory(TOPOLOGY) as hub, Street.laid(hub, Post()) as street, tapped(hub, db, world) as opened:
        running = asyncio.create_task(opened.watch.run())
        await street.send(LA, POLICE, Event.REQUEST)
        await until(lambda: bool(opened.watch.standings))
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        assert opened.value("mash_ledger_whole") == 1


async def test_a_round_that_fails_is_followed_by_the_next(db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never crashing the watch."""
    world = World()
    async with watching(db, world) as opened:
        failing = [LookupError("Tilly Ashgrove-Test")] * 2
        verify = opened.ledger.passages

        async def fails(**arguments: int) -> object:
            if failing:
                raise failing.pop()
            return await verify(**arguments)

        monkeypatch.setattr(opened.ledger, "passages", fails)
        running = asyncio.create_task(opened.watch.run())
        await until(lambda: opened.value("mash_ledger_up") == 1)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        assert opened.value("mash_watch_faults_total") == 2


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
