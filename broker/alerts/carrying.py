"""Carries one telling, asks after one that was accepted, tries one way; and notes how each fared.

It guarantees: whatever a server does, the row and its way say so afterwards; a telling whose way is no longer in the
duty file is given up; nobody is told who has gone off duty since it was decided, and the next rung does not wait for
that; the notice is made anew each time, so that its link is good for the whole of its life.
"""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from broker.alerts import claiming, tellings, ways
from broker.alerts.book import Entry
from broker.alerts.canary import MailCanary
from broker.alerts.claiming import Batch
from broker.alerts.desks import Duty, Route
from broker.alerts.kinds import HUB
from broker.alerts.notice import Notice, reference_of, telephone_of
from broker.alerts.routing import Accepted, Carriers, Fate, NotTold, WayFault, bounded
from broker.alerts.tellings import State, Telling
from broker.alerts.tokens import Claim, Tokens
from broker.alerts.ways import CANARY, WayName
from broker.ledger.ledger import Ledger
from broker.settings import Backoff

FOLLOWED_FOR: Final = timedelta(days=3)
"""Notify gives up on a text message after 72 hours."""
OFF_DUTY: Final = "off_duty"
"""Why a telling waits whose post went home: no fault of its way."""


@dataclass(frozen=True)
class Wording:
    """Makes notices. `base` is where links lead: `<base>/a/<token>`."""

    base: str
    tokens: Tokens

    def notice(self, telling: Telling, entry: Entry, *, duty: Duty, now: datetime) -> Notice:
        """Say the four things: the hub's desk is told whom to ring, everybody else rings the hub's desk."""
        token = self.tokens.make(Claim(entry.number, telling.desk, telling.post), now=now)
        ring = (entry.alert.telephone,) if telling.desk == HUB else (duty.telephone,)
        return Notice(
            reference_of(entry.alert, entry.number), entry.alert.urgency, f"{self.base}/a/{token}", telephone_of(*ring)
        )


@dataclass(frozen=True)
class Carrying:
    """What carrying needs. `follow_every`: seconds between two questions about one receipt."""

    ledger: Ledger
    duty: Duty
    carriers: Carriers
    wording: Wording
    clock: Callable[[], datetime]
    backoff: Backoff
    follow_every: float

    async def tell(self, batch: Batch) -> None:
        """Carry what was claimed as one notice, which speaks of the first."""
        telling, desk, now = batch.first, self.duty.desk(batch.first.desk), self.clock()
        route, on_duty_at = tellings.route_of(telling, desk), desk.on_duty_at(telling.rung, telling.post, now)
        if route is None or on_duty_at is None:
            await self._note(batch.tellings, state=State.ABANDONED.value, next_try_at=None)
            return
        if on_duty_at > now:  # decided in office hours and tried again after them: not to be told then
            await self._note(batch.tellings, fault=OFF_DUTY, next_try_at=on_duty_at)
            return
        try:
            notice = self.wording.notice(telling, batch.entry, duty=self.duty, now=now)
            accepted = await self._carried(telling, route, notice)
        except NotTold as fault:
            pause = self.backoff.pause(telling.attempts, chance=random.random())  # noqa: S311 - jitter, not a secret
            next_try = self.clock() + timedelta(seconds=pause)
            await self._note_failed(batch.tellings, fault.fault, next_try_at=next_try)
        else:
            await self._note_accepted(batch.tellings, accepted)

    async def follow(self, telling: Telling) -> None:
        """Ask what became of a telling that was accepted."""
        carrier, one = self.carriers.get(telling.way), (telling,)
        if carrier is None:  # the way was taken out of the duty file: there is nobody left to ask
            await self._note(one, next_try_at=None)
            return
        try:
            fate = await bounded(lambda: carrier.fate(telling.receipt), limit=carrier.limit)
        except NotTold as fault:
            if fault.fault is WayFault.BOUNCED:
                await self._note_failed(one, fault.fault, state=State.FAILED.value, next_try_at=None)
            return  # else it could not be asked, and is asked again when its lease is over
        now = self.clock()
        over = now - telling.decided_at > FOLLOWED_FOR
        if fate is Fate.DELIVERED:
            await self._note_worked(one, has_arrived=True, state=State.DELIVERED.value, next_try_at=None)
        else:
            await self._note(one, next_try_at=None if over else now + timedelta(seconds=self.follow_every))

    async def probe(self, name: WayName, route: Route) -> bool:
        """Try a way without telling anybody anything, and say whether it works."""
        carrier = self.carriers[name.way]
        return await self._tried(name, lambda: carrier.probe(route), limit=carrier.limit, has_arrived=False)

    async def fly(self, canary: MailCanary) -> bool:
        """Send a mail to ourselves, and say whether it came."""
        return await self._tried(CANARY, canary.fly, limit=canary.limit, has_arrived=True)

    async def _tried(
        self, name: WayName, work: Callable[[], Awaitable[None]], *, limit: float, has_arrived: bool
    ) -> bool:
        fault: WayFault | None = None
        try:
            await bounded(work, limit=limit)
        except NotTold as failed:
            fault = failed.fault
        async with self.ledger.writing() as connection:
            if fault is None:
                await ways.note_worked(connection, name, now=self.clock(), has_arrived=has_arrived)
            else:
                await ways.note_failed(connection, name, fault, now=self.clock())
        return fault is None

    async def _carried(self, telling: Telling, route: Route, notice: Notice) -> Accepted:
        carrier = self.carriers[telling.way]
        return await bounded(lambda: carrier.tell(route, notice, telling=telling.number), limit=carrier.limit)

    async def _note_accepted(self, some: Sequence[Telling], accepted: Accepted) -> None:
        """Note it of a whole batch; the fate of its one notice is followed on the first row."""
        now = self.clock()
        told = {"state": State.DELIVERED.value, "told_at": now, "next_try_at": None, "fault": ""}
        again = now + timedelta(seconds=self.follow_every)
        followed = {"state": State.ACCEPTED.value, "receipt": accepted.receipt, "next_try_at": again}
        first, *others = some
        await self._note_worked((first,), has_arrived=False, **told | (followed if accepted.receipt else {}))
        if others:
            await self._note_worked(others, has_arrived=False, **told)

    async def _note_worked(self, some: Sequence[Telling], *, has_arrived: bool, **noted: Any) -> None:
        async with self.ledger.writing() as connection:
            await _write(connection, some, noted)
            await ways.note_worked(connection, WayName.of(some[0]), now=self.clock(), has_arrived=has_arrived)

    async def _note_failed(self, some: Sequence[Telling], fault: WayFault, **noted: Any) -> None:
        async with self.ledger.writing() as connection:
            await _write(connection, some, {"fault": fault.value, **noted})
            await ways.note_failed(connection, WayName.of(some[0]), fault, now=self.clock())

    async def _note(self, some: Sequence[Telling], **noted: Any) -> None:
        async with self.ledger.writing() as connection:
            await _write(connection, some, noted)


async def _write(connection: AsyncConnection, some: Sequence[Telling], noted: Mapping[str, Any]) -> None:
    await claiming.note(connection, [telling.number for telling in some], **noted)
