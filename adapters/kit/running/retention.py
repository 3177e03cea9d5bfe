"""Retention: what is kept how long after its matter is closed, per class, and the chore that erases it in its time.

Guarantees: dates follow from the schedule and from the matters alone, so a late supplement moves its matter's date and
a matter that is open has none; what is due is erased by its key (`store.erasure`), never while anything in it is
unconfirmed; the erasure is in the ledger, the bytes are taken off the disk, and that is verified before it is called
done. The schedule is the owning party's to set (REC-07); the defaults are a practitioner's, and `adapter.toml` changes
them. Refuses to know: what the matters are about.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from pydantic import Field
from sqlalchemy import select

from adapters.kit.store import erasure
from adapters.kit.store.erasure import BATCH, Erasure
from adapters.kit.store.errors import StoreDamaged
from adapters.kit.store.store import Store
from adapters.kit.store.tables import record_key
from adapters.kit.store.transaction import Transaction
from schemas.content.base import Content

_DAYS_A_YEAR: Final = 365
BY_AGE: Final = ("ledger", "command")


class RetentionSchedule(Content):
    """How many days each class is kept, after its clock has started.

    `enquiry` after the last entry of a decided enquiry; `request` after the last entry of one that was answered or
    cancelled; `ledger` (what a decision was about; the entry itself stays) and `command` (answers to repeated commands,
    longer than a message can live) after they were written.
    """

    enquiry: int = Field(default=6 * _DAYS_A_YEAR, ge=1, le=40_000)
    request: int = Field(default=6 * _DAYS_A_YEAR, ge=1, le=40_000)
    ledger: int = Field(default=10 * _DAYS_A_YEAR, ge=1, le=40_000)
    command: int = Field(default=35, ge=15, le=40_000)

    def keeps(self, name: str) -> timedelta:
        """Give how long a class is kept."""
        return timedelta(days=int(getattr(self, name)))


@dataclass(frozen=True)
class Matter:
    """What is kept and erased together; `closed_at` is when its clock started, None while it is open."""

    retention: str
    closed_at: datetime | None
    groups: tuple[str, ...]


Matters = Callable[[Transaction], Awaitable[Iterable[Matter]]]


@dataclass
class Retention:
    """The schedule of one store, carried out. `matters` find what has a clock of its own."""

    store: Store = field(repr=False)
    schedule: RetentionSchedule
    matters: tuple[Matters, ...] = ()
    _to_scrub: bool = field(default=True, init=False)

    async def run_once(self) -> Erasure:
        """Set the dates, erase what is due, take it off the disk, and verify that. Raises `StoreUnavailable`."""
        await self.plan()
        done = await self._erase()
        if self._to_scrub or done.erased:
            self._to_scrub = True
            await self.store.scrub()
            self._to_scrub = False
        await self._verify(done.erased)
        return done

    async def plan(self) -> int:
        """Give everything its date, and give how many dates are new."""
        async with self.store.snapshot() as view:
            found = [matter for find in self.matters for matter in await find(view)]
        wanted = {group: self._date_of(matter) for matter in found for group in matter.groups}
        new = 0
        async with self.store.transaction() as tx:
            for group, at in wanted.items():
                new += await erasure.schedule(tx, group, at)
        for name in BY_AGE:
            new += await self._plan_by_age(name)
        return new

    async def _plan_by_age(self, name: str) -> int:
        total, new = 0, BATCH
        while new == BATCH:
            async with self.store.transaction() as tx:
                new = await erasure.schedule_by_age(tx, name, self.schedule.keeps(name))
            total += new
        return total

    def _date_of(self, matter: Matter) -> datetime | None:
        return None if matter.closed_at is None else matter.closed_at + self.schedule.keeps(matter.retention)

    async def _erase(self) -> Erasure:
        erased: list[str] = []
        while True:
            async with self.store.transaction() as tx:
                done = await tx.erase_due()
            erased += done.erased
            if len(done.erased) < BATCH:
                return Erasure(tuple(erased), done.kept_back)

    async def _verify(self, groups: Iterable[str]) -> None:
        """Read back that no key of what was erased is left. Raises `StoreDamaged`."""
        async with self.store.snapshot() as view:
            for group in groups:
                (row,) = await view.select(record_key, select(record_key).where(record_key.c.key_id == group))
                if row["wrapped"] is not None or row["erased_at"] is None:
                    raise StoreDamaged("an erased key is still there")
