"""The pump: carries sealed envelopes from the outbox to the hub, and acts when time passes and nothing is heard.

Guarantees: a message is claimed, durably and with a lease, before its bytes touch the network, and its outcome is
stored after; a crash between the two repeats the same bytes and loses none (C06 to C10). Every attempt has an id of its
own, `mid.n`. A confirm is not delivery: only R1 stops the sender's clock. What is silent is sent again, then alarmed.
Lanes are pumped apart, so an urgent message never waits for a routine one; within a lane and a recipient order is kept,
and the first attempt whose outcome is unknown stops the rest behind it.
Nothing is sent while the store is in recovery (C44).
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeAlias

from sqlalchemy import Select, select

from adapters.kit.delivery import outbox, outbox_due
from adapters.kit.delivery.failpoints import reach
from adapters.kit.delivery.outbox import OUT, RECOVERY
from adapters.kit.delivery.states import OutboxEvent, OutboxState
from adapters.kit.delivery.waiting import wait_for
from adapters.kit.store.errors import StoreDamaged, StoreUnavailable
from adapters.kit.store.session import Row, Session
from adapters.kit.store.store import Store
from adapters.kit.store.tables import envelope, outbox_rows
from broker.hub import HubConnection, Outcome
from schemas.routing import Lane

BATCH: Final = 32
Attempt: TypeAlias = tuple[Row, Outcome]


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

    async def run(self, *, idle: float = 0.5) -> None:
        """Pump all lanes until cancelled; an unavailable database is waited for. Raises StoreFault."""
        await self.adopt()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._repeat(self.tend, idle=idle))
            for lane in Lane:
                group.create_task(self._repeat(partial(self.pump, lane), idle=idle))

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

    async def _repeat(self, step: Callable[[], Awaitable[int]], *, idle: float) -> None:
        wake = asyncio.Event()
        self.store.on_commit(wake.set)
        while True:
            wake.clear()
            done = 0
            try:
                done = await step()
            except StoreUnavailable:
                await asyncio.sleep(idle)
            if not done:
                await wait_for(wake, idle)

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
                fresh = await tx.find(outbox_rows, outbox_rows.c.ref == row["ref"])
                if fresh is not None and (fresh["state"], fresh["due_at"]) == (row["state"], row["due_at"]):
                    await outbox_due.WHEN_DUE[OutboxState(fresh["state"])](tx, fresh, tx.mailroom)
        return len(rows)

    async def pump(self, lane: Lane) -> int:
        """Send what is due in `lane`, at most BATCH; returns how many attempts were made."""
        claimed = await self._claim(lane)
        if not claimed:
            return 0
        reach("C07")
        by_recipient: dict[str, list[Claimed]] = defaultdict(list)
        for one in claimed:
            by_recipient[one.row["recipient"]].append(one)
        lines = await asyncio.gather(*(self._send_in_order(line) for line in by_recipient.values()))
        reach("C09")
        await self._settle([attempt for line in lines for attempt in line])
        reach("C11")
        return len(claimed)

    async def _claim(self, lane: Lane) -> list[Claimed]:
        """Take what is due under a lease, with its bytes."""
        async with self.store.snapshot() as view:
            waiting = await view.select(outbox_rows, _waiting(lane, view.now).limit(1))
            if view.meta["mode"] == RECOVERY or not waiting:
                return []
        reach("C06")
        async with self.store.transaction() as tx:
            rows = await tx.select(outbox_rows, _waiting(lane, tx.now).limit(BATCH))
            claimed = [await outbox_due.claim(tx, row, tx.mailroom) for row in rows]
            return [Claimed(row, await _bytes_of(tx, row)) for row in claimed if row is not None]

    async def _send_in_order(self, claimed: list[Claimed]) -> list[Attempt]:
        ended: list[Attempt] = []
        for one in claimed:
            broken = bool(ended) and ended[-1][1] is Outcome.UNKNOWN
            ended.append((one.row, Outcome.UNKNOWN if broken else await self._send(one)))
        return ended

    async def _send(self, claimed: Claimed) -> Outcome:
        row, lane = claimed.row, Lane(claimed.row["lane"])
        attempt_id = f"{row['mid']}.{row['attempt']}"
        return await self.hub.publish(claimed.body, recipient=row["recipient"], lane=lane, attempt_id=attempt_id)

    async def _settle(self, attempts: list[Attempt]) -> None:
        """Store how attempts ended, all in one transaction; a row that has moved on meanwhile keeps its state (C31)."""
        async with self.store.transaction() as tx:
            for row, outcome in attempts:
                fresh = await tx.find(outbox_rows, outbox_rows.c.ref == row["ref"])
                if fresh is not None and fresh["state"] == OutboxState.INFLIGHT.value:
                    await outbox_due.settle(tx, fresh, outcome, room=tx.mailroom)
            reach("C10")


async def _bytes_of(session: Session, row: Row) -> bytes:
    kept = await session.find(envelope, envelope.c.way == OUT, envelope.c.ref == row["ref"])
    if kept is None or not kept["whole"]:
        raise StoreDamaged("a sealed message without its bytes")
    return bytes(kept["body"])


def _waiting(lane: Lane, now: datetime) -> Select[Any]:
    rows = outbox_rows.c
    due = select(outbox_rows).where(rows.state == OutboxState.SEALED.value, rows.due_at <= now)
    return due.where(rows.lane == lane.value).order_by(rows.seq)


def _overdue(now: datetime) -> Select[Any]:
    rows = outbox_rows.c
    due = select(outbox_rows).where(rows.due_at <= now, rows.state != OutboxState.SEALED.value)
    return due.order_by(rows.due_at).limit(BATCH)
