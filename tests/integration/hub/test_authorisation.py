"""The authorisation table: every AMQP operation × user, against a live broker with the production configuration.

A number is the reply code with which RabbitMQ refuses (403 access refused, 404 not found, 406 precondition failed,
312 unroutable); `OK` means that it was done. A row that changes with a release of RabbitMQ shows here first.
"""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import aiormq
import pytest
from aiormq import spec
from aiormq.abc import AbstractChannel
from aiormq.exceptions import (
    ChannelAccessRefused,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
    PublishError,
)

from broker.topology import ANSWER_LANE, DEAD_EXCHANGE, DEAD_QUEUE, HUB, HUB_LANE, MONITOR
from schemas.routing import Lane, ingress_exchange, queue_name, routing_key
from tests.integration.hub.conftest import AGENCY, LISTED, PARTNER, SUSPENDED
from tests.support.partnership import Partnership

OK: Final = 0
REFUSALS: Final = {
    ChannelAccessRefused: 403,
    ChannelNotFoundEntity: 404,
    ChannelPreconditionFailed: 406,
    PublishError: 312,
}
Operation = Callable[[AbstractChannel, str], Awaitable[object]]


def publish(exchange: str, key: str, *, user_id: str | None = None, cc: str | None = None) -> Operation:
    """Publish, mandatory; `{me}` stands for the user who tries."""

    async def operation(channel: AbstractChannel, me: str) -> object:
        properties = spec.Basic.Properties(
            user_id=user_id.format(me=me) if user_id else None,
            headers={"CC": [cc], "BCC": [cc]} if cc else {},
        )
        return await channel.basic_publish(
            b"probe",
            exchange=exchange.format(me=me),
            routing_key=key.format(me=me),
            properties=properties,
            mandatory=True,
        )

    return operation


async def declare_server_named(channel: AbstractChannel, me: str) -> object:
    return await channel.queue_declare("", exclusive=True)


async def consume_and_cancel(channel: AbstractChannel, queue: str) -> None:
    async def ignore(_: object) -> None:
        return None

    consumed = await channel.basic_consume(queue, ignore)
    assert consumed.consumer_tag
    await channel.basic_cancel(consumed.consumer_tag)


MY_QUEUE, MY_INGRESS = queue_name("{me}", Lane.ROUTINE), ingress_exchange("{me}")
PARTNERS_QUEUE, PARTNERS_KEY = queue_name(PARTNER, Lane.ROUTINE), routing_key(PARTNER, Lane.ROUTINE)
PARTNERS_INGRESS = ingress_exchange(PARTNER)
HUBS_INGRESS = ingress_exchange(HUB)
MONITORS_QUEUE = queue_name(MONITOR, Lane.ROUTINE)

OPERATIONS: Final[dict[str, Operation]] = {
    "publish to the partner": publish(MY_INGRESS, PARTNERS_KEY),
    "publish to the partner under its own user id": publish(MY_INGRESS, PARTNERS_KEY, user_id="{me}"),
    "publish to the partner under a forged user id": publish(MY_INGRESS, PARTNERS_KEY, user_id=PARTNER),
    "publish to somebody who has not signed": publish(MY_INGRESS, routing_key(LISTED, Lane.ROUTINE)),
    "publish to somebody suspended": publish(MY_INGRESS, routing_key(SUSPENDED, Lane.ROUTINE)),
    "publish to nobody, with the partner in CC and BCC": publish(MY_INGRESS, "nobody", cc=PARTNERS_KEY),
    "publish to nobody, with a stranger in CC and BCC": publish(
        MY_INGRESS, "nobody", cc=routing_key(LISTED, Lane.ROUTINE)
    ),
    "publish through the partner's ingress": publish(PARTNERS_INGRESS, routing_key(AGENCY, Lane.ROUTINE)),
    "publish through the hub's ingress": publish(HUBS_INGRESS, routing_key(AGENCY, HUB_LANE)),
    "publish through the hub's ingress to another lane": publish(HUBS_INGRESS, routing_key(AGENCY, Lane.URGENT)),
    "answer the hub": publish(MY_INGRESS, routing_key(HUB, ANSWER_LANE)),
    "publish to the monitor's tap": publish(MY_INGRESS, routing_key(MONITOR, Lane.ROUTINE)),
    "publish to the default exchange": publish("", PARTNERS_QUEUE),
    "publish to amq.topic": publish("amq.topic", PARTNERS_KEY),
    "publish to amq.direct": publish("amq.direct", PARTNERS_KEY),
    "publish to amq.fanout": publish("amq.fanout", PARTNERS_KEY),
    "publish to amq.headers": publish("amq.headers", PARTNERS_KEY),
    "publish to amq.match": publish("amq.match", PARTNERS_KEY),
    "publish to amq.rabbitmq.trace": publish("amq.rabbitmq.trace", PARTNERS_KEY),
    "publish to the dead letters": publish(DEAD_EXCHANGE, ""),
    "get from its own queue": lambda channel, me: channel.basic_get(MY_QUEUE.format(me=me)),
    "get from the partner's queue": lambda channel, me: channel.basic_get(PARTNERS_QUEUE),
    "get from the monitor's queue": lambda channel, me: channel.basic_get(MONITORS_QUEUE),
    "get a dead letter": lambda channel, me: channel.basic_get(DEAD_QUEUE),
    "consume from its own queue": lambda channel, me: consume_and_cancel(channel, MY_QUEUE.format(me=me)),
    "consume from the partner's queue": lambda channel, me: consume_and_cancel(channel, PARTNERS_QUEUE),
    "consume from the monitor's queue": lambda channel, me: consume_and_cancel(channel, MONITORS_QUEUE),
    "purge its own queue": lambda channel, me: channel.queue_purge(MY_QUEUE.format(me=me)),
    "purge the partner's queue": lambda channel, me: channel.queue_purge(PARTNERS_QUEUE),
    "look the partner's queue up": lambda channel, me: channel.queue_declare(PARTNERS_QUEUE, passive=True),
    "look the partner's ingress up": lambda channel, me: channel.exchange_declare(PARTNERS_INGRESS, passive=True),
    "declare a queue": lambda channel, me: channel.queue_declare(f"mash.q.{me}.extra", durable=True),
    "declare a server-named queue": declare_server_named,
    "declare an exchange": lambda channel, me: channel.exchange_declare(f"mash.in.{me}.extra"),
    "bind its own queue to the partner's ingress": lambda channel, me: channel.queue_bind(
        MY_QUEUE.format(me=me), PARTNERS_INGRESS, "#"
    ),
    "bind its own queue to its own ingress": lambda channel, me: channel.queue_bind(
        MY_QUEUE.format(me=me), MY_INGRESS.format(me=me), "x"
    ),
    "bind the partner's ingress to its own": lambda channel, me: channel.exchange_bind(
        destination=MY_INGRESS.format(me=me), source=PARTNERS_INGRESS, routing_key="x"
    ),
    "unbind the partner's queue": lambda channel, me: channel.queue_unbind(
        PARTNERS_QUEUE, MY_INGRESS.format(me=me), PARTNERS_KEY
    ),
    "delete its own queue": lambda channel, me: channel.queue_delete(MY_QUEUE.format(me=me)),
    "delete the partner's queue": lambda channel, me: channel.queue_delete(PARTNERS_QUEUE),
    "delete its own ingress": lambda channel, me: channel.exchange_delete(MY_INGRESS.format(me=me)),
}

# Only what a user may do, or is refused otherwise than by 403, is named: the default is no.
EXPECTED: Final[dict[str, dict[str, int]]] = {
    AGENCY: {
        "publish to the partner": OK,
        "publish to the partner under its own user id": OK,
        "publish to the partner under a forged user id": 406,
        "publish to somebody who has not signed": 312,
        "publish to somebody suspended": 312,
        "publish to nobody, with the partner in CC and BCC": OK,  # bound to it, and marked for it to refuse (E00)
        "publish to nobody, with a stranger in CC and BCC": 312,
        "answer the hub": OK,
        "publish to the monitor's tap": 312,
        "get from its own queue": OK,
        "consume from its own queue": OK,
        "purge its own queue": OK,
    },
    LISTED: {
        "publish to the partner": 312,
        "publish to the partner under its own user id": 312,
        "publish to the partner under a forged user id": 406,
        "publish to somebody who has not signed": 312,
        "publish to somebody suspended": 312,
        "publish to nobody, with the partner in CC and BCC": 312,
        "publish to nobody, with a stranger in CC and BCC": 312,
        "answer the hub": 312,
        "publish to the monitor's tap": 312,
        "get from its own queue": OK,
        "consume from its own queue": OK,
        "purge its own queue": OK,
    },
    SUSPENDED: {},
    MONITOR: {
        "publish through the hub's ingress": OK,
        "publish through the hub's ingress to another lane": 312,
        "get from its own queue": OK,
        "get from the monitor's queue": OK,
        "consume from its own queue": OK,
        "consume from the monitor's queue": OK,
        "purge its own queue": OK,
    },
}
# The residual until 4.3.1: whoever guesses a name learns how many messages wait, and nothing else.
ANYBODY: Final = {"look the partner's queue up": OK, "look the partner's ingress up": OK}


@asynccontextmanager
async def channel_of(where: Partnership, context: ssl.SSLContext) -> AsyncIterator[AbstractChannel]:
    connection = await aiormq.connect(f"{where.url}?auth=external", context=context)
    try:
        yield await connection.channel(publisher_confirms=True, on_return_raises=True)
    finally:
        await connection.close()


async def answer_to(operation: Operation, channel: AbstractChannel, *, me: str) -> int:
    try:
        await operation(channel, me)
    except (ChannelAccessRefused, ChannelNotFoundEntity, ChannelPreconditionFailed, PublishError) as refusal:
        return REFUSALS[type(refusal)]
    return OK


@pytest.mark.parametrize("user", EXPECTED)
async def test_the_broker_answers_every_operation_of_a_user_as_the_table_says(tls_hub: Partnership, user: str) -> None:
    """One certificate, every operation: what the table does not allow is refused."""
    context, answers = tls_hub.context(user), {}
    for name, operation in OPERATIONS.items():
        async with channel_of(tls_hub, context) as channel:
            answers[name] = await answer_to(operation, channel, me=user)
    assert answers == {name: {**ANYBODY, **EXPECTED[user]}.get(name, 403) for name in OPERATIONS}
