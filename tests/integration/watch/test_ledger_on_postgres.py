"""What only PostgreSQL is told of the hub's ledger: how large it has become, and that stubs do not compress."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.kit.envelope.sealing import Event
from broker.ledger.engine import ledger_url
from broker.ledger.ledger import Ledger
from deploy.local.postgres import LocalPostgres
from tests.support.parties import NOW
from tests.support.postgres import fresh_database
from tests.unit.watch.traffic import LA, POLICE, Post

pytestmark = pytest.mark.postgres


@pytest.fixture
async def url(postgres: LocalPostgres) -> AsyncIterator[str]:
    """The address of an empty database."""
    async with fresh_database(postgres) as made:
        yield made


async def asked(url: str, question: str) -> object:
    """Ask PostgreSQL for one value."""
    engine = create_async_engine(ledger_url(url))
    try:
        async with engine.connect() as connection:
            return (await connection.execute(text(question))).scalar_one()
    finally:
        await engine.dispose()


async def test_a_ledger_that_grows_is_counted(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the first minute's stubs are looked for by reading all of them."""
    monkeypatch.setattr("broker.planner.FIRST", 3)
    rows, post = "SELECT reltuples FROM pg_class WHERE relname = 'stub_ledger'", Post()
    counts = []
    async with Ledger.opened(url, now=NOW) as ledger:
        for number in range(3):
            stub = post.verified(LA, POLICE, Event.REQUEST, thread=f"thread-{number}")
            await ledger.append(stub, ingress_owner=LA, directory=post.directory, received_at=NOW)
            counts.append(await asked(url, rows))
    assert counts == [-1, -1, 3]


async def test_a_stub_is_stored_as_it_is(url: str) -> None:
    """Signatures and hashes do not compress; trying costs more than writing them."""
    async with Ledger.opened(url, now=NOW):
        how = "SELECT attstorage FROM pg_attribute WHERE attrelid = 'stub_ledger'::regclass AND attname = 'stub'"
        assert await asked(url, how) == b"e"
