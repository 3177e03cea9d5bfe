"""The outbox: what leaves, in which state, sealed once, numbered without a hole, and recalled only before it left.

Guarantees: the row, its number in the chain of the pair, its sealed bytes and its ledger entry are one transaction with
the domain's change (C01, C05; REC-01: no ledger, no sending); the bytes never change after that, so a retry repeats
them; the same idempotency key gives the same row (C02); every move is one that `states.OUTBOX` has.
A receipt moves a row only if it names the row's stub hash and comes from the row's recipient (I4).
Publishing is `outbox_pump.py`; nothing here touches the network.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from adapters.kit.delivery.chain import FIRST
from adapters.kit.delivery.policy import DeliveryPolicy
from adapters.kit.delivery.states import OUTBOX_AT_REST, IllegalMove, OutboxEvent, OutboxState, next_outbox
from adapters.kit.envelope import drafts
from adapters.kit.envelope.envelopes import Envelopes
from adapters.kit.envelope.sealing import CannotSeal, Chain, Outgoing, Sealed
from adapters.kit.failpoints import reach
from adapters.kit.store import alarms, ledger
from adapters.kit.store.alarms import Priority
from adapters.kit.store.errors import InRecovery, StoreDamaged, TooLate
from adapters.kit.store.sealed_fields import Place
from adapters.kit.store.session import Row, SealedValue, Session
from adapters.kit.store.tables import envelope, outbox_rows, pair
from schemas.stub import Event

MESSAGE: Final = "message"
NOTE: Final = "note"  # a receipt or a heartbeat: never receipted, so it is done when the hub has confirmed it
_NOTES: Final = frozenset({Event.RECEIPT, Event.HEARTBEAT})
SENDING: Final = "sending"
RECOVERY: Final = "recovery"
OUT: Final = "out"
UNSEALED_PAUSE: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class OutboxRef:
    """An outgoing message: `ref` from the start, `mid` as soon as it is sealed."""

    ref: str
    mid: str | None
    state: OutboxState
    received_at: datetime | None = None


@dataclass(frozen=True)
class Mailroom:
    """What the outbox needs besides the session: who seals, and the bounds."""

    envelopes: Envelopes
    policy: DeliveryPolicy


async def enqueue(
    session: Session,
    outgoing: Outgoing,
    *,
    room: Mailroom,
    release_at: datetime | None = None,
    idempotency_key: str | None = None,
) -> OutboxRef:
    """Put a message into the outbox: sealed now, or HELD until `release_at`.

    Raises CannotSeal, or InRecovery for anything but a receipt, which waits as a draft instead.
    """
    known = await _known(session, idempotency_key)
    if known is not None:
        return as_ref(await _latest(session, known))
    note = outgoing.event in _NOTES
    recovering = session.meta["mode"] == RECOVERY
    if recovering and not note:
        raise InRecovery
    row = _new_row(session, outgoing, idempotency_key=idempotency_key, note=note)
    held = release_at is not None and release_at > session.now
    if held or recovering:
        waiting = OutboxState.HELD if held else OutboxState.DRAFT
        row |= {"state": waiting.value, "due_at": release_at if held else session.now}
        return as_ref(await session.insert(outbox_rows, row | await _draft(session, row["ref"], outgoing)))
    return as_ref(await _enqueue_sealed(session, row, outgoing, room=room))


async def _enqueue_sealed(session: Session, row: Row, outgoing: Outgoing, *, room: Mailroom) -> Row:
    """Seal at once. A receipt that cannot be sealed waits as a draft: what it acknowledges is stored all the same."""
    if row["sort"] == MESSAGE:
        row |= await _draft(session, row["ref"], outgoing)
        return await session.insert(outbox_rows, row | await _seal(session, row, outgoing, room=room))
    try:
        row |= await _seal(session, row, outgoing, room=room)
    except CannotSeal:
        row |= {"due_at": session.now + UNSEALED_PAUSE, **await _draft(session, row["ref"], outgoing)}
    return await session.insert(outbox_rows, row)


async def _known(session: Session, idempotency_key: str | None) -> Row | None:
    if idempotency_key is None:
        return None
    return await session.find(outbox_rows, idempotency_key=idempotency_key)


def _new_row(session: Session, outgoing: Outgoing, *, idempotency_key: str | None, note: bool) -> Row:
    return {
        "ref": uuid4().hex,
        "sort": NOTE if note else MESSAGE,
        "recipient": outgoing.recipient,
        "thread": outgoing.thread,
        "event": outgoing.event.value,
        "lane": outgoing.lane.value,
        "state": OutboxState.DRAFT.value,
        "in_reply_to": outgoing.in_reply_to,
        "idempotency_key": idempotency_key,
        "attempt": 0,
        "silences": 0,
        "reseals": 0,
        "made_at": session.now,
    }


async def _draft(session: Session, ref: str, outgoing: Outgoing) -> Row:
    plain, place = drafts.to_bytes(outgoing), Place("outbox", ref, "draft")
    value = await session.seal(plain, place=place, retention="enquiry", key_id=thread_key(outgoing.thread))
    return {"key_id": value.key_id, "epoch": value.epoch, "draft": value.sealed}


def thread_key(thread: str) -> str:
    """Name the data key that everything said in a thread is sealed under at rest."""
    return f"thread/{thread}"


async def read_draft(session: Session, row: Row) -> Outgoing:
    """Open the draft of a row; raises StoreDamaged if it has none."""
    if row["draft"] is None:
        raise StoreDamaged("a message to be sealed has no draft")
    value = SealedValue(row["key_id"], row["epoch"], row["draft"])
    return drafts.from_bytes(await session.open(value, place=Place("outbox", row["ref"], "draft")))


async def _seal(session: Session, row: Row, outgoing: Outgoing, *, room: Mailroom) -> Row:
    """Number and seal; returns the columns that change. All in the caller's transaction, so no number is lost (C05)."""
    ends = await pair_row(session, outgoing.recipient)
    chain = Chain(ends["sent_seq"] + 1, ends["sent_hash"])
    sealed = room.envelopes.seal(outgoing, chain=chain, now=session.now)
    reach("C05")
    await session.change(pair, ends, sent_seq=chain.seq, sent_hash=sealed.stub_hash)
    await session.insert(envelope, {"way": OUT, "ref": row["ref"], "body": sealed.body, "whole": 1})
    refs = {"ref": row["ref"], "mid": sealed.mid, "to": outgoing.recipient, "event": outgoing.event.value}
    await _record_sealing(session, sealed, outgoing, refs=refs)
    return {
        "state": next_outbox(OutboxState(row["state"]), OutboxEvent.SEAL).value,
        "mid": sealed.mid,
        "seq": chain.seq,
        "stub_hash": sealed.stub_hash,
        "expires_at": session.now + outgoing.expires_after,
        "due_at": session.now,
    }


async def _record_sealing(session: Session, sealed: Sealed, outgoing: Outgoing, *, refs: dict[str, str]) -> None:
    """Enter what was sent to whom, and, for a message, the openings by which its text can be proved later (REC-01)."""
    refs |= {"stub": sealed.stub_hash.hex()}
    openings = b"" if outgoing.event in _NOTES else sealed.openings.reveal()
    await ledger.append(session, "envelope.sealed", refs=refs, detail=openings, group=thread_key(outgoing.thread))


async def pair_row(session: Session, peer: str) -> Row:
    """Return the two chains with a partner, begun if this is the first word between the two."""
    row = await session.find(pair, peer=peer)
    if row is None:
        begun = {"peer": peer, "sent_seq": 0, "sent_hash": FIRST, "seen_seq": 0, "peer_seen": 0}
        row = await session.insert(pair, begun)
    return row


async def release(session: Session, row: Row, *, room: Mailroom) -> Row:
    """Seal a HELD or DRAFT row now; what cannot be sealed yet waits and is tried again, with an alarm."""
    try:
        after = await session.change(
            outbox_rows, row, **await _seal(session, row, await read_draft(session, row), room=room)
        )
    except CannotSeal as reason:
        refs = {"ref": row["ref"], "to": row["recipient"], "reason": type(reason).__name__}
        await alarms.raise_once(session, f"unsealed/{row['ref']}", priority=Priority.P1, code="cannot-seal", refs=refs)
        return await session.change(outbox_rows, row, due_at=session.now + UNSEALED_PAUSE)
    reach("C03")
    return after


async def recall(session: Session, ref: str) -> OutboxRef:
    """Take a message back before it is released; raises TooLate when it has been (C04)."""
    row = await session.find(outbox_rows, ref=ref)
    if row is None:
        raise TooLate("unknown message")
    try:
        after = await move(session, row, OutboxEvent.RECALL, draft=None)
    except IllegalMove:
        raise TooLate(row["state"]) from None
    await ledger.append(session, "message.recalled", refs={"ref": ref, "to": row["recipient"]})
    reach("C04")
    return as_ref(after)


async def move(session: Session, row: Row, event: OutboxEvent, **changes: Any) -> Row:
    """Take a row where the table says `event` takes it; a state at rest has no due time. Raises IllegalMove."""
    after = next_outbox(OutboxState(row["state"]), event)
    if after in OUTBOX_AT_REST:
        changes["due_at"] = None
    return await session.change(outbox_rows, row, state=after.value, **changes)


async def close(session: Session, ref: str) -> OutboxRef | None:
    """Say that the domain has what it asked for with this message (an answer came, or it asks no more)."""
    row = await session.find(outbox_rows, ref=ref)
    if row is None:
        return None
    return as_ref(await move(session, row, OutboxEvent.CLOSE, closed_at=session.now))


async def look(session: Session, ref: str) -> OutboxRef | None:
    """Return where an outgoing message is, or None; one that was sealed again is found under its first ref."""
    row = await session.find(outbox_rows, ref=ref)
    return None if row is None else as_ref(await _latest(session, row))


async def _latest(session: Session, row: Row) -> Row:
    while (successor := await session.find(outbox_rows, supersedes=row["ref"])) is not None:
        row = successor
    return row


async def seal_again(session: Session, row: Row, *, room: Mailroom) -> Row:
    """Replace a message whose keys were refused by a fresh one: new mid, same content, one successor (C12).

    What cannot be sealed yet stays in RESEAL and is tried again.
    """
    outgoing = await read_draft(session, row)
    successor = _new_row(session, outgoing, idempotency_key=None, note=False)
    successor |= {"supersedes": row["ref"], "reseals": row["reseals"] + 1}
    try:
        successor |= await _seal(session, successor, outgoing, room=room)
    except CannotSeal:
        return await session.change(outbox_rows, row, due_at=session.now + UNSEALED_PAUSE)
    reach("C12")
    await move(session, row, OutboxEvent.SUPERSEDE, draft=None, closed_at=session.now)
    return await session.insert(outbox_rows, successor | await _draft(session, successor["ref"], outgoing))


def as_ref(row: Row) -> OutboxRef:
    """Return a row as callers see it."""
    return OutboxRef(row["ref"], row["mid"], OutboxState(row["state"]), row["received_at"])


async def bytes_of(session: Session, row: Row) -> bytes:
    """Give the sealed bytes of a message. Raises StoreDamaged where they are gone or cut."""
    kept = await session.find(envelope, way=OUT, ref=row["ref"])
    if kept is None or not kept["whole"]:
        raise StoreDamaged("a sealed message without its bytes")
    return bytes(kept["body"])
