"""How tellings come to be and change hands: written when they are decided, taken by a carrier, noted how they fared.

It guarantees: a rung of an alert has its rows once, whoever decided it and however often (SLA-08); a row is handed to
one carrier at a time, also with two watches on one ledger, and comes back when a process dies with it in hand; once an
alert is over or acknowledged, what was not told yet is given up. No transaction is long: whoever enters stubs waits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, and_, case, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from broker.alerts.book import Entry, entry_of
from broker.alerts.desks import OUT_OF_HOURS, Desk, Way
from broker.alerts.escalation import Tell
from broker.alerts.kinds import Urgency
from broker.alerts.tellings import State, Telling, placed, telling_of, waits_for_a_human
from broker.ledger.ledger import Ledger
from broker.ledger.tables import alerts, tellings

SINGLY: Final = 3
"""More alerts than this, for one person by one way at one moment, are told as one: nobody reads three hundred mails."""
_AT_ONCE: Final = 500
_PAGE: Final = 100
_FIRST: Final = case((alerts.c.urgency == Urgency.NOW.value, 0), else_=1)
"""What cannot wait goes before everything else."""


@dataclass(frozen=True)
class Batch:
    """What goes out as one notice: tellings of one way, and the alert of the first, which the notice speaks of."""

    tellings: tuple[Telling, ...]
    entry: Entry

    @property
    def first(self) -> Telling:
        """Give the telling whose alert the notice speaks of."""
        return self.tellings[0]


async def write_steps(ledger: Ledger, steps: Sequence[tuple[Entry, Desk, Tell]], *, now: datetime) -> None:
    """Write the rows of rungs that are to be told, a few at a time: whoever enters stubs waits for none of it."""
    for start in range(0, len(steps), _PAGE):
        some = steps[start : start + _PAGE]
        async with ledger.writing() as connection:
            chosen = select(tellings).where(tellings.c.alert.in_([entry.number for entry, _, _ in some]))
            known = (await connection.execute(chosen)).mappings().all()
            rows = [row for entry, desk, tell in some for row in _new_rows(entry, desk, tell, known, now)]
            if rows:
                await connection.execute(insert(tellings), rows)


def _new_rows(
    entry: Entry, desk: Desk, tell: Tell, known: Sequence[Mapping[Any, Any]], now: datetime
) -> list[dict[str, Any]]:
    """Make the rows of a rung, or none if it has rows; what was given up there before stays as it is."""
    there = [row for row in known if (row["alert"], row["rung"]) == (entry.number, tell.rung)]
    if any(row["state"] != State.ABANDONED.value for row in there):
        return []
    taken = {(row["post"], row["way"], row["place"]) for row in there}
    made = _rows(entry, desk, tell, now)
    return [row for row in made if (row["post"], row["way"], row["place"]) not in taken]


async def claim(ledger: Ledger, *, now: datetime, lease: timedelta, room: Mapping[Way, int]) -> tuple[Batch, ...]:
    """Take what is due, as many batches of each way as there is `room`, what cannot wait first.

    A batch goes out as one notice: singly, unless more than `SINGLY` alerts wait for the same person by the same way.
    What was taken comes back after `lease` unless its end is noted.
    """
    due = (tellings.c.state == State.WAITING.value, tellings.c.next_try_at <= now, waits_for_a_human())
    if not await _is_any(ledger, _with_alert().where(*due)):
        return ()
    claimed: list[Batch] = []
    async with ledger.writing() as connection:
        for way, most in room.items():
            chosen = _with_alert().where(*due, tellings.c.way == way.value).order_by(_FIRST, tellings.c.number)
            rows = (await connection.execute(chosen.limit(_AT_ONCE))).mappings().all()
            taken = _batches(rows)[:most]
            numbers = [row["number"] for batch in taken for row in batch]
            await note(connection, numbers, next_try_at=now + lease, attempts=tellings.c.attempts + 1)
            claimed += [await _claimed(connection, batch) for batch in taken]
    return tuple(claimed)


async def _claimed(connection: AsyncConnection, rows: Sequence[Mapping[Any, Any]]) -> Batch:
    about = await connection.execute(select(alerts).where(alerts.c.number == rows[0]["alert"]))
    taken = tuple(telling_of({**row, "attempts": row["attempts"] + 1}) for row in rows)
    return Batch(taken, entry_of(about.mappings().one()))


def _batches(rows: Sequence[Mapping[Any, Any]]) -> list[list[Mapping[Any, Any]]]:
    by_way: dict[tuple[Any, ...], list[Mapping[Any, Any]]] = {}
    for row in rows:
        by_way.setdefault((row["desk"], row["rung"], row["post"], row["place"]), []).append(row)
    return [batch for some in by_way.values() for batch in ([some] if len(some) > SINGLY else [[row] for row in some])]


async def claim_followed(ledger: Ledger, *, now: datetime, lease: timedelta, most: int) -> tuple[Telling, ...]:
    """Take what was accepted and whose fate is to be asked for now."""
    due = (tellings.c.state == State.ACCEPTED.value, tellings.c.receipt != "", tellings.c.next_try_at <= now)
    if not await _is_any(ledger, select(tellings).where(*due)):
        return ()
    async with ledger.writing() as connection:
        chosen = select(tellings).where(*due).order_by(tellings.c.next_try_at).limit(most)
        rows = (await connection.execute(chosen)).mappings().all()
        await note(connection, [row["number"] for row in rows], next_try_at=now + lease)
    return tuple(telling_of(row) for row in rows)


async def abandon(ledger: Ledger) -> None:
    """Give up what has not been told of alerts that are over or acknowledged."""
    waiting = tellings.c.state == State.WAITING.value
    pointless = and_(
        waiting, ~exists(select(alerts.c.number).where(alerts.c.number == tellings.c.alert, waits_for_a_human()))
    )
    if not await _is_any(ledger, select(tellings).where(pointless)):
        return
    async with ledger.writing() as connection:
        given_up = update(tellings).where(pointless)
        await connection.execute(given_up.values(state=State.ABANDONED.value, next_try_at=None))


async def note(connection: AsyncConnection, numbers: Sequence[int], **values: Any) -> None:
    """Write how tellings fare: `state`, `fault`, `next_try_at`, `told_at`, `receipt`, `attempts`."""
    if numbers:
        await connection.execute(update(tellings).where(tellings.c.number.in_(numbers)).values(values))


def _with_alert() -> Select[Any]:
    return select(tellings).join(alerts, alerts.c.number == tellings.c.alert)


def _rows(entry: Entry, desk: Desk, tell: Tell, now: datetime) -> list[dict[str, Any]]:
    """Make the rows of a rung. The desktop page has them when they are written; nothing is carried there."""
    out_of_hours = [(OUT_OF_HOURS, desk.out_of_hours)] if tell.rung == OUT_OF_HOURS else []
    posts = out_of_hours or [(post.name, post.routes) for post in tell.posts]
    return [
        {
            "alert": entry.number,
            "desk": desk.name,
            "rung": tell.rung,
            "post": post,
            "way": route.way.value,
            "place": place,
            "decided_at": now,
            "state": (State.DELIVERED if route.way is Way.PAGE else State.WAITING).value,
            "attempts": 0,
            "next_try_at": None if route.way is Way.PAGE else now,
            "told_at": now if route.way is Way.PAGE else None,
            "fault": "",
            "receipt": "",
        }
        for post, routes in posts
        for route, place in placed(routes)
    ]


async def _is_any(ledger: Ledger, chosen: Select[Any]) -> bool:
    """Say whether there is such a row, without holding up any writer: mostly there is none."""
    async with ledger.reading() as connection:
        return (await connection.execute(chosen.limit(1))).first() is not None
