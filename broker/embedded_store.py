"""The rows of the embedded hub: queues in SQLite, and who has taken which message.

A row is durable once `append` returns. A row taken by a process that has died is free again: each process holds a
kernel lock on a file of its own beside the database, and the lock dies with it. Every call is one transaction on the
one thread that owns the connection, so the event loop never waits for a disk.
"""

import asyncio
import fcntl
import secrets
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import IO, Final, TypeVar

Result = TypeVar("Result")

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    ingress_owner TEXT NOT NULL,
    body BLOB NOT NULL,
    deliveries INTEGER NOT NULL DEFAULT 0,
    taken_by TEXT
);
CREATE INDEX IF NOT EXISTS message_by_queue ON message (queue, id);
"""
_DROP_OLDEST: Final = """
DELETE FROM message
WHERE queue = ? AND id <= (SELECT id FROM message WHERE queue = ? ORDER BY id DESC LIMIT 1 OFFSET ?)
"""


@dataclass(frozen=True)
class Row:
    """One taken message; `deliveries` counts this one."""

    id: int
    ingress_owner: str
    body: bytes = field(repr=False)
    deliveries: int


class QueueStore:
    """Durable queues of one machine. With no path they live in memory and die with the object.

    A queue in `bounds` keeps so many of the youngest messages; no other drops any.

    Every call raises `sqlite3.OperationalError` if another process holds the file for longer than `busy_timeout`.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        delivery_limit: int,
        dead_queue: str,
        busy_timeout: float = 10,
        bounds: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._path = path
        self._busy_timeout = busy_timeout
        self._delivery_limit = delivery_limit
        self._dead_queue = dead_queue
        self._bounds = bounds
        self._me = secrets.token_hex(8)
        self._lock: IO[bytes] | None = None
        self._database: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedded-hub")
        self._closed = False

    async def append(self, queues: Sequence[str], *, body: bytes, ingress_owner: str) -> None:
        """Store `body` at the end of every one of `queues`, all or none."""

        def insert(database: sqlite3.Connection) -> None:
            rows = [(queue, ingress_owner, body) for queue in queues]
            database.executemany("INSERT INTO message (queue, ingress_owner, body) VALUES (?, ?, ?)", rows)
            for queue in self._bounds.keys() & set(queues):
                database.execute(_DROP_OLDEST, (queue, queue, self._bounds[queue]))

        await self._transaction(insert)

    async def take(self, queue: str, *, holder: str, at_most: int = 1) -> tuple[Row, ...]:
        """Take the oldest free messages of `queue` for `holder` (one connection of this process), in order.

        A message delivered more often than the limit goes to the dead queue instead, as RabbitMQ does.
        """
        taker = f"{self._me}.{holder}"
        return await self._transaction(lambda database: self._take(database, queue, taker=taker, at_most=at_most))

    async def release(self, holder: str) -> None:
        """Give back everything that `holder` took and did not settle."""
        change = "UPDATE message SET taken_by = NULL WHERE taken_by = ?"
        await self._transaction(lambda database: database.execute(change, (f"{self._me}.{holder}",)))

    async def settle(self, rows: Sequence[Row], *, done: bool) -> None:
        """Remove handled rows, or give them back: all or none."""
        statement = "DELETE FROM message WHERE id = ?" if done else "UPDATE message SET taken_by = NULL WHERE id = ?"
        numbers = [(row.id,) for row in rows]
        await self._transaction(lambda database: database.executemany(statement, numbers))

    async def depth(self, queue: str) -> int:
        """Count the messages of `queue`, taken or not."""

        def count(database: sqlite3.Connection) -> int:
            (number,) = database.execute("SELECT count(*) FROM message WHERE queue = ?", (queue,)).fetchone()
            return int(number)

        return await self._transaction(count)

    async def close(self) -> None:
        """Give everything back and release the file. Idempotent."""
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    async def _transaction(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        def run() -> Result:
            database = self._database or self._open()
            database.execute("BEGIN IMMEDIATE")
            try:
                result = work(database)
                database.execute("COMMIT")
            except BaseException:
                # A commit that failed may leave its transaction open, and then no other could ever begin; after a full
                # disk SQLite has rolled back by itself, and a second time would hide what happened.
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise
            return result

        # Shielded: a caller that is cancelled must not leave the thread and the loop with different ideas of a row.
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, run))

    def _open(self) -> sqlite3.Connection:
        if self._path is None:
            database = sqlite3.connect(":memory:", isolation_level=None)
            database.executescript(_SCHEMA)
        else:
            database = self._open_file(self._path)
        self._database = database
        return database

    def _open_file(self, path: Path) -> sqlite3.Connection:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._lock = self._lock_file(self._me).open("wb")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # SQLite does not wait when two processes switch the same new file to WAL: only one may be here at a time.
        with path.with_name(f"{path.name}.lock").open("wb") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            database = sqlite3.connect(path, isolation_level=None, timeout=self._busy_timeout)
            database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_SCHEMA}")
        return database

    def _close(self) -> None:
        if self._database:
            self._database.execute("UPDATE message SET taken_by = NULL WHERE taken_by LIKE ? || '.%'", (self._me,))
            self._database.close()
        if self._lock:
            self._lock_file(self._me).unlink(missing_ok=True)
            self._lock.close()

    def _take(self, database: sqlite3.Connection, queue: str, *, taker: str, at_most: int) -> tuple[Row, ...]:
        taken: list[Row] = []
        query = "SELECT id, ingress_owner, body, deliveries, taken_by FROM message WHERE queue = ? ORDER BY id"
        for number, ingress_owner, body, deliveries, holder in database.execute(query, (queue,)):
            if len(taken) == at_most:
                break
            if holder is not None and self._lives(holder.partition(".")[0]):
                continue
            if deliveries < self._delivery_limit:
                change = "UPDATE message SET taken_by = ?, deliveries = deliveries + 1 WHERE id = ?"
                database.execute(change, (taker, number))
                taken.append(Row(number, ingress_owner, body, deliveries + 1))
                continue
            change = "UPDATE message SET queue = ?, taken_by = NULL, deliveries = 0, ingress_owner = '' WHERE id = ?"
            database.execute(change, (self._dead_queue, number))
        return tuple(taken)

    def _lock_file(self, process: str) -> Path:
        assert self._path is not None, "only a shared file has holders"  # noqa: S101 - for the type checker
        return self._path.with_name(f"{self._path.name}.{process}.lock")

    def _lives(self, process: str) -> bool:
        """Say whether the process that took a row still runs: its lock cannot be had while it does."""
        if process == self._me:
            return True
        try:
            with self._lock_file(process).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        self._lock_file(process).unlink(missing_ok=True)
        return False
