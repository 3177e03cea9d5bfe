"""What differs between the hub's manifest of a day and an agency's own books. Pure.

A message that this agency has confirmed and the hub never saw was dropped before it; one that the hub saw and this
agency has not was dropped behind it; the last stub of a pair under another hash is another content under one number.
What is still young is left out: a number that has just been sent need not have passed, nor one that passed have come.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from schemas import base64url
from schemas.reconciliation import MOST_RANGES, DailyManifest, Difference, DifferenceKind, End, Half

YOUNG: Final = timedelta(minutes=15)
_MOST_NUMBERS: Final = 100_000
"""A half with more numbers is compared by the names that it gives alone: a number near 2**53 makes no long work."""


@dataclass(frozen=True)
class Line:
    """One message in the agency's books: `at` is when the hub confirmed it, or when it was taken in; None not yet."""

    seq: int
    mid: str
    stub_hash: bytes = field(repr=False)
    at: datetime | None


@dataclass(frozen=True)
class Books:
    """What one agency has sent to and taken in from each partner, and the highest number it has ever given out."""

    sent: Mapping[str, Sequence[Line]]
    taken: Mapping[str, Sequence[Line]]
    highest: Mapping[str, int]


def differences(manifest: DailyManifest, books: Books) -> tuple[Difference, ...]:
    """List every message on which the two differ, each once, by pair and number."""
    me = manifest.participant
    found = [*_from_me(manifest, books, me), *_to_me(manifest, books, me)]
    unique = {(one.sender, one.recipient, one.seq): one for one in reversed(found)}
    return tuple(unique[key] for key in sorted(unique))


def from_number(manifest: DailyManifest, *, sender: str, recipient: str) -> int:
    """Say from which number on the books of a pair are to be looked at."""
    half, end = _half(manifest, sender, recipient), _end(manifest, sender, recipient)
    named = [number for number, _ in half.messages] if half else []
    return min([half.first, *named] if half else [end.last if end else 1])


def _from_me(manifest: DailyManifest, books: Books, me: str) -> Iterator[Difference]:
    for peer in sorted({*books.sent, *(end.recipient for end in manifest.ends if end.sender == me)}):
        half, end = _half(manifest, me, peer), _end(manifest, me, peer)
        lines = books.sent.get(peer, ())
        for line in lines:
            settled = line.at is not None and line.at <= manifest.made_at - YOUNG
            behind = line.seq > (end.last if end else 0) and settled
            if behind or (line.at is not None and _is_missing(half, line.seq)):
                yield _difference(DifferenceKind.LOST_BEFORE_HUB, me, peer, line)
        if end is not None and end.last > books.highest.get(peer, 0):
            yield Difference(kind=DifferenceKind.NEVER_SENT, sender=me, recipient=peer, seq=end.last, mid=None)
        yield from _other_content(end, half, lines)


def _to_me(manifest: DailyManifest, books: Books, me: str) -> Iterator[Difference]:
    for peer in sorted({*books.taken, *(end.sender for end in manifest.ends if end.recipient == me)}):
        half, end = _half(manifest, peer, me), _end(manifest, peer, me)
        lines = books.taken.get(peer, ())
        for line in lines:
            settled = line.at is not None and line.at <= manifest.made_at - YOUNG
            if (line.seq > (end.last if end else 0) and settled) or _is_missing(half, line.seq):
                yield _difference(DifferenceKind.UNSEEN_BY_HUB, peer, me, line)
        yield from _lost_behind(half, lines)
        yield from _other_content(end, half, lines)


def _lost_behind(half: Half | None, lines: Sequence[Line]) -> Iterator[Difference]:
    if half is None:
        return
    here, names = {line.seq for line in lines}, dict(half.messages)
    for seq in sorted({*_numbers(half), *names} - here):
        yield Difference(
            kind=DifferenceKind.LOST_AFTER_HUB,
            sender=half.sender,
            recipient=half.recipient,
            seq=seq,
            mid=names.get(seq),
        )


def _other_content(end: End | None, half: Half | None, lines: Sequence[Line]) -> Iterator[Difference]:
    """The last stub of the pair under another hash, or a number under another name."""
    names = dict(half.messages) if half else {}
    for line in lines:
        last = end is not None and line.seq == end.last and base64url.encode(line.stub_hash) != end.stub
        if end is not None and (last or names.get(line.seq, line.mid) != line.mid):
            yield _difference(DifferenceKind.OTHER_CONTENT, end.sender, end.recipient, line)


def _numbers(half: Half) -> Iterator[int]:
    """Give the numbers of the day that passed, where they can be counted out."""
    lacking = sum(last - first + 1 for first, last in half.missing)
    if len(half.missing) < MOST_RANGES and half.last - half.first + 1 - lacking <= _MOST_NUMBERS:
        expected = half.first
        for first, last in (*half.missing, (half.last + 1, half.last + 1)):
            yield from range(expected, first)
            expected = last + 1


def _is_missing(half: Half | None, seq: int) -> bool:
    return half is not None and any(first <= seq <= last for first, last in half.missing)


def _half(manifest: DailyManifest, sender: str, recipient: str) -> Half | None:
    return next((half for half in manifest.halves if (half.sender, half.recipient) == (sender, recipient)), None)


def _end(manifest: DailyManifest, sender: str, recipient: str) -> End | None:
    return next((end for end in manifest.ends if (end.sender, end.recipient) == (sender, recipient)), None)


def _difference(kind: DifferenceKind, sender: str, recipient: str, line: Line) -> Difference:
    return Difference(kind=kind, sender=sender, recipient=recipient, seq=line.seq, mid=line.mid)
