"""A hub with a council and a police station on it, and a watch that listens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from adapters.kit.envelope.sealing import Event
from broker.alerts import AlertKind
from broker.hub import HubConnection, Outcome
from broker.topology import MONITOR, Topology
from tests.integration.watch.watching import Watching, World, watching
from tests.support.hubs import HubUnderTest
from tests.unit.watch.traffic import LA, POLICE, Post, directory

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


async def until_told(opened: Watching, kind: AlertKind) -> None:
    async with asyncio.timeout(20):
        while kind not in opened.world.raised():
            await opened.watch.round()
            await asyncio.sleep(0.05)
