"""An agency is suspended and comes back, on a live broker: what becomes of every message that is in flight then.

To it: what lies in its queues stays and is delivered when it is back; what is sent meanwhile comes back to its sender.
From it: what others have not taken in yet is refused by them, and the agency's own outbox sends it again afterwards.
"""

import asyncio
import secrets

from broker.hub import Outcome
from broker.topology import DEAD_QUEUE
from broker.transport import AmqpConnection
from deploy.local.rabbitmq import VHOST
from schemas.routing import Lane, queue_name
from tests.integration.operations.desk import LA, POLICE, Office
from tests.integration.operations.test_leaving import Broker, publish
from tests.support.hubs import until
from tests.support.partnership import Partnership
from tests.support.trio import Inbox

WAITING = [b"waiting-%d" % number for number in range(20)]


async def send(from_: AmqpConnection, body: bytes, *, to: str) -> Outcome:
    return await from_.publish(body, recipient=to, lane=Lane.ROUTINE, attempt_id=secrets.token_hex(4))


async def change(office: Office, broker: Broker, act: str) -> None:
    """Suspend or reinstate the police: staged, signed by two, published, applied."""
    done = await asyncio.to_thread(office.run, act, POLICE, *office.places)
    assert done.exit_code == 0, done.output
    await broker.apply(await asyncio.to_thread(publish, office))


async def test_what_waits_for_a_suspended_agency_goes_on_waiting_and_is_delivered_when_it_is_back(
    office: Office, tls_hub: Partnership
) -> None:
    """Nothing in its queues is lost or read, nothing new comes in, and nothing becomes a dead letter."""
    assert office.enrol(POLICE, LA).exit_code == 0
    broker, inbox = Broker(tls_hub, office), Inbox()
    await broker.apply(publish(office))
    async with broker.connection(LA) as council:
        for body in WAITING:
            assert await send(council, body, to=POLICE) is Outcome.CONFIRMED
        await change(office, broker, "suspend")
        async with broker.connection(POLICE) as police:
            await police.consume(Lane.ROUTINE, inbox)
            assert await send(council, b"meanwhile", to=POLICE) is Outcome.RETURNED
            assert await send(police, b"out", to=LA) is Outcome.UNKNOWN
            assert (inbox.taken, police.alive(Lane.ROUTINE)) == ([], False)
            await change(office, broker, "reinstate")
            await inbox.until(len(WAITING))
            assert inbox.bodies == WAITING
            while await send(council, b"afterwards", to=POLICE) is not Outcome.CONFIRMED:
                pass
            await inbox.until(len(WAITING) + 1)
    assert queue_name(POLICE, Lane.ROUTINE) in await broker.names(f"queues/{VHOST}")
    assert await broker.dead() == []


async def test_what_a_suspended_agency_had_sent_stays_with_the_hub_until_its_recipient_takes_it(
    office: Office, tls_hub: Partnership
) -> None:
    """The hub takes back nothing that it has confirmed: the recipient's own checks decide, by the directory of then."""
    assert office.enrol(POLICE, LA).exit_code == 0
    broker, inbox = Broker(tls_hub, office), Inbox()
    await broker.apply(publish(office))
    async with broker.connection(POLICE) as police, broker.connection(LA) as council:
        assert await send(police, b"answer", to=LA) is Outcome.CONFIRMED
        await change(office, broker, "suspend")
        await council.consume(Lane.ROUTINE, inbox)
        await inbox.until(1)
        await until(lambda: council.alive(Lane.ROUTINE))
    assert [(each.ingress_owner, each.body) for each in inbox.taken] == [(POLICE, b"answer")]
    assert DEAD_QUEUE in await broker.names(f"queues/{VHOST}")
