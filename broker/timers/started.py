"""The book of clocks that were started by hand: a clock and its timer rows are written together, and end together."""

from base64 import b32encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from secrets import token_bytes
from typing import Any

from sqlalchemy import insert, select, update

from broker.calendar import WorkingCalendar
from broker.errors import HubError
from broker.ledger.ledger import Ledger
from broker.ledger.tables import clocks, timers
from broker.sla.started import Started, StartedKind, timers_of
from broker.timers.rows import TimerRow


class NoSuchClock(HubError):
    """No clock of that name is running; `mash-hub clock list` shows those that are."""


def named(kind: StartedKind, *, whose: str, began_at: datetime) -> Started:
    """Name a clock that is to be started: two letters of its kind and six that no ear confuses."""
    letters = b32encode(token_bytes(5)).decode()[:6]
    return Started(f"{kind.value[:2].upper()}-{letters}", kind, whose, began_at)


def rows_of(started: Started, *, calendar: WorkingCalendar) -> tuple[TimerRow, ...]:
    """Give the timer rows of a clock; what each is about is its key: which of the marks."""
    subject = started.subject
    return tuple(
        TimerRow(f"{subject}/{one.key}", subject, one.key, one.due_at) for one in timers_of(started, calendar=calendar)
    )


async def start(ledger: Ledger, started: Started, *, calendar: WorkingCalendar) -> tuple[TimerRow, ...]:
    """Write a clock and its rows; those already due fire in the watch's next round. Gives the rows."""
    made = rows_of(started, calendar=calendar)
    async with ledger.writing() as connection:
        own: dict[str, Any] = {"name": started.name, "kind": started.kind.value, "whose": started.whose}
        await connection.execute(insert(clocks).values(own | {"began_at": started.began_at}))
        for row in made:
            values = {"key": row.key, "subject": row.subject, "kind": row.kind, "due_at": row.due_at}
            await connection.execute(insert(timers).values(values))
    return made


async def stop(ledger: Ledger, name: str, *, now: datetime) -> Started:
    """Stop a clock: its rows lapse, and its alert is over. Raises `NoSuchClock`."""
    async with ledger.writing() as connection:
        here = (clocks.c.name == name, clocks.c.stopped_at.is_(None))
        found = (await connection.execute(select(clocks).where(*here))).mappings().first()
        if found is None:
            raise NoSuchClock
        started = _read(found)
        await connection.execute(update(clocks).where(*here).values(stopped_at=now))
        standing = (timers.c.subject == started.subject, timers.c.lapsed_at.is_(None))
        await connection.execute(update(timers).where(*standing).values(lapsed_at=now))
    return replace(started, stopped_at=now)


async def all_of(ledger: Ledger) -> tuple[Started, ...]:
    """Give every clock that was ever started, oldest first."""
    async with ledger.reading() as connection:
        rows = await connection.execute(select(clocks).order_by(clocks.c.began_at))
        return tuple(_read(row) for row in rows.mappings())


def _read(row: Mapping[Any, Any]) -> Started:
    return Started(row["name"], StartedKind(row["kind"]), row["whose"], row["began_at"], row["stopped_at"])
