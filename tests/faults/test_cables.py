"""Cut the cable in every way between the product's own publisher and consumer, and count: nothing lost, nothing stuck.

A publisher keeps publishing the same bytes until they are confirmed, as the outbox does; the consumer acknowledges by
returning, as the inbox does. The seconds of each recovery are logged (`--log-cli-level=INFO`), not asserted.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

from broker.hub import Outcome
from deploy.local.rabbitmq import LocalRabbitMQ
from tests.support.fault_proxy import Faults
from tests.support.hubs import FAST, until
from tests.support.line import LANE, PATIENT, TEXTS, Line, line
from tests.support.trio import POLICE

log = logging.getLogger("mash.test")


@pytest.mark.parametrize("after", [0, 7, 8, 400, 700, 1200, 9000])
@pytest.mark.parametrize("end", ["to_broker_after", "to_client_after"])
async def test_nothing_is_lost_when_the_publishers_cable_is_cut_after_a_byte(
    rabbitmq: LocalRabbitMQ, end: str, after: int
) -> None:
    """In the middle of the handshake, of a frame, of a confirm: an unknown outcome is published again (C07 to C09)."""
    async with line(rabbitmq) as wire:
        setattr(wire.sender_cable.faults, end, after)
        texts = await wire.deliver_until(lambda: wire.sender_cable.accepted >= 2, healing=wire.sender_cable)
        await wire.arrived(*texts)


@pytest.mark.parametrize("after", [0, 8, 700, 2000, 6000])
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


async def test_a_hub_that_accepts_and_says_nothing_holds_nobody_up(rabbitmq: LocalRabbitMQ) -> None:
    """A connection that never gets past its handshake is given up, with all its tasks, and tried again."""
    async with line(rabbitmq, settings=replace(FAST, connect_timeout=0.3, publish_timeout=1.0)) as wire:
        wire.sender_cable.faults = Faults(deaf_to_broker=True, deaf_to_client=True)
        outcome = await wire.sender.publish(b"x", recipient=POLICE, lane=LANE, attempt_id="x.1")
        assert outcome is Outcome.UNKNOWN
        await until(lambda: wire.sender_cable.accepted >= 3)
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
async def test_a_consumer_comes_back_by_itself_after_any_cut(rabbitmq: LocalRabbitMQ, name: str) -> None:
    """Production's own settings: what was sent during the fault arrives. `test_settings` holds the bound of 15 s."""
    async with line(rabbitmq, settings=PATIENT) as wire:
        await wire.deliver("before")
        await wire.arrived("before")
        began = time.monotonic()
        await FAULTS[name].begin(wire)
        await wire.deliver("during")
        await asyncio.sleep(1)
        FAULTS[name].end(wire)
        await wire.arrived("during", seconds=60)
        log.info("recovery after %s: %.1f s", name, time.monotonic() - began)
        assert wire.receiver.alive(LANE)
