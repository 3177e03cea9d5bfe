"""An agency leaves, from the notice to the last message, on a live broker with the production configuration."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from broker.enrolment_register import Register
from broker.hub import Delivery, Outcome
from broker.management import Management, open_management
from broker.topology import DEAD_QUEUE
from broker.transport import AmqpConnection, connect
from deploy.local.rabbitmq import VHOST
from schemas.routing import Lane, ingress_exchange, queue_name
from tests.integration.operations.desk import LA, NOW, POLICE, Office
from tests.support.hubs import FAST, until
from tests.support.partnership import Partnership
from tests.support.trio import Inbox

# The library's connection, refused because its account is gone, calls its own close in `__del__`; collected in the
# thread of `apply`, where no loop runs, that call is never awaited. Nothing is open then.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine 'Connection.close' was never awaited:RuntimeWarning")
BODIES = [f"{lane}-{number}".encode() for lane in Lane for number in range(60)]


class Broker:
    """The live broker, as the operator looks at it."""

    def __init__(self, where: Partnership, office: Office) -> None:
        self.where, self.office = where, office

    async def apply(self, folder: Path) -> str:
        """Run `mash-hub apply` and give what it said."""
        env = {"MASH_HUB_MANAGEMENT": self.where.server.management_url}
        done = await asyncio.to_thread(self.office.run, "apply", str(folder), "--yes", env=env)
        assert done.exit_code == 0, done.output
        return done.stdout

    @asynccontextmanager
    async def connection(self, name: str) -> AsyncIterator[AmqpConnection]:
        """Connect as `name`."""
        context = self.where.context(name)
        connection = await connect(self.where.url, participant=name, ssl_context=context, settings=FAST)
        try:
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def management(self) -> AsyncIterator[Management]:
        """Open the management interface."""
        async with open_management(self.where.server.management_url, vhost=VHOST) as management:
            yield management

    async def dead(self) -> list[bytes]:
        """Read the dead letters, and leave them there."""
        async with self.management() as management:
            request = {"count": 500, "ackmode": "ack_requeue_true", "encoding": "auto"}
            rows = await management.ask(f"queues/{VHOST}/{DEAD_QUEUE}/get", request)
        return sorted(row["payload"].encode() for row in rows)

    async def names(self, what: str) -> set[str]:
        """Name the queues, exchanges or users that there are."""
        async with self.management() as management:
            return {row["name"] for row in await management.get(what)}


def told_to_leave(office: Office) -> None:
    """Give notice, let the 28 days pass, and leave."""
    assert office.run("leave", POLICE, *office.places).exit_code == 0
    book = Register(office.folder / "register")
    book.keep(book.standing(POLICE).model_copy(update={"leaves_on": NOW.date()}), book.dossier(POLICE))
    assert office.run("leave", POLICE, *office.places).exit_code == 0


def publish(office: Office) -> Path:
    """Publish what is staged, and give the operator's verified copy."""
    before = set(office.folder.glob("reader-*"))
    office.publish(LA, POLICE)
    (folder,) = set(office.folder.glob("reader-*")) - before
    return folder


async def send_all(council: AmqpConnection) -> None:
    for body in BODIES:
        lane = Lane(body.decode().partition("-")[0])
        sent = await council.publish(body, recipient=POLICE, lane=lane, attempt_id=secrets.token_hex(4))
        assert sent is Outcome.CONFIRMED


async def test_until_its_notice_has_run_out_everything_works(office: Office, tls_hub: Partnership) -> None:
    """GOV-10: 28 days in which nothing changes at the broker."""
    assert office.enrol(POLICE, LA).exit_code == 0
    broker = Broker(tls_hub, office)
    await broker.apply(publish(office))
    assert office.run("leave", POLICE, *office.places).exit_code == 0
    assert await broker.apply(publish(office)) == "Nothing to change.\n"
    async with broker.connection(LA) as council, broker.connection(POLICE) as police:
        inbox = Inbox()
        await police.consume(Lane.URGENT, inbox)
        assert await council.publish(b"1", recipient=POLICE, lane=Lane.URGENT, attempt_id="1.1") is Outcome.CONFIRMED
        await inbox.until(1)


async def test_what_a_leaver_never_read_becomes_a_dead_letter_and_its_queues_go(
    office: Office, tls_hub: Partnership
) -> None:
    """GOV-11: also what it had taken and not acknowledged; nothing is deleted unread, and a neighbour goes on."""
    assert office.enrol(POLICE, LA).exit_code == 0
    broker, taken = Broker(tls_hub, office), asyncio.Event()

    async def hold(_: Delivery) -> None:
        taken.set()
        await asyncio.Event().wait()

    await broker.apply(publish(office))
    async with broker.connection(LA) as council, broker.connection(POLICE) as police:
        await send_all(council)
        await police.consume(Lane.ROUTINE, hold)
        inbox = Inbox()
        await council.consume(Lane.ROUTINE, inbox)
        await asyncio.wait_for(taken.wait(), 20)
        told_to_leave(office)
        said = await broker.apply(publish(office))
        assert f"- queue {queue_name(POLICE, Lane.ROUTINE)} (its messages to the dead letters first)" in said
        assert await broker.dead() == sorted(BODIES)
        await until(lambda: not police.alive(Lane.ROUTINE))
        assert await council.publish(b"x", recipient=POLICE, lane=Lane.URGENT, attempt_id="x.1") is Outcome.RETURNED
        await until(lambda: council.alive(Lane.ROUTINE))
    assert not {queue_name(POLICE, lane) for lane in Lane} & await broker.names(f"queues/{VHOST}")
    assert ingress_exchange(POLICE) not in await broker.names(f"exchanges/{VHOST}")
    assert POLICE not in await broker.names("users")
    assert await broker.apply(publish_again(office)) == "Nothing to change.\n"


def publish_again(office: Office) -> Path:
    """Give the operator's last copy."""
    return max(office.folder.glob("reader-*"), key=lambda folder: folder.stat().st_mtime)


async def test_the_keys_of_a_leaver_are_revoked_from_the_day_on_which_it_left(office: Office) -> None:
    """GOV-11: every reader of the signed directory sees each of its keys revoked, and the same hash."""
    assert office.enrol(POLICE, LA).exit_code == 0
    office.publish(LA, POLICE)
    told_to_leave(office)
    directory = office.publish(LA, POLICE).current()
    record = directory.records[POLICE]
    keys = [key.kid for key in record.signing] + [key.id for role in record.roles for key in role.prekeys]
    assert keys
    assert {record.revoked_at(key) for key in keys} == {directory.left[POLICE]}
    assert {directory.records[LA].revoked_at(key.kid) for key in directory.records[LA].signing} == {None}


async def test_a_queue_that_is_no_leavers_is_never_drained(office: Office, tls_hub: Partnership) -> None:
    """The attack: a queue out of the table, of somebody who never left, is emptied by an `apply`."""
    assert office.enrol(POLICE, LA).exit_code == 0
    broker = Broker(tls_hub, office)
    folder = publish(office)
    await broker.apply(folder)
    async with broker.management() as management:
        stray = {"durable": True, "auto_delete": False, "arguments": {"x-queue-type": "quorum"}}
        await management.put(f"queues/{VHOST}/mash.q.stranger.routine", stray)
    env = {"MASH_HUB_MANAGEMENT": tls_hub.server.management_url}
    done = await asyncio.to_thread(office.run, "apply", str(folder), "--yes", env=env)
    assert done.exit_code == 1
    assert "mash.q.stranger.routine must be drained" in done.stderr
    assert "mash.q.stranger.routine" in await broker.names(f"queues/{VHOST}")
