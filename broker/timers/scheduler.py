"""The event loop's side of timers: load the open rows, ask the time, fire what is due, in small steps.

It guarantees: every row that was given is handed to `fire` when it is due by the trusted time, and handed again after
a delay when `fire` raises; one row that cannot be fired holds no other up; between steps the loop is free.
`fire` must claim each row in its store (compare and set `fired_at`, in the transaction of the effect) and skip those
that are fired or lapsed: this is what makes an effect happen once, through restarts and with two processes.
Rows may therefore be given twice without harm.
"""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from broker.timers.trust import ClockStep, ClockTrust, Reading, judge, read_clocks
from broker.timers.wheel import Row, Wheel

BATCH: Final = 500
TICK_SECONDS: Final = 0.1
RETRY_AFTER: Final = timedelta(seconds=5)
STORE_IS_DOWN: Final = 3

Fire = Callable[[Sequence[str], datetime], Awaitable[None]]


@dataclass(frozen=True)
class Trouble:
    """Something an operator has to see: rows that could not be fired, or a clock that was moved.

    `failed` counts the rows that come again after a delay; `error` names the kind of failure, never its text.
    """

    failed: int = 0
    error: str = ""
    step: ClockStep | None = None


class Scheduler:
    """Fires rows. `tell` hears of trouble and must not raise; `floor` is the latest time that the store has seen."""

    def __init__(
        self,
        fire: Fire,
        *,
        tell: Callable[[Trouble], None],
        clocks: Callable[[], Reading] = read_clocks,
        floor: datetime | None = None,
    ) -> None:
        self._fire = fire
        self._tell = tell
        self._clocks = clocks
        self._wheel = Wheel()
        reading = clocks()
        self._trust = ClockTrust.begin(reading, floor=floor)

    @property
    def open_rows(self) -> int:
        """Count the rows that wait."""
        return len(self._wheel)

    def add(self, rows: Sequence[Row]) -> None:
        """Take in rows that were just written; call it after their transaction has committed."""
        self._wheel.put(rows)

    async def load(self, batches: AsyncIterable[Sequence[Row]]) -> None:
        """Take in the open rows of the store, as after a restart; leave the loop free after each batch."""
        async for batch in batches:
            for begin in range(0, len(batch), BATCH):
                self._wheel.put(batch[begin : begin + BATCH])
                await asyncio.sleep(0)

    async def run(self) -> None:
        """Fire rows until cancelled."""
        while True:
            await self.tick()
            await asyncio.sleep(TICK_SECONDS)

    async def tick(self) -> None:
        """Fire everything that is due now, in batches, with the loop free between them."""
        while True:
            now = self._now()
            due = self._wheel.take(now, budget=BATCH)
            if due:
                await self._fire_all(due, now)
            if not self._wheel.busy(now):
                return
            await asyncio.sleep(0)

    def believe_wall_clock(self) -> None:
        """Go by the wall clock from now on: an operator has looked at it after a step, and it is right."""
        self._trust = ClockTrust.begin(self._clocks())

    def _now(self) -> datetime:
        self._trust, now, step = judge(self._trust, self._clocks())
        if step is not None:
            self._tell(Trouble(step=step))
        return now

    async def _fire_all(self, keys: Sequence[str], now: datetime) -> None:
        """Fire a batch; when it fails, find out which of its rows have to come again."""
        try:
            error = await self._error_of(keys, now)
            if error:
                self._again(await self._still_broken(keys, now), now, error)
        except asyncio.CancelledError:
            self.add([Row(key, now) for key in keys])  # some may have fired: claiming them again changes nothing
            raise

    async def _still_broken(self, keys: Sequence[str], now: datetime) -> Sequence[str]:
        """Fire rows one by one; give those that fail, after those not tried.

        Three failures running are the store's and not the rows': the rest waits too, and goes first next time.
        """
        if len(keys) == 1:
            return keys
        failed: list[str] = []
        running = 0
        for place, key in enumerate(keys):
            broken = bool(await self._error_of([key], now))
            failed += [key] if broken else []
            running = running + 1 if broken else 0
            if running == STORE_IS_DOWN:
                return [*keys[place + 1 :], *failed]
        return failed

    async def _error_of(self, keys: Sequence[str], now: datetime) -> str:
        """Fire, and give the kind of failure, or nothing when there was none."""
        try:
            await self._fire(keys, now)
        except Exception as error:
            return type(error).__name__  # the text of an exception may hold what no log may
        return ""

    def _again(self, keys: Sequence[str], now: datetime, error: str) -> None:
        if keys:
            self._tell(Trouble(failed=len(keys), error=error))
            self.add([Row(key, now + RETRY_AFTER) for key in keys])
