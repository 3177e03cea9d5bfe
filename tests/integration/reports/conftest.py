"""A ledger of one October, made once for all tests of reports; who changes it takes a copy."""

import asyncio
from pathlib import Path

import pytest

from broker.ledger.ledger import Ledger
from tests.integration.reports.months import BEGAN, fill


@pytest.fixture(scope="session")
def october(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite ledger of 37 requests."""
    path = tmp_path_factory.mktemp("october") / "ledger.sqlite"

    async def make() -> None:
        async with Ledger.opened(str(path), now=BEGAN) as ledger:
            await fill(ledger)

    asyncio.run(make())
    return path
