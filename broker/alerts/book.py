"""The book of alerts: which stand, which are over, and what the sinks have been told (C40, C41).

An alert has one open row for as long as its cause lasts, through restarts and with two watches on one ledger. Sinks are
told after the row is written and the telling is noted after that: a crash between the two tells once more, never never.
A sink that fails is tried again at the next round and holds no other up.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from broker.alerts.kinds import Alert, AlertKind, Urgency, news
from broker.ledger.ledger import Ledger
from broker.ledger.tables import alerts

_BATCH: Final = 200


@dataclass(frozen=True)
class Entry:
    """One row of the book."""

    number: int
    alert: Alert
    raised_at: datetime
    cleared_at: datetime | None


Sink = Callable[[Entry], Awaitable[None]]
"""Is told of an alert when it is raised and, with `cleared_at` set, when it is over. Raises when it could not tell."""


async def write(ledger: Ledger, wanted: Iterable[Alert], *, now: datetime) -> tuple[Alert, ...]:
    """Make the open rows those that are wanted; gives what was raised just now."""
    async with ledger.writing() as connection:
        open_keys = await connection.execute(select(alerts.c.key).where(alerts.c.cleared_at.is_(None)))
        raised, over = news(open_keys.scalars(), wanted)
        for key in sorted(over):
            here = (alerts.c.key == key, alerts.c.cleared_at.is_(None))
            await connection.execute(update(alerts).where(*here).values(cleared_at=now, clearing_told=False))
        for alert in raised:
            await connection.execute(insert(alerts).values(_row(alert, now)))
    return raised


async def tell(ledger: Ledger, sinks: Iterable[Sink]) -> int:
    """Tell every sink what it has not been told; gives how many tellings failed and will be tried again."""
    waiting = or_(alerts.c.raising_told.is_(False), alerts.c.clearing_told.is_(False))
    failed = 0
    some = tuple(sinks)
    for entry in await _entries(ledger, waiting, limit=_BATCH, oldest_first=True):
        if await _told(entry, some):
            async with ledger.writing() as connection:
                await _note(connection, entry)
        else:
            failed += 1
    return failed


async def standing(ledger: Ledger) -> tuple[Entry, ...]:
    """Give the alerts that stand, oldest first."""
    return await _entries(ledger, alerts.c.cleared_at.is_(None), limit=None, oldest_first=True)


async def recent(ledger: Ledger, *, limit: int = 100) -> tuple[Entry, ...]:
    """Give the last alerts, standing or over, youngest first."""
    return await _entries(ledger, alerts.c.number > 0, limit=limit, oldest_first=False)


def _row(alert: Alert, now: datetime) -> dict[str, Any]:
    return {
        "key": alert.key,
        "kind": alert.kind.value,
        "participant": alert.participant,
        "peer": alert.peer,
        "reference": alert.reference,
        "code": alert.code,
        "urgency": alert.urgency.value,
        "telephone": alert.telephone,
        "count": alert.count,
        "raised_at": now,
        "raising_told": False,
        "clearing_told": True,
    }


async def _entries(ledger: Ledger, which: Any, *, limit: int | None, oldest_first: bool) -> tuple[Entry, ...]:
    order = alerts.c.number if oldest_first else alerts.c.number.desc()
    async with ledger.reading() as connection:
        rows = await connection.execute(select(alerts).where(which).order_by(order).limit(limit))
        return tuple(entry_of(row) for row in rows.mappings())


def entry_of(row: Any) -> Entry:
    """Read a row of the book."""
    alert = Alert(
        kind=AlertKind(row["kind"]),
        participant=row["participant"],
        urgency=Urgency(row["urgency"]),
        peer=row["peer"],
        reference=row["reference"],
        code=row["code"],
        telephone=row["telephone"],
        count=row["count"],
    )
    return Entry(row["number"], alert, row["raised_at"], row["cleared_at"])


async def _told(entry: Entry, sinks: Iterable[Sink]) -> bool:
    """Tell every sink, also those after one that fails."""
    done = True
    for sink in sinks:
        try:
            await sink(entry)
        except Exception:
            done = False  # the sink says itself what went wrong, in its own log; here it is only tried again
    return done


async def _note(connection: AsyncConnection, entry: Entry) -> None:
    """Note what was told as of `entry`: what was cleared since then is still to be told."""
    told: dict[str, Any] = {"raising_told": True}
    if entry.cleared_at is not None:
        told["clearing_told"] = True
    await connection.execute(update(alerts).where(alerts.c.number == entry.number).values(told))
