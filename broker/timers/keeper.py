"""Keeps the hub's timer rows equal to the clocks that run, and fires each when it is due.

It guarantees: a row is written before it can fire; it fires once, never before it is due by the trusted clock, and
within the second while the process is up; what fell due while the process was down or the machine slept fires at its
start. A request that is answered, closed or rated anew lets its rows lapse in the next round.
Firing is a fact in the row and nothing else: what people are told of it is for the rules of alerts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Final

from broker.ledger.ledger import Ledger
from broker.timers import rows
from broker.timers.known import KnownRows
from broker.timers.requests import Subject, rows_of
from broker.timers.rows import TimerRow
from broker.timers.scheduler import Scheduler, Trouble
from broker.timers.trust import Reading
from broker.timers.wheel import Row
from broker.watch.standing import Standing

READ_AGAIN_AFTER: Final = 10.0


@dataclass(frozen=True)
class Fired:
    """A timer that has fired and still stands."""

    subject: str
    kind: str
    due_at: datetime
    fired_at: datetime


class Keeper:
    """The timers of one watch. `clock` is the trusted one; subjects that begin with `foreign` are written by others."""

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
        self._known = KnownRows()
        self._kept: Mapping[str, Standing] = {}
        self._stale_at = 0.0
        self._is_read = False

        def both() -> Reading:
            now = clock()
            return Reading(now, now.timestamp())

        self._scheduler = Scheduler(self._fire, tell=tell, clocks=both)

    async def keep(self, standings: Iterable[Standing], *, now: datetime) -> tuple[Fired, ...]:
        """Make the rows those of `standings`, and give what has fired and stands. Raises `LedgerUnavailable`.

        A standing that is the very object of the last round has the rows that it had then.
        """
        await self._refresh()
        wanted = {str(Subject.of(one)): one for one in standings if one.timers}
        fresh, gone = self._changes(wanted)
        if fresh or gone:
            await rows.write(self._ledger, fresh, gone=gone, now=now)
            self._known.put(fresh)
            self._known.drop(gone)
        self._kept = wanted
        self._scheduler.add(self._known.take_news())
        return tuple(Fired(row.subject, row.kind, row.due_at, row.fired_at or now) for row in self._known.fired)

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
            self._known.put(await rows.standing(self._ledger))
            self._is_read = True
        elif monotonic() >= self._stale_at:
            others = {row.key: row for row in await rows.standing(self._ledger, prefix=self._foreign)}
            known = [key for subject in self._known.subjects if self._is_foreign(subject) for key in self._of(subject)]
            self._known.drop([key for key in known if key not in others])
            self._known.put(others.values())
        else:
            return
        self._stale_at = monotonic() + READ_AGAIN_AFTER

    def _changes(self, wanted: Mapping[str, Standing]) -> tuple[list[TimerRow], list[str]]:
        """Give the rows that are to be written, and the keys of those that are to lapse."""
        fresh: list[TimerRow] = []
        gone: list[str] = []
        for subject, one in wanted.items():
            if self._kept.get(subject) is not one:
                ours = {row.key: row for row in rows_of(one)}
                fresh += [row for row in ours.values() if self._is_news(row)]
                gone += [key for key in self._of(subject) if key not in ours]
        over = (each for each in self._known.subjects if each not in wanted and not self._is_foreign(each))
        return fresh, gone + [key for subject in over for key in self._of(subject)]

    def _of(self, subject: str) -> Iterable[str]:
        return self._known.of(subject).keys()

    def _is_foreign(self, subject: str) -> bool:
        return subject.startswith(self._foreign)

    def _is_news(self, row: TimerRow) -> bool:
        known = self._known.of(row.subject).get(row.key)
        return known is None or (known.fired_at is None and known.due_at != row.due_at)

    async def _fire(self, keys: Sequence[str], now: datetime) -> None:
        later = await rows.fire(self._ledger, keys, now=now)
        self._scheduler.add([Row(row.key, row.due_at) for row in later])
        open_still = {row.key for row in later}
        self._known.note_fired([key for key in keys if key not in open_still], now=now)
