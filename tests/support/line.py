"""A publisher and a consumer of the product's own, each behind a cable that a test can spoil."""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from broker.hub import Delivery, HubConnection, Outcome
from broker.settings import TransportSettings
from broker.transport import connect
from deploy.local.rabbitmq import LocalRabbitMQ
from schemas.routing import Lane
from tests.support.fault_proxy import FaultProxy, Faults, fault_proxy
from tests.support.hubs import FAST, RabbitHub, rabbit_hub, until
from tests.support.trio import LA, POLICE, TOPOLOGY

LANE = Lane.ROUTINE
PATIENT = TransportSettings()
"""Production's own settings."""
TEXTS = [f"m{number}" for number in range(40)]


@dataclass(frozen=True)
class Line:
    """A publisher and a consumer, each behind a cable of its own."""

    hub: RabbitHub
    sender: HubConnection
    receiver: HubConnection
    sender_cable: FaultProxy
    receiver_cable: FaultProxy
    seen: "Counter[bytes]"

    async def deliver(self, *texts: str) -> None:
        """Publish each until it is confirmed, all at once."""
        await asyncio.gather(*(self._until_confirmed(text) for text in texts))

    async def deliver_until(self, holds: Callable[[], bool], *, healing: FaultProxy) -> list[str]:
        """Keep publishing fresh messages until `holds`, then heal the cable; gives what was confirmed in the end."""
        texts: list[str] = []
        publishing: set[asyncio.Task[None]] = set()
        async with asyncio.timeout(60):
            while not holds():
                texts.append(f"m{len(texts)}")
                publishing.add(asyncio.create_task(self._until_confirmed(texts[-1])))
                await asyncio.sleep(0.005)
            healing.faults = Faults()
            await asyncio.gather(*publishing)
        return texts

    async def _until_confirmed(self, text: str) -> None:
        for attempt in range(1, 400):
            body = text.encode().ljust(512)
            outcome = await self.sender.publish(body, recipient=POLICE, lane=LANE, attempt_id=f"{text}.{attempt}")
            assert outcome is not Outcome.RETURNED, "a way was there, and the outcome says that there was none"
            if outcome is Outcome.CONFIRMED:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{text} was never confirmed")

    async def arrived(self, *texts: str, seconds: float = 30) -> None:
        """Wait until each of `texts` arrived at least once."""
        await until(lambda: all(self.seen[text.encode().ljust(512)] for text in texts), seconds=seconds)


@asynccontextmanager
async def line(server: LocalRabbitMQ, *, settings: TransportSettings = FAST) -> AsyncIterator[Line]:
    """Lay a line; at the end nothing of it may be left running, and no task may have failed unheard."""
    before, unheard = asyncio.all_tasks(), list[dict[str, Any]]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
    async with (
        rabbit_hub(server, TOPOLOGY) as hub,
        fault_proxy(hub.address(LA)) as sender_cable,
        fault_proxy(hub.address(POLICE)) as receiver_cable,
    ):
        seen: Counter[bytes] = Counter()

        async def take(delivery: Delivery) -> None:
            seen[delivery.body] += 1

        sender = await connect(sender_cable.url, participant=LA, settings=settings)
        receiver = await connect(receiver_cable.url, participant=POLICE, settings=settings)
        await receiver.consume(LANE, take)
        try:
            await until(lambda: receiver.alive(LANE))
            yield Line(hub, sender, receiver, sender_cable, receiver_cable, seen)
        finally:
            await sender.close()
            await receiver.close()
    await until(lambda: asyncio.all_tasks() <= before, seconds=5)
    gc.collect()  # a task that failed unheard says so when it is collected
    assert unheard == []
