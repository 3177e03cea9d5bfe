"""Two adapters and what lies between them, for tests of delivery: a clock, a hub that can fail, stations.

A `Station` is what production composes: a store, a pump, a receiver and a worker of one participant. `Road` is a hub in
memory that does exactly what a test tells it: lose, repeat, hold back, answer UNKNOWN.
"""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Table, select

from adapters.kit.delivery.inbox import InboxReceiver
from adapters.kit.delivery.inbox_worker import InboxWorker, Received
from adapters.kit.delivery.outbox import OutboxRef
from adapters.kit.delivery.outbox_pump import OutboxPump
from adapters.kit.delivery.policy import DEFAULT_POLICY, DeliveryPolicy
from adapters.kit.envelope.envelopes import Envelopes
from adapters.kit.envelope.sealing import Outgoing
from adapters.kit.envelope.verification import Refusal
from adapters.kit.store.store import Store
from adapters.kit.store.transaction import Transaction
from broker.hub import Delivery, Outcome
from schemas.routing import Lane
from tests.support.fake_sealing import FakeEnvelopes

START = datetime(2026, 11, 24, 10, 12, tzinfo=UTC)
KEY = bytes(range(32))
COUNCIL, POLICE = "testford-la", "testford-police"


@dataclass
class FakeClock:
    """A clock that a test sets."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        """Let time pass, as `timedelta(**span)`."""
        self.now += timedelta(**span)


@dataclass(frozen=True)
class Parcel:
    """One message on the road."""

    sender: str
    recipient: str
    lane: Lane
    body: bytes
    attempt_id: str


@dataclass
class Road:
    """The hub: what was published lies in `parcels` until a test delivers it."""

    parcels: deque[Parcel] = field(default_factory=deque)
    log: list[Parcel] = field(default_factory=list)
    outcome: Callable[[Parcel], Outcome] = field(default=lambda parcel: Outcome.CONFIRMED)
    loses: Callable[[Parcel], bool] = field(default=lambda parcel: False)

    def connection(self, sender: str) -> "RoadConnection":
        """Connect a participant."""
        return RoadConnection(self, sender)

    def take(self, recipient: str) -> list[Parcel]:
        """Take every parcel for a recipient off the road, in order."""
        mine = [parcel for parcel in self.parcels if parcel.recipient == recipient]
        self.parcels = deque(parcel for parcel in self.parcels if parcel.recipient != recipient)
        return mine


@dataclass
class RoadConnection:
    """One participant's end of the road."""

    road: Road
    sender: str

    async def publish(self, body: bytes, *, recipient: str, lane: Lane, attempt_id: str) -> Outcome:
        """Lay a parcel on the road, unless it is returned or lost."""
        parcel = Parcel(self.sender, recipient, lane, body, attempt_id)
        outcome = self.road.outcome(parcel)
        self.road.log.append(parcel)
        if outcome is not Outcome.RETURNED and not self.road.loses(parcel):
            self.road.parcels.append(parcel)
        return outcome

    async def consume(self, lane: Lane, handler: Callable[[Delivery], Awaitable[None]]) -> None:
        """Not used: a test delivers by hand."""

    def alive(self, lane: Lane) -> bool:
        """Always."""
        return True

    async def close(self) -> None:
        """Nothing to close."""


def delivery_of(parcel: Parcel, *, redelivered: bool = False) -> Delivery:
    """Make the delivery that the hub would hand over."""
    return Delivery(parcel.sender, parcel.lane, parcel.body, has_cc=False, redelivered=redelivered)


@dataclass
class Station:
    """One adapter. `applied` is what its domain was given; `answer` what its domain says."""

    name: str
    store: Store
    road: Road
    pump: OutboxPump
    receiver: InboxReceiver
    worker: InboxWorker
    applied: list[Received] = field(default_factory=list)
    answer: Callable[[Received], Refusal | Exception | None] = field(default=lambda received: None)

    async def send(self, outgoing: Outgoing, **options: Any) -> OutboxRef:
        """Enqueue one message in a transaction of its own."""
        async with self.store.transaction() as tx:
            return await tx.enqueue(outgoing, **options)

    async def fetch(self) -> int:
        """Take in everything that lies on the road for this station."""
        parcels = self.road.take(self.name)
        for parcel in parcels:
            await self.receiver.handle(delivery_of(parcel))
        return len(parcels)

    async def work(self) -> int:
        """Let the worker act on what is due."""
        return await self.worker.run_once(self.apply)

    async def apply(self, tx: Transaction, received: Received) -> Refusal | None:
        """The domain of the test: a document for each message, so an effect leaves a trace in the store."""
        await tx.put("effect", f"{received.original.peer}/{received.original.mid}", b"done", expect_version=None)
        answer = self.answer(received)
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            tx.after_commit.append(lambda: self.applied.append(received))
        return answer

    async def look(self, ref: str) -> OutboxRef:
        """Return where an outgoing message is."""
        async with self.store.snapshot() as view:
            found = await view.outgoing(ref)
        assert found is not None
        return found

    async def rows(self, table: Table) -> list[dict[str, Any]]:
        """Return every row of a table."""
        async with self.store.snapshot() as view:
            return await view.select(table, select(table))

    async def alarm_codes(self) -> list[str]:
        """Return the codes of the standing alarms, sorted."""
        async with self.store.snapshot() as view:
            return sorted(alarm.code for alarm in await view.alarms())


@asynccontextmanager
async def station(
    name: str,
    url: str,
    *,
    road: Road,
    clock: FakeClock,
    envelopes: Envelopes | None = None,
    policy: DeliveryPolicy = DEFAULT_POLICY,
    anchor: Path | None = None,
) -> AsyncIterator[Station]:
    """Open an adapter on the store at `url`, with fake envelopes unless given others."""
    seals = envelopes or FakeEnvelopes(name)
    opening = Store.open(
        url, participant=name, store_key=KEY, clock=clock, envelopes=seals, policy=policy, anchor=anchor
    )
    async with opening as store:
        pump = OutboxPump(store, road.connection(name))
        yield Station(name, store, road, pump, InboxReceiver(store, seals), InboxWorker(store, seals))


async def settle(*stations: Station, rounds: int = 10) -> None:
    """Pump, deliver and work until nothing moves."""
    for _ in range(rounds):
        moved = sum([await one.pump.run_once() + await one.fetch() + await one.work() for one in stations])
        if not moved:
            return
