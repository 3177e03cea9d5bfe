"""What working one stored message comes to: read it again, let the domain act, write down what became of it.

Everything here happens in the worker's transaction and is guarded by the message's state, so it happens once (I2).
Whether messages share a transaction, and what follows from a fault, is `inbox_worker.py`.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from adapters.kit.delivery import receipt_flow
from adapters.kit.delivery.admission import IN, authenticated
from adapters.kit.delivery.outbox import thread_key
from adapters.kit.delivery.receipt_flow import OPENED, Original, Verdict
from adapters.kit.delivery.states import InboxEvent, InboxState, next_inbox
from adapters.kit.envelope.verification import Arrival, Opened, Refusal
from adapters.kit.store import ledger
from adapters.kit.store.errors import StoreDamaged
from adapters.kit.store.session import Row, Session
from adapters.kit.store.tables import envelope, inbox_rows, outbox_rows, pair, record_key
from adapters.kit.store.transaction import Transaction
from schemas.receipt import Outcome, ReceiptKind
from schemas.routing import Lane
from schemas.stub import Event


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


async def expect(tx: Transaction, rows: list[Row]) -> None:
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


async def too_early(session: Session, row: Row, *, patience: timedelta) -> bool:
    """Say whether a message replies to one that is still on its way; after `patience` it is applied all the same."""
    cause = row["in_reply_to"]
    if cause is None or session.now >= row["received_at"] + patience:
        return False
    if await session.find(outbox_rows, mid=cause) is not None:
        return False
    theirs = await session.find(inbox_rows, peer=row["peer"], mid=cause)
    return theirs is None or theirs["state"] == InboxState.STORED.value


async def still_stored(tx: Transaction, row: Row) -> Row | None:
    """Return the row as it is now if the effect is still to happen: the guard by which it happens once (I2)."""
    fresh = await tx.find(inbox_rows, peer=row["peer"], mid=row["mid"])
    return fresh if fresh is not None and fresh["state"] == InboxState.STORED.value else None


async def stored_arrival(session: Session, row: Row) -> Arrival:
    """Read the stored envelope of a row again. Raises StoreDamaged unless it is whole and the one the row names."""
    ref = f"{row['peer']}/{row['mid']}"
    kept = await session.find(envelope, way=IN, ref=ref)
    arrival = authenticated(kept["body"]) if kept is not None and kept["whole"] else None
    if arrival is None or arrival.stub_hash != row["stub_hash"]:
        raise StoreDamaged("a stored envelope")
    return arrival


async def apply_alone(tx: Transaction, row: Row, arrival: Arrival, opened: Opened, *, apply: Apply) -> Refusal | None:
    """Let the domain act; what it refuses is undone, and nothing else of the transaction."""
    async with tx.savepoint() as point:
        refusal = await apply(tx, received_of(row, arrival, opened))
        if refusal is not None:
            point.undo()
    return refusal


def received_of(row: Row, arrival: Arrival, opened: Opened) -> Received:
    """Make what the domain is given."""
    stub = arrival.stub
    return Received(
        original=original_of(row),
        event=stub.event,
        lane=stub.lane,
        service_class=stub.service_class,
        in_reply_to=stub.irt,
        sent_at=stub.sent_at,
        received_at=row["received_at"],
        opened=opened,
    )


async def settle(tx: Transaction, row: Row, arrival: Arrival, refusal: Refusal | None) -> None:
    """Write down what became of a message and send the receipt that says so."""
    if refusal is not None and refusal.external is None:
        raise Unforeseen(refusal.code)
    event = InboxEvent.APPLY if refusal is None else InboxEvent.REFUSE
    code = None if refusal is None else refusal.code
    await tx.change(inbox_rows, row, state=state_after(row, event), due_at=None, code=code, applied_at=tx.now)
    verdict = OPENED if refusal is None else Verdict(ReceiptKind.OPENED, Outcome.REJECTED, refusal.external)
    await receipt_flow.emit(tx, original_of(row), verdict, room=tx.mailroom)
    refs = {"peer": row["peer"], "mid": row["mid"], "stub": arrival.stub_hash.hex(), "code": code or ""}
    await ledger.append(tx, "arrival.applied" if refusal is None else "arrival.refused", refs=refs)


class Unforeseen(Exception):
    """A message was refused without an answer that its sender may be given (E99)."""


def original_of(row: Row) -> Original:
    """Name the envelope of a row for its receipts."""
    return Original(row["peer"], row["mid"], row["thread"], row["stub_hash"])


def state_after(row: Row, event: InboxEvent) -> str:
    """Give the state of a row after `event`. Raises IllegalMove."""
    return next_inbox(InboxState(row["state"]), event).value
