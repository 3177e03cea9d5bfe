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
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, Final

from sqlalchemy import Select, select

from adapters.kit.delivery.admission import GAP_TIMER, gap_alarm
from adapters.kit.delivery.inbox_apply import (
    Apply,
    Received,
    apply_alone,
    expect,
    received_of,
    settle,
    state_after,
    still_stored,
    stored_arrival,
    too_early,
)
from adapters.kit.delivery.states import InboxEvent, InboxState
from adapters.kit.delivery.waiting import wait_for
from adapters.kit.envelope.envelopes import Envelopes
from adapters.kit.envelope.verification import Arrival, Refusal
from adapters.kit.failpoints import reach
from adapters.kit.store import alarms, timers
from adapters.kit.store.alarms import Priority
from adapters.kit.store.errors import StoreFault, StoreUnavailable
from adapters.kit.store.session import Row
from adapters.kit.store.store import Store, Written
from adapters.kit.store.tables import inbox_rows
from adapters.kit.store.transaction import Transaction
from adapters.kit.store.turn import Precedence
from broker.pace import GATHER, Pace
from schemas.routing import Lane

__all__ = ["BATCH", "Apply", "InboxWorker", "Received"]

BATCH: Final = 8  # while they are worked on nobody else writes, and who has just sent something waits for RECEIVED
_GLANCE: Final = 3 * BATCH  # rows; as a rule there are enough among them
_WINDOW: Final = 500
_ALONE_AFTER: Final = 2  # openings that never came to an end: from here on a message is worked on alone
_BEFORE_ALL: Final = datetime(1970, 1, 1, tzinfo=UTC)
_GAPS_EVERY: Final = 10  # looks; a gap is given minutes to fill
_PAUSE_FOR_CAUSE: Final = timedelta(seconds=2)


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
        pace = Pace(GATHER)
        while True:
            await pace.keep()
            wake.clear()
            worked = 0
            try:
                if monotonic() >= self._timers_at + _GAPS_EVERY * idle:
                    await self._fire_timers()
                worked = await self._work_once(apply)
            except StoreUnavailable:
                await asyncio.sleep(idle)
            if worked < BATCH:  # a full batch may have left something over; whatever came meanwhile has set the event
                await wait_for(wake, idle)
            else:
                pace.leave()

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
        async with self.store.transaction(_precedence(rows)) as tx:
            await expect(tx, rows)
            for row in rows:
                fresh = await still_stored(tx, row)
                if fresh is None or (line := (row["peer"], row["thread"])) in stuck:
                    continue
                if await too_early(tx, fresh, patience=self.store.policy.wait_for_cause):
                    await tx.change(inbox_rows, fresh, due_at=tx.now + _PAUSE_FOR_CAUSE)
                    stuck.add(line)
                    continue
                await self._apply_one(tx, fresh, apply)
                settled += 1
            reach("C27")
        return settled

    async def _apply_one(self, tx: Transaction, row: Row, apply: Apply) -> None:
        arrival = await stored_arrival(tx, row)
        reach("C26")
        opened = self.envelopes.open(arrival, now=self.store.clock())
        if isinstance(opened, Refusal):
            raise _Refused
        try:
            refusal = await apply(tx, received_of(row, arrival, opened))
        except (StoreFault, StoreUnavailable):
            raise
        except Exception as ours:
            raise _Failed(row) from ours
        if refusal is not None:
            raise _Refused
        await settle(tx, row, arrival, None)

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
        """Choose among the oldest; where most of them have to wait, among more."""
        async with self.store.snapshot() as view:
            chosen: list[Row] = []
            for most in (_GLANCE, _WINDOW):
                rows = await view.select(inbox_rows, stored().limit(most))
                chosen = _choose(rows, now=view.now)
                if len(chosen) == BATCH or len(rows) < most:
                    break
            return chosen

    async def _begin(self, chosen: list[Row]) -> list[_Task]:
        """Count the openings before they begin, so that a crash counts too."""
        if not chosen:
            return []
        async with self.store.transaction() as tx:
            fresh = [await still_stored(tx, row) for row in chosen]
            return [await self._begun(tx, row) for row in fresh if row is not None]

    async def _begun(self, tx: Transaction, row: Row) -> _Task:
        if await too_early(tx, row, patience=self.store.policy.wait_for_cause):
            return _Task(await tx.change(inbox_rows, row, due_at=tx.now + _PAUSE_FOR_CAUSE), None)
        counted = await tx.change(inbox_rows, row, opens=row["opens"] + 1)
        return _Task(counted, await stored_arrival(tx, row))

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
            fresh = await still_stored(tx, row)
            if fresh is None:
                return True
            refusal = (
                opened if isinstance(opened, Refusal) else await apply_alone(tx, fresh, arrival, opened, apply=apply)
            )
            await settle(tx, fresh, arrival, refusal)
            reach("C27")
        reach("C28")
        return True

    async def _fail(self, row: Row, event: InboxEvent, *, reason: str = "") -> bool:
        """Note a failure of ours: a pause, or after too many the parking place, with an alarm."""
        policy, failures = self.store.policy, row["failures"] + 1
        if failures >= policy.failures_before_parking:
            event = InboxEvent.PARK
        changes: dict[str, Any] = {"failures": failures, "opens": 0, "state": state_after(row, event)}
        async with self.store.transaction() as tx:
            fresh = await still_stored(tx, row)
            if fresh is None:
                return True
            pause = policy.pause(Lane(row["lane"]), attempt=failures)
            await tx.change(inbox_rows, fresh, due_at=None if event is InboxEvent.PARK else tx.now + pause, **changes)
            if event is InboxEvent.PARK:
                refs = {"peer": row["peer"], "mid": row["mid"], "reason": reason}
                alarm_id = f"parked/{row['peer']}/{row['mid']}/{row['received_at'].isoformat()}"
                await alarms.raise_once(tx, alarm_id, priority=Priority.P1, code="parked", refs=refs)
        return False


def stored() -> Select[Any]:
    """Select what is to be applied, the oldest first; every such row has a due time, by whose index it is found."""
    rows = inbox_rows.c
    waiting = select(inbox_rows).where(rows.state == InboxState.STORED.value, rows.due_at > _BEFORE_ALL)
    return waiting.order_by(rows.received_at, rows.peer, rows.seq)


def _precedence(rows: list[Row]) -> Precedence:
    urgent = any(row["lane"] == Lane.URGENT for row in rows)
    return Precedence.FIRST if urgent else Precedence.LAST


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
