"""A reader is killed with a message in hand: the message is somebody's again (delivery C21 to C23)."""

import asyncio
import signal
import sys
from pathlib import Path

from broker.embedded import EmbeddedHub
from broker.hub import HubConnection, Outcome
from deploy.local.rabbitmq import LocalRabbitMQ
from schemas.routing import Lane, queue_name
from tests.support.hubs import FAST, rabbit_hub, until_depth
from tests.support.trio import LA, POLICE, TOPOLOGY, Inbox, send, two

ROOT = Path(__file__).parents[3]


async def reader_killed_at(kind: str, where: str) -> tuple[int | None, bytes]:
    command = (sys.executable, "-m", "tests.support.dying_reader", kind, where)
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    printed, _ = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode, printed


async def survives_the_reader(la: HubConnection, police: HubConnection, *, reader: str) -> None:
    kind, _, where = reader.partition(" ")
    inbox = Inbox()
    assert await send(la, "one") is Outcome.CONFIRMED
    assert await send(la, "two") is Outcome.CONFIRMED
    assert await reader_killed_at(kind, where) == (-signal.SIGKILL, b"one")
    await police.consume(Lane.ROUTINE, inbox)
    await inbox.until(2)
    assert sorted(inbox.bodies) == [b"one", b"two"]
    assert next(each for each in inbox.taken if each.body == b"one").redelivered


async def test_the_embedded_hub_delivers_again_what_a_killed_process_held(tmp_path: Path) -> None:
    """The kernel's lock says that the holder is dead; nobody waits for a time-out."""
    path = tmp_path / "hub.sqlite"
    async with EmbeddedHub(TOPOLOGY, path, settings=FAST) as hub, two(hub) as (la, police):
        await survives_the_reader(la, police, reader=f"embedded {path}")


async def test_rabbitmq_delivers_again_what_a_killed_process_held(rabbitmq: LocalRabbitMQ) -> None:
    """A connection that ends without acknowledging gives its messages back."""
    async with rabbit_hub(rabbitmq, TOPOLOGY) as hub, two(hub) as (la, police):
        await survives_the_reader(la, police, reader=f"rabbitmq {hub.address(POLICE)}")


async def test_messages_of_an_embedded_hub_outlive_its_process_and_its_file_is_private(tmp_path: Path) -> None:
    """Durable once confirmed, readable by its owner alone, and no lock of ours stays behind."""
    path, inbox = tmp_path / "hub.sqlite", Inbox()
    async with EmbeddedHub(TOPOLOGY, path) as first, two(first) as (la, _):
        await send(la, "one")
    assert path.stat().st_mode & 0o077 == 0
    assert sorted(each.name for each in tmp_path.iterdir()) == ["hub.sqlite", "hub.sqlite.lock"]  # noqa: ASYNC240 - a test's own folder
    async with EmbeddedHub(TOPOLOGY, path) as second, two(second) as (_, police):
        await police.consume(Lane.ROUTINE, inbox)
        await inbox.until(1)
        assert inbox.bodies == [b"one"]
        await until_depth(second, queue_name(POLICE, Lane.ROUTINE), depth=0)


async def test_two_processes_of_one_embedded_hub_see_each_others_messages(tmp_path: Path) -> None:
    """Two instances on one file are two processes: a message published by one wakes the other within its poll."""
    path, inbox = tmp_path / "hub.sqlite", Inbox()
    async with EmbeddedHub(TOPOLOGY, path) as here, EmbeddedHub(TOPOLOGY, path) as there:
        police = await there.connect(POLICE)
        await police.consume(Lane.ROUTINE, inbox)
        la = await here.connect(LA)
        texts = [f"m{number}" for number in range(20)]
        for text in texts:
            await send(la, text)
        await inbox.until(len(texts))
        assert inbox.bodies == [text.encode() for text in texts]
