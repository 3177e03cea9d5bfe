"""Receipts in both directions: ours for what came, and what theirs do to our outbox.

Guarantees: one receipt a kind and stub, whose stored bytes are sent again for a duplicate (E11); a receipt moves an
outgoing message only if it comes from its recipient and names its stub (I4); any order of receipts is legal (C31, C33).
A partner that has seen a higher number than we remember sending proves that this store is older than the truth: the
store goes into recovery and sends nothing (C44).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select

from adapters.kit.delivery import outbox
from adapters.kit.delivery.outbox import NOTE, RECOVERY, Mailroom
from adapters.kit.delivery.states import IllegalMove, OutboxEvent, OutboxState, next_outbox
from adapters.kit.envelope import drafts
from adapters.kit.keys.secrets import SecretBytes
from adapters.kit.store import alarms, ledger
from adapters.kit.store.alarms import Priority
from adapters.kit.store.errors import ContentErased
from adapters.kit.store.session import Row, Session
from adapters.kit.store.tables import outbox_rows, pair
from schemas.receipt import Outcome, Receipt, ReceiptKind
from schemas.routing import Lane

RECEIPT_APPLIED: Final = "receipt.applied"
# E14 to E22 have one answer outside, so a stale key cannot be told from tampering: both are sealed once more.
KEY_REJECTIONS: Final = frozenset({"REJ-KEY", "REJ-CRYPTO"})
_EVENTS: Final = {
    ReceiptKind.RECEIVED: OutboxEvent.R1,
    ReceiptKind.OPENED: OutboxEvent.R2,
    ReceiptKind.DECIDED: OutboxEvent.R3,
}


@dataclass(frozen=True)
class Original:
    """The envelope that a receipt is about, named so that its sender finds it."""

    peer: str
    mid: str
    thread: str
    stub_hash: bytes


@dataclass(frozen=True)
class Verdict:
    """What a receipt says of its original."""

    kind: ReceiptKind
    outcome: Outcome
    code: str | None = None


STORED: Final = Verdict(ReceiptKind.RECEIVED, Outcome.RECEIVED)
OPENED: Final = Verdict(ReceiptKind.OPENED, Outcome.OPENED)


async def emit(session: Session, original: Original, verdict: Verdict, *, room: Mailroom) -> None:
    """Put a receipt into the outbox, once for each kind and stub; it is sealed in this transaction."""
    ends = await session.find(pair, peer=original.peer)
    receipt = Receipt(
        kind=verdict.kind,
        outcome=verdict.outcome,
        code=verdict.code,
        original_stub_hash=original.stub_hash,
        seq_seen=ends["seen_seq"] if ends else 0,
        at=session.now,
    )
    message = drafts.receipt_message(receipt, recipient=original.peer, thread=original.thread, in_reply_to=original.mid)
    key = key_of(verdict.kind, original.peer, original.stub_hash)
    await outbox.enqueue(session, message, room=room, idempotency_key=key)


def key_of(kind: ReceiptKind, peer: str, stub_hash: bytes) -> str:
    """Name the one receipt of a kind about an envelope of `peer`."""
    return f"receipt/{kind.value}/{peer}/{stub_hash.hex()}"


async def emit_again(session: Session, peer: str, mid: str) -> int:
    """Send every stored receipt for a message again, the same bytes (E11); returns how many."""
    statement = select(outbox_rows).where(
        outbox_rows.c.in_reply_to == mid,
        outbox_rows.c.recipient == peer,
        outbox_rows.c.sort == NOTE,
        outbox_rows.c.state == OutboxState.CLOSED.value,
    )
    rows = await session.select(outbox_rows, statement)
    for row in rows:
        await outbox.move(session, row, OutboxEvent.REEMIT, due_at=session.now, closed_at=None)
    return len(rows)


@dataclass(frozen=True, repr=False)
class Proof:
    """The name of a receipt's own envelope, and the content keys by which its text can be proved in ten years."""

    mid: str
    openings: SecretBytes


async def apply(
    session: Session, peer: str, receipt: Receipt, *, in_reply_to: str | None, proof: Proof, room: Mailroom
) -> None:
    """Move the outgoing message that an authentic receipt of `peer` is about, or raise an alarm that says why not."""
    await _compare_memories(session, peer, receipt.seq_seen)
    row = await session.find(outbox_rows, mid=in_reply_to or "", recipient=peer)
    refs = {"peer": peer, "mid": in_reply_to or "", "kind": receipt.kind.value}
    if row is None or row["stub_hash"] != receipt.original_stub_hash:
        code = "receipt-for-nothing" if row is None else "receipt-of-another-stub"
        await alarms.raise_once(session, f"{code}/{peer}/{in_reply_to}", priority=Priority.P1, code=code, refs=refs)
        return
    event = _event(receipt, row, room=room)
    try:
        await _move(session, row, event, receipt=receipt, room=room)
    except IllegalMove:
        alarm_id = f"contradiction/{row['ref']}/{event.value}"
        await alarms.raise_once(session, alarm_id, priority=Priority.P1, code="receipts-contradict", refs=refs)
        return
    outcome = {"outcome": receipt.outcome.value, "code": receipt.code or ""}
    named = refs | outcome | {"receipt": proof.mid}
    await _record(session, named, proof.openings, group=outbox.thread_key(row["thread"]))


async def _record(session: Session, refs: dict[str, str], openings: SecretBytes, *, group: str) -> None:
    """Enter an applied receipt; of a matter that is erased, without what would prove its text (REC-07)."""
    try:
        await ledger.append(session, RECEIPT_APPLIED, refs=refs, detail=openings.reveal(), group=group)
    except ContentErased:
        await ledger.append(session, RECEIPT_APPLIED, refs=refs)


def _event(receipt: Receipt, row: Row, *, room: Mailroom) -> OutboxEvent:
    if receipt.outcome is not Outcome.REJECTED:
        return _EVENTS[receipt.kind]
    again = receipt.code in KEY_REJECTIONS and row["reseals"] < room.policy.reseals and row["draft"] is not None
    return OutboxEvent.REJECT_KEY if again else OutboxEvent.REJECT


async def _move(session: Session, row: Row, event: OutboxEvent, *, receipt: Receipt, room: Mailroom) -> None:
    before, after = OutboxState(row["state"]), next_outbox(OutboxState(row["state"]), event)
    changes: dict[str, Any] = {name: session.now for name in _stamps(event) if row[name] is None}
    if after is not before:
        changes |= _on_arrival(after, row, receipt=receipt, now=session.now, room=room)
    await outbox.move(session, row, event, **changes)
    if after is OutboxState.REFUSED and before is not after:
        refs = {"ref": row["ref"], "to": row["recipient"], "code": receipt.code or ""}
        await alarms.raise_once(session, f"refused/{row['ref']}", priority=Priority.P1, code="refused", refs=refs)


def _stamps(event: OutboxEvent) -> tuple[str, ...]:
    table = {
        OutboxEvent.R1: ("received_at",),
        OutboxEvent.R2: ("received_at", "opened_at"),
        OutboxEvent.R3: ("received_at", "opened_at", "closed_at"),
    }
    return table.get(event, ())


def _on_arrival(after: OutboxState, row: Row, *, receipt: Receipt, now: datetime, room: Mailroom) -> dict[str, Any]:
    """Say what else changes when a row comes into a state: its due time, its code, and the draft nobody needs now."""
    if after is OutboxState.RECEIVED:
        bound = room.policy.opened_within[Lane(row["lane"])]
        return {"due_at": now + room.policy.silence(bound, silences=row["silences"])}
    if after is OutboxState.RESEAL:
        return {"due_at": now, "code": receipt.code}
    return {"draft": None, "code": receipt.code}


async def _compare_memories(session: Session, peer: str, seq_seen: int) -> None:
    """Note how far the partner has seen us; further than we remember sending means that this store is older (C44)."""
    ends = await outbox.pair_row(session, peer)
    if seq_seen > ends["peer_seen"]:
        await session.change(pair, ends, peer_seen=seq_seen)
    if seq_seen > ends["sent_seq"]:
        session.meta["mode"] = RECOVERY
        refs = {"peer": peer, "seq_seen": str(seq_seen), "seq_sent": str(ends["sent_seq"])}
        await alarms.raise_once(session, f"recovery/{peer}", priority=Priority.P1, code="store-is-older", refs=refs)
