"""The database under a store: SQLite in one file, or PostgreSQL by URL; durable or not opened at all.

SQLite: WAL, `synchronous=FULL` (NORMAL may lose committed work on power loss), foreign keys, `secure_delete`, and
every transaction begins IMMEDIATE, so there is one writer and no upgrade of a read lock half-way.
PostgreSQL: `synchronous_commit=on` in the session, and `fsync` checked; the store's single row is locked first in every
transaction, so there is one writer too.

One adapter a store: a file lock beside the SQLite file (local disks only, not NFS), a session's advisory lock in
PostgreSQL. Both go when the process dies, however it dies.
Faults of the database are told apart here and nowhere else.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]  # ships no types
from sqlalchemy import event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from adapters.kit.store.errors import NotDurable, StoreDamaged, StoreError, StoreInUse, StoreUnavailable

READ_ONLY: Final = "mash_read_only"
_DRIVERS: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_PRAGMAS: Final = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000", "secure_delete=ON")
_DAMAGED: Final = ("malformed", "not a database", "corrupt", "invalid page", "checksum")
# The drivers' own exceptions come from the hot path, SQLAlchemy's from everything else.
DATABASE_ONLY: Final = (DBAPIError, sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError)
_OURS: Final = (IntegrityError, sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)
_ADVISORY: Final = 0x6D617368  # "mash": one store a database
_LEASE_TRIES: Final = 20
_LEASE_PAUSE: Final = 0.25  # seconds; PostgreSQL needs a moment to notice that a killed adapter is gone


def store_url(url: str) -> URL:
    """Read a database URL and name the asynchronous driver for it; raises ValueError for any other database."""
    parsed = make_url(url)
    family = parsed.get_backend_name()
    if family not in _DRIVERS:
        raise ValueError(f"a store is on SQLite or PostgreSQL, not on {family}")
    return parsed.set(drivername=_DRIVERS[family])


def sqlite_path(url: URL) -> Path | None:
    """Return the file of a SQLite store, None for PostgreSQL."""
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def make_engine(url: URL) -> AsyncEngine:
    """Make the engine: two connections, one that writes and one that reads."""
    if sqlite_path(url) is None:
        arguments: dict[str, Any] = {
            "server_settings": {
                "synchronous_commit": "on",
                "application_name": "mash-store",
                "lock_timeout": "10s",  # who holds our row for longer is not one of us: say so rather than hang
            },
            "timeout": 10,
        }
        return create_async_engine(url, pool_size=2, max_overflow=2, connect_args=arguments)
    engine = create_async_engine(url, pool_size=2, max_overflow=2)
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


async def check_health(engine: AsyncEngine) -> None:
    """Look the database over before use; raises StoreDamaged or NotDurable."""
    async with faults(), engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            found = (await connection.execute(text("PRAGMA integrity_check(1)"))).scalar_one()
            if found != "ok":
                raise StoreDamaged("integrity check")
            return
        for setting in ("fsync", "synchronous_commit"):
            if (await connection.execute(text(f"SHOW {setting}"))).scalar_one() != "on":
                raise NotDurable(setting)


async def scrub(engine: AsyncEngine) -> None:
    """Take erased bytes off the disk: SQLite's log is emptied, PostgreSQL's table of keys is written anew.

    A plain VACUUM leaves the bytes of dead rows where they were. PostgreSQL's own log and the file system may keep
    older copies for a while; they hold wrapped keys only. Raises StoreUnavailable while a reader holds SQLite's log.
    """
    async with engine.connect() as connection:
        raw = await connection.get_raw_connection()  # outside any transaction, as both commands demand
        driver: Any = raw.driver_connection
        if engine.dialect.name == "sqlite":
            ((busy, _, _),) = await driver.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
            if busy:
                raise StoreUnavailable("the log is being read")
            return
        await driver.execute("VACUUM (FULL) record_key")
        await driver.execute("CHECKPOINT")


@asynccontextmanager
async def lease(url: URL, engine: AsyncEngine) -> AsyncIterator[None]:
    """Hold the store for this process alone; raises StoreInUse."""
    path = sqlite_path(url)
    if path is None:
        async with _advisory_lease(engine):
            yield
        return
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    handle = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreInUse from None
        yield
    finally:
        os.close(handle)


@asynccontextmanager
async def _advisory_lease(engine: AsyncEngine) -> AsyncIterator[None]:
    async with faults():
        connection = await engine.connect()
    try:
        async with faults():
            await _take_advisory_lock(await connection.execution_options(isolation_level="AUTOCOMMIT"))
        yield
    finally:
        await connection.invalidate()  # the session ends, and its lock with it
        await connection.close()


async def _take_advisory_lock(connection: AsyncConnection) -> None:
    for _ in range(_LEASE_TRIES):
        taken = await connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _ADVISORY})
        if taken.scalar_one():
            return
        await asyncio.sleep(_LEASE_PAUSE)
    raise StoreInUse


@asynccontextmanager
async def faults(*, caught: tuple[type[Exception], ...] = (*DATABASE_ONLY, OSError)) -> AsyncIterator[None]:
    """Turn the database's exceptions into the store's: unavailable, or damaged; ours pass unchanged.

    Where a caller's own code runs inside, `caught` is `DATABASE_ONLY`: an OSError there is not the database's.
    """
    try:
        yield
    except _OURS:
        raise
    except caught as error:
        raise _translated(error) from None


def _translated(error: Exception) -> StoreError:
    cause = error.orig if isinstance(error, DBAPIError) else error
    plain = str(cause).lower()
    if any(word in plain for word in _DAMAGED):
        return StoreDamaged(type(cause).__name__)
    return StoreUnavailable(type(cause).__name__)
