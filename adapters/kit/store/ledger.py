"""The adapter's own ledger: append-only, hash-chained, its details sealed (REC-01, REC-02, REC-03).

Guarantees: an entry is written in the transaction of what it records, so either both exist or neither (C42); every
hash covers the one before it, the sealed detail and all references; the head and the count are kept in the store's
guarded row, so that cutting off the end is seen too. Erasing a detail by key leaves the chain whole, because the hash
covers the ciphertext. `refs` are references without personal data.
It cannot show that a whole older database was put in place of this one: that is `recovery.py`'s work.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import uuid4

from sqlalchemy import select

from adapters.kit.failpoints import reach
from adapters.kit.store.sealed_fields import Place, framed
from adapters.kit.store.session import Row, SealedValue, Session
from adapters.kit.store.tables import ledger

GENESIS: Final = bytes(32)
_PAGE: Final = 1000


@dataclass(frozen=True)
class Entry:
    """One entry as anybody may see it; the detail stays sealed."""

    number: int
    at: datetime
    event: str
    refs: Mapping[str, str]


@dataclass(frozen=True)
class LedgerCheck:
    """What a verification found: how many entries, and the number of the first that does not fit, if any."""

    entries: int
    broken_at: int | None


async def append(
    session: Session, event: str, *, refs: Mapping[str, str], detail: bytes = b"", group: str | None = None
) -> int:
    """Append an entry; returns its number (1, 2, …). `detail` is sealed, under the data key `group` if given."""
    number: int = session.meta["ledger_count"] + 1
    row: Row = {
        "number": number,
        "at": session.now,
        "event": event,
        "refs": json.dumps(dict(sorted(refs.items())), separators=(",", ":")),
        "previous": session.meta["ledger_head"],
        **await _sealed_detail(session, number, detail, group=group),
    }
    row["hash"] = _hash(row)
    await session.insert(ledger, row)
    session.meta.update(ledger_count=number, ledger_head=row["hash"])
    reach("C42")
    return number


async def _sealed_detail(session: Session, number: int, detail: bytes, *, group: str | None) -> Row:
    if not detail:
        return {"key_id": None, "epoch": 0, "detail": b""}
    place = Place("ledger", str(number), "detail")
    sealed = await session.seal(detail, place=place, retention="ledger", key_id=group or f"ledger/{uuid4().hex}")
    return {"key_id": sealed.key_id, "epoch": sealed.epoch, "detail": sealed.sealed}


def _hash(row: Row) -> bytes:
    told = (
        str(row["number"]),
        row["at"].isoformat(),
        row["event"],
        row["refs"],
        row["key_id"] or "",
        str(row["epoch"]),
    )
    return sha256(framed(b"mash/ledger/1", row["previous"], row["detail"], *(text.encode() for text in told))).digest()


async def read_detail(session: Session, number: int) -> bytes | None:
    """Open an entry's detail; None if there is no such entry. Raises ContentErased after erasure."""
    row = await session.find(ledger, ledger.c.number == number)
    if row is None or row["key_id"] is None:
        return None if row is None else b""
    sealed = SealedValue(row["key_id"], row["epoch"], row["detail"])
    return await session.open(sealed, place=Place("ledger", str(number), "detail"))


async def entries(session: Session, *, after: int = 0, limit: int = _PAGE) -> list[Entry]:
    """Return entries in order, from the one behind `after`."""
    statement = select(ledger).where(ledger.c.number > after).order_by(ledger.c.number).limit(limit)
    rows = await session.select(ledger, statement)
    return [Entry(row["number"], row["at"], row["event"], json.loads(row["refs"])) for row in rows]


async def verify(session: Session, *, start: int = 1) -> LedgerCheck:
    """Recompute the chain from entry `start`; a changed, missing, inserted or cut-off entry is named."""
    expected, previous = max(start, 1), GENESIS if start <= 1 else None
    while rows := await _page(session, expected):
        for row in rows:
            fits = row["number"] == expected and previous in (None, row["previous"]) and row["hash"] == _hash(row)
            if not fits:
                return LedgerCheck(expected - 1, expected)
            expected, previous = expected + 1, row["hash"]
    whole = expected - 1 == session.meta["ledger_count"] and previous in (None, session.meta["ledger_head"])
    return LedgerCheck(expected - 1, None if whole else expected)


async def _page(session: Session, start: int) -> list[Row]:
    statement = select(ledger).where(ledger.c.number >= start).order_by(ledger.c.number).limit(_PAGE)
    return await session.select(ledger, statement)
