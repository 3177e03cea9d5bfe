"""The two halves of a lane and their supervisor, over channels that a test controls."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from broker.hub import Delivery, Handler, Outcome
from broker.lanes import ConsumeLane, PublishLane
from broker.settings import Backoff, TransportSettings
from broker.supervisor import Arrival
from schemas.routing import Lane
from tests.support.hubs import until

SETTINGS = TransportSettings(
    connect_timeout=0.5,
    publish_timeout=0.5,
    handler_timeout=0.5,
    canary_interval=0.04,
    silence_limit=0.2,
    gather=dict.fromkeys(Lane, 0.0),
    backoff=Backoff(base=0.001, cap=0.01),
)


@dataclass
class FakeArrival:
    """A message of the fake channel."""

    body: bytes
    exchange: str = "mash.in.testford-la"
    key: str = "testford-police.routine"
    has_cc: bool = False
    redelivered: bool = False
    acknowledged: bool = False
    before: "list[FakeArrival]" = field(default_factory=list)

    async def acknowledge_all_until(self) -> None:
        for arrival in (*self.before, self):
            arrival.acknowledged = True


@dataclass
class FakeChannel:
    """A channel that does what its broker says; `deaf` ones take subscriptions and deliver nothing."""

    broker: "FakeBroker"
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    arrivals: "asyncio.Queue[Arrival]" = field(default_factory=asyncio.Queue)
    prefetch: int | None = None
    closed: bool = False
    handed_out: list[FakeArrival] = field(default_factory=list)

    def hand_out(self, arrival: FakeArrival) -> None:
        arrival.before = list(self.handed_out)
        self.handed_out.append(arrival)
        self.arrivals.put_nowait(arrival)

    async def publish(self, body: bytes, *, exchange: str, key: str, message_id: str) -> Outcome:
        self.broker.published.append((exchange, key, message_id))
        return await self.broker.answer(body)

    async def subscribe(self, queue: str, *, prefetch: int) -> None:
        self.prefetch = prefetch
        for arrival in self.broker.waiting:
            self.hand_out(arrival)

    async def close(self) -> None:
        self.closed = True


async def confirm(_: bytes) -> Outcome:
    return Outcome.CONFIRMED


@dataclass
class FakeBroker:
    """Opens channels, and remembers them."""

    channels: list[FakeChannel] = field(default_factory=list)
    published: list[tuple[str, str, str]] = field(default_factory=list)
    waiting: list[FakeArrival] = field(default_factory=list)
    answer: Callable[[bytes], Awaitable[Outcome]] = confirm

    async def open(self) -> FakeChannel:
        self.channels.append(FakeChannel(self))
        return self.channels[-1]


@asynccontextmanager
async def consuming(
    broker: FakeBroker,
    handler: Handler,
    *,
    canary: Callable[[], Awaitable[Outcome]] | None = None,
    lane: Lane = Lane.ROUTINE,
    settings: TransportSettings = SETTINGS,
) -> AsyncIterator[ConsumeLane]:
    consumer = ConsumeLane(
        "consume-test",
        lane=lane,
        queue="mash.q.testford-police.routine",
        handler=handler,
        open_channel=broker.open,
        settings=settings,
        canary=("canary", canary) if canary else None,
    )
    consumer.start()
    try:
        yield consumer
    finally:
        await consumer.close()
    assert all(channel.closed for channel in broker.channels)


async def take(_: Delivery) -> None:
    return None


async def test_a_consumer_that_hears_nothing_not_even_its_own_canary_is_replaced() -> None:
    """A connected, subscribed, silent consumer: the deafness that went unnoticed for ten days."""
    broker = FakeBroker()

    async def confirmed_and_never_delivered() -> Outcome:
        return Outcome.CONFIRMED

    async with consuming(broker, take, canary=confirmed_and_never_delivered) as lane:
        await until(lambda: len(broker.channels) >= 3)
        await until(lambda: not lane.alive)


async def test_a_consumer_that_hears_its_canary_is_kept_and_no_handler_sees_the_bird() -> None:
    """A sign of life is acknowledged and is nobody's message."""
    broker, handled = FakeBroker(), list[Delivery]()
    birds: list[FakeArrival] = []

    async def take_down(delivery: Delivery) -> None:
        handled.append(delivery)

    async def sing() -> Outcome:
        birds.append(FakeArrival(b"", key="canary"))
        broker.channels[-1].hand_out(birds[-1])
        return Outcome.CONFIRMED

    async with consuming(broker, take_down, canary=sing) as lane:
        await until(lambda: len(birds) > 12)  # longer than the silence limit
        await until(lambda: birds[10].acknowledged)
        assert lane.alive
    assert len(broker.channels) == 1
    assert handled == []


async def test_a_busy_handler_is_not_taken_for_silence() -> None:
    """A lane that works is alive."""
    broker, release = FakeBroker(waiting=[FakeArrival(b"one")]), asyncio.Event()

    async def work(_: Delivery) -> None:
        await release.wait()

    async def swallowed() -> Outcome:
        return Outcome.CONFIRMED

    async with consuming(broker, work, canary=swallowed) as lane:
        await asyncio.sleep(SETTINGS.silence_limit * 1.5)
        assert lane.alive
        assert len(broker.channels) == 1
        release.set()
        await until(lambda: broker.waiting[0].acknowledged)


async def test_after_a_failure_one_message_at_a_time_is_asked_for_until_one_succeeds() -> None:
    """Every unacknowledged delivery counts against its limit when a consumer ends: the window must not die with one."""
    broker, failures = FakeBroker(waiting=[FakeArrival(b"one")]), 2

    async def fails_twice(_: Delivery) -> None:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise RuntimeError

    async with consuming(broker, fails_twice):
        await until(lambda: len(broker.channels) >= 4)
    window = SETTINGS.prefetch[Lane.ROUTINE]
    assert [channel.prefetch for channel in broker.channels][:4] == [window, 1, 1, window]


async def test_nothing_is_acknowledged_that_no_handler_finished(caplog: pytest.LogCaptureFixture) -> None:
    """And what the handler said stays out of the log: it may quote the message."""
    caplog.set_level(logging.DEBUG)
    broker = FakeBroker(waiting=[FakeArrival(b"one")])

    async def fails(delivery: Delivery) -> None:
        raise RuntimeError(f"cannot read {delivery.body!r} about canary-word")

    async with consuming(broker, fails):
        await until(lambda: len(broker.channels) >= 3)
    assert not broker.waiting[0].acknowledged
    assert "canary-word" not in caplog.text


async def test_a_dead_letter_has_no_owner() -> None:
    """Its exchange is not an ingress, so nobody vouches for its sender."""
    broker, owners = FakeBroker(waiting=[FakeArrival(b"one", exchange="mash.dead")]), list[str]()

    async def take_down(delivery: Delivery) -> None:
        owners.append(delivery.ingress_owner)

    async with consuming(broker, take_down):
        await until(lambda: owners == [""])


@asynccontextmanager
async def publishing(broker: FakeBroker) -> AsyncIterator[PublishLane]:
    lane = PublishLane("publish-test", exchange="mash.in.testford-la", open_channel=broker.open, settings=SETTINGS)
    try:
        yield lane
    finally:
        await lane.close()


async def test_no_two_attempts_ever_share_a_message_id() -> None:
    """The library tells returns apart by it, whatever the caller called them."""
    broker = FakeBroker()
    async with publishing(broker) as lane:
        for _ in range(3):
            assert await lane.publish(b"x", key="k", attempt_id="same", timeout=1) is Outcome.CONFIRMED
    assert len({message_id for _, _, message_id in broker.published}) == 3


async def test_an_overdue_publish_is_unknown_and_its_channel_is_not_used_again() -> None:
    """Whatever the broker did with it, this channel is not to be believed."""
    broker = FakeBroker()

    async def never(_: bytes) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError

    async with publishing(broker) as lane:
        broker.answer = never
        assert await lane.publish(b"x", key="k", attempt_id="1", timeout=0.05) is Outcome.UNKNOWN
        broker.answer = confirm
        assert await lane.publish(b"x", key="k", attempt_id="2", timeout=1) is Outcome.CONFIRMED
    assert len(broker.channels) == 2


async def test_a_publisher_who_is_cancelled_is_cancelled_and_a_closing_lane_answers_unknown() -> None:
    """The caller's own cancellation is its own; anybody else's is an unknown outcome."""

    class Closed(FakeBroker):
        async def open(self) -> FakeChannel:
            await asyncio.Event().wait()
            raise AssertionError

    async with publishing(Closed()) as lane:
        waiting = asyncio.create_task(lane.publish(b"x", key="k", attempt_id="1", timeout=5))
        cancelled = asyncio.create_task(lane.publish(b"x", key="k", attempt_id="2", timeout=5))
        await asyncio.sleep(0.02)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
    assert await waiting is Outcome.UNKNOWN
