"""Figures of the hub's transport: `python -m tests.bench.bench_hub [--backlog 100000] [--messages 5000]`.

Two figures, in one run against one private RabbitMQ. Throughput: the product's publisher and consumer against bare
aio-pika moving the same bytes over the same queues, in turns, best of three; the ratio is the figure. Urgency: how long
an urgent message takes while a backlog of routine ones waits at the same participant and is being read.
Prints one JSON object.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from broker.hub import Delivery, HubConnection, Outcome
from broker.settings import TransportSettings
from broker.topology import Topology
from deploy.local.rabbitmq import rabbitmq
from schemas.routing import Lane, ingress_exchange, queue_name, routing_key
from tests.support.hubs import RabbitHub, rabbit_hub

LA, POLICE = "testford-la", "testford-police"
# No tap: bare aio-pika has none either.
TOPOLOGY = Topology.build([LA, POLICE], [(LA, POLICE)], monitor=False)
LANE = Lane.ROUTINE
IN_FLIGHT = 64
BODY = bytes(range(256)) * 32  # 8 KiB: a short request, sealed
ROUNDS = 3


class Countdown:
    """Counts arrivals down to an event."""

    def __init__(self, count: int) -> None:
        self._left = count
        self.done = asyncio.Event()

    def one(self) -> None:
        """Count one arrival."""
        self._left -= 1
        if not self._left:
            self.done.set()


async def publish_all(publish: Callable[[int], Awaitable[None]], *, count: int) -> None:
    """Publish `count` messages with `IN_FLIGHT` of them unconfirmed at a time."""
    numbers = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            await publish(number)

    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))


async def product_round(hub: RabbitHub, *, count: int) -> float:
    """Move `count` messages through the product; messages a second from the first publish to the last handled."""
    la = await hub.connect(LA, settings=TransportSettings())
    police = await hub.connect(POLICE, settings=TransportSettings())
    countdown = Countdown(count)

    async def take(_: Delivery) -> None:
        countdown.one()

    async def publish(number: int) -> None:
        outcome = await la.publish(BODY, recipient=POLICE, lane=LANE, attempt_id=f"{number}.1")
        assert outcome is Outcome.CONFIRMED

    await police.consume(LANE, take)
    await la.publish(BODY, recipient=POLICE, lane=Lane.RECEIPT, attempt_id="warm.1")
    began = time.perf_counter()
    await publish_all(publish, count=count)
    await countdown.done.wait()
    seconds = time.perf_counter() - began
    await la.close()
    await police.close()
    return count / seconds


async def bare_round(hub: RabbitHub, *, count: int) -> float:
    """Move `count` messages with bare aio-pika: confirms, persistent, one handler, acknowledged one by one."""
    async with (
        await aio_pika.connect(hub.address(LA)) as publishing,
        await aio_pika.connect(hub.address(POLICE)) as consuming,
    ):
        out, back = await publishing.channel(), await consuming.channel()
        await back.set_qos(prefetch_count=TransportSettings().prefetch[LANE])
        exchange = await out.get_exchange(ingress_exchange(LA), ensure=False)
        queue = await back.get_queue(queue_name(POLICE, LANE), ensure=False)
        countdown = Countdown(count)

        async def take(message: AbstractIncomingMessage) -> None:
            await message.ack()
            countdown.one()

        async def publish(number: int) -> None:
            message = aio_pika.Message(BODY, delivery_mode=aio_pika.DeliveryMode.PERSISTENT, message_id=str(number))
            await exchange.publish(message, routing_key=routing_key(POLICE, LANE))

        await queue.consume(take)
        began = time.perf_counter()
        await publish_all(publish, count=count)
        await countdown.done.wait()
        return count / (time.perf_counter() - began)


async def urgency(hub: RabbitHub, *, backlog: int, probes: int = 200) -> dict[str, float]:
    """Fill the routine queue, then time urgent messages while the routine ones are read; milliseconds."""
    la = await hub.connect(LA, settings=TransportSettings())
    police = await hub.connect(POLICE, settings=TransportSettings())

    async def publish(number: int) -> None:
        body, attempt = BODY[:1024], f"{number}.1"
        assert await la.publish(body, recipient=POLICE, lane=LANE, attempt_id=attempt) is Outcome.CONFIRMED

    await publish_all(publish, count=backlog)
    times = await _time_urgent(la, police, probes=probes)
    left = await hub.depth(queue_name(POLICE, LANE))
    await la.close()
    await police.close()
    times.sort()
    return {
        "p50_ms": round(statistics.median(times), 2),
        "p99_ms": round(times[int(len(times) * 0.99) - 1], 2),
        "max_ms": round(times[-1], 2),
        "backlog": backlog,
        "backlog_left_at_the_end": left,
    }


async def _time_urgent(la: HubConnection, police: HubConnection, *, probes: int) -> list[float]:
    arrived: asyncio.Queue[float] = asyncio.Queue()

    async def take_urgent(_: Delivery) -> None:
        arrived.put_nowait(time.perf_counter())

    async def take_routine(_: Delivery) -> None:
        await asyncio.sleep(0.002)  # an inbox that commits

    await police.consume(Lane.URGENT, take_urgent)
    await police.consume(LANE, take_routine)
    times = []
    for number in range(probes):
        began = time.perf_counter()
        await la.publish(BODY, recipient=POLICE, lane=Lane.URGENT, attempt_id=f"u{number}.1")
        times.append((await arrived.get() - began) * 1000)
        await asyncio.sleep(0.01)
    return times


async def measure(*, messages: int, backlog: int) -> dict[str, object]:
    """Run both figures against a private RabbitMQ."""
    with rabbitmq() as server:
        async with rabbit_hub(server, TOPOLOGY) as hub:
            rounds = [
                (await bare_round(hub, count=messages), await product_round(hub, count=messages)) for _ in range(ROUNDS)
            ]
            bare, product = (max(figures) for figures in zip(*rounds, strict=True))
            throughput = {
                "bare_messages_per_second": round(bare),
                "product_messages_per_second": round(product),
                "ratio": round(product / bare, 2),
                "body_bytes": len(BODY),
                "messages_a_round": messages,
            }
            return {"throughput": throughput, "urgent": await urgency(hub, backlog=backlog)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--backlog", type=int, default=100_000)
    wanted = parser.parse_args()
    figures = asyncio.run(measure(messages=wanted.messages, backlog=wanted.backlog))
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
