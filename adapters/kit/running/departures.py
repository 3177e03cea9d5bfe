"""A partner has left, or has come back: what was in flight with it is settled, and nobody waits unseen (GOV-10).

The signed directory is what says so; no message can. When a partner has left, nothing more is sent to it or expected of
it: what waits in the outbox for it comes to rest, the requests that it had sent are closed at the desk, and whoever
hooks in (the coordinator's console) ends what it was asked. Our own people are told by an alarm for each.
A suspended partner may come back: what the hub returned meanwhile is sent again once the directory permits the pair.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select

from adapters.kit.delivery import outbox
from adapters.kit.delivery.states import OutboxEvent, OutboxState
from adapters.kit.desk.departed import close_requests_of
from adapters.kit.store.session import Row
from adapters.kit.store.store import Store
from adapters.kit.store.tables import outbox_rows
from adapters.kit.store.transaction import Transaction
from schemas.directory import Directory

LEFT: Final = "PARTICIPANT-LEFT"
OnLeft = Callable[[Transaction, str], Awaitable[int]]
"""Ends what is in flight with a participant, in the caller's transaction, and says how many requests that were."""

_TO_REST: Final[Mapping[OutboxState, OutboxEvent]] = {
    OutboxState.DRAFT: OutboxEvent.RECALL,
    OutboxState.HELD: OutboxEvent.RECALL,
    OutboxState.SEALED: OutboxEvent.EXPIRE,
    OutboxState.INFLIGHT: OutboxEvent.EXPIRE,
    OutboxState.CONFIRMED: OutboxEvent.EXPIRE,
    OutboxState.RETURNED: OutboxEvent.EXPIRE,
    OutboxState.RECEIVED: OutboxEvent.CLOSE,
    OutboxState.RESEAL: OutboxEvent.REJECT,
}
"""How a row for somebody who has left comes to rest; every other state is at rest."""


@dataclass
class Departures:
    """One adapter's look at who has left and who is back. `hooks` are called for each who has left."""

    participant: str
    store: Store
    directory: Callable[[], Directory]
    hooks: list[OnLeft] = field(default_factory=lambda: [close_requests_of])
    _told: set[str] = field(default_factory=set)

    async def tell(self) -> int:
        """Settle what is in flight with whoever has left or come back; gives how many requests were ended."""
        directory, ended = self.directory(), 0
        for name in sorted(directory.left.keys() - self._told - {self.participant}):
            async with self.store.transaction() as tx:
                ended += sum([await hook(tx, name) for hook in self.hooks])
                await _lay_to_rest(tx, name)
            self._told.add(name)
        await self._send_again(directory)
        return ended

    async def _send_again(self, directory: Directory) -> None:
        """Send what was returned while a partner was out, now that it is in again; what is over by then expires."""
        async with self.store.snapshot() as view:
            back = [
                row["ref"] for row in await _returned(view) if directory.permits(self.participant, row["recipient"])
            ]
        for ref in back:
            async with self.store.transaction() as tx:
                row = await tx.find(outbox_rows, outbox_rows.c.ref == ref)
                if row is not None and row["state"] == OutboxState.RETURNED.value:
                    await outbox.move(tx, row, OutboxEvent.RETRY, due_at=tx.now)


async def _lay_to_rest(tx: Transaction, recipient: str) -> None:
    moving = [state.value for state in _TO_REST]
    statement = select(outbox_rows).where(outbox_rows.c.recipient == recipient, outbox_rows.c.state.in_(moving))
    for row in await tx.select(outbox_rows, statement):
        await outbox.move(tx, row, _TO_REST[OutboxState(row["state"])], code=LEFT, closed_at=tx.now)


async def _returned(view: Transaction) -> list[Row]:
    statement = select(outbox_rows).where(outbox_rows.c.state == OutboxState.RETURNED.value)
    return await view.select(outbox_rows, statement)
