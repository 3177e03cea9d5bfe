"""One hub of several nodes: a client that is given all their addresses goes round until one answers."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from broker.errors import Misuse
from broker.hub import Outcome
from broker.transport import AmqpConnection, connect
from deploy.local.rabbitmq import LocalRabbitMQ
from schemas.routing import Lane
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.hubs import FAST, rabbit_hub, until
from tests.support.trio import LA, POLICE, TOPOLOGY, Inbox, send


@dataclass
class Cluster:
    """Two cables to one broker stand for two of its nodes."""

    nodes: tuple[FaultProxy, FaultProxy]
    la: AmqpConnection
    police: AmqpConnection


async def cluster(stack: AsyncExitStack, server: LocalRabbitMQ) -> Cluster:
    hub = await stack.enter_async_context(rabbit_hub(server, TOPOLOGY))
    first = await stack.enter_async_context(fault_proxy(hub.address(LA)))
    second = await stack.enter_async_context(fault_proxy(hub.address(LA)))
    names = {name: hub.address(name).rpartition("@")[0] for name in (LA, POLICE)}

    def both(name: str) -> str:
        return ", ".join(f"{names[name]}@{node.url.rpartition('@')[2]}" for node in (first, second))

    la = await connect(both(LA), participant=LA, settings=FAST)
    stack.push_async_callback(la.close)
    police = await connect(both(POLICE), participant=POLICE, settings=FAST)
    stack.push_async_callback(police.close)
    return Cluster((first, second), la, police)


@pytest.mark.parametrize("dead", [0, 1])
@pytest.mark.parametrize("silent", [False, True], ids=["refusing", "silent"])
async def test_a_dead_node_is_passed_over(rabbitmq: LocalRabbitMQ, dead: int, silent: bool) -> None:
    """Whichever node is dead, and whether it refuses or says nothing: every lane of both ends finds the other."""
    async with AsyncExitStack() as stack:
        hub, inboxes = await cluster(stack, rabbitmq), {lane: Inbox() for lane in Lane}
        faults = hub.nodes[dead].faults
        faults.refusing, faults.deaf_to_broker, faults.deaf_to_client = not silent, silent, silent
        for lane, inbox in inboxes.items():
            await hub.police.consume(lane, inbox)
        await until(lambda: all(hub.police.alive(lane) for lane in Lane), seconds=30)
        for lane, inbox in inboxes.items():
            while await send(hub.la, "one", lane=lane) is not Outcome.CONFIRMED:
                pass
            await inbox.until(1)


async def test_a_node_that_dies_hands_its_clients_to_the_other(rabbitmq: LocalRabbitMQ) -> None:
    """Connected, then dead: the consumer is back at the other node, and what was sent meanwhile arrives."""
    async with AsyncExitStack() as stack:
        hub, inbox = await cluster(stack, rabbitmq), Inbox()
        await hub.police.consume(Lane.ROUTINE, inbox)
        await until(lambda: hub.police.alive(Lane.ROUTINE))
        for node in hub.nodes:
            node.faults.refusing = True
            node.cut()
            while await send(hub.la, "one") is not Outcome.CONFIRMED:
                pass
            await inbox.until(1)
            await until(lambda: hub.police.alive(Lane.ROUTINE))
            inbox.taken.clear()
            node.faults.refusing = False


async def test_addresses_with_and_without_tls_are_refused_together() -> None:
    """The attack: one address of a list without TLS, and the client goes round until it is there."""
    with pytest.raises(Misuse):
        await connect("amqps://node-1:5671/mash,amqp://node-2:5672/mash", participant=LA)


async def test_every_tls_address_of_several_needs_a_context_that_verifies() -> None:
    """No address of a list is excused."""
    with pytest.raises(Misuse):
        await connect("amqps://node-1:5671/mash,amqps://node-2:5671/mash", participant=LA)


async def test_no_address_at_all_is_refused() -> None:
    """An empty list means no."""
    with pytest.raises(Misuse):
        await connect(" , ", participant=LA)
