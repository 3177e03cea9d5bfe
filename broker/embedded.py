"""The hub in one process, or in several processes of one machine through one SQLite file: the sandbox's hub.

Fulfils `broker.hub` with no server: routes by the same `Topology`, so whoever may not write to whom is the same table.
With a path, rows are durable and processes share them: a delivery belongs to the process that took it until it is
acknowledged, and the kernel's lock on that process's file tells when it died. A handler that takes several is handed
what waits, as over RabbitMQ, and after a failure one message, then two, and so on while it succeeds.
Not for production: one machine, and whoever can write the file can forge a sender.
"""

import asyncio
import random
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import structlog

from broker.embedded_store import QueueStore, Row
from broker.errors import ConnectionClosed, Misuse, NotAParticipant
from broker.hub import Delivery, Handler, ManyHandler, Outcome, check_size
from broker.settings import TransportSettings
from broker.supervisor import being_cancelled
from broker.topology import DEAD_QUEUE, DELIVERY_LIMIT, MONITOR, Topology, ingress_of, owner_of
from schemas.routing import Lane, queue_name, routing_key

_POLL_SECONDS = 0.05
_TAP_LENGTH = 10_000


class EmbeddedHub:
    """The hub itself; use it as a context manager, or `close` it. One event loop, one instance a process and path."""

    def __init__(self, topology: Topology, path: Path | None = None, *, settings: TransportSettings | None = None):
        self._topology = topology
        self._settings = settings or TransportSettings()
        self._poll = _POLL_SECONDS if path else None
        self._store = QueueStore(
            path,
            delivery_limit=DELIVERY_LIMIT,
            dead_queue=DEAD_QUEUE,
            busy_timeout=self._settings.publish_timeout,
            # A sandbox may run for weeks without a watch.
            bounds={queue_name(MONITOR, lane): _TAP_LENGTH for lane in Lane},
        )
        self._arrivals: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._connections: list[EmbeddedConnection] = []
        self._opened = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def connect(self, participant: str) -> "EmbeddedConnection":
        """Open `participant`'s connection. Raises `NotAParticipant`."""
        if participant not in self._topology.users:
            raise NotAParticipant
        self._opened += 1
        connection = EmbeddedConnection(self, participant=participant, holder=str(self._opened))
        self._connections.append(connection)
        return connection

    async def depth(self, queue: str) -> int:
        """Count the messages that wait in `queue`, taken or not."""
        return await self._store.depth(queue)

    async def close(self) -> None:
        """Close every connection, give back what was taken, and release the file. Idempotent."""
        for connection in self._connections:
            await connection.close()
        self._connections.clear()
        await self._store.close()

    async def _publish(self, body: bytes, *, sender: str, recipient: str, lane: Lane) -> Outcome:
        if sender in self._topology.suspended:
            return Outcome.UNKNOWN
        ingress = ingress_of(sender)
        queues = self._topology.routes(ingress, key=routing_key(recipient, lane))
        if not queues:
            return Outcome.RETURNED
        try:
            await self._store.append(queues, body=body, ingress_owner=owner_of(ingress))
        except sqlite3.OperationalError:  # a full disk, or a file that others hold for too long
            return Outcome.UNKNOWN
        for queue in queues:
            self._arrivals[queue].set()
        return Outcome.CONFIRMED

    async def _release(self, holder: str) -> None:
        await self._store.release(holder)
        for arrived in self._arrivals.values():
            arrived.set()

    async def _wait(self, queue: str) -> None:
        arrived = self._arrivals[queue]
        with suppress(TimeoutError):
            async with asyncio.timeout(self._poll):
                await arrived.wait()
        arrived.clear()


class EmbeddedConnection:
    """One participant's connection to an `EmbeddedHub`."""

    def __init__(self, hub: EmbeddedHub, *, participant: str, holder: str) -> None:
        self._hub = hub
        self._holder = holder
        self._participant = participant
        self._consumers: dict[Lane, asyncio.Task[None]] = {}
        self._closed = False

    async def publish(self, body: bytes, *, recipient: str, lane: Lane, attempt_id: str) -> Outcome:
        """Store `body` for `recipient`; see `HubConnection.publish`."""
        del attempt_id  # one transaction, one outcome: there is nothing to tell apart
        self._check_open()
        check_size(body)
        return await self._hub._publish(body, sender=self._participant, recipient=recipient, lane=lane)

    async def consume(self, lane: Lane, handler: Handler) -> None:
        """Hand every message of `lane` to `handler`; see `HubConnection.consume`."""
        self._check_open()
        if lane in self._consumers:
            raise Misuse(f"(lane {lane} has a handler already)")
        name = f"embedded-consumer-{self._participant}-{lane}"
        self._consumers[lane] = asyncio.create_task(self._run(lane, handler), name=name)

    def alive(self, lane: Lane) -> bool:
        """Say whether the consumer of `lane` runs."""
        return lane in self._consumers and not self._consumers[lane].done()

    async def close(self) -> None:
        """Stop consuming and give back what was taken. Idempotent."""
        if self._closed:
            return
        self._closed = True
        for task in self._consumers.values():
            task.cancel()
        await asyncio.gather(*self._consumers.values(), return_exceptions=True)
        await self._hub._release(self._holder)

    def _check_open(self) -> None:
        if self._closed:
            raise ConnectionClosed

    async def _run(self, lane: Lane, handler: Handler) -> None:
        most = handler.at_once if isinstance(handler, ManyHandler) else 1
        failures, at_most = 0, most
        while True:
            if await self._some_deliveries(lane, handler, at_most=at_most):
                # Slowly back to many: a store too slow for so many within the limit would fail over them for ever.
                failures, at_most = 0, min(2 * at_most, most)
                continue
            at_most = 1
            failures += 1
            chance = random.random()  # noqa: S311 - jitter, not a secret
            await asyncio.sleep(self._hub._settings.backoff.pause(failures, chance=chance))

    async def _some_deliveries(self, lane: Lane, handler: Handler, *, at_most: int) -> bool:
        """Take what waits and have it handled; no message is a success too, after waiting for one.

        Whatever goes wrong, the consumer goes on: one that has died without a word is a deaf adapter.
        """
        queue = queue_name(self._participant, lane)
        try:
            rows = await self._hub._store.take(queue, holder=self._holder, at_most=at_most)
            if not rows:
                await self._hub._wait(queue)
                return True
            return await self._handled(rows, lane=lane, handler=handler)
        except (Exception, asyncio.CancelledError) as fault:
            if being_cancelled():
                raise
            structlog.get_logger().warning("a consumer goes on after a fault", queue=queue, fault=type(fault).__name__)
            return False

    async def _handled(self, rows: Sequence[Row], *, lane: Lane, handler: Handler) -> bool:
        done = False
        try:
            async with asyncio.timeout(self._hub._settings.handler_timeout):
                await _hand_over([_delivery(row, lane) for row in rows], handler)
            done = True
        except (Exception, asyncio.CancelledError):
            if being_cancelled():
                raise
        finally:
            await self._settle(rows, done=done)
        return done

    async def _settle(self, rows: Sequence[Row], *, done: bool) -> None:
        """Write what became of rows, however long others hold the file: one left taken would wait for our end."""
        while True:
            try:
                return await self._hub._store.settle(rows, done=done)
            except sqlite3.OperationalError:
                await asyncio.sleep(self._hub._settings.backoff.base)


def _delivery(row: Row, lane: Lane) -> Delivery:
    return Delivery(row.ingress_owner, lane, row.body, has_cc=False, redelivered=row.deliveries > 1)


async def _hand_over(deliveries: Sequence[Delivery], handler: Handler) -> None:
    if len(deliveries) > 1 and isinstance(handler, ManyHandler):
        await handler.take(deliveries)
    else:
        await handler(deliveries[0])
