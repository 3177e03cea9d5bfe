"""Lets steps that follow each other closely wait a moment, so that what comes meanwhile shares the next one.

A step here is a transaction: ten messages in one cost little more than one. Whoever has been idle steps at once.
Beside it, the one thing that would stop every step at any time: the garbage collector's full rounds.
"""

import asyncio
import gc
from time import monotonic
from typing import Final

GATHER: Final = 0.1
"""Seconds that routine messages and receipts wait for company at most, at each step; urgent ones wait for nobody."""

_ROUNDS: Final = (20_000, 20, 10)  # Python's own are 700, 10, 10


class Pace:
    """At most one step in `every` seconds."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._free_at = 0.0

    @property
    def rest(self) -> float:
        """Seconds until a step may begin; 0 if the last one began long enough ago."""
        return max(0.0, self._free_at - monotonic())

    def begin(self) -> None:
        """Note that a step begins."""
        self._free_at = monotonic() + self._every

    async def keep(self) -> None:
        """Wait until a step may begin, and begin it."""
        if rest := self.rest:
            await asyncio.sleep(rest)
        self.begin()

    def leave(self) -> None:
        """Let the next step begin at once: the last one was full, and waiting would bring nothing more into it."""
        self._free_at = 0.0


def settle_memory() -> None:
    """Let the garbage collector pass over what is loaded by now; a program calls it once, before it begins to work.

    Its full rounds go through everything that lives, modules included: a quarter of a second in which no message moves
    and no timer rings. What the program has loaded lives as long as it does. The small rounds come less often: a
    message makes thousands of objects, nearly all of which are gone before any round without its help.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_ROUNDS)
