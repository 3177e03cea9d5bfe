"""How `python -m deploy.fault` counts, and what it does to the network; the run itself is `make fault`."""

import asyncio

from broker.hub import Delivery, Handler, Outcome
from deploy.fault.cluster import Cluster
from deploy.fault.network import NODES, Cut
from deploy.fault.shapes import bridge, halves, ring
from deploy.fault.traffic import Tally, Traffic
from schemas.routing import Lane


class Cable:
    """Both ends of the product's connection, with a fault: `outcomes` per attempt, and what is done with the body."""

    def __init__(self, *, loses: int = 0, doubles: int = 0, spoils: int = 0, unknown: int = 0) -> None:
        self._left = {"lost": loses, "twice": doubles, "spoilt": spoils, "unknown": unknown}
        self._handlers: dict[Lane, Handler] = {}

    async def publish(self, body: bytes, *, recipient: str, lane: Lane, attempt_id: str) -> Outcome:
        del recipient, attempt_id
        await asyncio.sleep(0.001)
        if not self._take("lost"):
            sound = body[:-1] + b"!" if self._take("spoilt") else body
            for _ in range(2 if self._take("twice") else 1):
                await self._handlers[lane](Delivery("testford-la", lane, sound, False, False))
        return Outcome.UNKNOWN if self._take("unknown") else Outcome.CONFIRMED

    async def consume(self, lane: Lane, handler: Handler) -> None:
        self._handlers[lane] = handler

    def alive(self, lane: Lane) -> bool:
        return lane in self._handlers

    async def close(self) -> None:
        self._handlers.clear()

    def spent(self) -> bool:
        """Whether every fault has happened, and one sound message after them."""
        return all(left < 0 for left in self._left.values())

    def _take(self, what: str) -> bool:
        self._left[what] -= 1
        return self._left[what] >= 0


async def counted(cable: Cable) -> Tally:
    """Send over `cable` until each of its faults has happened, however slow the machine."""
    traffic = Traffic(cable, cable, recipient="testford-police", senders=2)
    await traffic.start()
    assert traffic.alive()
    async with asyncio.timeout(60):
        while not cable.spent():  # noqa: ASYNC110 - the cable tells nobody
            await asyncio.sleep(0.01)
    await traffic.stop(drain=0.3)
    return traffic.tally


async def test_a_sound_cable_counts_nothing_amiss() -> None:
    """All that was confirmed arrived, once."""
    tally = await counted(Cable())
    assert tally.confirmed
    assert (tally.lost, tally.duplicated, tally.unexpected, tally.unconfirmed_arrivals) == (0, 0, 0, 0)


async def test_each_fault_of_a_cable_is_counted_as_what_it_is() -> None:
    """A count that could not find a loss would prove nothing: seven lost, five doubled, three spoilt in one run."""
    tally = await counted(Cable(loses=7, doubles=5, spoils=3))
    assert (tally.lost, tally.duplicated, tally.unexpected) == (7 + 3, 5, 3)


async def test_an_unknown_outcome_is_sent_again_and_counted_as_a_duplicate() -> None:
    """It had arrived: the second copy is what recipients drop."""
    tally = await counted(Cable(unknown=4))
    assert (tally.lost, tally.duplicated, tally.outcomes[Outcome.UNKNOWN]) == (0, 4, 4)


class _Wires:
    """Remembers which directions were cut."""

    def __init__(self) -> None:
        self.cuts: set[Cut] = set()

    def cut(self, cuts: tuple[Cut, ...]) -> None:
        self.cuts |= set(cuts)


def seen_by(fault: object, node: int) -> dict[int, set[int]]:
    """Whom each node still hears under `fault`, itself included."""
    wires = _Wires()
    fault(Cluster({}, wires, ""), node)  # type: ignore[operator,arg-type]  # a fake network
    return {each: {other for other in NODES if (other, each) not in wires.cuts} for each in NODES}


def test_halves_leave_one_alone() -> None:
    """The leader in the minority."""
    assert seen_by(halves, 2) == {1: {1, 3}, 2: {2}, 3: {1, 3}}


def test_a_bridge_leaves_one_that_sees_both_sides() -> None:
    """Two that do not see each other, and a third that sees both."""
    assert seen_by(bridge, 1) == {1: {1, 3}, 2: {2, 3}, 3: {1, 2, 3}}


def test_in_a_ring_each_sees_a_majority_and_no_two_see_the_same() -> None:
    """Jepsen's majorities ring."""
    seen = list(seen_by(ring, 1).values())
    assert [len(each) for each in seen] == [2, 2, 2]
    assert len({frozenset(each) for each in seen}) == 3
