"""A watch under test: its ledger, what its sinks were told, and the world around it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from broker.alerts import AlertKind
from broker.alerts.book import Entry
from broker.calendars import Calendars
from broker.ledger.ledger import Ledger
from broker.watch.directory import DirectorySource
from broker.watch.outside import Outside, WatchSettings
from broker.watch.watch import Watch
from schemas.directory import Directory
from tests.support.parties import NOW
from tests.unit.watch.traffic import directory

EAGER = WatchSettings(
    round=0.05,
    probe_every=0.0,
    directory_every=0.0,
    refresh_at_most_every=0.0,
    deaf_after=0.5,
    first_pause=0.01,
    longest_pause=0.05,
)
"""Production's behaviour at a test's pace."""


@dataclass
class World:
    """What a test sets: the time and the directory; and what it reads: what sinks were told."""

    now: datetime = NOW
    directory: Directory = field(default_factory=directory)
    told: list[Entry] = field(default_factory=list)
    reads: int = 0

    def read_directory(self) -> Directory:
        self.reads += 1
        return self.directory

    async def sink(self, entry: Entry) -> None:
        self.told.append(entry)

    def outside(self, **changes: Any) -> Outside:
        arguments: dict[str, Any] = {
            "directory": DirectorySource(self.read_directory),
            "calendars": Calendars(),
            "clock": lambda: self.now,
            "sinks": (self.sink,),
        }
        return Outside(**arguments | changes)

    def raised(self) -> list[AlertKind]:
        return [entry.alert.kind for entry in self.told if entry.cleared_at is None]

    def cleared(self) -> list[AlertKind]:
        return [entry.alert.kind for entry in self.told if entry.cleared_at is not None]


@dataclass(frozen=True)
class Watching:
    """An open watch."""

    world: World
    ledger: Ledger
    watch: Watch

    def value(self, name: str, **labels: str) -> float:
        """Read a metric, 0 if it has not been shown."""
        return self.watch.telemetry.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def watching(
    url: str, world: World, *, settings: WatchSettings = EAGER, **outside: Any
) -> AsyncIterator[Watching]:
    """Open a watch over the ledger at `url`."""
    async with Ledger.opened(url, now=world.now) as ledger:
        yield Watching(world, ledger, Watch(ledger, world.outside(**outside), settings=settings))
