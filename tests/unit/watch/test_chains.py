"""The chain of each pair: numbers that never came, or came twice."""

from datetime import timedelta
from typing import Any

import pytest

from adapters.kit.delivery import chain as adapters_chain
from adapters.kit.envelope.sealing import Event
from broker.watch.chains import GAP_AFTER, RESTART, STANDS, ChainFault, ChainFaultKind, Chains
from tests.unit.watch.traffic import LA, POLICE, Story


def faults(story: Story) -> list[ChainFault]:
    chains = Chains()
    for passage in story.passages:
        chains.add(passage)
    return list(chains.faults(story.now))


def said(*numbers: int, **changes: Any) -> Story:
    """The council has sent the police these numbers, in this order, each naming the one before it if it is known."""
    story, hashes = Story(), dict[int, bytes]()
    for number in numbers:
        prev = hashes.get(number - 1, b"\x07" * 32) if number > 1 else bytes(32)
        hashes[number] = story.say(LA, POLICE, Event.NOTICE, seq=number, prev=prev, **changes).stub_hash
    return story


def test_a_whole_chain_is_no_news() -> None:
    """The ordinary case."""
    story = said(1, 2, 3)
    story.pass_(days=1)
    assert faults(story) == []


def test_a_number_that_stays_away_is_a_gap_after_a_while() -> None:
    """M4: lanes overtake each other, so the first minutes mean nothing."""
    story = said(1, 4)
    story.now += GAP_AFTER - timedelta(seconds=1)
    assert faults(story) == []
    story.pass_(seconds=1)
    assert faults(story) == [ChainFault(ChainFaultKind.GAP, LA, POLICE, story.now - GAP_AFTER, 2)]
    story.now += STANDS
    assert faults(story) == []


def test_a_number_that_comes_late_but_is_not_the_one_named_is_a_fork() -> None:
    """Attack: another envelope is put into the gap."""
    story = Story()
    first = story.say(LA, POLICE, Event.NOTICE, seq=1)
    story.say(LA, POLICE, Event.NOTICE, seq=3, prev=b"\x02" * 32)
    story.say(LA, POLICE, Event.NOTICE, seq=2, prev=first.stub_hash)
    story.pass_(days=1)
    assert [fault.kind for fault in faults(story)] == [ChainFaultKind.FORK]


def test_a_number_used_twice_is_a_fork() -> None:
    """Attack: a copied key, or a store put back without recovery."""
    story = said(1, 2, 2)
    assert [(fault.kind, fault.count) for fault in faults(story)] == [(ChainFaultKind.FORK, 1)]


def test_a_predecessor_that_never_passed_is_a_fork() -> None:
    """Attack: the hub swaps one envelope for another."""
    story = said(1, 2)
    story.say(LA, POLICE, Event.NOTICE, seq=3, prev=b"\x09" * 32)
    assert [fault.kind for fault in faults(story)] == [ChainFaultKind.FORK]


def test_a_restored_sender_begins_a_new_chain_above_the_old() -> None:
    """It says so by what it names as its predecessor; the adapters' word and ours are one."""
    assert adapters_chain.RESTART == RESTART
    story = said(1, 2)
    story.say(LA, POLICE, Event.NOTICE, seq=50, prev=RESTART)
    story.pass_(days=1)
    assert faults(story) == []


def test_a_number_from_the_far_end_costs_no_memory() -> None:
    """Attack: a number near 2**53 would be nine quadrillion missing ones if they were kept one by one."""
    story = said(1, 2**53 - 1)
    story.pass_(days=1)
    assert [fault.count for fault in faults(story)] == [2**53 - 3]


def test_a_sender_that_leaves_gaps_for_ever_is_bounded() -> None:
    """Attack: every second number, ten thousand times."""
    story = said(*range(1, 20_001, 2))
    story.pass_(hours=1)
    (fault,) = [fault for fault in faults(story) if fault.kind is ChainFaultKind.GAP]
    assert fault.count == 256


@pytest.mark.parametrize("order", [(1, 2, 3, 4), (1, 3, 2, 4), (4, 3, 2, 1)])
def test_the_order_in_which_lanes_are_read_does_not_matter(order: tuple[int, ...]) -> None:
    """The same stubs make the same chain."""
    whole = said(1, 2, 3, 4)
    by_number = {passage.stub.seq: passage for passage in whole.passages}
    whole.passages = [by_number[number] for number in order]
    whole.pass_(days=1)
    assert faults(whole) == []
