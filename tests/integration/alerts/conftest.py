"""Ledgers for the tests of alerts: every test that asks for `ledger_url` runs on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.alerts.office import Office, office
from tests.integration.watch.conftest import ledger_url

__all__ = ["ledger_url"]


@pytest.fixture
async def hub(ledger_url: str) -> AsyncIterator[Office]:  # the fixture above is asked for by its name
    """A hub's office, open over the ledger."""
    async with office(ledger_url) as opened:
        yield opened
