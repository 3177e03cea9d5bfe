"""The watch over both hubs, while a council and a police station exchange sealed envelopes."""

import asyncio
from contextlib import suppress

import pytest

from adapters.kit.envelope.sealing import Event
from broker.calendars import Calendars
from broker.topology import MONITOR
from broker.watch.picture import standing
from broker.watch.standing import Phase
from schemas.routing import Lane, queue_name
from tests.integration.watch.street import TOPOLOGY, Street, tapped, until_entered
from tests.integration.watch.watching import Watching, World, watching
from tests.support.hubs import HubFactory, until, until_depth
from tests.support.trio import Inbox
from tests.unit.watch.traffic import LA, POLICE, Post


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
