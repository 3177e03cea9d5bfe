"""Where an adapter's directory comes from, and whether it may send by it now.

Production: the verified copy of the signed directory in the adapter's own folder, refreshed while the adapter runs;
it may be replaced on disk by a command beside the adapter and is then read anew. What arrives under another directory
at our own version is an equivocation: all sending stops until two people have cleared it (M5), and a stale directory
holds sending by lane (M6). A sandbox: one unsigned file, and only where the hub is the embedded one.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from adapters.kit.delivery.quarantine import EQUIVOCATION
from adapters.kit.envelope.envelopes import Envelopes
from adapters.kit.envelope.sealing import Chain, Outgoing, Sealed
from adapters.kit.envelope.verification import Arrival, Opened, Refusal
from adapters.kit.running.connecting import tls_context
from adapters.kit.running.sandbox_directory import read_unsigned_directory
from adapters.kit.running.settings import AdapterSettings
from broker.directory.client import DirectoryClient, NoDirectory, Refreshed
from broker.hub import Delivery, Handler, HubConnection, Outcome
from schemas.directory import Directory
from schemas.routing import Lane

REFRESH_EVERY: Final = timedelta(minutes=15)


class Partners(Protocol):
    """The directory of one adapter."""

    def current(self) -> Directory:
        """Give the directory to use now."""
        ...

    def may_send(self, lane: Lane, *, now: datetime) -> bool:
        """Say whether messages of this lane may leave now."""
        ...

    async def refresh(self, *, now: datetime) -> bool:
        """Fetch the directory anew; say whether another one is in use now."""
        ...

    def noticed(self, refusal: Refusal) -> None:
        """Take note of why something that arrived was refused."""
        ...

    def last(self) -> Refreshed | None:
        """Give what the last refresh came to, with its alarms; None before the first."""
        ...


@dataclass(frozen=True)
class FixedPartners:
    """A directory that does not change: a sandbox's, or a test's."""

    directory: Directory = field(repr=False)

    def current(self) -> Directory:
        """Give the one directory."""
        return self.directory

    def may_send(self, lane: Lane, *, now: datetime) -> bool:
        """Always: there is nobody to ask."""
        return True

    async def refresh(self, *, now: datetime) -> bool:
        """Never another one."""
        return False

    def noticed(self, refusal: Refusal) -> None:
        """Nothing follows from it."""

    def last(self) -> Refreshed | None:
        """Never refreshed."""
        return None


class SignedPartners:
    """The verified copy of the signed directory; `source` is where refreshes come from, None for none."""

    def __init__(self, client: DirectoryClient, *, source: str | None) -> None:
        self._client = client
        self._source = source
        self._held: tuple[object, Directory] | None = None
        self._last: Refreshed | None = None

    def current(self) -> Directory:
        """Give the last good directory, read anew when its file has changed. Raises `NoDirectory`."""
        mark = self._client.mark()
        if self._held is None or self._held[0] != mark:
            self._held = (mark, self._client.current())
        return self._held[1]

    def may_send(self, lane: Lane, *, now: datetime) -> bool:
        """Not after an equivocation, and not by a directory that is too old for this lane."""
        return self._client.may_send(lane, now=now)

    async def refresh(self, *, now: datetime) -> bool:
        """Fetch and verify in a thread; a failure leaves the last good directory in use."""
        if self._source is None:
            return False
        before = self._hash()
        self._last = await asyncio.to_thread(self._client.refresh, self._source, now=now)
        return self._hash() != before

    def last(self) -> Refreshed | None:
        """Give what the last refresh came to."""
        return self._last

    def _hash(self) -> bytes | None:
        try:
            return self.current().hash
        except NoDirectory:
            return None

    def noticed(self, refusal: Refusal) -> None:
        """Stop all sending when somebody has been shown another directory than we have (E06)."""
        if refusal.code == "E06" and refusal.detail == EQUIVOCATION:
            self._client.stop_sending()


def partners_of(settings: AdapterSettings) -> Partners:
    """Give the directory that the settings name: a file is a sandbox's, a folder the signed one."""
    file = settings.file
    place = settings.path(file.directory)
    if place.suffix == ".json":
        return FixedPartners(read_unsigned_directory(place, hub=file.hub))
    client = DirectoryClient(place, context=tls_context(settings))
    return SignedPartners(client, source=file.directory_source)


@dataclass(frozen=True)
class NoticingEnvelopes:
    """Envelopes whose refusals the directory hears of, because one of them stops all sending."""

    envelopes: Envelopes = field(repr=False)
    partners: Partners

    def seal(self, outgoing: Outgoing, *, chain: Chain, now: datetime) -> Sealed:
        """Seal as ever."""
        return self.envelopes.seal(outgoing, chain=chain, now=now)

    def check(self, delivery: Delivery, *, now: datetime) -> Arrival | Refusal:
        """Check as ever, and let a refusal be noticed."""
        verdict = self.envelopes.check(delivery, now=now)
        if isinstance(verdict, Refusal):
            self.partners.noticed(verdict)
        return verdict

    def open(self, arrival: Arrival, *, now: datetime) -> Opened | Refusal:
        """Open as ever."""
        return self.envelopes.open(arrival, now=now)


@dataclass(frozen=True)
class HeldConnection:
    """A connection that sends only while the directory allows it; what is held back is tried again later."""

    connection: HubConnection
    partners: Partners
    clock: Callable[[], datetime]

    async def publish(self, body: bytes, *, recipient: str, lane: Lane, attempt_id: str) -> Outcome:
        """Publish, or answer UNKNOWN without sending: the outbox then keeps the bytes and tries again."""
        if not self.partners.may_send(lane, now=self.clock()):
            return Outcome.UNKNOWN
        return await self.connection.publish(body, recipient=recipient, lane=lane, attempt_id=attempt_id)

    async def consume(self, lane: Lane, handler: Handler) -> None:
        """Receive as ever: a stale directory stops sending and not receiving."""
        await self.connection.consume(lane, handler)

    def alive(self, lane: Lane) -> bool:
        """Say what the connection says."""
        return self.connection.alive(lane)

    async def close(self) -> None:
        """Close the connection."""
        await self.connection.close()
