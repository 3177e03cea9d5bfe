"""The one module that speaks AMQP: a participant's connection to a RabbitMQ hub.

Guarantees what `broker.hub` asks, on plain connections: publisher confirms, `mandatory`, a return raised as an error
and `Basic.Ack` checked by type, because the library's defaults report an unroutable message as sent. It declares
nothing, names no queue but its own, and sets no header: `broker.provision` declares, `broker.supervisor` keeps alive.
Under TLS it authenticates by certificate alone (EXTERNAL) and insists on a context of the caller's that verifies.
"""

import asyncio
import itertools
import random
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import DeliveryError, PublishError
from aiormq import spec

from broker.errors import ConnectionClosed, Misuse
from broker.hub import Handler, Outcome, check_size
from broker.lanes import ConsumeLane, PublishLane
from broker.settings import TransportSettings
from broker.supervisor import Arrival, Channel
from broker.topology import canary_key, ingress_of
from schemas.routing import Lane, queue_name, routing_key

CONTENT_TYPE: Final = "application/vnd.mash.mse1"
# What the broker adds by itself, 3.10 to 4.x. Our publishers set no header: any other one is somebody's stuffing.
_BROKERS_OWN: Final = frozenset(
    {"x-delivery-count", "x-acquired-count", "x-death"}
    | {f"x-{when}-death-{what}" for when in ("first", "last") for what in ("reason", "queue", "exchange")}
)
_UNUSED: Final = ("correlation_id", "reply_to", "type", "user_id", "app_id", "content_encoding")
"""Texts that an honest client leaves empty: a name fits into each of them (SEC-02)."""


class _Arrival:
    """A delivery bound to the channel it came by: its acknowledgement fails once that channel is gone."""

    def __init__(self, message: AbstractIncomingMessage) -> None:
        self._message = message
        self.exchange = message.exchange or ""
        self.key = message.routing_key or ""
        self.body = message.body
        self.has_cc = _is_stuffed(message)
        self.redelivered = bool(message.redelivered)

    async def acknowledge_all_until(self) -> None:
        await self._message.ack(multiple=True)


def _is_stuffed(message: AbstractIncomingMessage) -> bool:
    """Say whether a publisher wrote anything where an honest one writes nothing, or its own content type."""
    stuffed = bool(set(message.headers) - _BROKERS_OWN) or any(getattr(message, name) for name in _UNUSED)
    return stuffed or message.content_type not in (None, "", CONTENT_TYPE)


class _AmqpChannel:
    """One connection with one channel."""

    def __init__(self, connection: AbstractConnection, channel: AbstractChannel, *, close_timeout: float) -> None:
        self.ended = asyncio.Event()
        self.arrivals: asyncio.Queue[Arrival] = asyncio.Queue()
        self._connection = connection
        self._channel = channel
        self._close_timeout = close_timeout
        connection.close_callbacks.add(self._on_end)
        channel.close_callbacks.add(self._on_end)

    async def publish(self, body: bytes, *, exchange: str, key: str, message_id: str) -> Outcome:
        message = aio_pika.Message(
            body,
            content_type=CONTENT_TYPE,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=message_id,
        )
        target = await self._channel.get_exchange(exchange, ensure=False)
        try:
            result = await target.publish(message, routing_key=key, mandatory=True)
        except PublishError:
            return Outcome.RETURNED
        except DeliveryError:
            return Outcome.UNKNOWN
        return Outcome.CONFIRMED if type(result) is spec.Basic.Ack else Outcome.UNKNOWN

    async def subscribe(self, queue: str, *, prefetch: int) -> None:
        underlay = await self._channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(self._on_end)
        await self._channel.set_qos(prefetch_count=prefetch)
        source = await self._channel.get_queue(queue, ensure=False)
        await source.consume(self._on_message)

    async def close(self) -> None:
        self.ended.set()
        with suppress(Exception):
            async with asyncio.timeout(self._close_timeout):
                await self._connection.close()

    async def _on_message(self, message: AbstractIncomingMessage) -> None:
        self.arrivals.put_nowait(_Arrival(message))

    def _on_end(self, *_: object) -> None:
        self.ended.set()


class AmqpConnection:
    """One participant's connection to a RabbitMQ hub: up to two connections a lane, opened when first needed."""

    def __init__(
        self,
        addresses: Sequence[str],
        *,
        participant: str,
        ssl_context: ssl.SSLContext | None,
        settings: TransportSettings,
    ) -> None:
        self._addresses = tuple(addresses)
        # Connections begin at different nodes, so that the nodes of a cluster share the work.
        self._turn = itertools.count(random.randrange(len(self._addresses)))  # noqa: S311 - a spread, not a secret
        self._participant = participant
        self._ssl_context = ssl_context
        self._settings = settings
        self._publishers = {
            lane: PublishLane(
                f"publish-{participant}-{lane}",
                exchange=ingress_of(participant),
                open_channel=self._open_channel,
                settings=settings,
            )
            for lane in Lane
        }
        self._consumers: dict[Lane, ConsumeLane] = {}
        self._closed = False

    async def publish(self, body: bytes, *, recipient: str, lane: Lane, attempt_id: str) -> Outcome:
        """Send `body`; see `HubConnection.publish`."""
        self._check_open()
        check_size(body)
        return await self._publish(body, key=routing_key(recipient, lane), lane=lane, attempt_id=attempt_id)

    async def consume(self, lane: Lane, handler: Handler) -> None:
        """Hand every message of `lane` to `handler`; see `HubConnection.consume`."""
        self._check_open()
        if lane in self._consumers:
            raise Misuse(f"(lane {lane} has a handler already)")
        self._consumers[lane] = ConsumeLane(
            f"consume-{self._participant}-{lane}",
            lane=lane,
            queue=queue_name(self._participant, lane),
            handler=handler,
            open_channel=self._open_channel,
            settings=self._settings,
            canary=self._canary(lane),
        )
        self._consumers[lane].start()

    def alive(self, lane: Lane) -> bool:
        """Say whether the consumer of `lane` is subscribed and was heard of within the silence limit."""
        return lane in self._consumers and self._consumers[lane].alive

    async def close(self) -> None:
        """Stop consuming, then publishing. Idempotent."""
        self._closed = True
        await asyncio.gather(*(consumer.close() for consumer in self._consumers.values()))
        await asyncio.gather(*(publisher.close() for publisher in self._publishers.values()))

    def _check_open(self) -> None:
        if self._closed:
            raise ConnectionClosed

    def _canary(self, lane: Lane) -> tuple[str, Callable[[], Awaitable[Outcome]]]:
        key = canary_key(self._participant, lane)

        async def send() -> Outcome:
            return await self._publishers[lane].publish(
                b"", key=key, attempt_id="canary", timeout=self._settings.canary_interval
            )

        return key, send

    async def _publish(self, body: bytes, *, key: str, lane: Lane, attempt_id: str) -> Outcome:
        return await self._publishers[lane].publish(
            body, key=key, attempt_id=attempt_id, timeout=self._settings.publish_timeout
        )

    async def _open_channel(self) -> Channel:
        """Open a channel at the next node in turn; the supervisor asks again, and so goes round."""
        url = self._addresses[next(self._turn) % len(self._addresses)]
        async with asyncio.timeout(self._settings.connect_timeout / len(self._addresses)):
            return await self._open_channel_at(url)

    async def _open_channel_at(self, url: str) -> Channel:
        connection = await aio_pika.connect(url, ssl_context=self._ssl_context, heartbeat=self._settings.heartbeat)
        try:
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        except BaseException:
            await connection.close()
            raise
        return _AmqpChannel(connection, channel, close_timeout=self._settings.close_timeout)


async def connect(
    url: str,
    *,
    participant: str,
    ssl_context: ssl.SSLContext | None = None,
    settings: TransportSettings | None = None,
) -> AmqpConnection:
    """Open `participant`'s connection to the RabbitMQ at `url` (`amqps://host:5671/mash`, or `amqp://` on one machine).

    Several nodes of one cluster are named with commas between their addresses; who does not answer is passed over.
    Does no I/O yet: an unreachable hub shows as `UNKNOWN` outcomes and as consumers that are not alive. Raises `Misuse`
    for a TLS address without a context of the caller's: the library's own options turn verification off.
    """
    addresses = [_secured(one, ssl_context) for one in addresses_of(url)]
    return AmqpConnection(
        addresses, participant=participant, ssl_context=ssl_context, settings=settings or TransportSettings()
    )


def addresses_of(url: str) -> tuple[str, ...]:
    """Split what names one node or several. Raises `Misuse` where nodes are named with and without TLS, or none is."""
    addresses = tuple(one.strip() for one in url.split(",") if one.strip())
    if len({urlsplit(one).scheme for one in addresses}) != 1:
        raise Misuse("(the addresses of one hub are all with TLS or all without)")
    return addresses


def _secured(url: str, ssl_context: ssl.SSLContext | None) -> str:
    address = urlsplit(url)
    if address.scheme != "amqps":
        return url
    if ssl_context is None or ssl_context.verify_mode is not ssl.CERT_REQUIRED:
        raise Misuse("(a TLS address needs a context that verifies the hub)")
    host = address.netloc.rpartition("@")[2]
    return urlunsplit(address._replace(netloc=host, query="auth=external"))
