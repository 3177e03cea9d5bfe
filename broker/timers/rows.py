"""The hub's timers as rows of its ledger's database: written once, fired once, lapsed when what they wait for is over.

A row is claimed by compare-and-set, so it fires once through restarts and with two watches on one ledger. Many rows are
written and read in steps, with the loop free between them: a row that is not there yet fires a round later.
A row that has lapsed rings for nobody, fired or not; one that is wanted again rises, and keeps its firing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, insert, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from broker.ledger.ledger import Ledger
from broker.ledger.tables import timers

_AT_ONCE: Final = 200
_PAGE: Final = 1_000


@dataclass(frozen=True)
class TimerRow:
    """One row: `subject` is whose clock it is on, `kind` what it is about. Times in UTC."""

    key: str
    subject: str
    kind: str
    due_at: datetime
    fired_at: datetime | None = None


async def standing(ledger: Ledger, *, prefix: str = "") -> tuple[TimerRow, ...]:
    """Give the rows that have not lapsed, fired or not, whose keys begin with `prefix`, in the order of their keys."""
    found: list[TimerRow] = []
    while some := await _page(ledger, prefix=prefix, after=found[-1].key if found else prefix):
        found += some
    return tuple(found)


async def _page(ledger: Ledger, *, prefix: str, after: str) -> list[TimerRow]:
    begins = timers.c.key.startswith(prefix, autoescape=True) if prefix else true()
    here = and_(timers.c.lapsed_at.is_(None), timers.c.key > after, begins)
    async with ledger.reading() as connection:
        rows = await connection.execute(select(timers).where(here).order_by(timers.c.key).limit(_PAGE))
        return [_row(row) for row in rows.mappings()]


async def write(ledger: Ledger, wanted: Sequence[TimerRow], *, gone: Sequence[str], now: datetime) -> None:
    """Write rows that are new or moved, and let rows lapse; in steps, so that no stub waits long for its turn."""
    for begin in range(0, len(wanted), _AT_ONCE):
        async with ledger.writing() as connection:
            await _put(connection, wanted[begin : begin + _AT_ONCE])
    for begin in range(0, len(gone), _AT_ONCE):
        here = and_(timers.c.key.in_(gone[begin : begin + _AT_ONCE]), timers.c.lapsed_at.is_(None))
        async with ledger.writing() as connection:
            await connection.execute(update(timers).where(here).values(lapsed_at=now))


async def fire(ledger: Ledger, keys: Sequence[str], *, now: datetime) -> tuple[TimerRow, ...]:
    """Claim what is due among `keys`; gives the rows that stand, are not fired, and are due later after all."""
    later: list[TimerRow] = []
    async with ledger.writing() as connection:
        for begin in range(0, len(keys), _AT_ONCE):
            chosen = timers.c.key.in_(keys[begin : begin + _AT_ONCE])
            here = and_(chosen, timers.c.fired_at.is_(None), timers.c.lapsed_at.is_(None))
            await connection.execute(update(timers).where(here, timers.c.due_at <= now).values(fired_at=now))
            left = await connection.execute(select(timers).where(here))
            later += [_row(row) for row in left.mappings()]
    return tuple(later)


async def _put(connection: AsyncConnection, some: Sequence[TimerRow]) -> None:
    known_keys = await connection.execute(select(timers.c.key).where(timers.c.key.in_([row.key for row in some])))
    known = set(known_keys.scalars())
    for row in (row for row in some if row.key in known):
        values = {"due_at": row.due_at, "lapsed_at": None}
        await connection.execute(update(timers).where(timers.c.key == row.key).values(values))
    fresh = [
        {"key": row.key, "subject": row.subject, "kind": row.kind, "due_at": row.due_at}
        for row in some
        if row.key not in known
    ]
    if fresh:
        await connection.execute(insert(timers), fresh)


def _row(row: Mapping[Any, Any]) -> TimerRow:
    return TimerRow(row["key"], row["subject"], row["kind"], row["due_at"], row["fired_at"])
