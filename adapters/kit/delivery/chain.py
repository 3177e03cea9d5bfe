"""E13: whether an arrival fits the chain of its sender; a pure decision over the numbers beside it.

The chain of a pair runs through all lanes, and lanes overtake each other, so a number that is missing for a while is
normal and a number that comes late fills its gap. What is never normal is two envelopes with one number, or an
envelope whose predecessor is not the one we hold: a fork, by a copied key or a restored store.
A sender that was restored says so by starting a new chain: a number above all others, whose predecessor is RESTART.
"""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

FIRST: Final = bytes(32)
# Zero belongs to number 1 alone (SPEC 5), so "I no longer know my last envelope" has a value of its own.
RESTART: Final = sha256(b"mash/1 chain restart").digest()


class Fit(StrEnum):
    """How an arrival fits."""

    NEXT = "next"
    GAP = "gap"
    FILLS = "fills"
    RESTART = "restart"
    FORK = "fork"


@dataclass(frozen=True)
class Neighbours:
    """What is known beside number n: the highest seen, the stub hashes at n and n-1, and the `prev` that n+1 named."""

    highest: int
    here: bytes | None
    before: bytes | None
    named_by_next: bytes | None


@dataclass(frozen=True)
class Judgement:
    """The fit, and the first and last number that are missing before this one (GAP only)."""

    fit: Fit
    missing: tuple[int, int] | None = None


def judge(*, seq: int, prev: bytes, stub_hash: bytes, beside: Neighbours) -> Judgement:
    """Place an authenticated, not yet stored arrival in its chain."""
    if beside.here is not None or beside.named_by_next not in (None, RESTART, stub_hash):
        return Judgement(Fit.FORK)
    if prev == RESTART:
        return Judgement(Fit.RESTART if seq > beside.highest else Fit.FORK)
    if (seq == 1) != (prev == FIRST) or beside.before not in (None, prev):
        return Judgement(Fit.FORK)
    if seq > beside.highest + 1:
        return Judgement(Fit.GAP, (beside.highest + 1, seq - 1))
    return Judgement(Fit.NEXT if seq == beside.highest + 1 else Fit.FILLS)
