"""Three participants of a hub, and what they do in its tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from broker.hub import Delivery, HubConnection, Outcome
from broker.topology import Topology
from schemas.routing import Lane
from tests.support.hubs import HubUnderTest

LA, POLICE, HEALTH = "testford-la", "testford-police", "testford-health"
TOPOLOGY = Topology.build([LA, POLICE, HEALTH], [(LA, POLICE), (POLICE, LA)], monitor=True)


class Inbox:
    """Takes deliveries in; refuses each body in `poison` as often as it says."""

    def __init__(self, **poison: int) -> None:
        self.taken: list[Delivery] = []
        self.refused: list[Delivery] = []
        self._poison = {body.encode(): times for body, times in poison.items()}
        self._changed = asyncio.Event()

    async def __call__(self, delivery: Delivery) -> None:
        await asyncio.sleep(0)
        left = self._poison.get(delivery.body, 0)
        self._poison[delivery.body] = left - 1
        (self.refused if left > 0 else self.taken).append(delivery)
        self._changed.set()
        if left > 0:
            raise RuntimeError("the test's handler refuses")

    @property
    def bodies(self) -> list[bytes]:
        return [delivery.body for delivery in self.taken]

    async def until(self, taken: int, *, seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while len(self.taken) < taken:
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def two(hub: HubUnderTest) -> AsyncIterator[tuple[HubConnection, HubConnection]]:
    la, police = await hub.connect(LA), await hub.connect(POLICE)
    try:
        yield la, police
    finally:
        await la.close()
        await police.close()


async def send(connection: HubConnection, text: str, *, to: str = POLICE, lane: Lane = Lane.ROUTINE) -> Outcome:
    return await connection.publish(text.encode(), recipient=to, lane=lane, attempt_id=f"{text}.1")
