"""The whole way with nothing faked: real keys, real envelopes, both hubs, both databases, adapters that run."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from adapters.kit.delivery.inbox import InboxReceiver
from adapters.kit.delivery.inbox_worker import InboxWorker, Received
from adapters.kit.delivery.outbox_pump import OutboxPump
from adapters.kit.delivery.policy import DeliveryPolicy
from adapters.kit.delivery.states import OutboxState
from adapters.kit.envelope.envelopes import KeyedEnvelopes
from adapters.kit.envelope.verification import Refusal
from adapters.kit.store import invariants
from adapters.kit.store.store import Store
from adapters.kit.store.transaction import Transaction
from broker.hub import HubConnection
from broker.topology import Topology
from schemas.directory import Directory
from schemas.routing import Lane
from schemas.stub import Event
from tests.integration.store.conftest import NewStore
from tests.support.fake_sealing import request_to
from tests.support.hubs import HubFactory
from tests.support.parties import Party, make_directory, make_party
from tests.support.stations import COUNCIL, POLICE

PAIRS = [(COUNCIL, POLICE), (POLICE, COUNCIL)]


def wall_clock() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def running(
    party: Party, url: str, connection: HubConnection, *, directory: Directory, heard: list[Received]
) -> AsyncIterator[Store]:
    """One adapter as production runs it: a pump, three consumers, a worker. It answers every request in its thread."""
    seals = KeyedEnvelopes(party.name, party.sender, lambda now: party.recipient(now=now), lambda: directory)

    async def apply(tx: Transaction, received: Received) -> Refusal | None:
        heard.append(received)
        if received.event is Event.REQUEST:
            original = received.original
            answer = request_to(
                original.peer, b"answer", thread=original.thread, event=Event.ANSWER, in_reply_to=original.mid
            )
            await tx.enqueue(answer)
        return None

    opening = Store.open(
        url,
        participant=party.name,
        store_key=party.keyring.store_key(),
        clock=wall_clock,
        envelopes=seals,
        policy=DeliveryPolicy(),
    )
    async with opening as store:
        receiver, worker = InboxReceiver(store, seals), InboxWorker(store, seals)
        for lane in Lane:
            await connection.consume(lane, receiver.handle)
        tasks = [asyncio.create_task(OutboxPump(store, connection).run()), asyncio.create_task(worker.run(apply))]
        try:
            yield store
        finally:
            await connection.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _state(store: Store, ref: str) -> OutboxState:
    async with store.snapshot() as view:
        found = await view.outgoing(ref)
    assert found is not None
    return found.state


async def _until_opened(store: Store, refs: list[str]) -> None:
    async with asyncio.timeout(60):
        while {await _state(store, ref) for ref in refs} != {OutboxState.OPENED}:  # noqa: ASYNC110 - states tell nobody
            await asyncio.sleep(0.05)


async def test_requests_are_opened_and_answered_over_a_real_hub(hub_factory: HubFactory, new_store: NewStore) -> None:
    """Nothing lost, nothing twice, every receipt back, and the invariants hold at both ends."""
    now = wall_clock()
    council, police = make_party(COUNCIL, now=now), make_party(POLICE, kind="police", now=now)
    directory = make_directory(council, police)
    asked: list[Received] = []
    answers: list[Received] = []
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(hub_factory(Topology.build([COUNCIL, POLICE], PAIRS, monitor=False)))
        stores = [
            await stack.enter_async_context(
                running(party, await new_store(), await hub.connect(party.name), directory=directory, heard=heard)
            )
            for party, heard in ((council, answers), (police, asked))
        ]
        refs = []
        for lane in (Lane.URGENT, Lane.ROUTINE, Lane.ROUTINE):
            async with stores[0].transaction() as tx:
                refs.append((await tx.enqueue(request_to(POLICE, b"question", lane=lane))).ref)
        await _until_opened(stores[0], refs)
        async with asyncio.timeout(60):
            while len(answers) < len(refs):  # noqa: ASYNC110 - the list tells nobody
                await asyncio.sleep(0.05)
        for store in stores:
            async with store.snapshot() as view:
                assert (await invariants.violations(view), await view.alarms()) == ([], [])
    assert len(asked) == len(refs)
    assert sorted(str(one.in_reply_to) for one in answers) == sorted(one.original.mid for one in asked)
