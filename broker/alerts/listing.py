"""Alerts as people look at them: each with who was told of it by which way, and who said that it is seen."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select

from broker.alerts import book
from broker.alerts.acknowledging import Acknowledgement
from broker.alerts.book import Entry
from broker.ledger.ledger import Ledger
from broker.ledger.tables import acknowledgements, tellings

_AT_ONCE: Final = 500  # a statement takes so many thousand arguments and no more


@dataclass(frozen=True)
class Told:
    """One telling: which rung and post of which desk, by which way, and how it fared. Addresses are not kept."""

    desk: str
    rung: str
    post: str
    way: str
    state: str
    decided_at: datetime
    told_at: datetime | None
    fault: str


@dataclass(frozen=True)
class Listed:
    """One alert with its story so far."""

    entry: Entry
    acknowledgement: Acknowledgement | None
    told: tuple[Told, ...] = ()

    @property
    def waits_for_a_human(self) -> bool:
        """Say whether it stands and nobody has said that it is seen."""
        return self.entry.cleared_at is None and self.acknowledgement is None


async def listed_standing(ledger: Ledger) -> tuple[Listed, ...]:
    """Give the alerts that stand, oldest first."""
    return await _listed(ledger, await book.standing(ledger))


async def listed_recent(ledger: Ledger, *, limit: int = 100) -> tuple[Listed, ...]:
    """Give the last alerts, standing or over, youngest first."""
    return await _listed(ledger, await book.recent(ledger, limit=limit))


async def _listed(ledger: Ledger, entries: Sequence[Entry]) -> tuple[Listed, ...]:
    numbers = [entry.number for entry in entries]
    told: defaultdict[int, list[Told]] = defaultdict(list)
    seen: dict[int, Acknowledgement] = {}
    async with ledger.reading() as connection:
        for start in range(0, len(numbers), _AT_ONCE):
            some = numbers[start : start + _AT_ONCE]
            chosen = select(tellings).where(tellings.c.alert.in_(some)).order_by(tellings.c.number)
            for row in (await connection.execute(chosen)).mappings():
                told[row["alert"]].append(_told(row))
            for one in await connection.execute(select(acknowledgements).where(acknowledgements.c.alert.in_(some))):
                seen[one.alert] = Acknowledgement(one.alert, one.desk, one.by, one.at)
    return tuple(Listed(entry, seen.get(entry.number), tuple(told[entry.number])) for entry in entries)


def _told(row: Mapping[Any, Any]) -> Told:
    return Told(
        desk=row["desk"],
        rung=row["rung"],
        post=row["post"],
        way=row["way"],
        state=row["state"],
        decided_at=row["decided_at"],
        told_at=row["told_at"],
        fault=row["fault"],
    )
