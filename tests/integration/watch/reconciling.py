"""A hub with a watch that posts manifests, and two agencies with real stores, at a clock that the test sets."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from adapters.kit.delivery.inbox import InboxReceiver
from adapters.kit.delivery.inbox_worker import InboxWorker, Received
from adapters.kit.delivery.outbox_pump import OutboxPump
from adapters.kit.envelope.envelopes import KeyedEnvelopes
from adapters.kit.envelope.verification import Refusal
from adapters.kit.running.manifest_shelf import read_shelf
from adapters.kit.running.manifests import GRACE, HubAside, Manifests
from adapters.kit.store.alarms import Alarm
from adapters.kit.store.store import Store
from adapters.kit.store.tables import inbox_rows
from adapters.kit.store.transaction import Transaction
from broker import hub_word
from broker.directory.keys import load_signer, make_key
from broker.directory.tuf import Signer
from broker.hub import Delivery, Handler, HubConnection, Outcome
from broker.manifest_post import ManifestPost
from broker.topology import MONITOR, Topology
from schemas.directory import Directory, SigningKey
from schemas.routing import Lane
from schemas.stub import Event
from tests.integration.watch.watching import Watching, World, watching
from tests.support.fake_sealing import request_to
from tests.support.hubs import HubFactory, HubUnderTest
from tests.support.parties import NOW
from tests.unit.watch.traffic import LA, POLICE, directory, parties

MORNING = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
"""The morning after `NOW`, in winter, when London keeps UTC."""


def hub_signer(folder: Path, name: str = "hub") -> Signer:
    """Make a key of the hub's, as `mash-hub directory key` does."""
    make_key(folder / name)
    return load_signer(folder / name)


def hub_key(signer: Signer) -> SigningKey:
    """Give its entry in the directory, valid for the year around `NOW`."""
    public = hub_word.public_of(signer)
    begins, ends = NOW - timedelta(days=30), NOW + timedelta(days=335)
    return SigningKey(
        kid=hub_word.kid_of(public), public=public, not_before=int(begins.timestamp()), not_after=int(ends.timestamp())
    )


@dataclass
class Thief:
    """A connection through a hub that lies: it confirms what it drops, and takes away what others were to read."""

    connection: HubConnection
    drops: Callable[[bytes], bool] = lambda body: False
    swallows: Callable[[Delivery], bool] = lambda delivery: False
    swallowed: int = 0

    async def publish(self, body: bytes, *, recipient: str, lane: Lane, attempt_id: str) -> Outcome:
        if self.drops(body):
            return Outcome.CONFIRMED
        return await self.connection.publish(body, recipient=recipient, lane=lane, attempt_id=attempt_id)

    async def consume(self, lane: Lane, handler: Handler) -> None:
        async def stolen(delivery: Delivery) -> None:
            if self.swallows(delivery):
                self.swallowed += 1
            else:
                await handler(delivery)

        await self.connection.consume(lane, stolen)

    def alive(self, lane: Lane) -> bool:
        return self.connection.alive(lane)

    async def close(self) -> None:
        await self.connection.close()


@dataclass
class Agency:
    """One agency: its store, its pump, its worker, its end of the manifests."""

    name: str
    store: Store
    thief: Thief
    pump: OutboxPump
    worker: InboxWorker
    manifests: Manifests
    mids: list[str] = field(default_factory=list)

    async def ask(self, recipient: str, times: int) -> None:
        """Put so many requests into the outbox; `mids` remembers their names, in order."""
        for _ in range(times):
            async with self.store.transaction() as tx:
                ref = await tx.enqueue(request_to(recipient, b"question"))
            self.mids.append(ref.mid or "")

    async def work(self) -> int:
        """Send and work what is due."""
        return await self.pump.run_once() + await self.worker.run_once(_nothing)

    async def came(self) -> int:
        """Count the envelopes that came here: those that are stored, and those that were swallowed on the way."""
        async with self.store.snapshot() as view:
            return len(await view.select(inbox_rows, select(inbox_rows))) + self.thief.swallowed

    async def alarms(self) -> list[Alarm]:
        """Give the alarms that stand."""
        async with self.store.snapshot() as view:
            return await view.alarms()


async def _nothing(tx: Transaction, received: Received) -> Refusal | None:
    return None


@asynccontextmanager
async def agency(name: str, folder: Path, hub: HubUnderTest, world: World) -> AsyncIterator[Agency]:
    """Open an agency on a hub."""
    party = parties()[name]
    seals = KeyedEnvelopes(name, party.sender, lambda now: party.recipient(now=now), lambda: world.directory)
    thief = Thief(await hub.connect(name))
    async with Store.open(
        f"sqlite:///{folder / name}.sqlite",
        participant=name,
        store_key=party.keyring.store_key(),
        clock=lambda: world.now,
        envelopes=seals,
        exclusive=True,
    ) as store:
        manifests = Manifests(name, store, lambda: world.directory, party.sender)
        here = Agency(name, store, thief, OutboxPump(store, thief), InboxWorker(store, seals), manifests)
        for lane in Lane:
            await thief.consume(lane, HubAside(InboxReceiver(store, seals), manifests))
        yield here
        await thief.close()


@dataclass
class Area:
    """All of it."""

    world: World
    opened: Watching
    post: ManifestPost
    la: Agency
    police: Agency
    signer: Signer

    async def settle(self, *, entries: int) -> None:
        """Work until so many stubs are in the ledger, their envelopes have come, and nothing more is to be done."""
        while await self.la.work() + await self.police.work() or await self._at_both_ends() < entries:
            pass

    async def _at_both_ends(self) -> int:
        """Count what has passed the hub and has come: the watch may see an envelope before its recipient does."""
        came = await self.la.came() + await self.police.came()
        return min(came, (await self.opened.ledger.head()).entries)

    async def next_morning(self) -> int:
        """Let it be the next morning, post, and let everybody compare and answer; gives how many were posted."""
        self.world.now = max(MORNING, self.world.now + timedelta(days=1))
        posted = await self.post.post_due()
        await self.until_taken(posted)
        self.world.now += GRACE
        for one in (self.la, self.police):
            await one.manifests.compare_due()
            await one.manifests.answer_due(one.thief)
        return posted

    async def until_taken(self, posted: int) -> None:
        """Wait until both have taken in what was posted to them."""
        waiting = posted
        while waiting:
            waiting = posted
            for one in (self.la, self.police):
                async with one.store.snapshot() as view:
                    shelf, _ = await read_shelf(view)
                waiting -= sum(bool(filed.payload) for filed in shelf.days.values())
            waiting -= posted // 3  # the third member has no adapter in these tests


@asynccontextmanager
async def area(hub_factory: HubFactory, folder: Path) -> AsyncIterator[Area]:
    """Open a hub, a watch with its post, and two agencies."""
    signer = hub_signer(folder)
    world = World(directory=with_hub_key(signer))
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(hub_factory(Topology.of(world.directory)))
        monitor = await hub.connect(MONITOR)
        stack.push_async_callback(monitor.close)
        posts: list[ManifestPost] = []

        async def hears(delivery: Delivery) -> bool:
            return await posts[0].hear(delivery)

        url = f"sqlite:///{folder}/ledger.sqlite"
        opened = await stack.enter_async_context(watching(url, world, hears=hears))
        post = ManifestPost(opened.ledger, lambda: world.directory, lambda: world.now, monitor, signer)
        posts.append(post)
        await opened.watch.listen(monitor)
        la, police = [await stack.enter_async_context(agency(name, folder, hub, world)) for name in (LA, POLICE)]
        yield Area(world, opened, post, la, police, signer)


def with_hub_key(*signers: Signer) -> Directory:
    """Give the directory of the three with the keys of the hub."""
    return directory(hub_keys=[hub_key(signer) for signer in signers])


def is_request(body: bytes) -> bool:
    """Say whether these bytes are a request, as a hub that reads stubs can."""
    return f'"ev":"{Event.REQUEST.value}"'.encode() in body
