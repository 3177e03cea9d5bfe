"""Reads the duty file again when it has changed; the last good one stays in use while the new one is not understood.

It guarantees: a change is taken up within seconds and whole, desks, servers, links and patience of one file together;
one that is refused, or gone, is named once in the log and is an alert until a good one is there; what was told before
is not told again. The servers' carriers are made anew only where their own tables changed, because a rota changes
daily and a server once a year; a secret that a new table needs is read then, the others stay as they were at the start.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

import structlog

from broker.alerts.canary import MailCanary
from broker.alerts.courier import Courier
from broker.alerts.desks import Duty
from broker.alerts.duty_file import DutyFileUnreadable, DutySettings
from broker.alerts.routing import Carriers
from broker.alerts.secrets import SecretMissing, SecretTooShort
from broker.errors import HubError

LOOK_EVERY: Final = 5.0
_NEVER_READ: Final = b""


@dataclass(frozen=True)
class Arranged:
    """What one duty file arranges: who is told, by whose servers, where links lead, and the canary."""

    settings: DutySettings
    duty: Duty
    carriers: Carriers = field(repr=False)
    canary: MailCanary | None = None

    @property
    def base(self) -> str:
        """Give the address that links begin with."""
        return self.settings.page.link


Arrange = Callable[[bytes, Arranged | None], Arranged]
"""Makes arrangements of a file's bytes, with those before it. Raises `HubError`, `OSError` and `ValueError`."""


class DutyKeeper:
    """The duty file at `path` and what was last made of it. `fault` says in a word why the newest is not in use."""

    def __init__(self, path: Path, arrange: Arrange) -> None:
        self._path, self._arrange = path, arrange
        self._digest = _NEVER_READ
        self.arranged: Arranged | None = None
        self.fault = ""

    def read(self) -> Arranged:
        """Read the file at the start: nothing runs by one that is not understood.

        Raises `DutyFileUnreadable` and what `arrange` raises.
        """
        try:
            text = self._path.read_bytes()
        except OSError as wrong:
            raise DutyFileUnreadable(f"({self._path}: {type(wrong).__name__})") from None
        self.arranged = self._arrange(text, None)
        self._digest = sha256(text).digest()
        return self.arranged

    def look(self) -> Arranged | None:
        """Read the file again; gives new arrangements, or None where it is the same or is refused."""
        try:
            text = self._path.read_bytes()
        except OSError:
            self._refuse("unreadable", _NEVER_READ)
            return None
        digest = sha256(text).digest()
        if digest == self._digest:
            return None
        try:
            self.arranged = self._arrange(text, self.arranged)
        except (HubError, OSError, ValueError) as fault:
            self._refuse("secret" if isinstance(fault, SecretMissing | SecretTooShort) else "refused", digest)
            return None
        self._digest, self.fault = digest, ""
        return self.arranged

    def _refuse(self, fault: str, digest: bytes) -> None:
        if (self.fault, self._digest) != (fault, digest):
            structlog.get_logger().error(
                "the new duty file is not in use, the last good one is: run mash-hub alerts check --duty FILE",
                code=fault,
            )
        self.fault, self._digest = fault, digest

    @asynccontextmanager
    async def keeping(self, courier: Courier, *, every: float = LOOK_EVERY) -> AsyncIterator[None]:
        """Keep `courier` by the newest good file for the block."""
        task = asyncio.create_task(self._keep(courier, every), name="mash-duty-file")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _keep(self, courier: Courier, every: float) -> None:
        while True:
            await asyncio.sleep(every)
            found = await asyncio.to_thread(self.look)
            if found is not None:
                courier.rearrange(found.duty, found.carriers, base=found.base, canary=found.canary)
                structlog.get_logger().info("the duty file has changed and is in use", count=len(found.duty.desks))
            courier.duty_fault = self.fault
