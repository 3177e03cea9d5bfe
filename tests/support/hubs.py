"""Both hubs behind one factory: `async with factory(topology) as hub: connection = await hub.connect(participant)`.

What a test may ask of a hub beyond the contract is in `HubUnderTest`: how many messages wait in a queue.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Protocol

import aio_pika

from broker.embedded import EmbeddedHub
from broker.hub import HubConnection
from broker.management import Management, provision_for_development
from broker.settings import Backoff, TransportSettings
from broker.topology import Topology
from broker.transport import connect
from deploy.local.rabbitmq import LocalRabbitMQ
from tests.support.rabbitmq import fresh_vhost, vhost_url

FAST = TransportSettings(
    connect_timeout=5.0,
    publish_timeout=5.0,
    handler_timeout=10.0,
    canary_interval=0.5,
    silence_limit=3.0,
    backoff=Backoff(base=0.02, cap=0.1),
)
"""Production's behaviour at a test's pace."""


class HubUnderTest(Protocol):
    """A hub under test."""

    async def connect(self, participant: str) -> HubConnection:
        """Open `participant`'s connection; the hub closes it at the end if the test does not."""
        ...

    async def depth(self, queue: str) -> int:
        """Count the messages that wait in `queue`."""
        ...


HubFactory = Callable[[Topology], AbstractAsyncContextManager[HubUnderTest]]


class RabbitHub:
    """A vhost of a real RabbitMQ, provisioned with a topology."""

    def __init__(self, management: Management, *, admin_url: str, address: Callable[[str], str]) -> None:
        self.management = management
        self.admin_url = admin_url
        self.address = address
        self._connections: list[HubConnection] = []

    async def connect(self, participant: str, *, settings: TransportSettings = FAST) -> HubConnection:
        """Open `participant`'s connection, at a test's pace if not told otherwise."""
        connection = await connect(self.address(participant), participant=participant, settings=settings)
        self._connections.append(connection)
        return connection

    async def depth(self, queue: str) -> int:
        """Ask the broker itself: the management interface's figures lag by seconds."""
        async with await aio_pika.connect(self.admin_url) as connection:
            channel = await connection.channel()
            declared = await channel.declare_queue(queue, passive=True)
            return declared.declaration_result.message_count or 0

    async def close(self) -> None:
        """Close what the test left open."""
        for connection in self._connections:
            await connection.close()


@asynccontextmanager
async def rabbit_hub(server: LocalRabbitMQ, topology: Topology) -> AsyncIterator[RabbitHub]:
    """Provision a fresh vhost of `server` with `topology`."""
    async with fresh_vhost(server) as management:
        admin_url = vhost_url(server, management.vhost)
        address = await provision_for_development(admin_url, topology=topology, management_url=server.management_url)
        hub = RabbitHub(management, admin_url=admin_url, address=address)
        try:
            yield hub
        finally:
            await hub.close()


def embedded_factory(folder: Path | None) -> HubFactory:
    """Make embedded hubs, each on a file of its own in `folder`, or in memory."""
    numbers = count()

    def make(topology: Topology) -> AbstractAsyncContextManager[HubUnderTest]:
        path = folder / f"hub-{next(numbers)}.sqlite" if folder else None
        return EmbeddedHub(topology, path, settings=FAST)

    return make


def rabbit_factory(server: LocalRabbitMQ) -> HubFactory:
    """Make RabbitMQ hubs, each in a vhost of its own of `server`."""
    return lambda topology: rabbit_hub(server, topology)


async def until(holds: Callable[[], bool], *, seconds: float = 20.0) -> None:
    """Wait until `holds`; raises `TimeoutError` if it does not in time."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event to wait on
            await asyncio.sleep(0.02)


async def until_depth(hub: HubUnderTest, queue: str, *, depth: int, seconds: float = 20.0) -> None:
    """Wait until `queue` holds `depth` messages; raises `TimeoutError` if it does not in time."""
    async with asyncio.timeout(seconds):
        while await hub.depth(queue) != depth:  # noqa: ASYNC110 - the broker tells nobody
            await asyncio.sleep(0.1)
