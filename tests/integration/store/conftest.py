"""Stores for tests: every test that asks for `new_store` runs on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import pytest

from tests.support.postgres import fresh_database
from tests.support.stations import COUNCIL, POLICE, FakeClock, Road, Station, station

NewStore = Callable[[], Awaitable[str]]
Both = tuple[Station, Station]


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


@pytest.fixture
async def pair_of_stations(new_store: NewStore, road: Road, clock: FakeClock) -> AsyncIterator[Both]:
    """The council and the police, on one road."""
    async with (
        station(COUNCIL, await new_store(), road=road, clock=clock) as council,
        station(POLICE, await new_store(), road=road, clock=clock) as police,
    ):
        yield council, police
