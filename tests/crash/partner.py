"""The adapter on the other side, which is not killed: it lives in the test's process while victims live and die."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from adapters.kit.delivery.inbox import InboxReceiver
from adapters.kit.delivery.inbox_worker import InboxWorker
from adapters.kit.delivery.outbox_pump import OutboxPump
from adapters.kit.store.store import Store
from broker.embedded import EmbeddedHub
from broker.hub import HubConnection
from schemas.routing import Lane, queue_name
from tests.crash.victim import (
    PATIENT,
    POLICE,
    UNHURRIED,
    RefusesOnce,
    a_round,
    apply,
    envelopes_of,
    keyring,
    no_more_for,
    topology,
    wall_clock,
)

MOST_ROUNDS = 10  # of messages for one life
PATIENCE_SECONDS = 600  # with a loaded machine, for a few messages to reach the hub


@dataclass(frozen=True)
class Partner:
    """The adapter that is not killed, running in this process."""

    store: Store
    connection: HubConnection
    hub: EmbeddedHub
    folder: Path

    async def until_waiting(self, lane: Lane, *, count: int) -> None:
        """Wait until so many messages wait for the police."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self.hub.depth(queue_name(POLICE, lane)) < count:  # noqa: ASYNC110 - a hub tells nobody
                await asyncio.sleep(0.05)

    async def until_taken(self, ended: asyncio.Event) -> None:
        """Wait until nothing has waited for the police for half a second, or until the life has ended."""
        quiet = 0
        while quiet < 10 and not ended.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await ended.wait()
            waiting = sum([await self.hub.depth(queue_name(POLICE, lane)) for lane in (Lane.ROUTINE, Lane.URGENT)])
            quiet = 0 if waiting else quiet + 1


@asynccontextmanager
async def partner(name: str, url: str, folder: Path) -> AsyncIterator[Partner]:
    """Run the partner of the victim."""
    seals = RefusesOnce(envelopes_of(folder, name), {})
    opening = Store.open(
        url,
        participant=name,
        store_key=keyring(folder, name).store_key(),
        clock=wall_clock,
        envelopes=seals,  # type: ignore[arg-type]  # `seal` passes everything on
        policy=PATIENT,
    )
    async with opening as store, EmbeddedHub(topology(), folder / "hub.sqlite", settings=UNHURRIED) as hub:
        connection = await hub.connect(name)
        receiver, worker = InboxReceiver(store, seals), InboxWorker(store, seals)  # type: ignore[arg-type]  # as above
        for lane in Lane:
            await connection.consume(lane, receiver)
        tasks = [
            asyncio.create_task(OutboxPump(store, connection).run(idle=0.1)),
            asyncio.create_task(worker.run(apply, idle=0.1)),
        ]
        try:
            yield Partner(store, connection, hub, folder)
        finally:
            await connection.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def sending(council: Partner, number: int) -> AsyncIterator[None]:
    """Send, before a life, what it will find together in every lane, and then one round after another while it lives.

    A round follows when what came before it was taken in, so that a failpoint is passed with every round.
    """
    ended = asyncio.Event()

    async def go_on() -> None:
        for passage in range(2, MOST_ROUNDS):
            await council.until_taken(ended)
            if ended.is_set():
                return
            await a_round(council.store, life=number, peer=POLICE, passage=passage)
        no_more_for(council.folder, number).touch()

    for passage in range(2):
        await a_round(council.store, life=number, peer=POLICE, passage=passage)
    await council.connection.publish(b"junk", recipient=POLICE, lane=Lane.ROUTINE, attempt_id=f"{number}.1")
    for lane in (Lane.ROUTINE, Lane.URGENT):
        await council.until_waiting(lane, count=2)
    async with asyncio.TaskGroup() as group:
        group.create_task(go_on())
        try:
            yield
        finally:
            ended.set()
