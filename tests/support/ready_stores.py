"""Stores that are ready for ten thousand runs: set up once, copied for every run, their statements compiled once.

Everything but the waiting is real: a SQLite file of its own for each participant, with the pragmas, the lease, the
checks at opening and the keys of production.
"""

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

import pytest

from adapters.kit.store import store as store_module
from adapters.kit.store.engine import make_engine
from tests.support.inline_sqlite import inline_sqlite
from tests.support.stations import FakeClock, Road, station


class ReadyStores:
    """The stores of some participants. Use `made_in` around everything else."""

    def __init__(self, names: tuple[str, ...]) -> None:
        """Name the participants; nothing is made yet."""
        self._names = names
        self._folder = Path()

    @contextmanager
    def made_in(self, folder: Path) -> Iterator[None]:
        """Set the stores up once in `folder`; until the end of the block, SQLite runs inline and engines are kept."""
        self._folder = folder
        with inline_sqlite(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(store_module, "make_engine", cache(make_engine))
            for name in self._names:
                asyncio.run(self._set_up(name))
            for file in folder.iterdir():
                file.rename(folder / f"ready-{file.name}")
            yield

    async def _set_up(self, name: str) -> None:
        async with station(name, self.url(name), road=Road(), clock=FakeClock()):
            pass

    def begin_again(self) -> None:
        """Put every store back to its first hour."""
        for file in self._folder.iterdir():
            if not file.name.startswith("ready-"):
                file.unlink()
        for file in self._folder.iterdir():
            shutil.copyfile(file, self._folder / file.name.removeprefix("ready-"))

    def url(self, name: str) -> str:
        """Return the address of a participant's store."""
        return f"sqlite:///{self._folder}/{name}.sqlite"

    @contextmanager
    def watch(self, name: str) -> Iterator[sqlite3.Connection]:
        """Connect to a store from beside: `PRAGMA data_version` there changes with every commit of another."""
        with closing(sqlite3.connect(self._folder / f"{name}.sqlite")) as connection:
            yield connection
