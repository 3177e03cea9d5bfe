"""Tells open pages that what they show has changed, and gives the moment that they draw.

The watch shows every round here (`note`, an onlooker: it keeps the round and returns). Nothing is worked out while
nobody looks; whoever looks at one round shares one reading of the book and one model of each page, made in a thread so
that twenty thousand requests hold no delivery up. An open page hears of every change within a round, and of nothing
else than a beat, so that it can tell silence from calm.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from broker.alerts.listing import Listed, listed_standing
from broker.ledger.engine import LedgerUnavailable
from broker.ledger.ledger import Ledger
from broker.page.board import Board
from broker.page.pages import Page, digest
from broker.watch.glance import Glance

MOST_LISTENERS: Final = 64
BEAT: Final = 5.0


class TooManyListeners(Exception):
    """More pages are open than are kept up to date at once."""


class NothingSeenYet(Exception):
    """The watch has not finished its first round."""


@dataclass(frozen=True)
class News:
    """What an open page is told: `changed` with the digest of what there is to draw now, or `beat`."""

    kind: str
    digest: str


@dataclass(frozen=True)
class Made:
    """A page's model, of which moment it is, and its digest."""

    board: Board
    page: Page
    digest: str


class Live:
    """The latest round and everybody who wants to hear of the next."""

    def __init__(self, ledger: Ledger, clock: Callable[[], datetime], *, beat: float = BEAT) -> None:
        self._ledger, self._clock, self._beat = ledger, clock, beat
        self._glance: Glance | None = None
        self._board: Board | None = None
        self._news = asyncio.Event()
        self._reading, self._making = asyncio.Lock(), asyncio.Lock()
        self._made: dict[str, Made] = {}
        self._listeners = 0
        self._is_closed = False

    @property
    def latest(self) -> Glance | None:
        """Give the last round, or None before the first."""
        return self._glance

    @property
    def is_full(self) -> bool:
        """Say whether no further page can be kept up to date."""
        return self._listeners >= MOST_LISTENERS

    def note(self, glance: Glance) -> None:
        """Take note of a round. One that could not be judged keeps the alerts of the one before: none is no news."""
        if not glance.ledgers.is_up and self._glance is not None:
            glance = replace(glance, alerts=self._glance.alerts)
        self._glance = glance
        self.wake()

    def wake(self) -> None:
        """Let everybody look again: something was acknowledged, or a round has come."""
        self._board = None
        self._news.set()
        self._news = asyncio.Event()

    def close(self) -> None:
        """End every stream."""
        self._is_closed = True
        self.wake()

    async def board(self) -> Board:
        """Give the present moment: a new one for a new round, and when the last one has become the past.

        Raises `NothingSeenYet`.
        """
        async with self._reading:
            glance = self._glance
            if glance is None:
                raise NothingSeenYet
            board = self._board
            if board is None or board.glance is not glance or replace(board, shown_at=self._clock()).is_stale:
                board = self._board = Board(glance, self._clock(), await self._rows())
                self._made = {}
            return board

    async def page(self, name: str, make: Callable[[Board], Page]) -> Made:
        """Give a page's model at the present moment; `name` tells one page from another. Raises `NothingSeenYet`."""
        board = await self.board()
        async with self._making:
            made = self._made.get(name)
            if made is None or made.board is not board:
                page = await asyncio.to_thread(make, board)
                made = self._made[name] = Made(board, page, await asyncio.to_thread(digest, page))
            return made

    async def listen(self, name: str, make: Callable[[Board], Page]) -> AsyncIterator[News]:
        """Tell when a page has something else to draw; at once, and then at each change or beat.

        Raises `TooManyListeners`.
        """
        if self.is_full:
            raise TooManyListeners
        self._listeners += 1
        try:
            async for one in self._stream(name, make):
                yield one
        finally:
            self._listeners -= 1

    async def _stream(self, name: str, make: Callable[[Board], Page]) -> AsyncIterator[News]:
        last = ""
        while not self._is_closed:
            news = self._news
            seen = (await self.page(name, make)).digest if self._glance else ""
            if seen != last:
                last = seen
                yield News("changed", seen)
            if not await _within(news, self._beat):
                yield News("beat", last)

    async def _rows(self) -> tuple[Listed, ...] | None:
        try:
            return await listed_standing(self._ledger)
        except LedgerUnavailable:
            return None


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
