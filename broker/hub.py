"""The contract of the hub: what every way of carrying sealed bytes promises, and nothing about how.

Guarantees: at least once; in order within a lane while nothing fails; the sender named by the hub (`ingress_owner`),
not by the message. A publish ends in one of three outcomes, and `UNKNOWN` means exactly that: the caller publishes the
same bytes again, and the recipient drops the duplicate.
Refuses to know: anything inside `body`.
`broker.transport` (RabbitMQ) and `broker.embedded` (one machine) fulfil it; one conformance suite holds both to it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

from broker.errors import MessageTooLarge
from schemas.routing import Lane

MAX_BODY_BYTES: Final = 2 * 1024 * 1024
"""The largest body the hub carries; the broker's own limit is twice that and is never reached by an honest client."""


class Outcome(StrEnum):
    """How a publish ended, as far as the sender can know."""

    CONFIRMED = "confirmed"
    """The hub stored it in at least one queue, durably."""
    RETURNED = "returned"
    """The hub has no way from this sender to that recipient; it was not stored."""
    UNKNOWN = "unknown"
    """Timeout, refusal or a cut cable: it may or may not have been stored."""


@dataclass(frozen=True)
class Delivery:
    """One message as the hub hands it over: bytes, and what the hub itself vouches for.

    `ingress_owner` is the participant whose exchange it entered by, empty when the hub cannot say (a dead letter).
    `has_cc` tells that the publisher stuffed a header, CC or another: none is needed, a name fits into each (E00).
    """

    ingress_owner: str
    lane: Lane
    body: bytes = field(repr=False)
    has_cc: bool
    redelivered: bool


Handler = Callable[[Delivery], Awaitable[None]]
"""Returning acknowledges the delivery; raising leaves it with the hub, which delivers it again after a pause."""


@runtime_checkable
class ManyHandler(Protocol):
    """A handler that stores several deliveries together; a hub that has several waiting may hand them over at once.

    Returning from `take` acknowledges all of them; raising leaves all with the hub, which then delivers one at a time
    until one has succeeded. They come in the order of the lane.
    """

    @property
    def at_once(self) -> int:
        """How many to hand over at most."""
        ...

    async def __call__(self, delivery: Delivery) -> None:
        """Handle one delivery; see `Handler`."""
        ...

    async def take(self, deliveries: Sequence[Delivery]) -> None:
        """Handle several."""
        ...


class HubConnection(Protocol):
    """One participant's connection to the hub."""

    async def publish(self, body: bytes, *, recipient: str, lane: Lane, attempt_id: str) -> Outcome:
        """Send `body` to `recipient`; `attempt_id` names this attempt (`mid.n`) and no other.

        Ends within the publish timeout whatever the hub does. Raises `MessageTooLarge` before anything is sent and
        `ConnectionClosed` after `close`.
        """
        ...

    async def consume(self, lane: Lane, handler: Handler) -> None:
        """Hand every message of `lane` to `handler`, one at a time, from now until `close`.

        Returns once the handler is registered: an unreachable hub is tried again in the background. Raises `Misuse` if
        the lane has a handler already.
        """
        ...

    def alive(self, lane: Lane) -> bool:
        """Say whether the consumer of `lane` is known to receive now (for health checks and metrics)."""
        ...

    async def close(self) -> None:
        """Stop consuming, leave unacknowledged messages with the hub, and end every task. Idempotent."""
        ...


class Hub(Protocol):
    """Where participants connect."""

    async def connect(self, participant: str) -> HubConnection:
        """Open `participant`'s connection; the caller closes it."""
        ...


def check_size(body: bytes) -> None:
    """Raise `MessageTooLarge` if the hub would not carry `body` (SPEC: 2 MiB)."""
    if len(body) > MAX_BODY_BYTES:
        raise MessageTooLarge(f"({len(body)} bytes)")
