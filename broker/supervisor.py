"""Keeps one channel to the hub alive: opens it, serves it, tears it down at the first sign of death, pauses, repeats.

Guarantees: one channel at a time; every wait bounded; nothing is repaired in place, because half-repaired connections
are how consumers go deaf unnoticed (a reconnecting library kept a "connected" consumer silent for ten days).
Refuses to know: AMQP. `broker.transport` brings the channel, `broker.lanes` says what to do with it.
"""

import asyncio
import logging
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Protocol

from broker.errors import Unreachable
from broker.hub import Outcome
from broker.settings import TransportSettings

log = logging.getLogger("mash.hub")


class Arrival(Protocol):
    """One message as the channel received it."""

    @property
    def exchange(self) -> str:
        """Name of the exchange it was published to, which names its sender."""
        ...

    @property
    def key(self) -> str:
        """Its routing key."""
        ...

    @property
    def body(self) -> bytes:
        """The sealed bytes."""
        ...

    @property
    def has_cc(self) -> bool:
        """Whether the publisher added a CC header."""
        ...

    @property
    def redelivered(self) -> bool:
        """Whether it was handed out before."""
        ...

    async def acknowledge_all_until(self) -> None:
        """Tell the hub to forget this message and all before it on its channel. Raises when that has died meanwhile."""
        ...


class Channel(Protocol):
    """A connection with one channel on it. It serves either publishing or consuming, never both."""

    ended: asyncio.Event
    arrivals: "asyncio.Queue[Arrival]"

    async def publish(self, body: bytes, *, exchange: str, key: str, message_id: str) -> Outcome:
        """Publish and wait for what the hub says; raises on a dead channel."""
        ...

    async def subscribe(self, queue: str, *, prefetch: int) -> None:
        """Let the messages of `queue` come into `arrivals`, at most `prefetch` unacknowledged."""
        ...

    async def close(self) -> None:
        """Close the connection and everything on it, in bounded time."""
        ...


OpenChannel = Callable[[], Awaitable[Channel]]


class Supervised(ABC):
    """A task that keeps a channel; subclasses `_serve` it."""

    def __init__(self, name: str, *, open_channel: OpenChannel, settings: TransportSettings) -> None:
        self.name = name
        self._open_channel = open_channel
        self._settings = settings
        self._failures = 0
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def _serve(self, channel: Channel) -> None:
        """Use `channel` until it is no good any more; returning asks for a new one at once, raising after a pause."""

    def start(self) -> None:
        """Start the supervisor's task unless it runs."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=self.name)

    async def close(self) -> None:
        """Cancel the task and wait until its channel is closed. Idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        while True:
            life = Silence()
            try:
                await self._one_life()
            except (Exception, asyncio.CancelledError) as fault:
                if being_cancelled():
                    raise asyncio.CancelledError from None  # a channel that dies while we close is no news
                self._failures = 1 if life.seconds > self._settings.backoff.cap else self._failures + 1
                # The type alone: a library's message may quote what was being sent.
                log.info("%s: starting afresh after %s, failure %d in a row", self.name, _cause(fault), self._failures)
                chance = random.random()  # noqa: S311 - jitter, not a secret
                await asyncio.sleep(self._settings.backoff.pause(self._failures, chance=chance))

    async def _one_life(self) -> None:
        async with asyncio.timeout(self._settings.connect_timeout):
            channel = await self._open_channel()
        try:
            await self._serve(channel)
        finally:
            await channel.close()

    def _proved(self) -> None:
        """Note that the channel did what it is for: the next failure is a first one again."""
        self._failures = 0


async def watch(channel: Channel) -> None:
    """Raise `Unreachable` when `channel` ends."""
    await channel.ended.wait()
    raise Unreachable


class Silence:
    """How long nothing has been heard, by the monotonic clock."""

    def __init__(self) -> None:
        self.heard()

    def heard(self) -> None:
        """Note a sign of life now."""
        self._since = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the last sign of life."""
        return time.monotonic() - self._since


def being_cancelled() -> bool:
    """Say whether somebody cancelled this task; a `CancelledError` without that came out of a library or a handler.

    Taking such a one for the real thing would end a supervisor without a word: a deaf consumer.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _cause(fault: BaseException) -> str:
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    return type(fault).__name__
