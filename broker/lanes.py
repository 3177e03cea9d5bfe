"""The two halves of a lane: one connection that publishes, one that consumes, each with a supervisor of its own.

They are apart because a broker under pressure stops reading from connections that publish: acknowledgements must not
wait behind that. Guarantees: a delivery is acknowledged after its handler returned and never otherwise; deliveries of a
lane are handled in order, one at a time, or several together where the handler takes them so; after a handler failed,
the broker hands out one message at a time until one succeeds, so a poisonous message uses up its own delivery limit and
not its neighbours'.
"""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from broker.errors import HubError
from broker.hub import Delivery, Handler, ManyHandler, Outcome
from broker.pace import Pace
from broker.settings import TransportSettings
from broker.supervisor import Arrival, Channel, OpenChannel, Silence, Supervised, being_cancelled, watch
from broker.topology import owner_of
from schemas.routing import Lane

log = logging.getLogger("mash.hub")


class HandlerFailed(HubError):
    """The adapter could not take a message in; the hub keeps it and delivers it again."""


class PublishLane(Supervised):
    """Publishes to one exchange, and treats every doubt as `UNKNOWN`."""

    def __init__(self, name: str, *, exchange: str, open_channel: OpenChannel, settings: TransportSettings) -> None:
        super().__init__(name, open_channel=open_channel, settings=settings)
        self._exchange = exchange
        self._channel: asyncio.Future[Channel] | None = None
        self._attempts = itertools.count(1)

    async def publish(self, body: bytes, *, key: str, attempt_id: str, timeout: float) -> Outcome:  # noqa: ASYNC109 - an overdue channel is torn down here, which the caller could not do
        """Publish within `timeout` seconds, reaching a channel included."""
        self.start()
        # The library tells returns apart by message id alone: two in flight with one id swap their outcomes.
        message_id = f"{attempt_id}.{next(self._attempts)}"
        channel: Channel | None = None
        try:
            async with asyncio.timeout(timeout):
                channel = await asyncio.shield(self._ready())
                outcome = await channel.publish(body, exchange=self._exchange, key=key, message_id=message_id)
        except asyncio.CancelledError:
            if being_cancelled():
                raise
            return Outcome.UNKNOWN  # not our caller: the channel died, and what waits on it is cancelled
        except Exception:
            if channel is not None:
                self._distrust(channel)
            return Outcome.UNKNOWN
        self._proved()
        return outcome

    async def close(self) -> None:
        """Stop; publishes that wait end as `UNKNOWN` or cancelled with their callers."""
        await super().close()
        self._ready().cancel()

    async def _serve(self, channel: Channel) -> None:
        self._ready().set_result(channel)
        try:
            await watch(channel)
        finally:
            self._distrust(channel)

    def _distrust(self, channel: Channel) -> None:
        """Let nobody use a channel again on which a publish was overdue or refused."""
        channel.ended.set()
        if self._channel is not None and self._channel.done() and self._channel.result() is channel:
            self._channel = None

    def _ready(self) -> "asyncio.Future[Channel]":
        if self._channel is None:
            self._channel = asyncio.get_running_loop().create_future()
        return self._channel


class ConsumeLane(Supervised):
    """Consumes one queue, proves that it does, and hands deliveries to one handler."""

    def __init__(
        self,
        name: str,
        *,
        lane: Lane,
        queue: str,
        handler: Handler,
        open_channel: OpenChannel,
        settings: TransportSettings,
        canary: tuple[str, Callable[[], Awaitable[Outcome]]] | None,
    ) -> None:
        super().__init__(name, open_channel=open_channel, settings=settings)
        self._lane, self._queue, self._handler = lane, queue, handler
        self._at_once = handler.at_once if isinstance(handler, ManyHandler) else 1
        self._most = self._at_once
        self._canary = canary
        self._pace = Pace(settings.gather[lane])
        self._silence = Silence()
        self._poisoned = 0
        self._busy = False
        self.subscribed = False

    @property
    def alive(self) -> bool:
        """Whether the consumer is subscribed and was heard of within the silence limit."""
        may_be_silent = self._canary is None or self._busy
        return self.subscribed and (may_be_silent or self._silence.seconds <= self._settings.silence_limit)

    async def _serve(self, channel: Channel) -> None:
        self._failures = max(self._failures, self._poisoned)
        await channel.subscribe(self._queue, prefetch=1 if self._poisoned else self._settings.prefetch[self._lane])
        self.subscribed = True
        self._silence.heard()
        try:
            async with asyncio.TaskGroup() as group:
                watching = [group.create_task(watch(channel)), group.create_task(self._listen())]
                await self._handle_all(channel)
                for task in watching:
                    task.cancel()
        finally:
            self.subscribed = self._busy = False

    async def _handle_all(self, channel: Channel) -> None:
        """Handle arrivals until the channel ends, or until the first success after a failure."""
        on_probation = bool(self._poisoned)
        while True:
            waiting = await self._gather(channel, most=1 if on_probation else self._most)
            self._silence.heard()
            arrivals = [arrival for arrival in waiting if not self._is_canary(arrival)]
            if arrivals:
                await self._handle(arrivals)
            await self._acknowledge(waiting[-1])
            if not arrivals:
                self._failures = self._poisoned
                continue
            self._proved()
            if on_probation:
                return

    async def _gather(self, channel: Channel, *, most: int) -> list[Arrival]:
        """Wait for an arrival and for its company: no longer than the pace says, and not for what cannot come."""
        waiting = [await channel.arrivals.get()]
        enough = min(most, self._settings.prefetch[self._lane])
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pace.rest):
                while len(waiting) < enough:
                    waiting.append(await channel.arrivals.get())
        self._pace.begin()
        return waiting

    async def _handle(self, arrivals: Sequence[Arrival]) -> None:
        deliveries = [self._delivery(arrival) for arrival in arrivals]
        self._busy = True
        try:
            async with asyncio.timeout(self._settings.handler_timeout):
                await self._hand_over(deliveries)
        except (Exception, asyncio.CancelledError) as fault:
            if being_cancelled():
                raise
            self._poisoned += 1
            self._most = 1
            log.warning("%s: the handler failed (%s)", self.name, type(fault).__name__)
            raise HandlerFailed from None
        finally:
            self._busy = False
            self._silence.heard()
        self._poisoned = 0
        # Slowly back to many: a store too slow for so many within the limit would fail over them for ever.
        self._most = min(2 * self._most, self._at_once)

    async def _hand_over(self, deliveries: Sequence[Delivery]) -> None:
        if len(deliveries) > 1 and isinstance(self._handler, ManyHandler):
            await self._handler.take(deliveries)
        else:
            await self._handler(deliveries[0])

    def _delivery(self, arrival: Arrival) -> Delivery:
        return Delivery(
            ingress_owner=owner_of(arrival.exchange),
            lane=self._lane,
            body=arrival.body,
            has_cc=arrival.has_cc,
            redelivered=arrival.redelivered,
        )

    async def _acknowledge(self, arrival: Arrival) -> None:
        async with asyncio.timeout(self._settings.publish_timeout):
            await arrival.acknowledge_all_until()

    async def _listen(self) -> None:
        """Send canaries while nothing else is heard, and give up on a deaf channel."""
        if self._canary is None:
            return
        _, send = self._canary
        while True:
            await asyncio.sleep(self._settings.canary_interval / 2)
            if self._busy or self._silence.seconds < self._settings.canary_interval / 2:
                continue
            if self._silence.seconds > self._settings.silence_limit:
                raise TimeoutError
            await send()

    def _is_canary(self, arrival: Arrival) -> bool:
        return self._canary is not None and arrival.key == self._canary[0]
