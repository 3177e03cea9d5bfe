"""`mash-hub follow` on a live broker configured as in production: out of the directory, out of the hub (REC-06)."""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiormq
import pytest
from typer.core import TyperGroup
from typer.main import get_command

from broker.cli.main import build
from broker.errors import Unreachable
from broker.follow import DirectoryAway, Follower
from broker.hub import Outcome
from broker.operate import ACCOUNTS
from broker.transport import AmqpConnection
from broker.watch.directory import read_repository
from deploy.local.rabbitmq import VHOST
from schemas.routing import Lane, ingress_exchange, queue_name, routing_key
from tests.integration.operations.desk import HEALTH, LA, POLICE, Office
from tests.integration.operations.test_leaving import Broker, publish
from tests.support.hubs import until
from tests.support.partnership import Partnership
from tests.support.trio import Inbox

log = logging.getLogger("mash.test")
A_MINUTE = 60.0


@asynccontextmanager
async def following(office: Office, where: Partnership, *, every: float) -> AsyncIterator[Follower]:
    """Run a follower of the registry's own repository for the block."""
    follower = follower_of(office, where)
    task = asyncio.create_task(follower.run(every=every))
    try:
        yield follower
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def follower_of(office: Office, where: Partnership) -> Follower:
    folder = Path(office.registry.source)
    return Follower(lambda: read_repository(folder), where.server.management_url, VHOST, ACCOUNTS)


async def suspend(office: Office) -> None:
    """Suspend the police the slow way: staged, signed by two, published; nobody touches the broker."""
    done = await asyncio.to_thread(office.run, "suspend", POLICE, *office.places)
    assert done.exit_code == 0, done.output
    await asyncio.to_thread(office.publish, LA, POLICE)


async def listening(*connections: AmqpConnection) -> None:
    for connection in connections:
        await connection.consume(Lane.URGENT, Inbox())
    await until(lambda: all(connection.alive(Lane.URGENT) for connection in connections))


async def test_a_revoked_agency_is_cut_off_within_a_minute_of_publication_and_its_neighbour_is_not(
    office: Office, tls_hub: Partnership
) -> None:
    """Its consumer, and a connection that only listens and would never have noticed; with the period of production."""
    assert office.enrol(POLICE, LA).exit_code == 0
    broker = Broker(tls_hub, office)
    await broker.apply(publish(office))
    async with broker.connection(LA) as council, broker.connection(POLICE) as police:
        await listening(council, police)
        lurker = await aiormq.connect(f"{tls_hub.url}?auth=external", context=tls_hub.context(POLICE))
        async with following(office, tls_hub, every=1.0):
            await suspend(office)
            published = time.monotonic()
            await until(lambda: lurker.is_closed, seconds=A_MINUTE)
            await until(lambda: not police.alive(Lane.URGENT), seconds=A_MINUTE)
            log.info("cut off %.1f s after publication, looking every second", time.monotonic() - published)
        sent = await council.publish(b"1", recipient=POLICE, lane=Lane.URGENT, attempt_id="1.1")
        assert sent is Outcome.RETURNED
        await until(lambda: council.alive(Lane.URGENT))


async def test_a_follower_lets_nobody_in(office: Office, tls_hub: Partnership) -> None:
    """What the directory newly grants waits for the operator: reinstated, the agency is still out until apply."""
    assert office.enrol(POLICE, LA).exit_code == 0
    broker, follower = Broker(tls_hub, office), follower_of(office, tls_hub)
    await broker.apply(publish(office))
    await suspend(office)
    assert (await follower.look() or pytest.fail("nothing seen")).taken
    back = await asyncio.to_thread(office.run, "reinstate", POLICE, *office.places)
    assert back.exit_code == 0, back.output
    folder = await asyncio.to_thread(publish, office)
    seen = await follower.look() or pytest.fail("nothing seen")
    assert (seen.taken, seen.waiting > 0) == ((), True)
    async with broker.connection(POLICE) as police:
        sent = await police.publish(b"1", recipient=LA, lane=Lane.URGENT, attempt_id="1.1")
        assert sent is Outcome.UNKNOWN
        await broker.apply(folder)
        while await police.publish(b"1", recipient=LA, lane=Lane.URGENT, attempt_id="1.2") is not Outcome.CONFIRMED:
            pass


async def test_a_way_that_somebody_added_by_hand_is_taken_away(office: Office, tls_hub: Partnership) -> None:
    """The attack: an operator's account binds a queue to another agency's exchange; and makes an account of its own."""
    assert office.enrol(POLICE, LA).exit_code == 0
    broker = Broker(tls_hub, office)
    folder = publish(office)
    await broker.apply(folder)
    async with broker.management() as management:
        way = f"bindings/{VHOST}/e/{ingress_exchange(LA)}/q/{queue_name(LA, Lane.ROUTINE)}"
        await management.post(way, {"routing_key": routing_key(POLICE, Lane.ROUTINE), "arguments": {}})
        await management.put(f"users/{HEALTH}", {"password": "guessed", "tags": ""})
        await management.put(f"permissions/{VHOST}/{HEALTH}", {"configure": ".*", "write": ".*", "read": ".*"})
    seen = await follower_of(office, tls_hub).look() or pytest.fail("nothing seen")
    assert {str(change.item.kind) for change in seen.taken} == {"binding", "permission", "user"}
    assert await broker.apply(folder) == "Nothing to change.\n"


async def test_a_directory_that_did_not_change_is_not_compared_at_every_look(
    office: Office, tls_hub: Partnership
) -> None:
    """Looking is cheap, so that it can be done often."""
    office.publish(LA)
    follower = follower_of(office, tls_hub)
    assert await follower.look() is not None
    assert await follower.look() is None


async def test_a_follower_that_cannot_see_takes_nothing_and_looks_again(office: Office, tls_hub: Partnership) -> None:
    """No directory, or no broker: an error each time, and the next look begins anew."""
    office.publish(LA)
    folder, away = Path(office.registry.source), [True]

    def read():  # type: ignore[no-untyped-def]  # the reader of a directory that is away at first
        if away.pop():
            raise DirectoryAway
        return read_repository(folder)

    blind = Follower(read, tls_hub.server.management_url, VHOST, ACCOUNTS)
    with pytest.raises(DirectoryAway):
        await blind.look()
    away.append(False)
    assert await blind.look() is not None
    lost = Follower(lambda: read_repository(folder), "http://a:b@127.0.0.1:1", VHOST, ACCOUNTS)
    for _ in range(2):
        with pytest.raises(Unreachable):
            await lost.look()


def test_the_command_looks_once_and_says_what_it_took(office: Office, tls_hub: Partnership) -> None:
    """For a timer, or a person; over the hub's own repository."""
    assert office.enrol(POLICE, LA).exit_code == 0
    asyncio.run(Broker(tls_hub, office).apply(publish(office)))
    assert office.run("suspend", POLICE, *office.places).exit_code == 0
    office.publish(LA, POLICE)
    env = {"MASH_HUB_MANAGEMENT": tls_hub.server.management_url}
    said = office.run("follow", office.registry.source, "--once", env=env)
    assert said.exit_code == 0, said.output
    assert f"~ permission {POLICE}" in said.stdout.splitlines()


def test_the_command_reads_the_address_of_the_broker_from_a_file(office: Office, tls_hub: Partnership) -> None:
    """A service has it as a credential; a file that is not there is said without its content."""
    office.publish(LA)
    file = office.folder / "management"
    file.write_text(f"{tls_hub.server.management_url}\n")
    assert office.run("follow", office.registry.source, "--once", "--management", f"@{file}").exit_code == 0
    missing = office.run("follow", office.registry.source, "--once", "--management", f"@{file}.none")
    assert (missing.exit_code, "FileNotFoundError" in missing.stderr) == (1, True)


def test_the_service_starts_the_follower_with_options_that_it_has() -> None:
    """A misspelt option would show on the night on which somebody has to be cut off."""
    service = (Path(__file__).parents[3] / "deploy/systemd/mash-follow.service").read_text("utf-8")
    (command,) = re.findall(r"(?m)^ExecStart=(.*)$", service)
    program = get_command(build(["follow"]))
    assert isinstance(program, TyperGroup)
    known = {option for parameter in program.commands["follow"].params for option in parameter.opts}
    assert {word for word in command.split() if word.startswith("--")} <= known
