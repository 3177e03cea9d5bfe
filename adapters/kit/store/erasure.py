"""Retention: content is erased by its key when its time has come; stubs, receipts and the ledger stay.

Guarantees: erasing a data key makes everything sealed under it unreadable, wherever copies of the ciphertext lie; the
key's bytes are overwritten (`secure_delete`, and `Store.scrub` empties the WAL or vacuums); nothing that is not yet
settled with the other side is erased, ever: it is kept and someone is told (REC-07); every erasure is in the ledger.
The envelopes of an erased thread keep their stubs, so what was sent and received can still be proved, not read.
The limit: backups made before hold the wrapped key until they are destroyed, and only the store key opens it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from adapters.kit.delivery.admission import IN
from adapters.kit.delivery.outbox import OUT
from adapters.kit.delivery.states import OUTBOX_SETTLED, InboxState, OutboxState
from adapters.kit.store import alarms, ledger
from adapters.kit.store.alarms import Priority
from adapters.kit.store.errors import NotYetSettled, StoreDamaged
from adapters.kit.store.session import Row, Session
from adapters.kit.store.tables import envelope, inbox_rows, outbox_rows, record_key
from schemas.envelope import Malformed, read_envelope

BATCH: Final = 100
_THREAD: Final = "thread/"
_INBOX_UNSETTLED: Final = frozenset({InboxState.STORED.value, InboxState.PARKED.value})


@dataclass(frozen=True)
class Erasure:
    """What a run of retention did: groups erased, and groups kept because something in them is not settled."""

    erased: tuple[str, ...]
    kept_back: tuple[str, ...]


async def schedule(session: Session, group: str, at: datetime | None) -> None:
    """Say when a group's content is to be erased; None: not at all. A group that does not exist yet is ignored."""
    row = await session.find(record_key, record_key.c.key_id == group)
    if row is not None and row["erased_at"] is None:
        await session.change(record_key, row, erase_at=at)


async def erase_due(session: Session) -> Erasure:
    """Erase what is due, at most BATCH groups; what is not settled is kept and alarmed."""
    due = select(record_key).where(record_key.c.erase_at <= session.now, record_key.c.erased_at.is_(None))
    rows = await session.select(record_key, due.order_by(record_key.c.erase_at).limit(BATCH))
    erased: list[str] = []
    kept: list[str] = []
    for row in rows:
        group = row["key_id"]
        try:
            await erase(session, group)
            erased.append(group)
        except NotYetSettled:
            kept.append(group)
            alarm_id = f"erasure/{group}/{session.now:%Y-%m-%d}"
            await alarms.raise_once(session, alarm_id, priority=Priority.P2, code="erasure-held", refs={"group": group})
    return Erasure(tuple(erased), tuple(kept))


async def erase(session: Session, group: str) -> None:
    """Erase one group now. Raises NotYetSettled if a message in it is not settled with the other side."""
    row = await session.find(record_key, record_key.c.key_id == group)
    if row is None or row["erased_at"] is not None:
        return
    await _refuse_unsettled(session, group)
    if group.startswith(_THREAD):
        await _keep_only_stubs(session, group.removeprefix(_THREAD))
    await session.change(record_key, row, wrapped=None, erased_at=session.now)
    session.forget_data_key(group)
    await ledger.append(session, "content.erased", refs={"group": group, "retention": row["retention"]})


async def _refuse_unsettled(session: Session, group: str) -> None:
    sent = await session.select(outbox_rows, select(outbox_rows).where(outbox_rows.c.key_id == group))
    if any(OutboxState(row["state"]) not in OUTBOX_SETTLED for row in sent):
        raise NotYetSettled(group)
    if not group.startswith(_THREAD):
        return
    thread = group.removeprefix(_THREAD)
    came = await session.select(inbox_rows, select(inbox_rows).where(inbox_rows.c.thread == thread))
    notes = await session.select(outbox_rows, select(outbox_rows).where(outbox_rows.c.thread == thread))
    if any(row["state"] in _INBOX_UNSETTLED for row in came):
        raise NotYetSettled(group)
    if any(OutboxState(row["state"]) not in OUTBOX_SETTLED for row in notes):
        raise NotYetSettled(group)


async def _keep_only_stubs(session: Session, thread: str) -> None:
    sent = await session.select(outbox_rows, select(outbox_rows).where(outbox_rows.c.thread == thread))
    came = await session.select(inbox_rows, select(inbox_rows).where(inbox_rows.c.thread == thread))
    refs = [(OUT, row["ref"]) for row in sent] + [(IN, f"{row['peer']}/{row['mid']}") for row in came]
    for way, ref in refs:
        # A conflicting twin (E12) is kept under the same reference with its hash behind it.
        same = (envelope.c.ref == ref) | envelope.c.ref.startswith(f"{ref}/", autoescape=True)
        for kept in await session.select(envelope, select(envelope).where(envelope.c.way == way, same)):
            await _cut(session, kept)
    for row in sent:
        await session.change(outbox_rows, row, draft=None)


async def _cut(session: Session, kept: Row) -> None:
    if not kept["whole"]:
        return
    frame = read_envelope(kept["body"])
    if isinstance(frame, Malformed):
        raise StoreDamaged("a stored envelope")
    await session.change(envelope, kept, body=frame.stub, whole=0)
