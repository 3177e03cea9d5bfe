"""Cut the cable in every way between the product's own publisher and consumer, and count: nothing lost, nothing stuck.

A publisher keeps publishing the same bytes until they are confirmed, as the outbox does; the consumer acknowledges by
returning, as the inbox does. After any cut the consumer is alive again within 15 s, with production's own settings.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from broker.hub import Delivery, HubConnection, Outcome
from broker.settings import TransportSettings
from broker.transport import connect
from deploy.local.rabbitmq import LocalRabbitMQ
from schemas.routing import Lane
from tests.support.fault_proxy import FaultProxy, Faults, fault_proxy
from tests.support.hubs import FAST, RabbitHub, rabbit_hub, until
from tests.support.trio import LA, POLICE, TOPOLOGY

LANE = Lane.ROUTINE
BODY = bytes(4096)
PATIENT = TransportSettings()


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
    """Lay a line; at the end nothing of it may be left running."""
    before = asyncio.all_tasks()
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


TEXTS = [f"m{number}" for number in range(40)]


@pytest.mark.parametrize("after", [0, 1, 7, 8, 100, 400, 600, 900, 1200, 3000, 10000])
@pytest.mark.parametrize("end", ["to_broker_after", "to_client_after"])
async def test_nothing_is_lost_when_the_publishers_cable_is_cut_after_a_byte(
    rabbitmq: LocalRabbitMQ, end: str, after: int
) -> None:
    """In the middle of the handshake, of a frame, of a confirm: an unknown outcome is published again (C07 to C09)."""
    async with line(rabbitmq) as wire:
        setattr(wire.sender_cable.faults, end, after)
        texts = await wire.deliver_until(lambda: wire.sender_cable.accepted >= 2, healing=wire.sender_cable)
        await wire.arrived(*texts)


@pytest.mark.parametrize("after", [0, 8, 300, 700, 2000, 9000])
@pytest.mark.parametrize("end", ["to_broker_after", "to_client_after"])
async def test_nothing_is_lost_when_the_consumers_cable_is_cut_after_a_byte(
    rabbitmq: LocalRabbitMQ, end: str, after: int
) -> None:
    """In the middle of a delivery or of an acknowledgement: it is delivered again (C24, C25)."""
    async with line(rabbitmq) as wire:
        before = wire.receiver_cable.accepted
        setattr(wire.receiver_cable.faults, end, after)
        wire.receiver_cable.cut()
        cut_often = before + 3
        texts = await wire.deliver_until(lambda: wire.receiver_cable.accepted >= cut_often, healing=wire.receiver_cable)
        await wire.arrived(*texts)


@pytest.mark.parametrize("reset", [False, True])
async def test_nothing_is_lost_when_both_cables_are_cut_again_and_again(rabbitmq: LocalRabbitMQ, reset: bool) -> None:
    """FIN or RST, in the middle of traffic."""
    async with line(rabbitmq) as wire:
        for round_number in range(8):
            texts = [f"{text}-{round_number}" for text in TEXTS]
            published = asyncio.create_task(wire.deliver(*texts))
            await asyncio.sleep(0.03 * round_number / 4)
            wire.sender_cable.cut(reset=reset)
            wire.receiver_cable.cut(reset=reset)
            await published
            await wire.arrived(*texts)


async def test_nothing_is_lost_over_a_slow_cable(rabbitmq: LocalRabbitMQ) -> None:
    """Bytes in drops: late is not lost."""
    async with line(rabbitmq) as wire:
        wire.sender_cable.faults.delay = wire.receiver_cable.faults.delay = 0.01
        wire.sender_cable.faults.chunk = wire.receiver_cable.faults.chunk = 700
        await wire.deliver(*TEXTS)
        await wire.arrived(*TEXTS)


@pytest.mark.parametrize("direction", ["deaf_to_broker", "deaf_to_client"])
async def test_a_half_open_publisher_ends_every_publish_as_unknown_and_recovers(
    rabbitmq: LocalRabbitMQ, direction: str
) -> None:
    """One direction is dead and neither end is told: the outcome is unknown in bounded time, and later confirmed."""
    async with line(rabbitmq, settings=replace(FAST, publish_timeout=1.0)) as wire:
        await wire.deliver("before")
        setattr(wire.sender_cable.faults, direction, True)
        outcome = await wire.sender.publish(b"x", recipient=POLICE, lane=LANE, attempt_id="x.1")
        assert outcome is Outcome.UNKNOWN
        wire.sender_cable.faults = Faults()
        await wire.deliver(*TEXTS)
        await wire.arrived(*TEXTS)


@dataclass(frozen=True)
class Fault:
    """Something that makes a consumer deaf, and what ends it."""

    begin: Callable[[Line], Awaitable[None]]
    end: Callable[[Line], None] = lambda wire: None


async def silence(wire: Line) -> None:
    wire.receiver_cable.faults = Faults(deaf_to_broker=True, deaf_to_client=True)


async def half_open_to_broker(wire: Line) -> None:
    wire.receiver_cable.faults = Faults(deaf_to_broker=True)


async def half_open_to_client(wire: Line) -> None:
    wire.receiver_cable.faults = Faults(deaf_to_client=True)


async def cut(wire: Line) -> None:
    wire.receiver_cable.cut()


async def reset(wire: Line) -> None:
    wire.receiver_cable.cut(reset=True)


async def closed_by_the_broker(wire: Line) -> None:
    await wire.hub.management.delete(f"connections/username/{POLICE}")


def heal(wire: Line) -> None:
    """Let new connections through; those that swallowed anything stay dead."""
    wire.receiver_cable.faults = Faults()


FAULTS = {
    "silence": Fault(silence, heal),
    "half-open towards the broker": Fault(half_open_to_broker, heal),
    "half-open towards the client": Fault(half_open_to_client, heal),
    "cut": Fault(cut),
    "reset": Fault(reset),
    "connection closed by the broker": Fault(closed_by_the_broker),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_consumer_is_alive_again_within_15_seconds_of_any_cut(rabbitmq: LocalRabbitMQ, name: str) -> None:
    """Production's own settings: from the moment of the cut until a message arrives that was sent during it."""
    async with line(rabbitmq, settings=PATIENT) as wire:
        await wire.deliver("before")
        await wire.arrived("before")
        began = time.monotonic()
        await FAULTS[name].begin(wire)
        await wire.deliver("during")
        await asyncio.sleep(1)
        FAULTS[name].end(wire)
        await wire.arrived("during", seconds=15 - (time.monotonic() - began))
        assert wire.receiver.alive(LANE)
