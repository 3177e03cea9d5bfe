"""The daily manifest of one agency, from the hub's ledger: what it sent, what it was sent, and which are missing.

An agency holds it against its own books: a number that the agency sent and the hub lacks was dropped on the way in, one
that the hub has and the agency lacks was dropped on the way out (M4). Both sides name the last stub of each pair by its
hash, so that equal numbers with other contents are seen too.
Pure: the same entries give the same manifest. It is signed and sent by `broker.manifest_post`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final

from broker.calendar import LONDON
from broker.ledger.chain import Passage
from schemas import base64url
from schemas.reconciliation import MOST_NAMED, MOST_RANGES, DailyManifest, End, Half
from schemas.stub import Event

_NEVER_RECEIPTED: Final = frozenset({Event.RECEIPT, Event.HEARTBEAT})


def manifest(
    passages: Iterable[Passage], *, participant: str, day: date, now: datetime, ledger: tuple[int, bytes]
) -> DailyManifest:
    """Make the manifest of `participant` for `day`.

    `passages` are all of its entries from the ledger's beginning; `ledger` is how many entries there are in all and the
    hash of the last. What came after the day fills its gaps and brings its receipts.
    """
    pairs: dict[tuple[str, str], list[Passage]] = {}
    receipted: set[tuple[str, str, str | None]] = set()
    for passage in passages:
        stub = passage.stub
        if participant in (stub.from_, stub.to):
            pairs.setdefault((stub.from_, stub.to), []).append(passage)
        if stub.event is Event.RECEIPT:
            receipted.add((stub.to, stub.from_, stub.irt))
    halves = (_half(ends, some, day=day, receipted=receipted) for ends, some in sorted(pairs.items()))
    return DailyManifest(
        participant=participant,
        day=day,
        made_at=now,
        entries=ledger[0],
        ledger=base64url.encode(ledger[1]),
        halves=tuple(half for half in halves if half is not None),
        ends=tuple(_end(ends, some) for ends, some in sorted(pairs.items())),
    )


def _end(ends: tuple[str, str], passages: Sequence[Passage]) -> End:
    last = max(passages, key=lambda one: one.stub.seq)
    return End(sender=ends[0], recipient=ends[1], last=last.stub.seq, stub=base64url.encode(last.stub_hash))


def _day_of(passage: Passage) -> date:
    return passage.received_at.astimezone(LONDON).date()


def _half(
    ends: tuple[str, str], passages: Sequence[Passage], *, day: date, receipted: set[tuple[str, str, str | None]]
) -> Half | None:
    todays = [passage for passage in passages if _day_of(passage) == day]
    if not todays:
        return None
    before = max((one.stub.seq for one in passages if _day_of(one) < day), default=0)
    last = max(one.stub.seq for one in todays)
    known = sorted({one.stub.seq for one in passages})
    missing = tuple(_ranges(known, after=before, to=last))
    lacking = sum(end - begin + 1 for begin, end in missing)
    numbers = Counter(one.stub.seq for one in passages)
    awaited = [one.stub for one in todays if one.stub.event not in _NEVER_RECEIPTED]
    named = sorted({(one.stub.seq, one.stub.mid) for one in todays})
    return Half(
        sender=ends[0],
        recipient=ends[1],
        first=min(before + 1, last),
        last=last,
        sent=len({one.stub.seq for one in todays}) + lacking,
        passed=len({one.stub.seq for one in todays}),
        missing=missing[:MOST_RANGES],
        twice=tuple(sorted({one.stub.seq for one in todays if numbers[one.stub.seq] > 1})),
        unreceipted=tuple(sorted(one.seq for one in awaited if (*ends, one.mid) not in receipted)),
        messages=tuple(named[:MOST_NAMED]),
    )


def _ranges(known: Sequence[int], *, after: int, to: int) -> Iterable[tuple[int, int]]:
    """Give the ranges between `after` and `to` that are not among the sorted numbers `known`."""
    expected = after + 1
    for number in known:
        if expected <= number <= to:
            if number > expected:
                yield expected, number - 1
            expected = number + 1
