"""The chain of each pair as the hub sees it pass: numbers that never came, or came twice (M3, M4, SEC-09).

Every sender numbers what it sends to each recipient and names the stub before it. Lanes overtake each other, so a
number may be missing for a while; one that stays away is a message that the hub's watch never saw. Two stubs with one
number, or a stub whose predecessor is not the one that passed, is a fork: a copied key or a restored store.
A fault stands for as long as a message may live and is then history, which the manifests keep.
Space is bounded whatever numbers come: what is missing is kept as ranges, and what passed as the last thousand a pair.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final, NamedTuple

from broker.ledger.chain import Passage
from broker.verify import MAX_LIFE

GAP_AFTER: Final = timedelta(minutes=15)
STANDS: Final = timedelta(seconds=MAX_LIFE)
# What a restored sender names as its predecessor, because it no longer knows; the adapters' chain has the same value.
RESTART: Final = sha256(b"mash/1 chain restart").digest()
_WINDOW: Final = 1024
_RANGES: Final = 256


class ChainFaultKind(StrEnum):
    """What is wrong with a chain."""

    GAP = "gap"
    FORK = "fork"


@dataclass(frozen=True)
class ChainFault:
    """Something wrong between a sender and a recipient since `since`; `count` numbers are missing, or forked."""

    kind: ChainFaultKind
    sender: str
    recipient: str
    since: datetime
    count: int


class _Missing(NamedTuple):
    first: int
    last: int
    since: datetime


class _Passed(NamedTuple):
    stub_hash: bytes
    prev: bytes


class PairChain:
    """What passed from one sender to one recipient."""

    def __init__(self) -> None:
        self._highest = 0
        self._missing: list[_Missing] = []
        self._passed: OrderedDict[int, _Passed] = OrderedDict()
        self._forked_at: list[datetime] = []

    def add(self, passage: Passage) -> None:
        """Place a stub in the chain."""
        stub = passage.stub
        passed = _Passed(passage.stub_hash, stub.prev)
        is_new = self._place(stub.seq, restarted=stub.prev == RESTART, at=passage.received_at)
        if not is_new or not self._fits(stub.seq, passed):
            self._forked_at = [*self._forked_at[-_RANGES:], passage.received_at]
        self._passed.setdefault(stub.seq, passed)
        if len(self._passed) > _WINDOW:
            self._passed.popitem(last=False)

    def missing(self, now: datetime) -> tuple[int, datetime] | None:
        """Say how many numbers have been missing for too long, and since when, or None."""
        overdue = [gap for gap in self._missing if GAP_AFTER <= now - gap.since < STANDS]
        if not overdue:
            return None
        return sum(gap.last - gap.first + 1 for gap in overdue), min(gap.since for gap in overdue)

    def forks(self, now: datetime) -> tuple[int, datetime] | None:
        """Say how often the chain has forked lately, and since when, or None."""
        lately = [at for at in self._forked_at if now - at < STANDS]
        return (len(lately), min(lately)) if lately else None

    def _place(self, seq: int, *, restarted: bool, at: datetime) -> bool:
        """Take a number off what is missing, or go on from the highest; False if it has passed before."""
        if seq > self._highest:
            if seq > self._highest + 1 and not restarted and len(self._missing) < _RANGES:
                self._missing.append(_Missing(self._highest + 1, seq - 1, at))
            self._highest = seq
            return True
        gap = next((gap for gap in self._missing if gap.first <= seq <= gap.last), None)
        if gap is None:
            return False
        self._missing.remove(gap)
        pieces = (_Missing(gap.first, seq - 1, gap.since), _Missing(seq + 1, gap.last, gap.since))
        self._missing += [piece for piece in pieces if piece.first <= piece.last]
        return True

    def _fits(self, seq: int, passed: _Passed) -> bool:
        """Say whether the neighbours that are known agree on who follows whom."""
        before, after = self._passed.get(seq - 1), self._passed.get(seq + 1)
        follows = before is None or passed.prev in (before.stub_hash, RESTART)
        is_followed = after is None or after.prev in (passed.stub_hash, RESTART)
        return follows and is_followed


class Chains:
    """The chains of all pairs."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[str, str], PairChain] = {}

    def add(self, passage: Passage) -> None:
        """Add the next entry of the ledger."""
        ends = passage.stub.from_, passage.stub.to
        self._pairs.setdefault(ends, PairChain()).add(passage)

    def faults(self, now: datetime) -> Iterator[ChainFault]:
        """Give what is wrong at `now`."""
        for (sender, recipient), chain in sorted(self._pairs.items()):
            for kind, found in (
                (ChainFaultKind.GAP, chain.missing(now)),
                (ChainFaultKind.FORK, chain.forks(now)),
            ):
                if found is not None:
                    count, since = found
                    yield ChainFault(kind, sender, recipient, since, count)
