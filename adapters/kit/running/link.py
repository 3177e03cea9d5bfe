"""An adapter's link to the hub: the outbox pumped out, the lanes taken in, the inbox worked, until it is closed.

Three loops over one store; each waits for an unavailable database and stops on a damaged one. `run_once` and
`step` run them by hand, for commands and for the demonstration.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any, Final

from sqlalchemy import select

from adapters.kit.delivery.inbox import InboxReceiver
from adapters.kit.delivery.inbox_worker import Apply, InboxWorker
from adapters.kit.delivery.outbox_pump import OutboxPump
from adapters.kit.delivery.states import InboxState, OutboxState
from adapters.kit.envelope.envelopes import Envelopes
from adapters.kit.running.manifests import HubAside, Manifests
from adapters.kit.running.partners import HeldConnection, NoticingEnvelopes, Partners
from adapters.kit.store.store import Store
from adapters.kit.store.tables import inbox_rows, outbox_rows
from broker.hub import HubConnection
from schemas.routing import Lane

NOT_YET_OPENED: Final = (OutboxState.CONFIRMED, OutboxState.RECEIVED)


@dataclass(frozen=True)
class Moved:
    """What one stretch of work came to: attempts to send (receipts included), and messages acted on."""

    sent: int
    received: int


@dataclass(frozen=True)
class UnderWay:
    """A message under way, in words without content, and when it is looked after if nothing happens until then."""

    what: str
    due_at: datetime


@dataclass
class Link:
    """One store's link over one connection."""

    store: Store
    envelopes: Envelopes = field(repr=False)
    connection: HubConnection = field(repr=False)
    apply: Apply = field(repr=False)
    partners: Partners | None = None
    manifests: Manifests | None = None

    def __post_init__(self) -> None:
        connection = self.connection
        if self.partners is not None:
            connection = HeldConnection(connection, self.partners, self.store.clock)
        self._pump = OutboxPump(self.store, connection)
        self._worker = InboxWorker(self.store, self.envelopes)

    async def listen(self) -> None:
        """Take in every lane from now on; what arrives is stored and receipted before it is acknowledged."""
        receiver = self._receiver()
        handler = receiver if self.manifests is None else HubAside(receiver, self.manifests)
        for lane in Lane:
            await self.connection.consume(lane, handler)

    def _receiver(self) -> InboxReceiver:
        partners = self.partners
        if partners is None:
            return InboxReceiver(self.store, self.envelopes)
        return InboxReceiver(
            self.store,
            NoticingEnvelopes(self.envelopes, partners),
            refresh=lambda: partners.refresh(now=self.store.clock()),
        )

    async def run(self, *chores: Coroutine[Any, Any, None]) -> None:
        """Listen, pump, work and do the chores until cancelled.

        Raises `StoreFault` where the store is damaged, and what a chore raises.
        """
        await self.listen()
        async with asyncio.TaskGroup() as group:
            for chore in chores:
                group.create_task(chore)
            group.create_task(self._pump.run())
            group.create_task(self._worker.run(self.apply))

    async def run_once(self, *, quiet_for: float = 1.0) -> Moved:
        """Listen, send and work until nothing has happened for `quiet_for` seconds; says how much moved."""
        await self.listen()
        sent, worked, quiet_since = 0, 0, monotonic()
        while monotonic() - quiet_since < quiet_for:
            out, taken = await self._pump.run_once(), await self._worker.run_once(self.apply)
            sent, worked = sent + out, worked + taken
            if out or taken:
                quiet_since = monotonic()
            await asyncio.sleep(0.02)
        return Moved(sent, worked)

    async def step(self) -> int:
        """Send and work what is due now; returns how much was done."""
        return await self._pump.run_once() + await self._worker.run_once(self.apply)

    async def under_way(self) -> list[UnderWay]:
        """Give what was sent and is not opened yet over there, and what is stored here and not applied."""
        states = [state.value for state in (*NOT_YET_OPENED, OutboxState.SEALED, OutboxState.INFLIGHT)]
        stored = inbox_rows.c.state == InboxState.STORED.value
        async with self.store.snapshot() as view:
            sent = await view.select(outbox_rows, select(outbox_rows).where(outbox_rows.c.state.in_(states)))
            came = await view.select(inbox_rows, select(inbox_rows).where(stored))
        dead = "".join(f", nobody hears lane {lane}" for lane in Lane if not self.connection.alive(lane))
        me = f"{self.store.participant}{dead}"
        return [
            *(UnderWay(f"{me}: {row['event']} to {row['recipient']} is {row['state']}", row["due_at"]) for row in sent),
            *(UnderWay(f"{me}: {row['event']} of {row['peer']} is not applied", row["due_at"]) for row in came),
        ]
