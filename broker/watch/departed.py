"""Requests of which one end has left: their clocks end as `participant_left`, and nobody is rung about them (GOV-10).

Pure: what the signed directory says is laid over what passed. The ledger keeps what it has; only what is still owed
ends, and what was answered before stays answered.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import replace

from broker.watch.standing import Phase, Standing, Unreceipted


def ended(standings: Iterable[Standing], left: Container[str]) -> Iterator[Standing]:
    """Give the standings, with those that owe something over, or are owed it, to somebody who has left."""
    for one in standings:
        if one.is_over or not (one.requester in left or one.responder in left):
            yield one
        else:
            yield replace(one, phase=Phase.PARTICIPANT_LEFT, concerns=frozenset(), timers=())


def awaited(unreceipted: Iterable[Unreceipted], left: Container[str]) -> Iterator[Unreceipted]:
    """Give the messages whose receipt can still come."""
    return (one for one in unreceipted if one.sender not in left and one.recipient not in left)
