"""Tellings as they stand: who has been told of which alert by which way, read off the ledger.

Addresses are not kept: a row names a post, a way and its place among that post's ways, and the duty file says the rest.
How rows come to be and change hands is `broker.alerts.claiming`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, select

from broker.alerts.book import Entry, entry_of
from broker.alerts.desks import Desk, Route, Way
from broker.alerts.escalation import Step
from broker.ledger.ledger import Ledger
from broker.ledger.tables import acknowledgements, alerts, tellings

_PAGE: Final = 100


class State(StrEnum):
    """Where one telling is. `FAILED`: accepted, and then known not to arrive; `ABANDONED`: not needed any more."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    ABANDONED = "abandoned"


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
    """Give every alert that stands and waits for a human, oldest first; read page by page, so that nobody waits."""
    found: list[OpenCase] = []
    while page := await _cases(ledger, after=found[-1].entry.number if found else 0):
        found += page
    return tuple(found)


async def _cases(ledger: Ledger, *, after: int) -> list[OpenCase]:
    which = select(alerts).where(waits_for_a_human(), alerts.c.number > after).order_by(alerts.c.number).limit(_PAGE)
    async with ledger.reading() as connection:
        entries = (await connection.execute(which)).mappings().all()
        numbers = [row["number"] for row in entries]
        chosen = select(tellings).where(tellings.c.alert.in_(numbers)).order_by(tellings.c.number)
        rows = (await connection.execute(chosen)).mappings().all() if numbers else []
    told: dict[int, list[Telling]] = {}
    for row in rows:
        told.setdefault(row["alert"], []).append(telling_of(row))
    return [OpenCase(entry_of(row), tuple(told.get(row["number"], ()))) for row in entries]


def route_of(telling: Telling, desk: Desk) -> Route | None:
    """Find where a telling leads as the duty file stands now; None when that way is there no more."""
    same = [route for route in desk.routes_of(telling.rung, telling.post) if route.way is telling.way]
    return same[telling.place] if telling.place < len(same) else None


def placed(routes: Sequence[Route]) -> list[tuple[Route, int]]:
    """Give each route with its place among those of the same way."""
    return [(route, [one.way for one in routes[:at]].count(route.way)) for at, route in enumerate(routes)]


def waits_for_a_human() -> ColumnElement[bool]:
    """Select the alerts that stand and that nobody has acknowledged."""
    seen = exists(select(acknowledgements.c.alert).where(acknowledgements.c.alert == alerts.c.number))
    return and_(alerts.c.cleared_at.is_(None), ~seen)


def telling_of(row: Mapping[Any, Any]) -> Telling:
    """Read a row."""
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
