"""SQLite without its thread: the same statements on the same file, run where they are awaited.

aiosqlite gives every connection a thread and pays two switches for each call. A test that makes millions of calls, one
after the other, and never two at a time, gains nothing by that. The database, its pragmas, its locks and its files are
the real ones; only who runs a call differs.
Not for tests in which one task must go on while another waits for the disk: nothing here ever yields to the loop.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import aiosqlite
from sqlalchemy import Engine, event


class _AtOnce:
    """The queue to a thread that is not there: what is put is done."""

    def put_nowait(self, job: tuple["asyncio.Future[Any] | None", Callable[[], Any]]) -> None:
        """Do the job, and tell whoever waits."""
        future, work = job
        try:
            done = work()
        except BaseException as error:
            if future is None:
                raise
            future.set_exception(error)
        else:
            if future is not None:
                future.set_result(done)


class InlineConnection(aiosqlite.Connection):
    """A connection of aiosqlite that runs everything in the caller's thread."""

    def __init__(self, database: str, **options: Any) -> None:
        """Take what `aiosqlite.connect` takes."""
        super().__init__(lambda: sqlite3.connect(database, **options), iter_chunk_size=64)
        self._tx = _AtOnce()  # type: ignore[assignment]  # all that the base class and SQLAlchemy ask of a queue

    def __await__(self) -> Generator[Any, None, aiosqlite.Connection]:
        """Connect, without starting the thread."""
        return self._connect().__await__()

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not self._running or not self._connection:
            raise ValueError("Connection closed")
        return fn(*args, **kwargs)


@contextmanager
def inline_sqlite() -> Iterator[None]:
    """Let every SQLite engine of this process connect without a thread, until the end of the block."""

    def connect(dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
        if dialect.driver == "aiosqlite":
            options["async_creator_fn"] = InlineConnection

    event.listen(Engine, "do_connect", connect)
    try:
        yield
    finally:
        event.remove(Engine, "do_connect", connect)
