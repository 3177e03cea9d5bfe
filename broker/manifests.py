"""The daily manifest of one agency, from the hub's ledger: what it sent, what it was sent, and which are missing.

An agency holds it against its own books: a number that the agency sent and the hub lacks was dropped on the way in, one
that the hub has and the agency lacks was dropped on the way out (M4). Both sides name the last stub of each pair by its
hash, so that equal numbers with other contents are seen too.
Pure: the same entries give the same manifest. It is not signed here: the hub's key for that is not in this module.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Final

from broker.calendar import LONDON, as_utc
from broker.ledger_chain import Passage
from schemas import base64url
from schemas.stub import Event

FORMAT: Final = "mash.manifest.v1"
MOST_RANGES: Final = 100
_NEVER_RECEIPTED: Final = frozenset({Event.RECEIPT, Event.HEARTBEAT})


@dataclass(frozen=True)
class Half:
    """What passed from one participant to another on the day.

    `sent` counts the numbers that were used, `passed` those that the hub saw: "sent 14, received 13". `missing` are
    inclusive ranges of the others, `twice` numbers that came with two contents. Of those that are receipted at all,
    `unreceipted` are the numbers whose recipient had not said by the manifest's time that it has them.
    """

    sender: str
    recipient: str
    sent: int
    passed: int
    missing: tuple[tuple[int, int], ...]
    twice: tuple[int, ...]
    unreceipted: tuple[int, ...]
    last: int
    last_stub: str


@dataclass(frozen=True)
class Manifest:
    """One agency's day. Times are ISO 8601 in UTC, the day is London's."""

    format: str
    participant: str
    day: str
    made_at: str
    entries: int
    ledger: str
    halves: tuple[Half, ...]

    def to_bytes(self) -> bytes:
        """Write the one JSON encoding: sorted keys, no spaces; this is what will be signed."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode("ascii")

    @property
    def is_whole(self) -> bool:
        """Say whether nothing is missing and nothing came twice."""
        return not any(half.missing or half.twice for half in self.halves)


def manifest(
    passages: Iterable[Passage], *, participant: str, day: date, now: datetime, ledger: tuple[int, bytes]
) -> Manifest:
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
    return Manifest(
        format=FORMAT,
        participant=participant,
        day=day.isoformat(),
        made_at=as_utc(now).isoformat(),
        entries=ledger[0],
        ledger=base64url.encode(ledger[1]),
        halves=tuple(half for half in halves if half is not None),
    )


def _day_of(passage: Passage) -> date:
    return passage.received_at.astimezone(LONDON).date()


def _half(
    ends: tuple[str, str], passages: Sequence[Passage], *, day: date, receipted: set[tuple[str, str, str | None]]
) -> Half | None:
    todays = [passage for passage in passages if _day_of(passage) == day]
    if not todays:
        return None
    before = max((one.stub.seq for one in passages if _day_of(one) < day), default=0)
    last = max(todays, key=lambda one: one.stub.seq)
    known = sorted({one.stub.seq for one in passages})
    missing = tuple(_ranges(known, after=before, to=last.stub.seq))
    lacking = sum(end - begin + 1 for begin, end in missing)
    numbers = Counter(one.stub.seq for one in passages)
    awaited = [one.stub for one in todays if one.stub.event not in _NEVER_RECEIPTED]
    return Half(
        sender=ends[0],
        recipient=ends[1],
        sent=len({one.stub.seq for one in todays}) + lacking,
        passed=len({one.stub.seq for one in todays}),
        missing=missing[:MOST_RANGES],
        twice=tuple(sorted({one.stub.seq for one in todays if numbers[one.stub.seq] > 1})),
        unreceipted=tuple(sorted(one.seq for one in awaited if (*ends, one.mid) not in receipted)),
        last=last.stub.seq,
        last_stub=base64url.encode(last.stub_hash),
    )


def _ranges(known: Sequence[int], *, after: int, to: int) -> Iterable[tuple[int, int]]:
    """Give the ranges between `after` and `to` that are not among the sorted numbers `known`."""
    expected = after + 1
    for number in known:
        if expected <= number <= to:
            if number > expected:
                yield expected, number - 1
            expected = number + 1
