"""Follows the published directory and takes away from the broker what it no longer grants, within a minute (REC-06).

A follower only takes away: permissions, accounts, ways from one to another, and the connections of whoever lost one.
What the directory newly grants waits for an operator's `mash-hub apply`, so that a program which runs all the time can
never let anybody in. Guarantees: a change of the directory is acted on at the next look; whether anything was added to
the broker by hand is looked at every five minutes without one; a look that fails is logged and the next one follows.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

import structlog

from broker.errors import HubError
from broker.management import apply, open_management, read_state
from broker.provision import Accounts, Action, Change, Kind, desired_state, plan
from broker.topology import NOTHING, Topology
from schemas.directory import Directory

LOOK_EVERY: Final = 10.0
LOOK_CLOSELY_EVERY: Final = 300.0
"""Seconds. The first is how long a suspended agency may stay connected after publication, besides the look itself."""
_PERSONAL: Final = frozenset({Kind.USER, Kind.PERMISSION, Kind.TOPIC_PERMISSION})

Sleep = Callable[[float], Awaitable[None]]


class DirectoryAway(HubError):
    """The published directory cannot be read; what the broker grants stays as it is until it can."""


@dataclass(frozen=True)
class Look:
    """What one look came to: what was taken away, and how many changes wait for an operator."""

    taken: tuple[Change, ...]
    waiting: int


@dataclass
class Follower:
    """Follows one directory for one vhost. `directory` reads it anew and raises `DirectoryAway`."""

    directory: Callable[[], Directory]
    management: str = field(repr=False)
    vhost: str
    accounts: Accounts
    _seen: bytes = b""
    _closely_at: float = 0.0

    async def run(self, *, every: float = LOOK_EVERY, sleep: Sleep = asyncio.sleep) -> None:
        """Look again and again until cancelled."""
        log = structlog.get_logger()
        while True:
            try:
                look = await self.look()
            except HubError as fault:
                log.error("the broker does not follow the directory", exc_info=fault)
            else:
                for change in look.taken if look else ():
                    log.warning("taken away", kind=change.item.kind.value, name="/".join(change.item.name))
                if look and look.waiting:
                    log.info("changes wait for mash-hub apply", count=look.waiting)
            await sleep(every)

    async def look(self) -> Look | None:
        """Take away what is granted no more; None if the directory is as it was and it is not time to look closely.

        Raises `DirectoryAway`, `Unreachable` and `ManagementRefused`: then nothing is remembered, and all is looked at
        again the next time.
        """
        directory = await asyncio.to_thread(self.directory)
        if directory.hash == self._seen and monotonic() - self._closely_at < LOOK_CLOSELY_EVERY:
            return None
        topology = Topology.of(directory)
        async with open_management(self.management, vhost=self.vhost) as broker:
            desired = desired_state(topology, accounts=self.accounts)
            changes = plan(desired, await read_state(broker), drained=topology.drained)
            taken = tuple(taking(changes))
            await apply(broker, taken)
        self._seen, self._closely_at = directory.hash, monotonic()
        return Look(taken, len(changes) - len(taken))


def taking(changes: Iterable[Change]) -> Iterable[Change]:
    """Give those of `changes` that only take something away from somebody; queues and what is in them are left."""
    for change in changes:
        gone = change.action is Action.DELETE and change.item.kind in (*_PERSONAL, Kind.BINDING)
        if gone or _shuts(change):
            yield change


def _shuts(change: Change) -> bool:
    """Say whether an account is left with no access at all."""
    patterns = {change.settings.get(name) for name in ("configure", "write", "read")}
    return change.item.kind is Kind.PERMISSION and change.action is Action.UPDATE and patterns == {NOTHING}
