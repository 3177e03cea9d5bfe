"""Ledgers for tests: every test that asks for `ledger_url` runs on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.postgres import fresh_database


@pytest.fixture
def db(tmp_path: Path) -> str:
    """The address of a SQLite ledger that does not exist yet, where the database is not what is tested."""
    return f"sqlite:///{tmp_path}/ledger.sqlite"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a ledger that does not exist yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/ledger.sqlite"
        return
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(fresh_database(request.getfixturevalue("postgres")))
