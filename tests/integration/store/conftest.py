"""Stores for tests: every test that asks for `new_store` runs on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import pytest

from tests.support.postgres import fresh_database
from tests.support.stations import FakeClock, Road

NewStore = Callable[[], Awaitable[str]]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[NewStore]:
    """Make addresses of empty stores: `url = await new_store()`."""
    numbers = count()
    async with AsyncExitStack() as stack:
        if request.param == "sqlite":

            async def fresh() -> str:
                return f"sqlite:///{tmp_path}/store-{next(numbers)}.sqlite"
        else:
            server = request.getfixturevalue("postgres")

            async def fresh() -> str:
                return await stack.enter_async_context(fresh_database(server))

        yield fresh


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still until a test moves it."""
    return FakeClock()


@pytest.fixture
def road() -> Road:
    """A hub in memory."""
    return Road()
