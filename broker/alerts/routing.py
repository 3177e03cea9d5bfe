"""From a way to whoever carries it: what a carrier is, how its failures are named, and a bound on every wait.

It guarantees: whatever a carrier does, its caller gets a receipt or a `NotTold` with one of a few codes, within the
limit; the text of a server's or a library's complaint goes no further, because it may repeat an address.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from broker.alerts.desks import Route, Way
from broker.alerts.notice import Notice
from broker.errors import HubError

Result = TypeVar("Result")


class WayFault(StrEnum):
    """What is wrong with a way, for an alert and for whoever mends it."""

    UNREACHABLE = "unreachable"
    UNTRUSTED = "untrusted"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    KEY = "key"
    CLOCK = "clock"
    BUSY = "busy"
    BOUNCED = "bounced"
    DROPPED = "dropped"
    NO_SUCH_WAY = "no_such_way"
    OURS = "fault"


class NotTold(HubError):
    """Somebody was to be told and this way of telling failed; it is tried again, and is an alert of its own."""

    def __init__(self, fault: WayFault) -> None:
        super().__init__(f"({fault.value})")
        self.fault = fault


class Fate(StrEnum):
    """What became of something that was accepted."""

    UNDERWAY = "underway"
    DELIVERED = "delivered"


@dataclass(frozen=True)
class Accepted:
    """A server took it. `receipt` names it there, if its fate can be asked for; empty means that it cannot."""

    receipt: str = ""


class Carrier(Protocol):
    """Carries notices by one way. Raises `NotTold`; anything else counts as a fault of ours."""

    limit: float
    """Seconds that one telling may take in all."""

    async def tell(self, route: Route, notice: Notice, *, telling: int) -> Accepted:
        """Hand `notice` over. `telling` names it in the same way each time it is tried again."""
        ...

    async def probe(self, route: Route) -> None:
        """Find out whether the way works, without telling anybody anything."""
        ...

    async def fate(self, receipt: str) -> Fate:
        """Ask what became of something accepted. Raises `NotTold` if it will never arrive."""
        ...


Carriers = Mapping[Way, Carrier]


async def bounded(work: Callable[[], Awaitable[Result]], *, limit: float) -> Result:
    """Do `work` within `limit` seconds. Raises `NotTold` and nothing else but a cancellation of the caller."""
    try:
        async with asyncio.timeout(limit):
            return await work()
    except NotTold:
        raise
    except TimeoutError:
        raise NotTold(WayFault.TIMEOUT) from None
    except Exception:
        raise NotTold(WayFault.OURS) from None
