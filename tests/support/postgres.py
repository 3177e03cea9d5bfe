"""A real PostgreSQL for tests: one a worker, a database a test."""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from deploy.local.postgres import LocalPostgres, postgres


@contextmanager
def any_postgres() -> Iterator[LocalPostgres]:
    """Give the server that `python -m deploy.local postgres` left in the environment, or start a private one."""
    address = os.environ.get("MASH_TEST_POSTGRES")
    if not address:
        with postgres() as server:
            yield server
        return
    parts = urlsplit(address)
    assert parts.port
    yield LocalPostgres(parts.port, parts.password or "", user=parts.username or "", host=parts.hostname or "")


@asynccontextmanager
async def fresh_database(server: LocalPostgres) -> AsyncIterator[str]:
    """Make a database of its own for a test and give its address; drop it afterwards, whoever is still in it."""
    name = f"test_{secrets.token_hex(6)}"
    engine = create_async_engine(server.url(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"CREATE DATABASE {name}"))
        yield server.url(name)
        async with engine.connect() as connection:
            await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        await engine.dispose()
