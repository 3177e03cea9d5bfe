"""How each way of reaching a post fares: a fault stands until that way has worked again.

It guarantees: the first fault since a way last worked is the one that is shown, so that an alert about it does not
flicker; a way that the duty file does not name any more is not complained about.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from broker.alerts.desks import OUT_OF_HOURS, Desk, Duty, Route, Way
from broker.alerts.kinds import HUB
from broker.alerts.routing import WayFault
from broker.alerts.tellings import Telling, placed
from broker.ledger.ledger import Ledger
from broker.ledger.tables import ways

ONLY_ARRIVAL_MENDS: Final = frozenset({WayFault.BOUNCED, WayFault.DROPPED})
"""Faults of what was accepted: being accepted once more proves nothing."""


@dataclass(frozen=True)
class WayName:
    """Names a way of reaching a post, without saying where it leads."""

    desk: str
    rung: str
    post: str
    way: Way
    place: int

    @classmethod
    def of(cls, telling: Telling) -> "WayName":
        """Name the way that a telling goes."""
        return cls(telling.desk, telling.rung, telling.post, telling.way, telling.place)


CANARY: Final = WayName(HUB, "canary", "canary", Way.MAIL, 0)
"""The way of a mail to ourselves."""


@dataclass(frozen=True)
class FailingWay:
    """A way that does not work, and what was wrong first."""

    name: WayName
    fault: WayFault
    since: datetime


def ways_of(duty: Duty) -> Iterator[tuple[WayName, Route]]:
    """Give every way of the duty file that leads out of the hub."""
    for desk in duty.desks.values():
        for rung, post, routes in _posts_of(desk):
            for route, place in placed(routes):
                if route.way is not Way.PAGE:
                    yield WayName(desk.name, rung, post, route.way, place), route


async def note_failed(connection: AsyncConnection, name: WayName, fault: WayFault, *, now: datetime) -> None:
    """Note that a way failed; the first fault stays."""
    known = await _known(connection, name)
    if known is None:
        row = {**_key(name), "fault": fault.value, "failing_since": now, "worked_at": None}
        await connection.execute(insert(ways).values(row))
    elif known["failing_since"] is None:
        await _set(connection, name, fault=fault.value, failing_since=now)


async def note_worked(connection: AsyncConnection, name: WayName, *, now: datetime, has_arrived: bool) -> None:
    """Note that a way worked. Unless something is known to have arrived, a bounce stands."""
    known = await _known(connection, name)
    if known is None:
        row = {**_key(name), "fault": "", "failing_since": None, "worked_at": now}
        await connection.execute(insert(ways).values(row))
    elif has_arrived or known["fault"] not in ONLY_ARRIVAL_MENDS:
        await _set(connection, name, fault="", failing_since=None, worked_at=now)


async def failing(ledger: Ledger) -> tuple[FailingWay, ...]:
    """Give the ways that do not work, those of old duty files too."""
    async with ledger.reading() as connection:
        rows = (await connection.execute(select(ways).where(ways.c.failing_since.is_not(None)))).mappings().all()
    return tuple(
        FailingWay(
            WayName(row["desk"], row["rung"], row["post"], Way(row["way"]), row["place"]),
            WayFault(row["fault"]),
            row["failing_since"],
        )
        for row in rows
    )


def _posts_of(desk: Desk) -> Iterator[tuple[str, str, tuple[Route, ...]]]:
    for post in desk.posts:
        yield post.rung.value, post.name, post.routes
    yield OUT_OF_HOURS, OUT_OF_HOURS, desk.out_of_hours


def _key(name: WayName) -> dict[str, Any]:
    return {"desk": name.desk, "rung": name.rung, "post": name.post, "way": name.way.value, "place": name.place}


def _here(name: WayName) -> list[Any]:
    return [ways.c[column] == value for column, value in _key(name).items()]


async def _known(connection: AsyncConnection, name: WayName) -> Any:
    return (await connection.execute(select(ways).where(*_here(name)))).mappings().first()


async def _set(connection: AsyncConnection, name: WayName, **values: Any) -> None:
    await connection.execute(update(ways).where(*_here(name)).values(values))
