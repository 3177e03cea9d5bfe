"""Open rows by due time, with every step bounded: a million of them never hold the event loop up.

It guarantees: no row comes out before it is due; each row put in comes out once; `take` does at most `budget` units of
work however many rows there are or fall due together. A row comes out at most one slot (50 ms) late.
Rows wait by the minute and are dealt into slots when their minute is next, so memory is one line a row.
It refuses to know what a row means, whether it has lapsed, and what time it is: that is for the store and the caller.
Rows of the same slot, and overdue rows of the same minute, come out in no particular order.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Final

from broker.calendar import as_utc

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
SLOT: Final = 50_000  # microseconds
MINUTE: Final = 60_000_000
DEALT_AHEAD: Final = 1
"""Minutes dealt into slots before they begin, so that a crowded minute is ready when it comes."""


@dataclass(frozen=True, slots=True)
class Row:
    """One open timer: its key in the store and when it is due."""

    key: str
    due_at: datetime


class Wheel:
    """The open rows of one scheduler."""

    def __init__(self) -> None:
        self._minutes = _Buckets()
        self._slots = _Buckets()
        self._dealt_to = -1
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def put(self, rows: Iterable[Row]) -> None:
        """Add rows; those already due come out at the next `take`. Raises `ValueError` for a key of several lines."""
        for row in rows:
            if "\n" in row.key:
                raise ValueError("a row's key is one line")
            due = _microseconds(row.due_at)
            dealt = due // MINUTE <= self._dealt_to
            line = f"{due} {row.key}\n".encode()
            self._deal(due, line) if dealt else self._minutes.add(due // MINUTE, line)
            self._size += 1

    def take(self, now: datetime, *, budget: int) -> list[str]:
        """Take out up to `budget` keys of rows that are due at `now`; call again at once while `busy(now)`."""
        moment = _microseconds(now)
        taken: list[str] = []
        while len(taken) < budget and (buckets := self._due(moment)):
            lines = buckets.draw(budget - len(taken))
            taken += [line.split(b" ", 1)[1].decode() for line in lines]
        self._size -= len(taken)
        self._deal_ahead(moment, budget - len(taken))
        return taken

    def busy(self, now: datetime) -> bool:
        """Say whether rows are due, or have to be dealt, at `now`."""
        moment = _microseconds(now)
        return self._due(moment) is not None or self._has_to_deal(moment)

    def _due(self, moment: int) -> "_Buckets | None":
        """Say where the earliest rows are all due: in a slot, or in a minute that is over."""
        if self._slots and self._slots.first * SLOT <= moment:
            return self._slots
        if self._minutes and (self._minutes.first + 1) * MINUTE <= moment:
            return self._minutes
        return None

    def _has_to_deal(self, moment: int) -> bool:
        return bool(self._minutes) and self._minutes.first <= moment // MINUTE + DEALT_AHEAD

    def _deal_ahead(self, moment: int, budget: int) -> None:
        """Deal waiting rows of this minute and the next into slots; a minute counts as dealt once it is empty."""
        while budget > 0 and self._has_to_deal(moment):
            lines = self._minutes.draw(budget)
            budget -= len(lines)
            for line in lines:
                self._deal(int(line.split(b" ", 1)[0]), line + b"\n")
        if not self._has_to_deal(moment):
            self._dealt_to = max(self._dealt_to, moment // MINUTE + DEALT_AHEAD)

    def _deal(self, due: int, line: bytes) -> None:
        self._slots.add(-(-due // SLOT), line)  # rounded up: a slot begins when all of its rows are due


class _Buckets:
    """Lines of text by number, smallest number first.

    Text and not objects: a million tuples make the collector of cycles stop the loop for a fifth of a second.
    """

    def __init__(self) -> None:
        self._lines: dict[int, bytearray] = {}
        self._order: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._order)

    @property
    def first(self) -> int:
        return self._order[0]

    def add(self, number: int, line: bytes) -> None:
        lines = self._lines.get(number)
        if lines is None:
            self._lines[number] = bytearray(line)
            heappush(self._order, number)
        else:
            lines += line

    def draw(self, count: int) -> list[bytes]:
        """Take up to `count` lines off the end of the first bucket."""
        number = self._order[0]
        lines = self._lines[number]
        begin = len(lines)
        for _ in range(count):
            begin = lines.rfind(b"\n", 0, max(0, begin - 1)) + 1
            if begin == 0:
                break
        drawn = bytes(lines[begin:]).split(b"\n")[:-1]
        del lines[begin:]
        if not lines:
            heappop(self._order)
            del self._lines[number]
        return drawn


def _microseconds(moment: datetime) -> int:
    return (as_utc(moment) - EPOCH) // MICROSECOND
