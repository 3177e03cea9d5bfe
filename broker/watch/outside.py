"""What the watch needs of the world, and how often it looks."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from broker.agreements import NO_AGREEMENTS, Agreements
from broker.alerts.book import Sink
from broker.alerts.kinds import Trouble
from broker.calendars import Calendars
from broker.hub import Delivery
from broker.watch.directory import DirectorySource
from broker.watch.glance import Onlooker
from broker.watch.probe import Probe


@dataclass(frozen=True)
class WatchSettings:
    """Spans in seconds. `deaf_after`: a tap's consumer may be away so long before it is told."""

    round: float = 1.0
    probe_every: float = 15.0
    directory_every: float = 30.0
    refresh_at_most_every: float = 5.0
    verify_every: float = 86_400.0
    deaf_after: float = 15.0
    first_pause: float = 0.25
    longest_pause: float = 5.0


@dataclass(frozen=True)
class DutySight:
    """What is seen of the duty desks: the troubles with telling people, and who has a desk; None without a file."""

    troubles: tuple[Trouble, ...] = ()
    desks: frozenset[str] | None = None


async def no_duty(now: datetime) -> DutySight:
    """See nothing, where no duty file is kept."""
    return DutySight()


@dataclass(frozen=True)
class Outside:
    """The directory, the calendars, the time, the hub's figures, whom to tell, the agreements, and who looks on.

    `hears` takes in agencies' answers to manifests and says whether it did.
    """

    directory: DirectorySource
    calendars: Calendars
    clock: Callable[[], datetime]
    sinks: Sequence[Sink] = ()
    probe: Probe | None = None
    clock_stepped: Callable[[], bool] = lambda: False
    duty: Callable[[datetime], Awaitable[DutySight]] = no_duty
    agreements: Agreements = NO_AGREEMENTS
    onlookers: Sequence[Onlooker] = ()
    hears: Callable[[Delivery], Awaitable[bool]] | None = None
