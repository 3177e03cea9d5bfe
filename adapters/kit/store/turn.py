"""Whose turn it is to write: one at a time, in the order of asking among those of one precedence.

A timer has a second, an urgent message two; routine work that came together may hold the writer for a quarter of one,
and several such would stand before them: so they go first. What has come is stored, and its sender told so, before what
was stored earlier is worked on: a sender who hears nothing sends again, and that helps nobody who is late already.
Nobody is interrupted. Storing takes a small part of the time of working, so those who go last get their turn.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import IntEnum


class Precedence(IntEnum):
    """Before whom a transaction goes that has to wait."""

    FIRST = 0
    USUAL = 1
    LAST = 2


class WriterTurn:
    """The turn to write of one store."""

    def __init__(self) -> None:
        self._taken = False
        self._lines: tuple[deque[asyncio.Future[None]], ...] = tuple(deque() for _ in Precedence)

    @asynccontextmanager
    async def taken(self, precedence: Precedence = Precedence.USUAL) -> AsyncIterator[None]:
        """Hold the turn for the block."""
        await self._wait(self._lines[precedence])
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, line: "deque[asyncio.Future[None]]") -> None:
        if not self._taken:
            self._taken = True
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it was given to whoever gives up in the same moment
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        for line in self._lines:
            while line:
                turn = line.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._taken = False
