"""The rows of telling: who is to be told of which alert by which way, and how each way fares.

It guarantees: a rung of an alert has its rows once, whoever decided it and however often (SLA-08); a row is handed to
one carrier at a time, also with two watches on one ledger, and comes back when a process dies with it in hand; once an
alert is over or acknowledged, what was not told yet is given up.
Addresses are not kept: a row names a post, a way and its place among that post's ways, and the duty file says the rest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, case, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from broker.alerts.book import Entry, entry_of
from broker.alerts.desks import OUT_OF_HOURS, Desk, Route, Way
from broker.alerts.escalation import Step, Tell
from broker.alerts.kinds import Urgency
from broker.ledger import Ledger
from broker.ledger_tables import acknowledgements, alerts, tellings


class State(StrEnum):
    """Where one telling is. `FAILED`: accepted, and then known not to arrive; `ABANDONED`: not needed any more."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    ABANDONED = "abandoned"


_FIRST: Final = case((alerts.c.urgency == Urgency.NOW.value, 0), else_=1)
"""What cannot wait goes before everything else."""
SINGLY: Final = 3
"""More alerts than this, for one person by one way at one moment, are told as one: nobody reads three hundred mails."""
_AT_ONCE: Final = 500
_REACHED: Final = frozenset({State.ACCEPTED, State.DELIVERED})


@dataclass(frozen=True)
class Telling:
    """One row. `place` counts the ways of the same kind of one post, from 0."""

    number: int
    alert: int
    desk: str
    rung: str
    post: str
    way: Way
    place: int
    decided_at: datetime
    state: State
    attempts: int
    fault: str
    receipt: str


Batch = tuple[tuple[Telling, Entry], ...]
"""What goes out as one notice: tellings of one way, each with its alert; the first is what the notice speaks of."""


@dataclass(frozen=True)
class OpenCase:
    """An alert that stands and that nobody has acknowledged, with its tellings in order."""

    entry: Entry
    tellings: tuple[Telling, ...] = ()

    def steps(self) -> tuple[Step, ...]:
        """Give the rungs that were told, in order. One is vain once each of its ways, the page left aside, failed.

        What was given up because its post or way left the duty file does not count: whoever came instead is told.
        """
        by_rung: dict[str, list[Telling]] = {}
        for one in (one for one in self.tellings if one.state is not State.ABANDONED):
            by_rung.setdefault(one.rung, []).append(one)
        return tuple(
            Step(rung, min(one.decided_at for one in some), is_vain=_is_vain(some)) for rung, some in by_rung.items()
        )


def _is_vain(some: Sequence[Telling]) -> bool:
    """Say whether every way that reaches out has failed; a page that nobody looks at reaches nobody out of hours."""
    reaching = [one for one in some if one.way is not Way.PAGE] or some
    return all(one.state not in _REACHED and one.fault for one in reaching)


async def open_cases(ledger: Ledger) -> tuple[OpenCase, ...]:
    """Give every alert that stands and waits for a human, oldest first."""
    async with ledger.reading() as connection:
        entries = (await connection.execute(select(alerts).where(_waits()).order_by(alerts.c.number))).mappings().all()
        chosen = select(tellings).join(alerts, alerts.c.number == tellings.c.alert).where(_waits())
        rows = (await connection.execute(chosen.order_by(tellings.c.number))).mappings().all()
    told: dict[int, list[Telling]] = {}
    for row in rows:
        told.setdefault(row["alert"], []).append(_telling(row))
    return tuple(OpenCase(entry_of(row), tuple(told.get(row["number"], ()))) for row in entries)


async def write_steps(ledger: Ledger, steps: Iterable[tuple[Entry, Desk, Tell]], *, now: datetime) -> int:
    """Write the rows of rungs that are to be told; gives how many rungs were new."""
    new = 0
    async with ledger.writing() as connection:
        for entry, desk, tell in steps:
            here = (tellings.c.alert == entry.number, tellings.c.rung == tell.rung)
            known = (await connection.execute(select(tellings).where(*here))).mappings().all()
            if any(row["state"] != State.ABANDONED.value for row in known):
                continue
            taken = {(row["post"], row["way"], row["place"]) for row in known}
            made = _rows(entry, desk, tell, now)
            rows = [row for row in made if (row["post"], row["way"], row["place"]) not in taken]
            if rows:
                await connection.execute(insert(tellings), rows)
                new += 1
    return new


async def claim(ledger: Ledger, *, now: datetime, lease: timedelta, room: Mapping[Way, int]) -> tuple[Batch, ...]:
    """Take what is due, as many batches of each way as there is `room`, what cannot wait first.

    A batch goes out as one notice: singly, unless more than `SINGLY` alerts wait for the same person by the same way.
    What was taken comes back after `lease` unless its end is noted.
    """
    due = (tellings.c.state == State.WAITING.value, tellings.c.next_try_at <= now, _waits())
    if not await _is_any(ledger, _with_alert().where(*due)):
        return ()
    claimed: list[Batch] = []
    async with ledger.writing() as connection:
        for way, most in room.items():
            chosen = _with_alert().where(*due, tellings.c.way == way.value).order_by(_FIRST, tellings.c.number)
            rows = (await connection.execute(chosen.limit(_AT_ONCE))).mappings().all()
            for some in _batches(rows)[:most]:
                claimed.append(await _claimed(connection, some, next_try_at=now + lease))
    return tuple(claimed)


async def _claimed(connection: AsyncConnection, rows: Sequence[Mapping[Any, Any]], *, next_try_at: datetime) -> Batch:
    found: list[tuple[Telling, Entry]] = []
    for row in rows:
        attempts = row["attempts"] + 1
        await note(connection, row["number"], next_try_at=next_try_at, attempts=attempts)
        about = await connection.execute(select(alerts).where(alerts.c.number == row["alert"]))
        found.append((_telling({**row, "attempts": attempts}), entry_of(about.mappings().one())))
    return tuple(found)


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
        for row in rows:
            await note(connection, row["number"], next_try_at=now + lease)
    return tuple(_telling(row) for row in rows)


async def abandon(ledger: Ledger) -> None:
    """Give up what has not been told of alerts that are over or acknowledged."""
    waiting = tellings.c.state == State.WAITING.value
    pointless = and_(waiting, ~exists(select(alerts.c.number).where(alerts.c.number == tellings.c.alert, _waits())))
    if not await _is_any(ledger, select(tellings).where(pointless)):
        return
    async with ledger.writing() as connection:
        given_up = update(tellings).where(pointless)
        await connection.execute(given_up.values(state=State.ABANDONED.value, next_try_at=None))


async def note(connection: AsyncConnection, number: int, **values: Any) -> None:
    """Write how a telling fares: `state`, `fault`, `next_try_at`, `told_at`, `receipt`, `attempts`."""
    await connection.execute(update(tellings).where(tellings.c.number == number).values(values))


def route_of(telling: Telling, desk: Desk) -> Route | None:
    """Find where a telling leads as the duty file stands now; None when that way is there no more."""
    same = [route for route in desk.routes_of(telling.rung, telling.post) if route.way is telling.way]
    return same[telling.place] if telling.place < len(same) else None


def _waits() -> ColumnElement[bool]:
    seen = exists(select(acknowledgements.c.alert).where(acknowledgements.c.alert == alerts.c.number))
    return and_(alerts.c.cleared_at.is_(None), ~seen)


def _with_alert() -> Select[Any]:
    return select(tellings).join(alerts, alerts.c.number == tellings.c.alert)


def placed(routes: Sequence[Route]) -> list[tuple[Route, int]]:
    """Give each route with its place among those of the same way."""
    return [(route, [one.way for one in routes[:at]].count(route.way)) for at, route in enumerate(routes)]


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


def _telling(row: Mapping[Any, Any]) -> Telling:
    return Telling(
        number=row["number"],
        alert=row["alert"],
        desk=row["desk"],
        rung=row["rung"],
        post=row["post"],
        way=Way(row["way"]),
        place=row["place"],
        decided_at=row["decided_at"],
        state=State(row["state"]),
        attempts=row["attempts"],
        fault=row["fault"],
        receipt=row["receipt"],
    )
