"""The broker itself makes trouble: alarms, cancelled consumers, closed channels, a restart. Nothing lost or stuck."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from broker.hub import Delivery, Outcome
from broker.management import provision_for_development
from broker.settings import TransportSettings
from deploy.local.process import LocalServerError
from deploy.local.rabbitmq import LocalRabbitMQ
from deploy.local.rabbitmq import rabbitmq as private_rabbitmq
from schemas.routing import Lane, ingress_exchange, queue_name
from tests.conftest import cannot_be_had
from tests.support.hubs import FAST, RabbitHub, rabbit_hub, until
from tests.support.line import LANE, TEXTS, line
from tests.support.trio import LA, POLICE, TOPOLOGY, send, two


@pytest.fixture(scope="module")
def own_rabbitmq() -> Iterator[LocalRabbitMQ]:
    """A broker that no other test uses: an alarm would block theirs."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(private_rabbitmq())
        except LocalServerError as fault:
            cannot_be_had(str(fault))
        yield server


async def provision_again(hub: RabbitHub, server: LocalRabbitMQ) -> None:
    await provision_for_development(hub.admin_url, topology=TOPOLOGY, management_url=server.management_url)


async def test_a_publisher_that_the_broker_blocks_ends_as_unknown_and_its_messages_arrive_after_the_alarm(
    own_rabbitmq: LocalRabbitMQ,
) -> None:
    """C18: under a memory or disk alarm a publish would wait for ever; the consumer works on meanwhile."""
    async with line(own_rabbitmq) as wire:
        await wire.deliver("before")
        await asyncio.to_thread(own_rabbitmq.control, "set_disk_free_limit", "1000GB")
        try:
            outcomes = [
                await wire.sender.publish(b"x", recipient=POLICE, lane=LANE, attempt_id=f"x.{number}")
                for number in range(2)
            ]
            assert outcomes == [Outcome.UNKNOWN, Outcome.UNKNOWN]
        finally:
            await asyncio.to_thread(own_rabbitmq.control, "set_disk_free_limit", "50MB")
        await wire.deliver(*TEXTS)
        await wire.arrived("before", *TEXTS)


async def test_a_broker_that_restarts_still_has_what_it_confirmed(own_rabbitmq: LocalRabbitMQ) -> None:
    """C15: confirmed is durable; publisher and consumer come back by themselves."""
    async with line(own_rabbitmq) as wire:
        await wire.receiver.close()
        await wire.deliver(*TEXTS)
        await asyncio.to_thread(own_rabbitmq.control, "stop_app")
        assert await send(wire.sender, "down", to=POLICE, lane=LANE) is Outcome.UNKNOWN
        await asyncio.to_thread(own_rabbitmq.control, "start_app")
        reader = await wire.hub.connect(POLICE)

        async def take(delivery: Delivery) -> None:
            wire.seen[delivery.body] += 1

        await reader.consume(LANE, take)
        await wire.deliver("after")
        await wire.arrived("after", *TEXTS)
        await reader.close()


async def test_a_consumer_whose_queue_went_away_comes_back_with_it(rabbitmq: LocalRabbitMQ) -> None:
    """Basic.Cancel: a robust library stays connected and deaf; ours starts afresh until the queue is there."""
    only_by_being_told = replace(FAST, canary_interval=300.0, silence_limit=600.0)
    async with line(rabbitmq, settings=only_by_being_told) as wire:
        await wire.deliver("before")
        await wire.arrived("before")
        vhost = wire.hub.management.vhost
        await wire.hub.management.delete(f"queues/{vhost}/{queue_name(POLICE, LANE)}")
        await until(lambda: not wire.receiver.alive(LANE))
        await provision_again(wire.hub, rabbitmq)
        await until(lambda: wire.receiver.alive(LANE))
        await wire.deliver(*TEXTS)
        await wire.arrived(*TEXTS)


async def test_a_channel_that_the_broker_closed_makes_publishes_unknown_and_is_replaced(
    rabbitmq: LocalRabbitMQ,
) -> None:
    """One missing exchange closes the channel under everything in flight: all of it is unknown, none of it is lost."""
    async with line(rabbitmq) as wire:
        await wire.deliver("before")
        exchange = f"exchanges/{wire.hub.management.vhost}/{ingress_exchange(LA)}"
        await wire.hub.management.delete(exchange)
        outcomes = await asyncio.gather(
            *(wire.sender.publish(b"x", recipient=POLICE, lane=LANE, attempt_id=f"x.{number}") for number in range(9))
        )
        assert set(outcomes) == {Outcome.UNKNOWN}
        await provision_again(wire.hub, rabbitmq)
        await wire.deliver(*TEXTS)
        await wire.arrived(*TEXTS)


async def test_one_lanes_trouble_is_not_anothers(rabbitmq: LocalRabbitMQ) -> None:
    """Each lane has connections of its own: routine's missing queue leaves urgent alone."""
    async with rabbit_hub(rabbitmq, TOPOLOGY) as hub, two(hub) as (la, police):
        arrived = asyncio.Event()

        async def take(_: Delivery) -> None:
            arrived.set()

        await hub.management.delete(f"queues/{hub.management.vhost}/{queue_name(POLICE, Lane.ROUTINE)}")
        await police.consume(Lane.ROUTINE, take)
        await police.consume(Lane.URGENT, take)
        assert await send(la, "one", lane=Lane.URGENT) is Outcome.CONFIRMED
        await asyncio.wait_for(arrived.wait(), 10)
        assert not police.alive(Lane.ROUTINE)


async def test_a_handler_that_never_returns_is_given_up_and_its_message_delivered_again(
    rabbitmq: LocalRabbitMQ,
) -> None:
    """A stuck handler is a failed one: the lane is not deaf for ever, and nothing was acknowledged."""
    deliveries: list[bool] = []

    async def stuck_once(delivery: Delivery) -> None:
        deliveries.append(delivery.redelivered)
        if len(deliveries) == 1:
            await asyncio.Event().wait()

    settings = TransportSettings(handler_timeout=0.3, backoff=FAST.backoff)
    async with rabbit_hub(rabbitmq, TOPOLOGY) as hub:
        la = await hub.connect(LA)
        police = await hub.connect(POLICE, settings=settings)
        await police.consume(LANE, stuck_once)
        await send(la, "one")
        await until(lambda: len(deliveries) == 2)
        assert deliveries == [False, True]


async def test_an_unreachable_hub_makes_every_publish_unknown_in_bounded_time(rabbitmq: LocalRabbitMQ) -> None:
    """No hub, no exception, no stuck task: unknown, and the outbox tries again."""
    async with line(rabbitmq) as wire:
        wire.sender_cable.faults.refusing = wire.receiver_cable.faults.refusing = True
        wire.sender_cable.cut()
        wire.receiver_cable.cut()
        await until(lambda: not wire.receiver.alive(LANE))
        assert await send(wire.sender, "one", to=POLICE, lane=LANE) is Outcome.UNKNOWN
        wire.sender_cable.faults.refusing = wire.receiver_cable.faults.refusing = False
        await wire.deliver(*TEXTS)
        await wire.arrived(*TEXTS)
