"""Carries one telling, asks after one that was accepted, tries one way; and notes how each fared.

It guarantees: whatever a server does, the row and its way say so afterwards; a telling whose way is no longer in the
duty file is given up; the notice is made anew each time, so that its link is good for the whole of its life.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from broker.alerts import tellings, ways
from broker.alerts.book import Entry
from broker.alerts.desks import Duty, Route
from broker.alerts.kinds import HUB
from broker.alerts.notice import Notice, reference_of, telephone_of
from broker.alerts.routing import Accepted, Carriers, Fate, NotTold, WayFault, bounded
from broker.alerts.tellings import State, Telling
from broker.alerts.tokens import Claim, Tokens
from broker.alerts.ways import WayName
from broker.ledger import Ledger
from broker.settings import Backoff

FOLLOWED_FOR: Final = timedelta(days=3)
"""Notify gives up on a text message after 72 hours."""


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

    async def tell(self, telling: Telling, entry: Entry) -> None:
        """Carry a telling that was claimed."""
        route = tellings.route_of(telling, self.duty.desk(telling.desk))
        if route is None:
            await self._note(telling, state=State.ABANDONED.value, next_try_at=None)
            return
        try:
            notice = self.wording.notice(telling, entry, duty=self.duty, now=self.clock())
            accepted = await self._carried(telling, route, notice)
        except NotTold as fault:
            pause = self.backoff.pause(telling.attempts, chance=random.random())  # noqa: S311 - jitter, not a secret
            next_try = self.clock() + timedelta(seconds=pause)
            await self._note_failed(telling, fault.fault, next_try_at=next_try)
        else:
            await self._note_accepted(telling, accepted)

    async def follow(self, telling: Telling) -> None:
        """Ask what became of a telling that was accepted."""
        carrier = self.carriers[telling.way]
        try:
            fate = await bounded(lambda: carrier.fate(telling.receipt), limit=carrier.limit)
        except NotTold as fault:
            if fault.fault is WayFault.BOUNCED:
                await self._note_failed(telling, fault.fault, state=State.FAILED.value, next_try_at=None)
            return  # else it could not be asked, and is asked again when its lease is over
        now = self.clock()
        if fate is Fate.DELIVERED:
            await self._note_worked(telling, has_arrived=True, state=State.DELIVERED.value, next_try_at=None)
        else:
            over = now - telling.decided_at > FOLLOWED_FOR
            next_try = None if over else now + timedelta(seconds=self.follow_every)
            await self._note(telling, next_try_at=next_try)

    async def probe(self, name: WayName, route: Route) -> bool:
        """Try a way without telling anybody anything, and say whether it works."""
        carrier, fault = self.carriers[name.way], None
        try:
            await bounded(lambda: carrier.probe(route), limit=carrier.limit)
        except NotTold as failed:
            fault = failed.fault
        async with self.ledger.writing() as connection:
            if fault is None:
                await ways.note_worked(connection, name, now=self.clock(), has_arrived=False)
            else:
                await ways.note_failed(connection, name, fault, now=self.clock())
        return fault is None

    async def _carried(self, telling: Telling, route: Route, notice: Notice) -> Accepted:
        carrier = self.carriers[telling.way]
        return await bounded(lambda: carrier.tell(route, notice, telling=telling.number), limit=carrier.limit)

    async def _note_accepted(self, telling: Telling, accepted: Accepted) -> None:
        now = self.clock()
        state = State.ACCEPTED if accepted.receipt else State.DELIVERED
        again = now + timedelta(seconds=self.follow_every) if accepted.receipt else None
        noted = {"state": state.value, "told_at": now, "receipt": accepted.receipt, "next_try_at": again, "fault": ""}
        await self._note_worked(telling, has_arrived=False, **noted)

    async def _note_worked(self, telling: Telling, *, has_arrived: bool, **noted: Any) -> None:
        async with self.ledger.writing() as connection:
            await tellings.note(connection, telling.number, **noted)
            await ways.note_worked(connection, WayName.of(telling), now=self.clock(), has_arrived=has_arrived)

    async def _note_failed(self, telling: Telling, fault: WayFault, **noted: Any) -> None:
        async with self.ledger.writing() as connection:
            await tellings.note(connection, telling.number, fault=fault.value, **noted)
            await ways.note_failed(connection, WayName.of(telling), fault, now=self.clock())

    async def _note(self, telling: Telling, **noted: Any) -> None:
        async with self.ledger.writing() as connection:
            await tellings.note(connection, telling.number, **noted)
