"""Handlers that take several deliveries at once, over channels that a test controls."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from broker.hub import Delivery
from schemas.routing import Lane
from tests.support.hubs import until
from tests.unit.hub.test_lanes import SETTINGS, FakeArrival, FakeBroker, consuming


@dataclass
class Several:
    """Takes up to four at once, and fails over what it is told to."""

    poison: frozenset[bytes] = frozenset()
    groups: list[list[bytes]] = field(default_factory=list)

    @property
    def at_once(self) -> int:
        return 4

    async def __call__(self, delivery: Delivery) -> None:
        await self.take([delivery])

    async def take(self, deliveries: Sequence[Delivery]) -> None:
        bodies = [delivery.body for delivery in deliveries]
        self.groups.append(bodies)
        if self.poison & set(bodies):
            raise LookupError


def arrivals(count: int) -> list[FakeArrival]:
    return [FakeArrival(b"%d" % number) for number in range(count)]


async def test_what_waits_is_handed_over_together_in_order_and_acknowledged_afterwards() -> None:
    """At most as many as the handler takes; each is acknowledged."""
    broker, handler = FakeBroker(waiting=arrivals(6)), Several()
    async with consuming(broker, handler):
        await until(lambda: all(arrival.acknowledged for arrival in broker.waiting))
    assert handler.groups == [[b"0", b"1", b"2", b"3"], [b"4", b"5"]]


async def test_after_a_failure_messages_are_handed_over_one_by_one_and_none_was_acknowledged() -> None:
    """The poisonous one uses up its own deliveries: its neighbours of the failed group come alone."""
    broker, handler = FakeBroker(waiting=arrivals(3)), Several(poison=frozenset({b"2"}))
    async with consuming(broker, handler):
        await until(lambda: len(handler.groups) >= 2)
        assert handler.groups[:2] == [[b"0", b"1", b"2"], [b"0"]]
        assert not broker.waiting[2].acknowledged
    assert [channel.prefetch for channel in broker.channels][:2] == [32, 1]


@dataclass
class Slow(Several):
    """Has time for two messages within the limit, and for the others none."""

    async def take(self, deliveries: Sequence[Delivery]) -> None:
        await super().take(deliveries)
        if len(deliveries) > 2:
            raise TimeoutError


async def test_a_handler_too_slow_for_a_whole_group_is_not_given_one_again_after_every_success() -> None:
    """The danger: one of a group succeeds, the next whole group fails, and a backlog grows faster than it shrinks."""
    broker, handler = FakeBroker(waiting=arrivals(5)), Slow()
    async with consuming(broker, handler):
        await until(lambda: len(handler.groups) >= 4)
    assert [len(group) for group in handler.groups][:3] == [4, 1, 2]


async def test_a_handler_of_single_deliveries_is_given_one_at_a_time() -> None:
    """Nothing changes for whoever does not ask for several."""
    broker, taken = FakeBroker(waiting=arrivals(3)), list[bytes]()

    async def take(delivery: Delivery) -> None:
        taken.append(delivery.body)

    async with consuming(broker, take):
        await until(lambda: all(arrival.acknowledged for arrival in broker.waiting))
    assert taken == [b"0", b"1", b"2"]


@pytest.mark.parametrize(("lane", "company"), [(Lane.ROUTINE, 3), (Lane.URGENT, 1)])
async def test_what_comes_soon_after_is_waited_for_and_an_urgent_message_waits_for_none(
    lane: Lane, company: int
) -> None:
    """A trickle shares transactions; a child at risk shares nothing."""
    broker, handler = FakeBroker(waiting=arrivals(1)), Several()
    settings = replace(SETTINGS, gather={Lane.ROUTINE: 0.5, Lane.URGENT: 0.0})
    async with consuming(broker, handler, lane=lane, settings=settings):
        await until(lambda: bool(handler.groups))
        for late in arrivals(3):
            broker.channels[0].hand_out(late)
            await asyncio.sleep(0.02)
        await until(lambda: late.acknowledged)
    assert max(map(len, handler.groups)) == company


async def test_a_group_that_is_full_waits_no_longer() -> None:
    """A backlog is worked off as fast as the handler can: waiting would bring nothing more into a group."""
    broker, handler = FakeBroker(waiting=arrivals(9)), Several()
    settings = replace(SETTINGS, gather={Lane.ROUTINE: 30.0})
    async with consuming(broker, handler, settings=settings):
        await until(lambda: len(handler.groups) == 2)
        assert [len(group) for group in handler.groups] == [4, 4]


async def test_no_group_waits_for_more_than_the_broker_hands_out() -> None:
    """With two outstanding at most, the third never comes before they are acknowledged."""
    broker, handler = FakeBroker(waiting=arrivals(4)), Several()
    settings = replace(SETTINGS, gather={Lane.ROUTINE: 30.0}, prefetch={Lane.ROUTINE: 2})
    async with consuming(broker, handler, settings=settings):
        await until(lambda: all(arrival.acknowledged for arrival in broker.waiting))
    assert [len(group) for group in handler.groups] == [2, 2]


async def test_what_waits_for_company_is_not_lost_when_the_connection_ends() -> None:
    """It was not acknowledged, so the broker hands it out again."""
    broker, handler = FakeBroker(waiting=arrivals(1)), Several()
    settings = replace(SETTINGS, gather={Lane.ROUTINE: 0.5})
    async with consuming(broker, handler, settings=settings):
        await until(lambda: bool(handler.groups))
        late = FakeArrival(b"late")
        broker.channels[0].hand_out(late)
        await asyncio.sleep(0.02)
        assert not late.acknowledged
        broker.waiting.append(late)
        broker.channels[0].ended.set()
        await until(lambda: late.acknowledged)
    assert len(broker.channels) == 2
    assert handler.groups[1:] == [[b"0", b"late"]]
