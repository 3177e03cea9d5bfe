"""Fires an adapter's timers: each once, never before it is due by a clock that can be trusted, within the second.

It looks into the store every half second, because commands in other processes write rows too, and half a second ahead,
so that a row which stands there already fires when it falls due; what fell due while the adapter was down or its
machine slept fires at the first look. A row that cannot be fired is tried again after five
seconds and holds no other up; a clock that was moved is an alarm of its own, and until it is right again the steady
clock goes on (`broker.timers.trust`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

import structlog

from adapters.kit.store.alarms import Priority
from adapters.kit.store.errors import StoreFault, StoreUnavailable
from adapters.kit.store.store import Store
from adapters.kit.store.timers import BATCH, Timer
from adapters.kit.store.transaction import Transaction
from adapters.kit.store.turn import Precedence
from broker.watch.clock import TrustedClock

LOOK_EVERY: Final = 0.5
TIDY_EVERY: Final = timedelta(seconds=60)
RETRY_AFTER: Final = timedelta(seconds=5)
TOGETHER: Final = 20
"""How many rows share a transaction: it is the one writer's, and messages wait for it."""
OnTimer = Callable[[Transaction, Timer], Awaitable[None]]
Tidy = Callable[[Transaction], Awaitable[int]]


@dataclass
class Timekeeper:
    """The timers of one store. `handlers` by kind of timer; a kind that nobody handles is an alarm, not a silence."""

    store: Store
    handlers: Mapping[str, OnTimer] = field(repr=False)
    clock: Callable[[], datetime]
    tidies: tuple[Tidy, ...] = ()
    _again_at: dict[tuple[str, str], datetime] = field(default_factory=dict, init=False, repr=False)
    _tidied_at: datetime | None = field(default=None, init=False, repr=False)
    _stepped: bool = field(default=False, init=False, repr=False)

    async def run(self) -> None:
        """Fire until cancelled; an unavailable database is waited for. Raises `StoreFault`: the adapter stops."""
        while True:
            next_look = monotonic() + LOOK_EVERY
            try:
                await self._say_step()
                while await self._fire_until(next_look):
                    pass
                await self._tidy(self.clock())
            except StoreUnavailable:
                structlog.get_logger().error("timers wait for the store")
            await asyncio.sleep(max(0.0, next_look - monotonic()))

    async def _fire_until(self, next_look: float) -> bool:
        """Fire what falls due before `next_look` (steady seconds), each row in its moment; True if there is more."""
        coming = await self._due(self.clock() + timedelta(seconds=max(0.0, next_look - monotonic())))
        more = len(coming) >= BATCH
        while coming:
            rest = (coming[0].due_at - self.clock()).total_seconds()
            if rest > max(0.0, next_look - monotonic()):
                break
            await asyncio.sleep(max(0.0, rest))
            now = self.clock()
            due = [timer for timer in coming[:TOGETHER] if timer.due_at <= now]
            coming = coming[len(due) :]
            await self._fire_together(due, now)
        return more

    async def run_once(self) -> int:
        """Fire everything that is due now, and give how many rows fired."""
        now = self.clock()
        await self._say_step()
        fired = 0
        while due := await self._due(now):
            for begin in range(0, len(due), TOGETHER):
                fired += await self._fire_together(due[begin : begin + TOGETHER], now)
        await self._tidy(now)
        return fired

    async def _due(self, now: datetime) -> list[Timer]:
        waiting = {key for key, again_at in self._again_at.items() if now < again_at}
        async with self.store.snapshot() as view:
            due = await view.due_timers(now, limit=BATCH + len(waiting))
        return [timer for timer in due if (timer.kind, timer.ref) not in waiting]

    async def _fire_together(self, some: Sequence[Timer], now: datetime) -> int:
        """Fire rows with their effects in one transaction; if one fails, nothing of it stays and each fires alone."""
        if len(some) > 1:
            try:
                async with self.store.transaction(Precedence.FIRST) as tx:
                    fired = [timer for timer in some if await self._take_and_act(tx, timer)]
            except (StoreFault, StoreUnavailable):
                raise
            except Exception:  # noqa: S110 - said by `_fire`, which finds out whose it is
                pass
            else:
                for timer in fired:
                    self._again_at.pop((timer.kind, timer.ref), None)
                return len(fired)
        return sum([await self._fire(timer, now) for timer in some])

    async def _take_and_act(self, tx: Transaction, timer: Timer) -> bool:
        taken = await tx.fire_timer(timer)
        if taken:
            await self._act(tx, timer)
        return taken

    async def _fire(self, timer: Timer, now: datetime) -> bool:
        """Fire one row with its effect. What fails is ours: it is counted, named by its kind, and tried again."""
        try:
            async with self.store.transaction(Precedence.FIRST) as tx:
                if not await self._take_and_act(tx, timer):
                    return False
        except (StoreFault, StoreUnavailable):
            raise
        except Exception as fault:
            self._again_at[timer.kind, timer.ref] = now + RETRY_AFTER
            structlog.get_logger().error("a timer could not be fired", kind=timer.kind, exc_info=fault)
            return False
        self._again_at.pop((timer.kind, timer.ref), None)
        return True

    async def _act(self, tx: Transaction, timer: Timer) -> None:
        handler = self.handlers.get(timer.kind)
        if handler is not None:
            await handler(tx, timer)
            return
        refs = {"timer": timer.kind, "ref": timer.ref}
        await tx.alarm(f"timer/{timer.kind}/{timer.ref}", priority=Priority.P1, code="timer-unhandled", refs=refs)

    async def _tidy(self, now: datetime) -> None:
        """Clear alarms whose cause is over, now and then."""
        if self._tidied_at is not None and now - self._tidied_at < TIDY_EVERY:
            return
        self._tidied_at = now
        for tidy in self.tidies:
            async with self.store.transaction() as tx:
                await tidy(tx)

    async def _say_step(self) -> None:
        """Raise an alarm when the machine's clock is no longer believed, once a step."""
        stepped = isinstance(self.clock, TrustedClock) and self.clock.stepped
        if stepped and not self._stepped:
            async with self.store.transaction() as tx:
                name = f"clock-stepped/{tx.now.isoformat(timespec='minutes')}"
                await tx.alarm(name, priority=Priority.P1, code="clock-stepped", refs={})
        self._stepped = stepped
