"""PostgreSQL and our tables: counted while they grow, sealed bytes stored as they are, older stores brought along."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.kit.store import migrating
from adapters.kit.store.engine import make_engine, store_url
from adapters.kit.store.store import Store
from adapters.kit.store.tables import METADATA
from broker.planner import FIRST, PlannerCounts
from deploy.local.postgres import LocalPostgres
from tests.support.postgres import fresh_database
from tests.support.stations import COUNCIL, KEY, FakeClock

pytestmark = pytest.mark.postgres

PEER, NEVER_COUNTED = "testford-police", -1
FILL = """
INSERT INTO inbox (peer, mid, thread, event, lane, seq, prev, stub_hash, on_chain, state, opens, failures, received_at,
    guard)
SELECT :peer, 'm' || n, 't', 'REQ', 'routine', n, '', '', 1, 'APPLIED', 0, 0, n, '' FROM generate_series(1, :rows) AS n
"""
PREPARE = (
    "PREPARE look (text, text, text, text, text) AS SELECT * FROM inbox WHERE peer = $1 AND mid IN ($2, $3, $4, $5)"
)
AS_THEY_ARE = """
SELECT relname || '.' || attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attnum > 0 AND attstorage = 'e'
"""
SEALED = {
    "envelope.body",
    "document.content",
    "outbox.draft",
    "ledger.detail",
    "command.answer",
    "quarantine.body",
}
BY_ITS_KEY = "Index Cond: (((peer)::text = $1) AND (mid = ANY"
LOOKUP = "EXPLAIN EXECUTE look ('testford-police', 'm1', 'm2', 'm3', 'm4')"


@pytest.fixture
async def url(postgres: LocalPostgres) -> AsyncIterator[str]:
    """The address of an empty database."""
    async with fresh_database(postgres) as made:
        yield made


@pytest.fixture
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a store's tables, with nothing in them."""
    made = make_engine(store_url(url))
    await migrating.bring_up_to_date(made, allowed=True)
    yield made
    await made.dispose()


async def counted(engine: AsyncEngine, table: str) -> float:
    """How many rows PostgreSQL believes a table to have."""
    async with engine.connect() as connection:
        asked = text("SELECT reltuples FROM pg_class WHERE relname = :table")
        return float((await connection.execute(asked, {"table": table})).scalar_one())


async def fill_inbox(connection: AsyncConnection, rows: int) -> None:
    """Let many messages of one partner come."""
    await connection.execute(text(FILL), {"peer": PEER, "rows": rows})
    await connection.commit()


async def plan(connection: AsyncConnection) -> str:
    """How PostgreSQL means to find four messages of one partner."""
    return "\n".join((await connection.execute(text(LOOKUP))).scalars())


async def test_a_store_that_grows_is_counted(url: str, engine: AsyncEngine, clock: FakeClock) -> None:
    """Not for a few rows, which are read as fast as they are found; when they are many, without waiting a minute."""
    async with Store.open(url, participant=COUNCIL, store_key=KEY, clock=clock) as store:
        async with store.transaction() as tx:
            await tx.record("test.entry", refs={})
        assert await counted(engine, "ledger") == NEVER_COUNTED
        async with store.transaction() as tx:
            for _ in range(FIRST):
                await tx.record("test.entry", refs={})
        assert await counted(engine, "ledger") == FIRST + 1


async def test_a_lookup_that_was_planned_on_empty_tables_finds_rows_by_their_key(engine: AsyncEngine) -> None:
    """A prepared statement kept the plan of its first day, and read every message that had come from that partner."""
    counts = PlannerCounts(engine, METADATA.tables)
    async with engine.connect() as connection:
        await connection.execute(text("SET plan_cache_mode = force_generic_plan"))
        await connection.execute(text(PREPARE))
        await plan(connection)
        await fill_inbox(connection, 5000)
        before = await plan(connection)
        await connection.commit()
        await counts.wrote(FIRST)
        after = await plan(connection)
    assert BY_ITS_KEY not in before, "otherwise this test shows nothing"
    assert BY_ITS_KEY in after


async def test_they_are_counted_again_when_they_have_doubled_and_not_before(engine: AsyncEngine) -> None:
    """Counting at every commit would cost more than it saves."""
    counts = PlannerCounts(engine, METADATA.tables)
    async with engine.connect() as connection:
        await fill_inbox(connection, 10)
    await counts.wrote(FIRST)
    assert await counted(engine, "inbox") == 10
    async with engine.connect() as connection:
        await connection.execute(text("DELETE FROM inbox"))
        await fill_inbox(connection, 20)
    await counts.wrote(FIRST - 1)
    assert await counted(engine, "inbox") == 10
    await counts.wrote(1)
    assert await counted(engine, "inbox") == 20


async def test_a_count_that_fails_is_nobodys_fault(engine: AsyncEngine, url: str) -> None:
    """What was committed stays committed: neither a table that is not there nor a server that is gone is an answer."""
    await PlannerCounts(engine, ["no_such_table"]).wrote(FIRST)
    gone = make_engine(store_url(url).set(port=9))
    await PlannerCounts(gone, METADATA.tables).wrote(FIRST)
    await gone.dispose()


async def stored_as_they_are(engine: AsyncEngine) -> set[str]:
    """The columns that PostgreSQL does not try to compress."""
    async with engine.connect() as connection:
        return set((await connection.execute(text(AS_THEY_ARE))).scalars())


def _to_the_first(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrating.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.downgrade(config, "0001")


async def test_a_store_of_the_program_before_is_brought_up_with_what_is_in_it(
    url: str, engine: AsyncEngine, clock: FakeClock
) -> None:
    """What is sealed does not compress, so that from now on nobody tries; what stands there is read as before."""
    async with Store.open(url, participant=COUNCIL, store_key=KEY, clock=clock) as store, store.transaction() as tx:
        await tx.put("note", "1", b"text " * 1000, expect_version=None)
    async with engine.begin() as connection:
        await connection.run_sync(_to_the_first)
    assert await stored_as_they_are(engine) == set()
    async with Store.open(url, participant=COUNCIL, store_key=KEY, clock=clock) as store, store.snapshot() as view:
        note = await view.get("note", "1")
    assert note is not None
    assert note.plain == b"text " * 1000
    assert await stored_as_they_are(engine) == SEALED
