"""Deadlines as rows: a timer fires once, in the transaction of its effect, however long the adapter slept.

Guarantees: `fire` is a compare-and-set, so of two that see a timer due only one acts (C40); a timer that fell due while
the adapter was down is due at its start; firing and effect are stored together or not at all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from adapters.kit.store.session import Session
from adapters.kit.store.tables import timer

BATCH: Final = 100
OWN: Final = "delivery."


@dataclass(frozen=True)
class Timer:
    """One deadline: `kind` says what to do, `ref` about what; `due_at` is UTC."""

    kind: str
    ref: str
    due_at: datetime


async def add(session: Session, timer_: Timer) -> None:
    """Set a timer; the same kind and ref again moves it, unless it has fired."""
    row = await session.find(timer, timer.c.kind == timer_.kind, timer.c.ref == timer_.ref)
    if row is None:
        await session.insert(timer, {"kind": timer_.kind, "ref": timer_.ref, "due_at": timer_.due_at})
    elif row["fired_at"] is None:
        await session.change(timer, row, due_at=timer_.due_at)


async def keep(session: Session, prefix: str, wanted: Iterable[Timer]) -> None:
    """Set every timer in `wanted`, whose refs begin with `prefix`; one that has fired or was stopped stays so."""
    here = timer.c.ref.startswith(prefix, autoescape=True)
    known = {(row["kind"], row["ref"]): row for row in await session.select(timer, select(timer).where(here))}
    for one in wanted:
        row = known.get((one.kind, one.ref))
        if row is None:
            await session.insert(timer, {"kind": one.kind, "ref": one.ref, "due_at": one.due_at})
        elif row["fired_at"] is None and row["due_at"] != one.due_at:
            await session.change(timer, row, due_at=one.due_at)


async def cancel(session: Session, kind: str, ref: str) -> bool:
    """Stop a timer; returns whether it was still to fire."""
    return await _settle(session, kind, ref, latest=None)


async def fire(session: Session, timer_: Timer) -> bool:
    """Take a timer for firing in this transaction; False if it has fired, was stopped or was put off meanwhile."""
    return await _settle(session, timer_.kind, timer_.ref, latest=timer_.due_at)


async def _settle(session: Session, kind: str, ref: str, *, latest: datetime | None) -> bool:
    row = await session.find(timer, kind=kind, ref=ref)
    if row is None or row["fired_at"] is not None or (latest is not None and row["due_at"] > latest):
        return False
    await session.change(timer, row, fired_at=session.now)
    return True


async def due(session: Session, now: datetime, *, own: bool = False, limit: int = BATCH) -> list[Timer]:
    """Return timers that are due, the oldest first, at most `limit`: the domain's, or with `own` those of delivery."""
    statement = select(timer).where(timer.c.fired_at.is_(None), timer.c.due_at <= now)
    ours = timer.c.kind.startswith(OWN, autoescape=True)
    statement = statement.where(ours if own else ~ours)
    rows = await session.select(timer, statement.order_by(timer.c.due_at, timer.c.kind, timer.c.ref).limit(limit))
    return [Timer(row["kind"], row["ref"], row["due_at"]) for row in rows]
