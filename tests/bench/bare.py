"""Bare aio-pika as a process of the bench: the same bytes over the same queues, persistent, confirmed, acknowledged.

    python -m tests.bench.bare '{"hub": ..., "me": ..., "peer": ..., "bodies": FOLDER, "window": ..., "count": ...}'

No store, no sealing, no checks: what is left is what carrying the bytes costs. Who answers sends what the product sends
for a request (RECEIVED, OPENED, the answer), who asks sends the two receipts for the answer.
With a `place` instead of `bodies` every envelope is sealed, checked and opened at that adapter's place, and forgotten;
with both, every one but the receipts.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any, Final

import aio_pika
from aio_pika.abc import AbstractExchange, AbstractIncomingMessage

from broker.settings import TransportSettings
from schemas.routing import Lane, ingress_exchange, queue_name, routing_key
from tests.bench.letters import Letters, ReadyMade, ReceiptsForNothing, SealedLetters
from tests.bench.station import say

REPLIES: Final = {
    "request": ((Lane.RECEIPT, "receipt"), (Lane.RECEIPT, "receipt"), (Lane.ROUTINE, "answer")),
    "answer": ((Lane.RECEIPT, "receipt"), (Lane.RECEIPT, "receipt")),
    "receipt": (),
}


class Bare:
    """One end of the line."""

    def __init__(self, told: dict[str, Any], exchange: AbstractExchange, letters: Letters) -> None:
        self._told, self._exchange, self._letters = told, exchange, letters
        self._asked: dict[str, float] = {}
        self._open: dict[str, asyncio.Event] = {}
        self._receipted: set[str] = set()
        self.received: list[float] = []
        self.answered: list[float] = []
        self._sent = 0

    async def publish(self, lane: Lane, kind: str, *, about: str) -> None:
        """Publish one body and wait for its confirm."""
        self._sent += 1
        message = aio_pika.Message(
            self._letters.write(kind),
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=f"{about}.{kind}.{self._sent}",
        )
        await self._exchange.publish(message, routing_key=routing_key(self._told["peer"], lane), mandatory=True)

    async def take(self, message: AbstractIncomingMessage) -> None:
        """Answer what came, then acknowledge it."""
        about, kind, _ = (message.message_id or "..").split(".")
        self._letters.read(message.body, lane=Lane.RECEIPT if kind == "receipt" else Lane.ROUTINE)
        await asyncio.gather(*(self.publish(lane, reply, about=about) for lane, reply in REPLIES[kind]))
        await message.ack()
        if about in self._asked:
            self._note(about, kind)

    def _note(self, about: str, kind: str) -> None:
        seconds = time.time() - self._asked[about]
        if kind == "answer":
            self.answered.append(seconds)
            self._open.pop(about).set()
        elif about not in self._receipted:
            self._receipted.add(about)
            self.received.append(seconds)

    async def ask_in_a_window(self, first: int) -> None:
        """Keep a number of requests under way, from the publish to the answer."""
        numbers = iter(range(first, first + self._told["count"]))

        async def one() -> None:
            for number in numbers:
                about = str(number)
                self._asked[about], answered = time.time(), asyncio.Event()
                self._open[about] = answered
                await self.publish(Lane.ROUTINE, "request", about=about)
                await answered.wait()

        await asyncio.gather(*(one() for _ in range(self._told["window"])))


def _letters(told: dict[str, Any]) -> Letters:
    ready = ReadyMade.of(Path(told["bodies"])) if "bodies" in told else None
    sealed = SealedLetters.of(told["place"], peer=told["peer"]) if "place" in told else None
    if ready and sealed:
        return ReceiptsForNothing(sealed, ready)
    if found := ready or sealed:
        return found
    raise ValueError("neither bodies nor a place")


async def live(told: dict[str, Any]) -> None:
    """Connect as the product does, a connection each way, and work until told to end."""
    async with (
        await aio_pika.connect(told["hub"]) as publishing,
        await aio_pika.connect(told["hub"]) as consuming,
    ):
        out = await publishing.channel(publisher_confirms=True, on_return_raises=True)
        bare = Bare(told, await out.get_exchange(ingress_exchange(told["me"]), ensure=False), _letters(told))
        for lane in Lane:
            back = await consuming.channel()
            await back.set_qos(prefetch_count=TransportSettings().prefetch[lane])
            queue = await back.get_queue(queue_name(told["me"], lane), ensure=False)
            await queue.consume(bare.take)
        say("ready")
        rounds = 0
        while (await asyncio.to_thread(sys.stdin.readline)).strip() == "go":
            begun = time.time()
            await bare.ask_in_a_window(rounds * told["count"])
            say({"seconds": time.time() - begun, "received": bare.received, "answered": bare.answered})
            bare.received, bare.answered, rounds = [], [], rounds + 1


if __name__ == "__main__":
    asyncio.run(live(json.loads(sys.argv[1])))
