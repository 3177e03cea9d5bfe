"""The hub's timers as rows of its ledger's database: written once, fired once, lapsed when what they wait for is over.

A row is written in one transaction with others that begin together and claimed by compare-and-set, so it fires once
through restarts and with two watches on one ledger. A row that has lapsed rings for nobody, fired or not; one that is
wanted again rises, and keeps its firing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from broker.ledger import Ledger
from broker.ledger_tables import timers

_AT_ONCE: Final = 500


@dataclass(frozen=True)
class TimerRow:
    """One row: `subject` is whose clock it is on, `kind` what it is about. Times in UTC."""

    key: str
    subject: str
    kind: str
    due_at: datetime
    fired_at: datetime | None = None


async def standing(ledger: Ledger) -> tuple[TimerRow, ...]:
    """Give the rows that have not lapsed, fired or not, soonest first."""
    async with ledger.reading() as connection:
        rows = await connection.execute(select(timers).where(timers.c.lapsed_at.is_(None)).order_by(timers.c.due_at))
        return tuple(_row(row) for row in rows.mappings())


async def write(ledger: Ledger, wanted: Iterable[TimerRow], *, gone: Iterable[str], now: datetime) -> None:
    """Write rows that are new or moved, let rows lapse; all of it or nothing."""
    async with ledger.writing() as connection:
        for row in wanted:
            await _put(connection, row)
        for key in gone:
            here = and_(timers.c.key == key, timers.c.lapsed_at.is_(None))
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


async def _put(connection: AsyncConnection, row: TimerRow) -> None:
    known = (await connection.execute(select(timers.c.key).where(timers.c.key == row.key))).first()
    values: dict[str, Any] = {"due_at": row.due_at, "lapsed_at": None}
    if known is not None:
        await connection.execute(update(timers).where(timers.c.key == row.key).values(values))
        return
    own = {"key": row.key, "subject": row.subject, "kind": row.kind, "fired_at": None}
    await connection.execute(insert(timers).values(own | values))


def _row(row: Mapping[Any, Any]) -> TimerRow:
    return TimerRow(row["key"], row["subject"], row["kind"], row["due_at"], row["fired_at"])
