"""A replay that cannot go on loses nothing: the letter stays in the queue, or is kept on disk."""

from pathlib import Path

import aiormq
import pytest

from broker.dead_letters import (
    DirectoryTooOld,
    HeadChanged,
    InUse,
    NoWayToRecipient,
    Quarantine,
    QuarantineFull,
    replay,
)
from broker.topology import DEAD_QUEUE
from deploy.local.rabbitmq import LocalRabbitMQ
from schemas.directory import Directory
from schemas.routing import Lane, queue_name
from tests.integration.operations.dead import LA, POLICE, die, fates, hub_of
from tests.support.envelopes import sealed_by
from tests.support.hubs import until_depth
from tests.support.parties import NOW, Party, make_directory


async def test_a_letter_stays_when_the_broker_has_no_way_to_its_recipient(
    rabbitmq: LocalRabbitMQ, parties: tuple[Party, Party], directory: Directory, tmp_path: Path
) -> None:
    """Unroutable is not sent on: nothing is taken out of the queue."""
    la, police = parties
    body = sealed_by(la, police, directory=directory).body
    async with hub_of(rabbitmq, directory) as hub:
        await die(hub, body)
        for lane in Lane:
            where = f"bindings/{hub.management.vhost}/e/mash.in.{LA}/q/{queue_name(POLICE, lane)}"
            await hub.management.delete(f"{where}/{POLICE}.{lane}")
            tap = f"bindings/{hub.management.vhost}/e/mash.in.{LA}/q/{queue_name('monitor', lane)}"
            await hub.management.delete(f"{tap}/{POLICE}.{lane}")
        with pytest.raises(NoWayToRecipient):
            await fates(hub, tmp_path, directory)
        await until_depth(hub, DEAD_QUEUE, depth=1)


async def test_a_letter_stays_when_this_copy_of_the_directory_is_older(
    rabbitmq: LocalRabbitMQ, parties: tuple[Party, Party], directory: Directory, tmp_path: Path
) -> None:
    """An operator's stale copy is the operator's fault, not the sender's."""
    la, police = parties
    body = sealed_by(la, police, directory=make_directory(*parties, version=2)).body
    async with hub_of(rabbitmq, directory) as hub:
        await die(hub, body)
        with pytest.raises(DirectoryTooOld):
            await fates(hub, tmp_path, directory)
        await until_depth(hub, DEAD_QUEUE, depth=1)


async def test_a_full_quarantine_stops_the_replay_and_loses_nothing(
    rabbitmq: LocalRabbitMQ, directory: Directory, tmp_path: Path
) -> None:
    """The attack: fill the operator's disk with junk that died."""
    async with hub_of(rabbitmq, directory) as hub:
        await die(hub, b"one", b"two", b"three")
        small = Quarantine(tmp_path, files=2)
        with pytest.raises(QuarantineFull):
            async for _ in replay(hub.management, small, directory=directory, now=NOW, limit=50):
                pass
        assert len(small.held) == 2
        await until_depth(hub, DEAD_QUEUE, depth=1)


async def test_a_letter_that_somebody_else_moved_under_the_replay_is_kept(
    rabbitmq: LocalRabbitMQ, directory: Directory, tmp_path: Path
) -> None:
    """Between the look and the removal another program took the head: what came out instead is on disk."""
    async with hub_of(rabbitmq, directory) as hub:
        await die(hub, b"first", b"second")
        thief = await aiormq.connect(hub.admin_url)
        channel = await thief.channel()

        async def rob() -> None:
            await channel.basic_get(DEAD_QUEUE, no_ack=True)

        quarantine = Quarantine(tmp_path)
        work = replay(_After(hub.management, rob), quarantine, directory=directory, now=NOW, limit=1)  # type: ignore[arg-type]  # a fake that asks the real one
        with pytest.raises(HeadChanged):
            await anext(work)
        await thief.close()
        bodies = {(tmp_path / name).read_bytes() for name in quarantine.held}
        assert bodies == {b"first", b"second"}


async def test_two_operators_cannot_replay_at_once(
    rabbitmq: LocalRabbitMQ, directory: Directory, tmp_path: Path
) -> None:
    """The second is told, and changes nothing."""
    async with hub_of(rabbitmq, directory) as hub:
        with Quarantine(tmp_path).held_alone(), pytest.raises(InUse):
            await fates(hub, tmp_path, directory)


class _After:
    """The management interface, with something that happens after the first look."""

    def __init__(self, real: object, happens: object) -> None:
        self._real, self._happens = real, happens

    async def ask(self, path: str, body: dict[str, object]) -> object:
        answer = await self._real.ask(path, body)  # type: ignore[attr-defined]  # the real interface
        if body.get("ackmode") == "ack_requeue_true":
            await self._happens()  # type: ignore[operator]  # an async function
        return answer

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)
