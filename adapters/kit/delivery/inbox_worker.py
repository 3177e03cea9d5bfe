"""The worker: opens what the inbox stored and lets the domain act on it, once.

Guarantees: the domain's effect, the state APPLIED, the OPENED receipt and the ledger entry are one transaction, guarded
by the state, so an effect happens once for each (sender, mid) whatever crashes (C26, C27, I2). Within a thread of one
sender nothing overtakes what is still to be applied; a reply waits a while for what it replies to.
A refusal of the domain is a value: its half-done effect is undone and the sender is told. An exception is ours: it is
tried again with growing pauses and then parked where a person sees it, never lost.
Messages that wait together and were never worked on before share one transaction. If one of them is refused or fails,
nothing of it stays and each is worked on by itself: what one of them does costs the others nothing but time.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Final, TypeAlias

from sqlalchemy import select

from adapters.kit.delivery import receipt_flow
from adapters.kit.delivery.admission import GAP_TIMER, IN, authenticated, gap_alarm
from adapters.kit.delivery.failpoints import reach
from adapters.kit.delivery.outbox import thread_key
from adapters.kit.delivery.receipt_flow import OPENED, Original, Verdict
from adapters.kit.delivery.states import InboxEvent, InboxState, next_inbox
from adapters.kit.delivery.waiting import wait_for
from adapters.kit.envelope.envelopes import Envelopes
from adapters.kit.envelope.verification import Arrival, Opened, Refusal
from adapters.kit.store import alarms, ledger, timers
from adapters.kit.store.alarms import Priority
from adapters.kit.store.errors import StoreDamaged, StoreFault, StoreUnavailable
from adapters.kit.store.session import Row, Session
from adapters.kit.store.store import Store, Written
from adapters.kit.store.tables import envelope, inbox_rows, outbox_rows, pair, record_key
from adapters.kit.store.transaction import Transaction
from schemas.receipt import Outcome, ReceiptKind
from schemas.routing import Lane
from schemas.stub import Event

BATCH: Final = 32
_WINDOW: Final = 500
_ALONE_AFTER: Final = 2  # openings that never came to an end: from here on a message is worked on alone
_PAUSE_FOR_CAUSE: Final = timedelta(seconds=2)


@dataclass(frozen=True)
class Received:
    """An authentic, opened message as the domain gets it. Not printed: `opened` is content."""

    original: Original
    event: Event
    lane: Lane
    service_class: str
    in_reply_to: str | None
    sent_at: datetime
    received_at: datetime
    opened: Opened = field(repr=False)


# The domain's part. It may return a refusal (E23 to E27), whose `external` code the sender is told.
Apply: TypeAlias = Callable[[Transaction, Received], Awaitable[Refusal | None]]


@dataclass(frozen=True)
class _Task:
    """A message in work; without an arrival it waits for what it replies to."""

    row: Row = field(repr=False)
    arrival: Arrival | None = field(repr=False)


class _Refused(Exception):
    """One of several messages is refused by the domain; it is worked on by itself."""


class _Failed(Exception):
    """One of several messages failed by a fault of ours; the cause is the fault."""

    def __init__(self, row: Row) -> None:
        super().__init__()
        self.row = row


@dataclass
class InboxWorker:
    """Works the inbox of one store."""

    store: Store
    envelopes: Envelopes = field(repr=False)
    _timers_at: float = 0.0

    async def run(self, apply: Apply, *, idle: float = 0.5) -> None:
        """Work until cancelled; an unavailable database is waited for. Raises StoreFault: the adapter stops."""
        wake = asyncio.Event()
        self.store.on_commit(wake.set, when=lambda written: _wakes(written, self.store.clock()))
        while True:
            wake.clear()
            worked = 0
            try:
                if monotonic() >= self._timers_at + idle:
                    await self._fire_timers()
                worked = await self._work_once(apply)
            except StoreUnavailable:
                await asyncio.sleep(idle)
            if worked < BATCH:  # a full batch may have left something over; whatever came meanwhile has set the event
                await wait_for(wake, idle)

    async def run_once(self, apply: Apply) -> int:
        """Work through what is due now, at most BATCH messages; returns how many were settled."""
        await self._fire_timers()
        return await self._work_once(apply)

    async def _work_once(self, apply: Apply) -> int:
        chosen = await self._choose()
        if len(chosen) > 1 and all(self._is_fresh(row) for row in chosen):
            settled = await self._work_together(chosen, apply)
            if settled is not None:
                return settled
            chosen = await self._choose()  # one that failed holds back what stands behind it in its thread
        return await self._work_apart(chosen, apply)

    def _is_fresh(self, row: Row) -> bool:
        """Say whether a message came in this life of the store and was never tried: no crash can be its doing."""
        return bool(row["received_at"] > self.store.opened_at) and not row["opens"] and not row["failures"]

    async def _work_together(self, rows: list[Row], apply: Apply) -> int | None:
        """Apply messages in one transaction; None if that cannot be and nothing of it stays."""
        try:
            settled = await self._apply_all(rows, apply)
        except (StoreFault, StoreUnavailable):
            raise
        except _Failed as failed:
            await self._fail(failed.row, InboxEvent.FAIL, reason=type(failed.__cause__).__name__)
            return None
        except Exception:
            return None
        reach("C28")
        return settled

    async def _apply_all(self, rows: list[Row], apply: Apply) -> int:
        settled, stuck = 0, set[tuple[str, str]]()
        async with self.store.transaction() as tx:
            await _expect(tx, rows)
            for row in rows:
                fresh = await _still_stored(tx, row)
                if fresh is None or (line := (row["peer"], row["thread"])) in stuck:
                    continue
                if await _too_early(tx, fresh, patience=self.store.policy.wait_for_cause):
                    await tx.change(inbox_rows, fresh, due_at=tx.now + _PAUSE_FOR_CAUSE)
                    stuck.add(line)
                    continue
                await self._apply_one(tx, fresh, apply)
                settled += 1
            reach("C27")
        return settled

    async def _apply_one(self, tx: Transaction, row: Row, apply: Apply) -> None:
        arrival = await _stored_arrival(tx, row)
        reach("C26")
        opened = self.envelopes.open(arrival, now=self.store.clock())
        if isinstance(opened, Refusal):
            raise _Refused
        try:
            refusal = await apply(tx, _received(row, arrival, opened))
        except (StoreFault, StoreUnavailable):
            raise
        except Exception as ours:
            raise _Failed(row) from ours
        if refusal is not None:
            raise _Refused
        await _settle(tx, row, arrival, None)

    async def _work_apart(self, chosen: list[Row], apply: Apply) -> int:
        settled, stuck = 0, set[tuple[str, str]]()
        for task in await self._begin(chosen):
            if (line := (task.row["peer"], task.row["thread"])) in stuck:
                continue
            if await self._work(task, apply):
                settled += 1
            else:
                stuck.add(line)
        return settled

    async def _fire_timers(self) -> None:
        self._timers_at = monotonic()
        async with self.store.snapshot() as view:
            due = await timers.due(view, view.now, own=True)
        for timer in due:
            async with self.store.transaction() as tx:
                if timer.kind == GAP_TIMER and await timers.fire(tx, timer):
                    await gap_alarm(tx, timer)
                    reach("C40")

    async def _take(self) -> list[_Task]:
        """Choose what to work on, and begin it."""
        return await self._begin(await self._choose())

    async def _choose(self) -> list[Row]:
        async with self.store.snapshot() as view:
            stored = select(inbox_rows).where(inbox_rows.c.state == InboxState.STORED.value)
            in_order = stored.order_by(inbox_rows.c.received_at, inbox_rows.c.peer, inbox_rows.c.seq)
            return _choose(await view.select(inbox_rows, in_order.limit(_WINDOW)), now=view.now)

    async def _begin(self, chosen: list[Row]) -> list[_Task]:
        """Count the openings before they begin, so that a crash counts too."""
        if not chosen:
            return []
        async with self.store.transaction() as tx:
            fresh = [await _still_stored(tx, row) for row in chosen]
            return [await self._begun(tx, row) for row in fresh if row is not None]

    async def _begun(self, tx: Transaction, row: Row) -> _Task:
        if await _too_early(tx, row, patience=self.store.policy.wait_for_cause):
            return _Task(await tx.change(inbox_rows, row, due_at=tx.now + _PAUSE_FOR_CAUSE), None)
        counted = await tx.change(inbox_rows, row, opens=row["opens"] + 1)
        return _Task(counted, await _stored_arrival(tx, row))

    async def _work(self, task: _Task, apply: Apply) -> bool:
        if task.arrival is None:
            return False
        if task.row["opens"] > _ALONE_AFTER + self.store.policy.poison_after:
            return await self._fail(task.row, InboxEvent.PARK)
        try:
            return await self._open_and_apply(task.row, task.arrival, apply)
        except (StoreFault, StoreUnavailable):
            raise
        except Exception as ours:
            return await self._fail(task.row, InboxEvent.FAIL, reason=type(ours).__name__)

    async def _open_and_apply(self, row: Row, arrival: Arrival, apply: Apply) -> bool:
        reach("C26")
        opened = self.envelopes.open(arrival, now=self.store.clock())
        async with self.store.transaction() as tx:
            fresh = await _still_stored(tx, row)
            if fresh is None:
                return True
            refusal = opened if isinstance(opened, Refusal) else await _apply(tx, fresh, arrival, opened, apply=apply)
            await _settle(tx, fresh, arrival, refusal)
            reach("C27")
        reach("C28")
        return True

    async def _fail(self, row: Row, event: InboxEvent, *, reason: str = "") -> bool:
        """Note a failure of ours: a pause, or after too many the parking place, with an alarm."""
        policy, failures = self.store.policy, row["failures"] + 1
        if failures >= policy.failures_before_parking:
            event = InboxEvent.PARK
        changes: dict[str, Any] = {"failures": failures, "opens": 0, "state": _after(row, event)}
        async with self.store.transaction() as tx:
            fresh = await _still_stored(tx, row)
            if fresh is None:
                return True
            pause = policy.pause(Lane(row["lane"]), attempt=failures)
            await tx.change(inbox_rows, fresh, due_at=None if event is InboxEvent.PARK else tx.now + pause, **changes)
            if event is InboxEvent.PARK:
                refs = {"peer": row["peer"], "mid": row["mid"], "reason": reason}
                alarm_id = f"parked/{row['peer']}/{row['mid']}/{row['received_at'].isoformat()}"
                await alarms.raise_once(tx, alarm_id, priority=Priority.P1, code="parked", refs=refs)
        return False


def _choose(rows: list[Row], *, now: datetime) -> list[Row]:
    """Choose the due rows whose thread has nothing older that waits; one that died twice goes alone."""
    chosen: list[Row] = []
    waiting: set[tuple[str, str]] = set()
    for row in rows:
        line = (row["peer"], row["thread"])
        if row["due_at"] > now:
            waiting.add(line)
        if line not in waiting:
            chosen.append(row)
    suspects = [row for row in chosen if row["opens"] >= _ALONE_AFTER]
    return suspects[:1] or chosen[:BATCH]


def _wakes(written: Written, now: datetime) -> bool:
    """Say whether rows that were written include one to be worked on now."""
    rows = written.get(inbox_rows.name, ())
    return any(row["state"] == InboxState.STORED and row["due_at"] <= now for row in rows)


async def _expect(tx: Transaction, rows: list[Row]) -> None:
    """Read ahead, in a few turns with the database, what applying these messages will ask for."""
    by_peer: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_peer[row["peer"]].append(row)
    await tx.expect(pair, "peer", by_peer)
    for peer, theirs in by_peer.items():
        await tx.expect(inbox_rows, "mid", [row["mid"] for row in theirs], peer=peer)
    await tx.expect(envelope, "ref", [f"{row['peer']}/{row['mid']}" for row in rows], way=IN)
    await tx.expect(outbox_rows, "mid", [row["in_reply_to"] for row in rows])
    await tx.expect(record_key, "key_id", [thread_key(row["thread"]) for row in rows])
    keys = [receipt_flow.key_of(ReceiptKind.OPENED, row["peer"], row["stub_hash"]) for row in rows]
    await tx.expect(outbox_rows, "idempotency_key", keys)


async def _too_early(session: Session, row: Row, *, patience: timedelta) -> bool:
    """Say whether a message replies to one that is still on its way; after `patience` it is applied all the same."""
    cause = row["in_reply_to"]
    if cause is None or session.now >= row["received_at"] + patience:
        return False
    if await session.find(outbox_rows, mid=cause) is not None:
        return False
    theirs = await session.find(inbox_rows, peer=row["peer"], mid=cause)
    return theirs is None or theirs["state"] == InboxState.STORED.value


async def _still_stored(tx: Transaction, row: Row) -> Row | None:
    """Return the row as it is now if the effect is still to happen: the guard by which it happens once (I2)."""
    fresh = await tx.find(inbox_rows, peer=row["peer"], mid=row["mid"])
    return fresh if fresh is not None and fresh["state"] == InboxState.STORED.value else None


async def _stored_arrival(session: Session, row: Row) -> Arrival:
    ref = f"{row['peer']}/{row['mid']}"
    kept = await session.find(envelope, way=IN, ref=ref)
    arrival = authenticated(kept["body"]) if kept is not None and kept["whole"] else None
    if arrival is None or arrival.stub_hash != row["stub_hash"]:
        raise StoreDamaged("a stored envelope")
    return arrival


async def _apply(tx: Transaction, row: Row, arrival: Arrival, opened: Opened, *, apply: Apply) -> Refusal | None:
    async with tx.savepoint() as point:
        refusal = await apply(tx, _received(row, arrival, opened))
        if refusal is not None:
            point.undo()
    return refusal


def _received(row: Row, arrival: Arrival, opened: Opened) -> Received:
    stub = arrival.stub
    return Received(
        original=_original(row),
        event=stub.event,
        lane=stub.lane,
        service_class=stub.service_class,
        in_reply_to=stub.irt,
        sent_at=stub.sent_at,
        received_at=row["received_at"],
        opened=opened,
    )


async def _settle(tx: Transaction, row: Row, arrival: Arrival, refusal: Refusal | None) -> None:
    """Write down what became of a message and send the receipt that says so."""
    if refusal is not None and refusal.external is None:
        raise _Unforeseen(refusal.code)
    event = InboxEvent.APPLY if refusal is None else InboxEvent.REFUSE
    code = None if refusal is None else refusal.code
    await tx.change(inbox_rows, row, state=_after(row, event), due_at=None, code=code, applied_at=tx.now)
    verdict = OPENED if refusal is None else Verdict(ReceiptKind.OPENED, Outcome.REJECTED, refusal.external)
    await receipt_flow.emit(tx, _original(row), verdict, room=tx.mailroom)
    refs = {"peer": row["peer"], "mid": row["mid"], "stub": arrival.stub_hash.hex(), "code": code or ""}
    await ledger.append(tx, "arrival.applied" if refusal is None else "arrival.refused", refs=refs)


class _Unforeseen(Exception):
    """A message was refused without an answer that its sender may be given (E99)."""


def _original(row: Row) -> Original:
    return Original(row["peer"], row["mid"], row["thread"], row["stub_hash"])


def _after(row: Row, event: InboxEvent) -> str:
    return next_inbox(InboxState(row["state"]), event).value
