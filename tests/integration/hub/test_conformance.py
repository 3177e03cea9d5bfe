"""What every hub promises, held against both: RabbitMQ and the embedded one (`broker.hub`)."""

import asyncio
import logging

import pytest

from broker.errors import ConnectionClosed, MessageTooLarge, Misuse
from broker.hub import MAX_BODY_BYTES, Delivery, Outcome
from broker.topology import ANSWER_LANE, DEAD_QUEUE, DELIVERY_LIMIT, HUB, HUB_LANE, MONITOR
from schemas.routing import Lane, queue_name
from tests.support.hubs import FAST, HubFactory, until, until_depth
from tests.support.trio import HEALTH, LA, POLICE, TOPOLOGY, Inbox, send, two
from tests.unit.hub.test_many import Several


async def test_a_message_to_a_permitted_recipient_is_confirmed_and_arrives_with_its_senders_name(
    hub_factory: HubFactory,
) -> None:
    """The hub names the sender, by the exchange it came in by."""
    inbox = Inbox()
    async with hub_factory(TOPOLOGY) as hub, two(hub) as (la, police):
        await police.consume(Lane.URGENT, inbox)
        assert await send(la, "one", lane=Lane.URGENT) is Outcome.CONFIRMED
        await inbox.until(1)
        expected = Delivery(ingress_owner=LA, lane=Lane.URGENT, body=b"one", has_cc=False, redelivered=False)
        assert inbox.taken == [expected]


async def test_a_message_to_a_recipient_that_is_not_permitted_comes_back(hub_factory: HubFactory) -> None:
    """GOV-01: no binding, no way; and the sender knows it at once."""
    async with hub_factory(TOPOLOGY) as hub, two(hub) as (la, _):
        assert await send(la, "one", to=HEALTH) is Outcome.RETURNED
        assert await send(la, "two", to="testford-nobody") is Outcome.RETURNED
        assert await hub.depth(queue_name(HEALTH, Lane.ROUTINE)) == 0
        assert await hub.depth(queue_name(MONITOR, Lane.ROUTINE)) == 0


async def test_messages_of_a_lane_arrive_in_the_order_in_which_they_were_sent(hub_factory: HubFactory) -> None:
    """Order within a lane while nothing fails."""
    inbox, texts = Inbox(), [f"m{number}" for number in range(60)]
    async with hub_factory(TOPOLOGY) as hub, two(hub) as (la, police):
        for text in texts:
            assert await send(la, text) is Outcome.CONFIRMED
        await police.consume(Lane.ROUTINE, inbox)
        await inbox.until(len(texts))
        assert inbox.bodies == [text.encode() for text in texts]


async def test_a_message_is_delivered_again_when_the_handler_fails(
    hub_factory: HubFactory, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is acknowledged before the handler returned; the failure's words are nobody's to log."""
    caplog.set_level(logging.DEBUG, logger="mash")
    inbox = Inbox(one=3)
    async with hub_factory(TOPOLOGY) as hub, two(hub) as (la, police):
        await police.consume(Lane.ROUTINE, inbox)
        await send(la, "one")
        await send(la, "two")
        await inbox.until(2)
        assert set(inbox.bodies) == {b"one", b"two"}
        assert len(inbox.refused) == 3
        assert next(each for each in inbox.taken if each.body == b"one").redelivered
    assert "refuses" not in caplog.text


async def test_a_handler_that_pretends_to_be_cancelled_leaves_its_lane_alive(hub_factory: HubFactory) -> None:
    """A stray CancelledError ends tasks without a word: a consumer must not go deaf by one."""
    taken: list[bytes] = []

    async def strays_once(delivery: Delivery) -> None:
        taken.append(delivery.body)
        if len(taken) == 1:
            raise asyncio.CancelledError

    async with hub_factory(TOPOLOGY) as hub, two(hub) as (la, police):
        await police.consume(Lane.ROUTINE, strays_once)
        await send(la, "one")
        await send(la, "two")
        await until(lambda: len(taken) >= 3)
        assert sorted(taken) == [b"one", b"one", b"two"]


async def test_a_message_is_delivered_again_when_its_reader_left_before_finishing(hub_factory: HubFactory) -> None:
    """A reader that goes away in the middle has not acknowledged."""
    started, inbox = asyncio.Event(), Inbox()

    async def never_finishes(_: Delivery) -> None:
        started.set()
        await asyncio.Event().wait()

    async with hub_factory(TOPOLOGY) as hub, two(hub) as (la, police):
        await police.consume(Lane.ROUTINE, never_finishes)
        await send(la, "one")
        await asyncio.wait_for(started.wait(), 10)
        await police.close()
        successor = await hub.connect(POLICE)
        await successor.consume(Lane.ROUTINE, inbox)
        await inbox.until(1)
        assert inbox.bodies == [b"one"]
        assert inbox.taken[0].redelivered
        await successor.close()


async def test_concurrent_publishes_have_outcomes_of_their_own(hub_factory: HubFactory) -> None:
    """Even under one attempt id: the library matches returns by message id, and swapped 200 of 200."""
    recipients = [POLICE if number % 3 else HEALTH for number in range(60)]
    async with hub_factory(TOPOLOGY) as hub, two(hub) as (la, _):
        outcomes = await asyncio.gather(
            *(la.publish(b"x", recipient=each, lane=Lane.ROUTINE, attempt_id="same") for each in recipients)
        )
    assert outcomes == [Outcome.CONFIRMED if each == POLICE else Outcome.RETURNED for each in recipients]


async def test_a_message_that_can_never_be_handled_blocks_neither_another_lane_nor_another_participant(
    hub_factory: HubFactory,
) -> None:
    """A poisonous message is its own queue's trouble."""
    poisoned, urgent, other = Inbox(poison=10**6), Inbox(), Inbox()
    async with hub_factory(TOPOLOGY) as hub, two(hub) as (la, police):
        await police.consume(Lane.ROUTINE, poisoned)
        await police.consume(Lane.URGENT, urgent)
        await la.consume(Lane.ROUTINE, other)
        await send(la, "poison")
        await send(la, "urgent", lane=Lane.URGENT)
        await send(police, "other", to=LA)
        await urgent.until(1)
        await other.until(1)
        assert urgent.bodies == [b"urgent"]
        assert other.bodies == [b"other"]


async def test_a_poisonous_message_dies_alone_and_its_neighbours_behind_it_arrive(hub_factory: HubFactory) -> None:
    """The delivery limit takes the message that fails, not the window of messages around it."""
    inbox, neighbours = Inbox(poison=10**6), [f"n{number}" for number in range(20)]
    async with hub_factory(TOPOLOGY) as hub, two(hub) as (la, police):
        for text in ("poison", *neighbours):
            await send(la, text)
        await police.consume(Lane.ROUTINE, inbox)
        await inbox.until(len(neighbours), seconds=60)
        await until(lambda: len(inbox.refused) >= DELIVERY_LIMIT, seconds=60)
        await until_depth(hub, DEAD_QUEUE, depth=1)
        assert sorted(inbox.bodies) == sorted(text.encode() for text in neighbours)
        assert {each.body for each in inbox.refused} == {b"poison"}


async def test_a_handler_of_several_loses_none_and_has_no_neighbour_of_a_poisonous_message_die(
    hub_factory: HubFactory,
) -> None:
    """However a hub groups what waits: none is missing, and a group that fails comes again one at a time."""
    handler, neighbours = Several(poison=frozenset({b"poison"})), [f"n{number}" for number in range(20)]
    async with hub_factory(TOPOLOGY) as hub, two(hub) as (la, police):
        for text in ("n", "poison", *neighbours):
            await send(la, text)
        await police.consume(Lane.ROUTINE, handler)
        await until_depth(hub, DEAD_QUEUE, depth=1, seconds=60)
        await until_depth(hub, queue_name(POLICE, Lane.ROUTINE), depth=0)
        await until(lambda: len(_handled(handler)) > len(neighbours))
    assert sorted(_handled(handler)) == sorted(text.encode() for text in ("n", *neighbours))
    assert max(len(group) for group in handler.groups) <= handler.at_once


def _handled(handler: Several) -> list[bytes]:
    return [body for group in handler.groups if b"poison" not in group for body in group]


async def test_a_closed_connection_leaves_no_task_and_refuses_further_use(hub_factory: HubFactory) -> None:
    """Close ends everything it started, and twice is as good as once."""
    async with hub_factory(TOPOLOGY) as hub:
        before = asyncio.all_tasks()
        la, inbox = await hub.connect(LA), Inbox()
        await la.consume(Lane.ROUTINE, inbox)
        await send(la, "one")
        await la.close()
        await la.close()
        assert asyncio.all_tasks() == before
        assert not la.alive(Lane.ROUTINE)
        with pytest.raises(ConnectionClosed):
            await send(la, "two")
        with pytest.raises(ConnectionClosed):
            await la.consume(Lane.URGENT, inbox)


async def test_a_message_over_the_limit_is_refused_before_it_is_sent(hub_factory: HubFactory) -> None:
    """2 MiB is the hub's limit, and exactly 2 MiB passes it."""
    inbox = Inbox()
    async with hub_factory(TOPOLOGY) as hub, two(hub) as (la, police):
        with pytest.raises(MessageTooLarge):
            await la.publish(bytes(MAX_BODY_BYTES + 1), recipient=POLICE, lane=Lane.ROUTINE, attempt_id="big.1")
        whole = bytes(MAX_BODY_BYTES)
        assert await la.publish(whole, recipient=POLICE, lane=Lane.ROUTINE, attempt_id="big.2") is Outcome.CONFIRMED
        await police.consume(Lane.ROUTINE, inbox)
        await inbox.until(1)
        assert inbox.bodies == [whole]


async def test_a_lane_has_one_handler(hub_factory: HubFactory) -> None:
    """Two handlers would share the messages out between them, unordered."""
    async with hub_factory(TOPOLOGY) as hub, two(hub) as (la, _):
        await la.consume(Lane.ROUTINE, Inbox())
        with pytest.raises(Misuse):
            await la.consume(Lane.ROUTINE, Inbox())


async def test_the_monitor_sees_a_copy_of_what_was_routed(hub_factory: HubFactory) -> None:
    """The hub watches who asks whom."""
    copies, inbox = Inbox(), Inbox()
    async with hub_factory(TOPOLOGY) as hub, two(hub) as (la, police):
        monitor = await hub.connect(MONITOR)
        await monitor.consume(Lane.ROUTINE, copies)
        await police.consume(Lane.ROUTINE, inbox)
        await send(la, "one")
        await send(la, "returned", to=HEALTH)
        await send(police, "two", to=LA)
        await copies.until(2)
        assert [(each.ingress_owner, each.body) for each in copies.taken] == [(LA, b"one"), (POLICE, b"two")]
        await monitor.close()


async def test_what_the_monitor_says_arrives_as_the_hubs_and_as_no_agencys(hub_factory: HubFactory) -> None:
    """The attack: the watch's account is taken over; it speaks in nobody's name, and on one lane."""
    inbox, urgent = Inbox(), Inbox()
    async with hub_factory(TOPOLOGY) as hub, two(hub) as (_, police):
        monitor = await hub.connect(MONITOR)
        await police.consume(HUB_LANE, inbox)
        await police.consume(Lane.URGENT, urgent)
        sent = {lane: await monitor.publish(b"forged", recipient=POLICE, lane=lane, attempt_id=lane) for lane in Lane}
        await inbox.until(1)
        await monitor.close()
    assert sent == {lane: Outcome.CONFIRMED if lane is HUB_LANE else Outcome.RETURNED for lane in Lane}
    assert [each.ingress_owner for each in inbox.taken] == [HUB]
    assert urgent.taken == []


async def test_an_answer_to_the_hub_comes_to_the_monitor_with_its_senders_name(hub_factory: HubFactory) -> None:
    """Whoever takes part can answer; who has no pair has no way there either."""
    answers = Inbox()
    async with hub_factory(TOPOLOGY) as hub, two(hub) as (_, police):
        monitor, stranger = await hub.connect(MONITOR), await hub.connect(HEALTH)
        await monitor.consume(ANSWER_LANE, answers)
        sent = [
            await one.publish(b"answer", recipient=HUB, lane=ANSWER_LANE, attempt_id="a") for one in (police, stranger)
        ]
        await answers.until(1)
        await monitor.close()
    assert sent == [Outcome.CONFIRMED, Outcome.RETURNED]
    assert [each.ingress_owner for each in answers.taken] == [POLICE]


async def test_the_monitors_own_consumer_proves_that_it_lives(hub_factory: HubFactory) -> None:
    """A tap that went deaf looks like a quiet afternoon; its canary tells the two apart."""
    async with hub_factory(TOPOLOGY) as hub:
        monitor, copies = await hub.connect(MONITOR), Inbox()
        await monitor.consume(Lane.ROUTINE, copies)
        await until(lambda: monitor.alive(Lane.ROUTINE))
        await asyncio.sleep(FAST.canary_interval * 3)
        assert monitor.alive(Lane.ROUTINE)
        assert copies.taken == []


async def test_a_consumer_says_that_it_lives(hub_factory: HubFactory) -> None:
    """Health checks ask the connection; an idle lane proves itself, an unused one is not alive."""
    async with hub_factory(TOPOLOGY) as hub, two(hub) as (la, _):
        await la.consume(Lane.URGENT, Inbox())
        await until(lambda: la.alive(Lane.URGENT))
        assert not la.alive(Lane.ROUTINE)
