"""The courier: makes rows of what is decided, hands out what is due, follows what was accepted, and tries every way.

It guarantees: what is decided is written before it is carried, so that a crash tells once more and never forgets; each
way has room of its own, so that a mail server that hangs holds up no text message; whatever fails is noted with its way
and tried again with growing pauses until somebody has acknowledged or the alert is over; a round that fails is logged
and the next one follows, and a courier that stands still is itself a trouble.
It refuses to know what an alert is about, and never raises into the watch, except `LedgerUnavailable` from `sight`.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import Final

import structlog

from broker.alerts import claiming, tellings, ways
from broker.alerts.canary import MailCanary
from broker.alerts.carrying import Carrying, Wording
from broker.alerts.desks import Duty, Route, Way
from broker.alerts.escalation import Tell, decide
from broker.alerts.routing import Carriers
from broker.alerts.troubles import STALLED, case_of, of_duty_file, troubles
from broker.alerts.ways import CANARY, WayName, ways_of
from broker.ledger.ledger import Ledger
from broker.settings import Backoff
from broker.watch.outside import DutySight

_YIELD_EVERY: Final = 20
_PAUSES: Final = Backoff(base=10.0, cap=600.0)
_MARGIN: Final = timedelta(seconds=30)
"""A claimed row comes back so long after its carrier's limit, when whoever had it in hand is gone."""


@dataclass(frozen=True)
class CourierSettings:
    """Spans in seconds. `room`: how many tellings of one way may be underway; `stalled_after`: since the last round.

    `cancel_again`: after so long, whatever should have stopped is told again; longer than a polite goodbye.
    """

    round: float = 1.0
    room: int = 16
    follow_every: float = 60.0
    probe_every: float = 3600.0
    probe_failing_every: float = 300.0
    sight_every: float = 5.0
    stalled_after: float = 120.0
    cancel_again: float = 3.0
    backoff: Backoff = _PAUSES


class Courier:
    """One courier over one ledger. `clock` is the time that the watch goes by."""

    def __init__(
        self,
        ledger: Ledger,
        duty: Duty,
        carriers: Carriers,
        *,
        wording: Wording,
        clock: Callable[[], datetime],
        canary: MailCanary | None = None,
        settings: CourierSettings | None = None,
    ) -> None:
        self.tokens, self.duty_fault = wording.tokens, ""
        self._ledger, self._clock, self._settings = ledger, clock, settings or CourierSettings()
        self._underway: dict[asyncio.Task[None], Way] = {}
        self._next_probe: dict[WayName, float] = {}
        self.rearrange(duty, carriers, base=wording.base, canary=canary)
        self._turned_at = monotonic()
        self._seen: DutySight | None = None
        self._seen_at = 0.0

    def rearrange(self, duty: Duty, carriers: Carriers, *, base: str, canary: MailCanary | None = None) -> None:
        """Go by these desks and servers from the next round on and try every way; what is underway ends as it began."""
        chosen, wording = self._settings, Wording(base, self.tokens)
        self._duty, self._canary = duty, canary
        self._carrying = Carrying(
            self._ledger, duty, carriers, wording, self._clock, chosen.backoff, chosen.follow_every
        )
        self._lease = timedelta(seconds=max((one.limit for one in carriers.values()), default=0)) + _MARGIN
        self._next_probe.clear()

    async def sight(self, now: datetime) -> DutySight:
        """Give what the watch makes alerts of, worked out every few seconds. Raises `LedgerUnavailable`."""
        if self._seen is None or monotonic() - self._seen_at >= self._settings.sight_every:
            self._seen, self._seen_at = await self._look(now), monotonic()
        own = [STALLED] if monotonic() - self._turned_at > self._settings.stalled_after else []
        own += [of_duty_file(self.duty_fault)] if self.duty_fault else []
        return replace(self._seen, troubles=(*own, *self._seen.troubles))

    async def _look(self, now: datetime) -> DutySight:
        cases, failing = await tellings.open_cases(self._ledger), await ways.failing(self._ledger)
        found = dict.fromkeys(troubles((), failing, duty=self._duty, now=now))
        for start in range(0, len(cases), _YIELD_EVERY):
            found |= dict.fromkeys(troubles(cases[start : start + _YIELD_EVERY], (), duty=self._duty, now=now))
            await asyncio.sleep(0)
        staffed = frozenset(name for name, desk in self._duty.desks.items() if not desk.is_empty)
        return DutySight(tuple(found), staffed)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Courier"]:
        """Run beside the caller; what is underway at the end is let go and comes back after its lease."""
        task = asyncio.create_task(self._run(), name="mash-courier")
        try:
            yield self
        finally:
            await self._end([task])
            await self.let_go()

    async def let_go(self) -> None:
        """Stop whatever is underway, within a few seconds whatever a server does."""
        await self._end(list(self._underway))

    async def _end(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Cancel until every task has ended: `asyncio.wait_for` loses a cancellation that comes with its result."""
        while left := [task for task in tasks if not task.done()]:
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=self._settings.cancel_again)

    async def settled(self) -> None:
        """Wait until nothing is underway."""
        while self._underway:
            await asyncio.wait(list(self._underway))

    async def round(self) -> None:
        """Decide, hand out what is due to its carriers, follow, try ways; returns without waiting for carriers."""
        now = self._clock()
        await self._decide(now)
        await claiming.abandon(self._ledger)
        for batch in await claiming.claim(self._ledger, now=now, lease=self._lease, room=self._room()):
            self._start(batch.first.way, partial(self._carrying.tell, batch))
        most = min(self._room().values(), default=0)
        for telling in await claiming.claim_followed(self._ledger, now=now, lease=self._lease, most=most):
            self._start(telling.way, partial(self._carrying.follow, telling))
        self._try_ways()
        self._turned_at = monotonic()

    async def _run(self) -> None:
        while True:
            await _survived(self.round)
            await asyncio.sleep(self._settings.round)

    async def _decide(self, now: datetime) -> None:
        steps = []
        for place, one in enumerate(await tellings.open_cases(self._ledger)):
            if place % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
            desk = self._duty.desk(one.entry.alert.participant)
            with suppress(Exception):  # `troubles` says of a case that it cannot be decided; here the others go on
                decision = decide(case_of(one), desk=desk, duty=self._duty, now=now)
                if isinstance(decision, Tell):
                    steps.append((one.entry, desk, decision))
        await claiming.write_steps(self._ledger, steps, now=now)

    def _room(self) -> dict[Way, int]:
        busy = Counter(self._underway.values())
        return {way: room for way in self._carrying.carriers if (room := self._settings.room - busy[way]) > 0}

    def _start(self, way: Way, work: Callable[[], Awaitable[object]]) -> None:
        task = asyncio.create_task(_survived(work))
        self._underway[task] = way
        task.add_done_callback(self._underway.pop)

    def _try_ways(self) -> None:
        """Try the ways whose turn it is, half of the room at most: telling somebody goes before trying."""
        now, room = monotonic(), self._room()
        for name, route in ways_of(self._duty):
            if room.get(name.way, 0) > self._settings.room // 2 and now >= self._next_probe.get(name, now):
                room[name.way] -= 1
                self._next_probe[name] = now + self._settings.probe_every
                self._start(name.way, partial(self._probe, name, route))

        canary = self._canary
        if canary is not None and now >= self._next_probe.get(CANARY, now):
            self._next_probe[CANARY] = now + max(canary.settings.every, canary.limit)
            self._start(Way.MAIL, partial(self._carrying.fly, canary))

    async def _probe(self, name: WayName, route: Route) -> None:
        if not await self._carrying.probe(name, route):
            self._next_probe[name] = monotonic() + self._settings.probe_failing_every


async def _survived(work: Callable[[], Awaitable[object]]) -> None:
    """Do `work`; a fault is logged without its text and stops nothing else."""
    try:
        await work()
    except Exception as fault:
        with suppress(Exception):
            structlog.get_logger().error("the courier met a fault and goes on", exc_info=fault)
