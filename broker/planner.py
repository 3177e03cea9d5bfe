"""Lets PostgreSQL count our tables while they grow, so that it finds a row by its key and does not read them whole.

PostgreSQL plans a statement by what it last counted, and counts by itself once a minute at most. Tables that were empty
when a program began are empty to it until then: every lookup reads all of what has come since, inside the one
transaction that everybody waits for. The same holds for a database that was restored from a dump.
So after the first rows of a process, and whenever their number has doubled, the tables are counted (ANALYZE): some
hundredths of a second, for which the caller of that one commit waits, and nobody else who writes. SQLite prefers a key
without being told, and is left alone.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import asyncpg  # type: ignore[import-untyped]  # ships no types
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

FIRST: Final = 256  # rows; of fewer a whole table is read as fast as its key
_FAULTS: Final = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


class PlannerCounts:
    """The counts of one program's tables. `tables` are names of ours, never a caller's."""

    def __init__(self, engine: AsyncEngine, tables: Iterable[str]) -> None:
        self._engine = engine
        self._statement = text(f"ANALYZE (SKIP_LOCKED) {', '.join(tables)}")
        self._written, self._next = 0, FIRST

    async def wrote(self, rows: int) -> None:
        """Note rows that were committed, and have the tables counted when their number has doubled.

        Raises nothing: what was committed stays committed, and a count that fails costs time only.
        """
        self._written += rows
        if self._written < self._next or self._engine.dialect.name != "postgresql":
            return
        self._next = 2 * self._written
        with suppress(*_FAULTS):
            async with self._engine.connect() as connection:
                await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(self._statement)
