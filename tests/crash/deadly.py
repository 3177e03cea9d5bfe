"""A hub's connection between failpoints: those of the design that lie in the transport's own time.

What is between them is the product's own: publishing, and the link's handler, which stores together what waits.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.kit.failpoints import reach
from broker.hub import Delivery, Handler, HubConnection, ManyHandler, Outcome
from schemas.routing import Lane


@dataclass
class DeadlyHandler:
    """The link's own handler, between the failpoints of the transport; says in a file that several came together."""

    inner: ManyHandler
    lane: Lane
    together: Path
    handled: int = 0

    @property
    def at_once(self) -> int:
        return self.inner.at_once

    async def __call__(self, delivery: Delivery) -> None:
        await self.take([delivery])

    async def take(self, deliveries: Sequence[Delivery]) -> None:
        if self.handled:
            reach("C25")
        if len(deliveries) == 1:
            await self.inner(deliveries[0])
        else:
            if not any(delivery.redelivered for delivery in deliveries):
                self.together.touch()
            await self.inner.take(deliveries)
        self.handled += len(deliveries)
        if self.lane is Lane.RECEIPT:
            reach("C32")


@dataclass(frozen=True)
class Deadly:
    """A connection with the failpoints that lie in the transport's own time."""

    inner: HubConnection
    together: Path

    async def publish(self, body: bytes, *, recipient: str, lane: Lane, attempt_id: str) -> Outcome:
        outcome = await self.inner.publish(body, recipient=recipient, lane=lane, attempt_id=attempt_id)
        reach("C08")
        if lane is not Lane.RECEIPT:
            await asyncio.sleep(0.2)  # long enough for R1 to come before the outcome is written down
            reach("C31")
        return outcome

    async def consume(self, lane: Lane, handler: Handler) -> None:
        assert isinstance(handler, ManyHandler)  # as the product's link has it: what waits is stored together
        await self.inner.consume(lane, DeadlyHandler(handler, lane, self.together))

    def alive(self, lane: Lane) -> bool:
        return self.inner.alive(lane)

    async def close(self) -> None:
        await self.inner.close()
