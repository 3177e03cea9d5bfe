"""A participant that speaks AMQP itself: what it cannot forge about where a message came from."""

from typing import Any

import aio_pika
import pytest
from aio_pika.abc import FieldValue, HeadersType
from aio_pika.exceptions import PublishError
from aiormq.exceptions import ChannelAccessRefused

from broker.topology import canary_key
from deploy.local.rabbitmq import LocalRabbitMQ
from schemas.routing import Lane, ingress_exchange, queue_name, routing_key
from tests.support.hubs import RabbitHub, rabbit_hub, until_depth
from tests.support.trio import HEALTH, LA, POLICE, TOPOLOGY, Inbox, send

NAME = "Tilly Ashgrove-Test"
STUFFED: FieldValue = [routing_key(HEALTH, Lane.ROUTINE), routing_key(POLICE, Lane.URGENT)]


async def raw_publish(
    hub: RabbitHub, sender: str, *, exchange: str, key: str, headers: HeadersType | None = None
) -> None:
    async with await aio_pika.connect(hub.address(sender)) as connection:
        channel = await connection.channel(on_return_raises=True)
        target = await channel.get_exchange(exchange, ensure=False)
        await target.publish(aio_pika.Message(b"raw", headers=headers), routing_key=key)


async def test_nobody_publishes_through_another_participants_ingress(rabbitmq: LocalRabbitMQ) -> None:
    """The exchange is the sender's name (E05): the broker refuses to lend it."""
    async with rabbit_hub(rabbitmq, TOPOLOGY) as hub:
        with pytest.raises(ChannelAccessRefused):
            await raw_publish(hub, POLICE, exchange=ingress_exchange(LA), key=routing_key(POLICE, Lane.ROUTINE))


@pytest.mark.parametrize("header", ["CC", "BCC"])
async def test_a_stuffed_header_reaches_no_queue_that_the_sender_may_not_reach(
    rabbitmq: LocalRabbitMQ, header: str
) -> None:
    """RabbitMQ 3.10 does not check CC and BCC against permissions; the direct bindings contain them."""
    async with rabbit_hub(rabbitmq, TOPOLOGY) as hub:
        key = routing_key(POLICE, Lane.ROUTINE)
        await raw_publish(hub, LA, exchange=ingress_exchange(LA), key=key, headers={header: STUFFED})
        await until_depth(hub, queue_name(POLICE, Lane.ROUTINE), depth=1)
        assert await hub.depth(queue_name(HEALTH, Lane.ROUTINE)) == 0


async def test_a_message_with_a_cc_header_is_marked_for_the_recipient_to_refuse(rabbitmq: LocalRabbitMQ) -> None:
    """E00 refuses what carries CC; the hub only tells."""
    inbox = Inbox()
    async with rabbit_hub(rabbitmq, TOPOLOGY) as hub:
        key = routing_key(POLICE, Lane.ROUTINE)
        await raw_publish(hub, LA, exchange=ingress_exchange(LA), key=key, headers={"CC": STUFFED})
        police = await hub.connect(POLICE)
        await police.consume(Lane.ROUTINE, inbox)
        await inbox.until(1)
        assert [(each.ingress_owner, each.has_cc) for each in inbox.taken] == [(LA, True)]


@pytest.mark.parametrize(
    "stuffing",
    [
        {"headers": {"child": NAME}},
        {"headers": {NAME: True}},
        {"headers": {"x-note": NAME}},
        {"correlation_id": NAME},
        {"app_id": NAME},
        {"type": NAME},
        {"reply_to": NAME},
        {"content_type": NAME},
        {"content_encoding": NAME},
    ],
    ids=lambda stuffing: next(iter(stuffing)),
)
async def test_a_name_in_a_header_is_marked_for_refusal_and_goes_no_further(
    rabbitmq: LocalRabbitMQ, stuffing: dict[str, Any]
) -> None:
    """SEC-02, the attack: a name beside the sealed bytes; it is in nothing that our programs see, print or keep."""
    inbox = Inbox()
    async with rabbit_hub(rabbitmq, TOPOLOGY) as hub:
        async with await aio_pika.connect(hub.address(LA)) as connection:
            channel = await connection.channel(on_return_raises=True)
            target = await channel.get_exchange(ingress_exchange(LA), ensure=False)
            await target.publish(aio_pika.Message(b"raw", **stuffing), routing_key=routing_key(POLICE, Lane.ROUTINE))
        police = await hub.connect(POLICE)
        await police.consume(Lane.ROUTINE, inbox)
        await inbox.until(1)
    assert [each.has_cc for each in inbox.taken] == [True]
    assert "Ashgrove" not in repr(inbox.taken)


async def test_what_an_honest_client_sends_and_the_broker_hands_out_again_is_not_marked(
    rabbitmq: LocalRabbitMQ,
) -> None:
    """The broker counts deliveries in a header of its own; that is no stuffing."""
    inbox = Inbox(one=2)
    async with rabbit_hub(rabbitmq, TOPOLOGY) as hub:
        la, police = await hub.connect(LA), await hub.connect(POLICE)
        await police.consume(Lane.ROUTINE, inbox)
        await send(la, "one")
        await inbox.until(1)
    assert [each.has_cc for each in (*inbox.refused, *inbox.taken)] == [False] * 3


async def test_a_stuffed_header_cannot_turn_a_forbidden_message_into_a_sent_one(rabbitmq: LocalRabbitMQ) -> None:
    """With nothing but forbidden keys it comes back, CC or not."""
    async with rabbit_hub(rabbitmq, TOPOLOGY) as hub:
        key = routing_key(HEALTH, Lane.ROUTINE)
        with pytest.raises(PublishError):
            await raw_publish(hub, LA, exchange=ingress_exchange(LA), key=key, headers={"CC": [key]})


async def test_a_canary_key_in_a_foreign_ingress_wakes_nobody(rabbitmq: LocalRabbitMQ) -> None:
    """A participant cannot make another's dead consumer look alive: nobody else's canary key is bound."""
    async with rabbit_hub(rabbitmq, TOPOLOGY) as hub:
        with pytest.raises(PublishError):
            await raw_publish(hub, LA, exchange=ingress_exchange(LA), key=canary_key(POLICE, Lane.ROUTINE))
