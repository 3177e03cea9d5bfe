"""The pump: carries sealed envelopes from the outbox to the hub, and acts when time passes and nothing is heard.

Guarantees: a message is claimed, durably and with a lease, before its bytes touch the network, and its outcome is
stored after, together with the next claim of its lane or a moment later; a crash between the two repeats the same bytes
and loses none (C06 to C10). Every attempt has an id of its own, `mid.n`. A confirm is not delivery: only R1 stops the
sender's clock. What is silent is sent again, then alarmed.
Lanes are pumped apart, so an urgent message never waits for a routine one. Within a lane and a recipient one goes
ahead; when the hub has answered for it, others follow with their confirms outstanding, but never two of one thread, and
the first outcome that is unknown stops what has not left yet: order within a thread is kept, whatever the hub does.
Nothing is sent while the store is in recovery (C44).
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeAlias

from sqlalchemy import Select, select

from adapters.kit.delivery import outbox, outbox_due
from adapters.kit.delivery.outbox import OUT, RECOVERY
from adapters.kit.delivery.policy import precedence
from adapters.kit.delivery.states import OutboxEvent, OutboxState
from adapters.kit.failpoints import reach
from adapters.kit.store.errors import StoreFault, StoreUnavailable
from adapters.kit.store.session import Row
from adapters.kit.store.store import Store, Written
from adapters.kit.store.tables import envelope, outbox_rows
from adapters.kit.store.transaction import Transaction
from broker.hub import HubConnection, Outcome
from broker.pace import GATHER, Pace
from schemas.routing import Lane

BATCH: Final = 64
Attempt: TypeAlias = tuple[Row, Outcome]
Wakes: TypeAlias = Callable[[Written, datetime], bool]


@dataclass(frozen=True)
class Claimed:
    """A row under lease, and the bytes to publish."""

    row: Row = field(repr=False)
    body: bytes = field(repr=False)


@dataclass
class OutboxPump:
    """Pumps one store's outbox into one connection. Only the holder of the store's lease may run one."""

    store: Store
    hub: HubConnection = field(repr=False)
    _adopted: bool = False
    _ended: dict[Lane, list[Attempt]] = field(default_factory=lambda: {lane: [] for lane in Lane}, repr=False)

    async def run(self, *, idle: float = 0.5) -> None:
        """Pump all lanes until cancelled; an unavailable database is waited for. Raises StoreFault."""
        await self.adopt()
        try:
            await self._run(idle=idle)
        finally:
            await self._settle_at_the_end()

    async def _run(self, *, idle: float) -> None:
        tend = _Woken(self.store, _wakes_tending)
        lanes = {lane: _Woken(self.store, partial(_wakes, lane)) for lane in Lane}
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_around(tend, lanes, idle=idle))
            group.create_task(self._repeat(self.tend, tend, idle=idle, pace=Pace(GATHER)))
            for lane, woken in lanes.items():
                pace = Pace(0.0 if lane is Lane.URGENT else GATHER)
                group.create_task(self._repeat(partial(self._pump, lane), woken, idle=idle, pace=pace))

    async def run_once(self) -> int:
        """Tend and pump every lane until nothing is due now; returns how many attempts were made."""
        await self.adopt()
        total = 0
        while True:
            tended = await self.tend()
            attempts = sum([await self.pump(lane) for lane in Lane])
            total += attempts
            if not tended and not attempts:
                return total

    async def _look_around(self, tend: "_Woken", lanes: "Mapping[Lane, _Woken]", *, idle: float) -> None:
        """Wake whoever has something to do because time has passed, or because another process has written."""
        while True:
            try:
                async with self.store.snapshot() as view:
                    due = [] if view.meta["mode"] == RECOVERY else (await view.execute(_due(view.now))).all()
            except StoreUnavailable:
                due = []
            for state, lane in due:
                (lanes[Lane(lane)] if state == OutboxState.SEALED else tend).event.set()
            await asyncio.sleep(idle)

    async def _repeat(self, step: Callable[[], Awaitable[int]], woken: "_Woken", *, idle: float, pace: Pace) -> None:
        """Take a step whenever there is something to do."""
        while True:
            await woken.event.wait()
            await pace.keep()
            woken.event.clear()
            try:
                done = await step()
            except StoreUnavailable:
                await asyncio.sleep(idle)
                woken.event.set()
                continue
            if done:  # there are outcomes to be stored
                woken.event.set()
            if done >= BATCH:  # a full batch may have left something over
                pace.leave()

    async def adopt(self) -> None:
        """At the start, take back what a dead process had claimed: with the lease, nobody else can be sending it."""
        if self._adopted:
            return
        async with self.store.transaction() as tx:
            claimed = select(outbox_rows).where(outbox_rows.c.state == OutboxState.INFLIGHT.value)
            for row in await tx.select(outbox_rows, claimed):
                await outbox.move(tx, row, OutboxEvent.LEASE_LOST, due_at=tx.now)
        self._adopted = True

    async def tend(self) -> int:
        """Do what time asks of rows that are not waiting to be sent; returns how many."""
        async with self.store.snapshot() as view:
            if view.meta["mode"] == RECOVERY:
                return 0
            rows = await view.select(outbox_rows, _overdue(view.now))
        for row in rows:
            async with self.store.transaction() as tx:
                fresh = await tx.find(outbox_rows, ref=row["ref"])
                if fresh is not None and (fresh["state"], fresh["due_at"]) == (row["state"], row["due_at"]):
                    await outbox_due.WHEN_DUE[OutboxState(fresh["state"])](tx, fresh, tx.mailroom)
        return len(rows)

    async def pump(self, lane: Lane) -> int:
        """Send what is due in `lane`, at most BATCH, and store how it ended; returns how many attempts were made."""
        attempts = await self._pump(lane) if await self._anything_waits(lane) else 0
        await self._settle(lane)
        return attempts

    async def _pump(self, lane: Lane) -> int:
        """Store how the last attempts ended, and make the next."""
        claimed = await self._claim(lane)
        if not claimed:
            return 0
        reach("C07")
        by_recipient: dict[str, list[Claimed]] = defaultdict(list)
        for one in claimed:
            by_recipient[one.row["recipient"]].append(one)
        lines = await asyncio.gather(*(self._send_in_order(line) for line in by_recipient.values()))
        reach("C09")
        self._ended[lane] = [attempt for line in lines for attempt in line]
        return len(claimed)

    async def _claim(self, lane: Lane) -> list[Claimed]:
        """Take what is due under a lease, with its bytes; what was taken before is settled with it."""
        reach("C06")
        async with self._settling(lane) as tx:
            if tx.meta["mode"] == RECOVERY:
                return []
            rows = await tx.select(outbox_rows, _waiting(lane, tx.now).limit(BATCH))
            await tx.expect(envelope, "ref", [row["ref"] for row in rows], way=OUT)
            claimed = [await outbox_due.claim(tx, row, tx.mailroom) for row in rows]
            return [Claimed(row, await outbox.bytes_of(tx, row)) for row in claimed if row is not None]

    async def _anything_waits(self, lane: Lane) -> bool:
        async with self.store.snapshot() as view:
            return view.meta["mode"] != RECOVERY and bool(
                await view.select(outbox_rows, _waiting(lane, view.now).limit(1))
            )

    async def _send_in_order(self, claimed: list[Claimed]) -> list[Attempt]:
        ended: list[Attempt] = []
        for wave in _waves(claimed):
            if any(outcome is Outcome.UNKNOWN for _, outcome in ended):
                outcomes = [Outcome.UNKNOWN] * len(wave)
            else:
                outcomes = await asyncio.gather(*(self._send(one) for one in wave))
            ended += [(one.row, outcome) for one, outcome in zip(wave, outcomes, strict=True)]
        return ended

    async def _send(self, claimed: Claimed) -> Outcome:
        row, lane = claimed.row, Lane(claimed.row["lane"])
        attempt_id = f"{row['mid']}.{row['attempt']}"
        return await self.hub.publish(claimed.body, recipient=row["recipient"], lane=lane, attempt_id=attempt_id)

    async def _settle(self, lane: Lane) -> None:
        """Store how the last attempts ended."""
        if self._ended[lane]:
            async with self._settling(lane):
                pass

    async def _settle_at_the_end(self) -> None:
        """Store it before the program ends, so that the next one need not send again; if that cannot be, it does."""
        with suppress(StoreUnavailable, StoreFault):
            for lane in Lane:
                await self._settle(lane)

    @asynccontextmanager
    async def _settling(self, lane: Lane) -> AsyncIterator[Transaction]:
        """Begin a transaction that stores how the last attempts in `lane` ended; they are kept until its commit."""
        ended = self._ended[lane]
        async with self.store.transaction(precedence(lane)) as tx:
            await _store_outcomes(tx, ended)
            yield tx
        if ended:
            self._ended[lane] = []
            reach("C11")


async def _store_outcomes(tx: Transaction, ended: Sequence[Attempt]) -> None:
    """Store how attempts ended; a row that has moved on meanwhile keeps its state (C31)."""
    await tx.expect(outbox_rows, "ref", [row["ref"] for row, _ in ended])
    for row, outcome in ended:
        fresh = await tx.find(outbox_rows, ref=row["ref"])
        if fresh is not None and fresh["state"] == OutboxState.INFLIGHT.value:
            await outbox_due.settle(tx, fresh, outcome, room=tx.mailroom)
    if ended:
        reach("C10")


class _Woken:
    """An event that is set by every commit whose rows say so."""

    def __init__(self, store: Store, wakes: Wakes) -> None:
        self.event = asyncio.Event()
        store.on_commit(self.event.set, when=lambda written: wakes(written, store.clock()))


def _waves(claimed: list[Claimed]) -> Iterator[list[Claimed]]:
    """Part a line of messages, in order, into waves that may be under way at the same time: first one, then threads."""
    wave: list[Claimed] = []
    threads: set[str] = set()
    for number, one in enumerate(claimed):
        if wave and (number == 1 or one.row["thread"] in threads):
            yield wave
            wave, threads = [], set()
        wave.append(one)
        threads.add(one.row["thread"])
    if wave:
        yield wave


def _wakes(lane: Lane, written: Written, now: datetime) -> bool:
    """Say whether rows that were written include one to be sent now."""
    return any(
        row["state"] == OutboxState.SEALED and row["lane"] == lane and row["due_at"] <= now
        for row in written.get(outbox_rows.name, ())
    )


def _wakes_tending(written: Written, now: datetime) -> bool:
    """Say whether rows that were written include one that time asks something of already."""
    rows = written.get(outbox_rows.name, ())
    return any(
        row["state"] != OutboxState.SEALED and row["due_at"] is not None and row["due_at"] <= now for row in rows
    )


def _waiting(lane: Lane, now: datetime) -> Select[Any]:
    rows = outbox_rows.c
    due = select(outbox_rows).where(rows.state == OutboxState.SEALED.value, rows.due_at <= now)
    return due.where(rows.lane == lane.value).order_by(rows.seq)


def _due(now: datetime) -> Select[Any]:
    rows = outbox_rows.c
    return select(rows.state, rows.lane).where(rows.due_at <= now).distinct()


def _overdue(now: datetime) -> Select[Any]:
    rows = outbox_rows.c
    due = select(outbox_rows).where(rows.due_at <= now, rows.state != OutboxState.SEALED.value)
    return due.order_by(rows.due_at).limit(BATCH)
