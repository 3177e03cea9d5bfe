"""The product's own traffic under fault, and the count of it: what was confirmed must arrive, once or more, unchanged.

A sender publishes each body again, unchanged, until it is confirmed, as the outbox does. A body is *lost* when it was
confirmed and never handed to a handler, *unexpected* when handed over and never published, *duplicated* when handed
over more than once, which recipients drop by its id (E11).
"""

import asyncio
import secrets
from collections import Counter
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from broker.hub import Delivery, HubConnection, Outcome
from schemas.routing import Lane

LANES: Final = (Lane.URGENT, Lane.ROUTINE)
BODY_BYTES: Final = 4096
_NAME_BYTES: Final = 16
_AHEAD: Final = 4000
"""How many confirmed bodies may wait undelivered before senders pause."""


@dataclass
class Tally:
    """What was tried, what came of it, and what arrived."""

    attempts: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    sent: set[bytes] = field(default_factory=set)
    confirmed: set[bytes] = field(default_factory=set)
    arrived: Counter[bytes] = field(default_factory=Counter)
    confirmed_at: dict[Lane, float] = field(default_factory=lambda: dict.fromkeys(LANES, monotonic()))
    longest_gap: float = 0.0

    @property
    def lost(self) -> int:
        """Confirmed and never delivered."""
        return len(self.confirmed - self.arrived.keys())

    @property
    def unexpected(self) -> int:
        """Delivered and never sent, a changed body included."""
        return len(self.arrived.keys() - self.sent)

    @property
    def duplicated(self) -> int:
        """Deliveries beyond the first of a body."""
        return self.arrived.total() - len(self.arrived)

    @property
    def unconfirmed_arrivals(self) -> int:
        """Delivered although no attempt was ever confirmed: an unknown outcome that had arrived."""
        return len((self.arrived.keys() & self.sent) - self.confirmed)

    def confirm(self, lane: Lane, name: bytes) -> None:
        """Enter a confirm, and how long it was since the one before in its lane."""
        now = monotonic()
        self.longest_gap = max(self.longest_gap, now - self.confirmed_at[lane])
        self.confirmed_at[lane] = now
        self.confirmed.add(name)


class Traffic:
    """Senders and a receiver over two connections of the product."""

    def __init__(self, sender: HubConnection, receiver: HubConnection, *, recipient: str, senders: int) -> None:
        self.tally = Tally()
        self._sender, self._receiver, self._recipient = sender, receiver, recipient
        self._senders, self._stopping = senders, False
        self._padding = secrets.token_bytes(BODY_BYTES - _NAME_BYTES)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to receive and to send."""
        for lane in LANES:
            await self._receiver.consume(lane, self._receive)
        self._tasks = [asyncio.create_task(self._send_on(lane)) for lane in LANES for _ in range(self._senders)]

    async def stop(self, *, drain: float) -> None:
        """Send no more, and wait at most `drain` seconds for what was confirmed."""
        self._stopping = True
        await asyncio.gather(*self._tasks)
        end = monotonic() + drain
        while self.tally.lost and monotonic() < end:  # noqa: ASYNC110 - counted, not waited for
            await asyncio.sleep(0.2)

    def alive(self) -> bool:
        """Say whether every consumer receives."""
        return all(self._receiver.alive(lane) for lane in LANES)

    async def _receive(self, delivery: Delivery) -> None:
        whole = delivery.body[_NAME_BYTES:] == self._padding
        self.tally.arrived[delivery.body[:_NAME_BYTES] if whole else delivery.body] += 1

    async def _send_on(self, lane: Lane) -> None:
        while not self._stopping:
            if len(self.tally.confirmed) - len(self.tally.arrived) > _AHEAD:
                await asyncio.sleep(0.05)
                continue
            await self._send(lane, secrets.token_bytes(_NAME_BYTES))

    async def _send(self, lane: Lane, name: bytes) -> None:
        self.tally.sent.add(name)
        attempt = 0
        while True:
            attempt += 1
            self.tally.attempts += 1
            attempt_id = f"{name.hex()}.{attempt}"
            body = name + self._padding
            outcome = await self._sender.publish(body, recipient=self._recipient, lane=lane, attempt_id=attempt_id)
            self.tally.outcomes[outcome] += 1
            if outcome is Outcome.CONFIRMED:
                self.tally.confirm(lane, name)
                return
            if self._stopping and attempt > 3:
                return
            await asyncio.sleep(0.2)
