"""The database under the ledger: SQLite in one file, or PostgreSQL by URL; durable, and its faults told apart.

SQLite: WAL with `synchronous=FULL` (NORMAL may lose committed work on power loss), one writer at a time because every
transaction begins IMMEDIATE. PostgreSQL: `synchronous_commit=on`.
A database that is away is the world's fault and waited out (`LedgerUnavailable`); a file that is not there when it is
to be read is the operator's (`NoLedger`), because an empty ledger verifies and proves nothing.
"""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]  # ships no types
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from broker.errors import HubError

READ_ONLY: Final = "mash_read_only"
_DRIVERS: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_PRAGMAS: Final = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000")
_WORLD: Final = (DBAPIError, sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


class LedgerUnavailable(HubError):
    """The ledger's database does not answer or does not write; stubs wait in the hub's queues until it does."""


class NoLedger(HubError):
    """There is no ledger at that address; nothing has been verified."""


def ledger_url(text: str) -> URL:
    """Read a database URL, or a path as SQLite; raises ValueError for any other database."""
    parsed = make_url(text if "://" in text else f"sqlite:///{text}")
    family = parsed.get_backend_name()
    if family not in _DRIVERS:
        raise ValueError(f"a ledger is on SQLite or PostgreSQL, not on {family}")
    return parsed.set(drivername=_DRIVERS[family])


def must_exist(url: URL) -> None:
    """Raise `NoLedger` if a SQLite ledger has no file: opening it would make an empty one."""
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise NoLedger


def make_engine(url: URL) -> AsyncEngine:
    """Make the engine."""
    if url.get_backend_name() == "postgresql":
        settings = {"synchronous_commit": "on", "application_name": "mash-hub-ledger"}
        return create_async_engine(
            url, pool_size=2, max_overflow=4, connect_args={"server_settings": settings, "timeout": 10}
        )
    engine = create_async_engine(url, pool_size=2, max_overflow=4)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says, not where the driver guesses
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    read_only = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


@asynccontextmanager
async def world_faults() -> AsyncIterator[None]:
    """Turn the database's own faults into `LedgerUnavailable`; a broken rule of the tables is ours and passes."""
    try:
        yield
    except IntegrityError:
        raise
    except _WORLD as fault:
        cause = fault.orig if isinstance(fault, DBAPIError) else fault
        raise LedgerUnavailable(f"({type(cause).__name__})") from None
