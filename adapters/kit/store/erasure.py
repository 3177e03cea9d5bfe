"""Retention: content is erased by its key when its time has come; stubs, receipts and the ledger stay.

Guarantees: erasing a data key makes everything sealed under it unreadable, wherever copies of the ciphertext lie; the
key's bytes are overwritten (`secure_delete`, and `Store.scrub` empties the WAL or vacuums); nothing that is not yet
settled with the other side is erased, ever: it is kept and someone is told (REC-07); every erasure is in the ledger.
The envelopes of an erased thread keep their stubs, so what was sent and received can still be proved, not read.
The limit: backups made before hold the wrapped key until they are destroyed, and only the store key opens it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger, or_, select, type_coerce

from adapters.kit.delivery.admission import IN
from adapters.kit.delivery.outbox import OUT
from adapters.kit.delivery.states import OUTBOX_SETTLED, InboxState, OutboxState
from adapters.kit.store import alarms, ledger
from adapters.kit.store.alarms import Priority
from adapters.kit.store.errors import NotYetSettled, StoreDamaged
from adapters.kit.store.session import Row, Session
from adapters.kit.store.tables import document, envelope, inbox_rows, outbox_rows, record_key
from schemas.envelope import Malformed, read_envelope
from schemas.stub import Event

BATCH: Final = 100
_THREAD: Final = "thread/"
_INBOX_UNSETTLED: Final = frozenset({InboxState.STORED.value, InboxState.PARKED.value})


@dataclass(frozen=True)
class Erasure:
    """What a run of retention did: groups erased, and groups kept because something in them is not settled."""

    erased: tuple[str, ...]
    kept_back: tuple[str, ...]


@dataclass(frozen=True)
class ClassStanding:
    """How one retention class stands: groups without a date yet, with one, overdue, erased; and the next date."""

    retention: str
    open: int
    scheduled: int
    overdue: int
    erased: int
    next_at: datetime | None


async def schedule(session: Session, group: str, at: datetime | None) -> bool:
    """Say when a group's content is to be erased; None: not at all. Returns whether that is new.

    A group that does not exist yet, or no longer, is ignored.
    """
    row = await session.find(record_key, record_key.c.key_id == group)
    if row is None or row["erased_at"] is not None or row["erase_at"] == at:
        return False
    await session.change(record_key, row, erase_at=at)
    return True


async def schedule_by_age(session: Session, retention: str, keep_for: timedelta) -> int:
    """Give every group of a class its date by its age alone; returns how many dates are new, at most BATCH."""
    age = keep_for // timedelta(microseconds=1)
    wanted = type_coerce(record_key.c.made_at, BigInteger) + age
    other = or_(record_key.c.erase_at.is_(None), type_coerce(record_key.c.erase_at, BigInteger) != wanted)
    mine = select(record_key).where(record_key.c.retention == retention, record_key.c.erased_at.is_(None), other)
    rows = await session.select(record_key, mine.order_by(record_key.c.made_at).limit(BATCH))
    for row in rows:
        await session.change(record_key, row, erase_at=row["made_at"] + keep_for)
    return len(rows)


async def groups_of_documents(session: Session, kind: str, *, begin: str) -> tuple[str, ...]:
    """Give the groups of the documents of a kind whose key begins so; nothing is opened."""
    mine = select(document).where(document.c.kind == kind, document.c.key.startswith(begin, autoescape=True))
    return tuple(row["key_id"] for row in await session.select(document, mine.order_by(document.c.key)))


async def group_of_document(session: Session, kind: str, key: str) -> tuple[str, ...]:
    """Give the group of one document, or nothing where there is no such document; nothing is opened."""
    row = await session.find(document, document.c.kind == kind, document.c.key == key)
    return () if row is None else (row["key_id"],)


async def standing(session: Session) -> tuple[ClassStanding, ...]:
    """Say how every retention class stands now."""
    rows = await session.select(record_key, select(record_key).order_by(record_key.c.retention))
    classes = dict.fromkeys(row["retention"] for row in rows)
    return tuple(_standing(name, [row for row in rows if row["retention"] == name], session.now) for name in classes)


def _standing(name: str, rows: Sequence[Row], now: datetime) -> ClassStanding:
    counts = Counter(_where(row, now) for row in rows)
    dates = [row["erase_at"] for row in rows if _where(row, now) == "scheduled"]
    return ClassStanding(
        retention=name,
        open=counts["open"],
        scheduled=counts["scheduled"],
        overdue=counts["overdue"],
        erased=counts["erased"],
        next_at=min(dates, default=None),
    )


def _where(row: Row, now: datetime) -> str:
    if row["erased_at"] is not None:
        return "erased"
    if row["erase_at"] is None:
        return "open"
    return "overdue" if row["erase_at"] <= now else "scheduled"


async def erase_due(session: Session) -> Erasure:
    """Erase what is due, about BATCH groups; what is not settled is kept and alarmed, and holds nothing else up."""
    due = select(record_key).where(record_key.c.erase_at <= session.now, record_key.c.erased_at.is_(None))
    ordered = due.order_by(record_key.c.erase_at, record_key.c.key_id).limit(BATCH)
    erased: list[str] = []
    kept: list[str] = []
    while len(erased) < BATCH and (rows := await session.select(record_key, ordered.offset(len(kept)))):
        for row in rows:
            settled = await _erased_or_alarmed(session, row["key_id"])
            (erased if settled else kept).append(row["key_id"])
    return Erasure(tuple(erased), tuple(kept))


async def _erased_or_alarmed(session: Session, group: str) -> bool:
    try:
        await erase(session, group)
    except NotYetSettled:
        alarm_id = f"erasure/{group}/{session.now:%Y-%m-%d}"
        await alarms.raise_once(session, alarm_id, priority=Priority.P2, code="erasure-held", refs={"group": group})
        return False
    return True


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
    """Cut every envelope of a thread down to its stub, except receipts: they say nothing of anybody, and a partner that
    repeats a message long after (E11) gets the same ones again."""
    sent = await session.select(outbox_rows, select(outbox_rows).where(outbox_rows.c.thread == thread))
    came = await session.select(inbox_rows, select(inbox_rows).where(inbox_rows.c.thread == thread))
    refs = [(OUT, row["ref"]) for row in sent if row["event"] != Event.RECEIPT.value]
    refs_in = [(IN, f"{row['peer']}/{row['mid']}") for row in came if row["event"] != Event.RECEIPT.value]
    for way, ref in refs + refs_in:
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
