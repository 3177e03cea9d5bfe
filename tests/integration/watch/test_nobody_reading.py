"""Listening assurance on a real RabbitMQ: an inbox that nobody reads is an alert of its own, until somebody does."""

import asyncio
from pathlib import Path

from broker.alerts import AlertKind
from broker.hub import Delivery
from broker.watch.probe import management_probe
from deploy.local.rabbitmq import LocalRabbitMQ
from schemas.routing import Lane
from schemas.stub import Event
from tests.integration.watch.street import TOPOLOGY, Street, tapped
from tests.integration.watch.watching import World
from tests.support.hubs import rabbit_hub
from tests.unit.watch.traffic import LA, POLICE, Post


async def take(delivery: Delivery) -> None:
    """Read, and say nothing."""


async def test_a_question_in_an_inbox_without_a_reader_is_told_until_somebody_reads(
    rabbitmq: LocalRabbitMQ, tmp_path: Path
) -> None:
    """The attack: the adapter's process is gone, its queue takes the request, and everything looks delivered.

    The broker itself counts the readers. With one on every lane the alert is over, though nobody has opened it yet.
    """
    world = World()
    async with rabbit_hub(rabbitmq, TOPOLOGY) as hub, Street.laid(hub, Post()) as street:
        probe = management_probe(rabbitmq.management_url, vhost=hub.management.vhost)
        await street.send(LA, POLICE, Event.REQUEST)
        async with (
            tapped(hub, f"sqlite:///{tmp_path}/ledger.sqlite", world, probe=probe) as opened,
            asyncio.timeout(60),
        ):
            while AlertKind.NOBODY_READING not in world.raised():
                await opened.watch.round()
                await asyncio.sleep(0.1)
            (alert,) = [one.alert for one in world.told if one.alert.kind is AlertKind.NOBODY_READING]
            assert (alert.participant, alert.count, alert.telephone) == (POLICE, 1, "01632 960110")
            reader = await hub.connect(POLICE)
            for lane in Lane:
                await reader.consume(lane, take)
            while AlertKind.NOBODY_READING not in world.cleared():
                await opened.watch.round()
                await asyncio.sleep(0.1)
            assert opened.value("mash_oldest_unseen_seconds", participant=POLICE) >= 0
            assert opened.value("mash_queue_consumers", participant=POLICE, lane="urgent") == 1
