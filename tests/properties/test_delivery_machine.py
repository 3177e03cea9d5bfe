"""Outbox, inbox and thread under everything a road can do, in virtual time: a state machine that hypothesis drives.

Two adapters with stores of their own. Messages are sent, held, recalled, answered; the road loses, repeats, reorders
and lies about outcomes; the domain fails; either adapter is killed and started again on its store; time passes.
After every step the invariants of each store hold; at the end the road heals: nothing is lost, nothing happened twice.
MASH_DELIVERY_RUNS sets the number of runs (the figure of record is 10,000); the short form is for every test run.
What makes ten thousand runs possible weakens none of it: stores begin as copies of one that was set up before, SQLite
runs without its thread, statements stay compiled, and a store is looked over only if its file has changed.
"""

import asyncio
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from adapters.kit.delivery.inbox_worker import Received
from adapters.kit.delivery.outbox import OutboxRef
from adapters.kit.delivery.states import OUTBOX_AT_REST, OutboxState
from adapters.kit.envelope.verification import Refusal
from adapters.kit.store import invariants
from adapters.kit.store.errors import TooLate
from adapters.kit.store.tables import outbox_rows
from broker.hub import Outcome
from schemas.routing import Lane
from schemas.stub import Event
from tests.support.fake_sealing import request_to
from tests.support.healing import heal
from tests.support.ready_stores import ReadyStores
from tests.support.stations import COUNCIL, POLICE, FakeClock, Road, Station, delivery_of, station

RUNS = int(os.environ.get("MASH_DELIVERY_RUNS", "12"))
STEPS = int(os.environ.get("MASH_DELIVERY_STEPS", "25"))
NAMES = (COUNCIL, POLICE)
OTHER = {COUNCIL: POLICE, POLICE: COUNCIL}
LANES = st.sampled_from([Lane.URGENT, Lane.ROUTINE])
WHO = st.sampled_from(NAMES)
T = TypeVar("T")
MEMORY = Path("/dev/shm")  # noqa: S108 - where there is memory for files: the death of a process needs no real disk
READY = ReadyStores(NAMES)


@pytest.fixture(scope="module", autouse=True)
def stores() -> Iterator[None]:
    """The stores that every run begins with, in a folder of this process."""
    folder = Path(mkdtemp(prefix="mash-delivery-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        with READY.made_in(folder):
            yield
    finally:
        shutil.rmtree(folder)


class Delivery(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        READY.begin_again()
        self.watches: dict[str, sqlite3.Connection] = {}
        self.looked_over: dict[str, int] = {}
        self.clock, self.road = FakeClock(), Road()
        self.stacks: dict[str, AsyncExitStack] = {}
        self.stations: dict[str, Station] = {}
        self.sent: dict[str, list[OutboxRef]] = {name: [] for name in NAMES}
        self.recalled: set[str] = set()
        self.failures: Counter[str] = Counter()
        self.mood = Outcome.CONFIRMED
        self.losing = False
        self.road.outcome = lambda parcel: self.mood
        self.road.loses = lambda parcel: self.losing

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run one step to its end."""
        return self.loop.run_until_complete(work)

    @initialize(first=st.lists(st.tuples(WHO, LANES, st.booleans()), min_size=2, max_size=6))
    def start(self, first: list[tuple[str, Lane, bool]]) -> None:
        """Open both adapters, and give them something to do: a run may leave any other rule out."""
        for name in NAMES:
            self.run(self._open(name))
        for name, lane, held in first:
            self._send(name, lane, held=held)

    async def _open(self, name: str) -> None:
        stack = AsyncExitStack()
        opening = station(name, READY.url(name), road=self.road, clock=self.clock)
        opened = await stack.enter_async_context(opening)
        self.watches[name] = stack.enter_context(READY.watch(name))
        self.looked_over.pop(name, None)
        opened.answer = lambda received: self._domain(name, received)
        self.stacks[name], self.stations[name] = stack, opened

    def _domain(self, name: str, received: Received) -> Refusal | Exception | None:
        if self.failures[name]:
            self.failures[name] -= 1
            return LookupError()
        return None

    @rule(name=WHO, lane=LANES, held=st.booleans())
    def send(self, name: str, lane: Lane, held: bool) -> None:
        """A message, sealed now or held."""
        self._send(name, lane, held=held)

    def _send(self, name: str, lane: Lane, *, held: bool) -> None:
        release = self.clock.now + timedelta(minutes=2) if held else None
        outgoing = request_to(OTHER[name], lane=lane)
        self.sent[name].append(self.run(self.stations[name].send(outgoing, release_at=release)))

    @rule(name=WHO, lane=LANES)
    def answer(self, name: str, lane: Lane) -> None:
        """An answer in the thread of something applied."""
        heard = self.stations[name].applied
        if heard:
            original = heard[-1].original
            reply = request_to(
                original.peer, thread=original.thread, lane=lane, event=Event.ANSWER, in_reply_to=original.mid
            )
            self.sent[name].append(self.run(self.stations[name].send(reply, idempotency_key=f"re/{original.mid}")))

    @rule(name=WHO, number=st.integers(0, 20))
    def recall(self, name: str, number: int) -> None:
        """A recall, which may come too late."""
        if self.sent[name]:
            ref = self.sent[name][number % len(self.sent[name])].ref
            if self.run(self._recall(name, ref)):
                self.recalled.add(ref)

    async def _recall(self, name: str, ref: str) -> bool:
        async with self.stations[name].store.transaction() as tx:
            try:
                await tx.recall(ref)
            except TooLate:
                return False
        return True

    @rule(name=WHO)
    def pump(self, name: str) -> None:
        """One run of the pump."""
        self.run(self.stations[name].pump.run_once())

    @rule(name=WHO)
    def send_and_settle_later(self, name: str) -> None:
        """The outcome is stored with the next claim, and receipts may come before it (C31)."""
        self.run(self._send_unsettled(name))

    async def _send_unsettled(self, name: str) -> None:
        pump = self.stations[name].pump
        await pump.adopt()
        for lane in Lane:
            await pump._pump(lane)

    @rule(name=WHO)
    def claim_and_die(self, name: str) -> None:
        """Killed between the claim and the outcome: the bytes may be out, nobody wrote it down (C07 to C09)."""
        self.run(self._claim_and_publish(name))
        self.kill(name)

    async def _claim_and_publish(self, name: str) -> None:
        pump = self.stations[name].pump
        await pump.adopt()
        await pump._send_in_order(await pump._claim(Lane.ROUTINE))

    @rule(name=WHO, order=st.randoms(use_true_random=False), repeats=st.integers(0, 2), part=st.booleans())
    def deliver(self, name: str, order: Any, repeats: int, part: bool) -> None:
        """Everything on the road, or half of it, in any order, some of it more than once."""
        parcels = self.road.take(name)
        order.shuffle(parcels)
        if part:
            half = len(parcels) // 2
            self.road.parcels.extend(parcels[half:])
            parcels = parcels[:half]
        parcels += [order.choice(parcels) for _ in range(repeats) if parcels]
        for parcel in parcels:
            self.run(self.stations[name].receiver.handle(delivery_of(parcel)))

    @rule(name=WHO)
    def lose(self, name: str) -> None:
        """The hub loses, after its confirm, all that is under way to one adapter: messages or their receipts."""
        self.road.take(name)

    @rule(chance=st.randoms(use_true_random=False), rounds=st.integers(1, 3))
    def rush(self, chance: Any, rounds: int) -> None:
        """Both adapters work for a while on a road that loses every third parcel and repeats some others."""
        for name in NAMES * rounds:
            one = self.stations[name]
            self.run(one.pump.run_once())
            for parcel in self.road.take(name):
                for _ in range(chance.choice((0, 1, 2))):
                    self.run(one.receiver.handle(delivery_of(parcel)))
            self.run(one.work())

    @rule(name=WHO)
    def replay(self, name: str) -> None:
        """The hub repeats something old."""
        mine = [parcel for parcel in self.road.log if parcel.recipient == name]
        if mine:
            self.run(self.stations[name].receiver.handle(delivery_of(mine[len(mine) // 2], redelivered=True)))

    @rule(name=WHO)
    def work(self, name: str) -> None:
        """One run of the worker."""
        self.run(self.stations[name].work())

    @rule(name=WHO)
    def fail(self, name: str) -> None:
        """The next two effects of this domain fail half-way."""
        self.failures[name] = 2

    @rule(name=WHO)
    def kill(self, name: str) -> None:
        """Nothing in memory survives; the store does."""
        heard = self.stations[name].applied
        self.run(self.stacks[name].aclose())
        self.run(self._open(name))
        self.stations[name].applied.extend(heard)

    @rule(seconds=st.sampled_from([1, 61, 121, 901, 4 * 3600]))
    def pass_time(self, seconds: int) -> None:
        """Time passes."""
        self.clock.pass_(seconds=seconds)

    @rule(mood=st.sampled_from(list(Outcome)), losing=st.booleans())
    def change_the_road(self, mood: Outcome, losing: bool) -> None:
        """The hub confirms, returns, times out; and loses in silence, or not."""
        self.mood, self.losing = mood, losing

    @precondition(lambda self: self.stations)
    @invariant()
    def stores_are_sound(self) -> None:
        """I1 to I5 after every step, of every store that the step has changed: what is in the file decides alone."""
        for name in NAMES:
            version = self.watches[name].execute("PRAGMA data_version").fetchone()[0]
            if self.looked_over.get(name) != version:
                assert self.run(self._violations(name)) == []
                self.looked_over[name] = version

    async def _violations(self, name: str) -> list[str]:
        async with self.stations[name].store.snapshot() as view:
            return await invariants.violations(view)

    def teardown(self) -> None:
        """Let the road heal, let time pass, and count."""
        try:
            if self.stations:
                self.run(self._heal())
                for name in NAMES:
                    self.run(self._count(name))
                self.stores_are_sound()
        finally:
            for stack in self.stacks.values():
                self.run(stack.aclose())
            self.loop.close()

    async def _heal(self) -> None:
        self.mood, self.losing, self.failures = Outcome.CONFIRMED, False, Counter()
        await heal(self.stations.values(), road=self.road, clock=self.clock)

    async def _count(self, name: str) -> None:
        """I8: all that was sent is opened or recalled; I2: each opened once."""
        mine, peer = self.stations[name], self.stations[OTHER[name]]
        ends = {row["ref"]: OutboxState(row["state"]) for row in await mine.rows(outbox_rows)}
        messages = [row for row in await mine.rows(outbox_rows) if row["sort"] == "message"]
        assert set(ends.values()) <= OUTBOX_AT_REST, Counter(ends.values())
        assert {ends[row["ref"]] for row in messages} <= {OutboxState.OPENED, OutboxState.CANCELLED}
        assert {ref for ref in self.recalled if ref in ends} == {
            ref for ref, state in ends.items() if state is OutboxState.CANCELLED
        }
        opened = Counter(row["mid"] for row in messages if row["state"] == OutboxState.OPENED.value)
        heard = Counter(one.original.mid for one in peer.applied)
        assert heard == opened
        async with peer.store.snapshot() as view:
            effects = Counter(document.key.partition("/")[2] for document in await view.list("effect"))
        assert effects == opened


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(
    max_examples=RUNS,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize="MASH_DELIVERY_RUNS" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
