"""Keeps the hub's timer rows equal to the clocks that run, and fires each when it is due.

It guarantees: a row is written before it can fire; it fires once, never before it is due by the trusted clock, and
within the second while the process is up; what fell due while the process was down or the machine slept fires at its
start. A request that is answered, closed or rated anew lets its rows lapse in the next round.
Firing is a fact in the row and nothing else: what people are told of it is for the rules of alerts.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic
from typing import Final

from broker.ledger import Ledger
from broker.timers import rows
from broker.timers.rows import TimerRow
from broker.timers.scheduler import Scheduler, Trouble
from broker.timers.trust import Reading
from broker.timers.wheel import Row

READ_AGAIN_AFTER: Final = 10.0


@dataclass(frozen=True)
class Fired:
    """A timer that has fired and still stands."""

    subject: str
    kind: str
    due_at: datetime
    fired_at: datetime


class Keeper:
    """The timers of one watch. `clock` is the trusted one; rows that begin with `foreign` are written by others."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        clock: Callable[[], datetime],
        tell: Callable[[Trouble], None],
        foreign: str,
    ) -> None:
        self._ledger = ledger
        self._foreign = foreign
        self._standing: dict[str, TimerRow] = {}
        self._given: dict[str, datetime] = {}
        self._stale_at = 0.0
        self._is_read = False

        def both() -> Reading:
            now = clock()
            return Reading(now, now.timestamp())

        self._scheduler = Scheduler(self._fire, tell=tell, clocks=both)

    async def keep(self, wanted: Iterable[TimerRow], *, now: datetime) -> tuple[Fired, ...]:
        """Make the rows those that are wanted, and give what has fired and stands. Raises `LedgerUnavailable`."""
        await self._refresh()
        ours = {row.key: row for row in wanted}
        fresh = [row for key, row in ours.items() if self._is_news(row)]
        gone = [key for key in self._standing if key not in ours and not key.startswith(self._foreign)]
        if fresh or gone:
            await rows.write(self._ledger, fresh, gone=gone, now=now)
            self._standing |= {row.key: row for row in fresh}
            for key in gone:
                del self._standing[key]
        self._take_up()
        return tuple(
            Fired(row.subject, row.kind, row.due_at, row.fired_at)
            for row in self._standing.values()
            if row.fired_at is not None
        )

    def read_again(self) -> None:
        """Read the rows anew at the next `keep`: another process has written some."""
        self._stale_at = 0.0

    async def tick(self) -> None:
        """Fire what is due now."""
        await self._scheduler.tick()

    async def run(self) -> None:
        """Fire rows until cancelled."""
        await self._scheduler.run()

    async def _refresh(self) -> None:
        """Read all rows at the start, and from then on now and then those of others."""
        if not self._is_read:
            self._standing = {row.key: row for row in await rows.standing(self._ledger)}
            self._is_read = True
        elif monotonic() >= self._stale_at:
            others = await rows.standing(self._ledger, prefix=self._foreign)
            ours = {key: row for key, row in self._standing.items() if not key.startswith(self._foreign)}
            self._standing = ours | {row.key: row for row in others}
        else:
            return
        self._stale_at = monotonic() + READ_AGAIN_AFTER

    def _is_news(self, row: TimerRow) -> bool:
        known = self._standing.get(row.key)
        return known is None or (known.fired_at is None and known.due_at != row.due_at)

    def _take_up(self) -> None:
        """Give the scheduler what it has not been given; a row that moved is given again."""
        waiting = {key: row.due_at for key, row in self._standing.items() if row.fired_at is None}
        new = [Row(key, due_at) for key, due_at in waiting.items() if self._given.get(key) != due_at]
        self._given = waiting
        self._scheduler.add(new)

    async def _fire(self, keys: Sequence[str], now: datetime) -> None:
        later = await rows.fire(self._ledger, keys, now=now)
        self._scheduler.add([Row(row.key, row.due_at) for row in later])
        open_still = {row.key for row in later}
        for row in (self._standing[key] for key in keys if key in self._standing and key not in open_still):
            self._standing[row.key] = replace(row, fired_at=row.fired_at or now)
