"""Letters that really die: published by the council, refused by the police, dead-lettered by the broker itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiormq

from broker.dead_letters import Quarantine, replay
from broker.topology import DEAD_QUEUE, Topology
from deploy.local.rabbitmq import LocalRabbitMQ
from schemas.directory import Directory
from schemas.routing import Lane, queue_name
from tests.support.hubs import RabbitHub, rabbit_hub, until_depth
from tests.support.parties import NOW

LA, POLICE = "testford-la", "testford-police"
QUEUE = queue_name(POLICE, Lane.URGENT)


@asynccontextmanager
async def hub_of(server: LocalRabbitMQ, directory: Directory) -> AsyncIterator[RabbitHub]:
    async with rabbit_hub(server, Topology.of(directory)) as hub:
        yield hub


async def die(hub: RabbitHub, *bodies: bytes, headers: dict[str, aiormq.abc.FieldValue] | None = None) -> None:
    """Publish as the council and refuse as the police, so that the broker itself makes the dead letters."""
    sender = await aiormq.connect(hub.address(LA))
    channel = await sender.channel(publisher_confirms=True)
    for body in bodies:
        properties = aiormq.spec.Basic.Properties(headers=headers, delivery_mode=2)
        await channel.basic_publish(
            body, exchange=f"mash.in.{LA}", routing_key=f"{POLICE}.urgent", properties=properties, mandatory=True
        )
    await sender.close()
    recipient = await aiormq.connect(hub.address(POLICE))
    channel = await recipient.channel()
    for _ in bodies:
        got = await channel.basic_get(QUEUE)
        assert isinstance(got.delivery, aiormq.spec.Basic.GetOk)
        assert got.delivery.delivery_tag
        await channel.basic_reject(got.delivery.delivery_tag, requeue=False)
    await until_depth(hub, DEAD_QUEUE, depth=len(bodies))
    await recipient.close()


async def fates(hub: RabbitHub, folder: Path, directory: Directory, *, after: timedelta = timedelta(0)) -> list[str]:
    """Replay everything; what became of each letter."""
    work = replay(hub.management, Quarantine(folder), directory=directory, now=NOW + after, limit=50)
    return [done.refusal.code if done.refusal else "sent on" async for done in work]
