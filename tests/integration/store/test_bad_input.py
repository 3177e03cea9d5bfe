"""One flipped bit, a full disk, a foreign lock: on both databases found before use, said plainly, and passed over."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import LargeBinary, Table, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.kit.store.alarms import Priority
from adapters.kit.store.engine import store_url
from adapters.kit.store.errors import StoreDamaged, StoreUnavailable, WrongStoreKey
from adapters.kit.store.store import Store
from adapters.kit.store.tables import METADATA
from adapters.kit.store.transaction import Transaction
from deploy.local.postgres import LocalPostgres
from tests.integration.store.conftest import NewStore
from tests.support.fake_sealing import request_to
from tests.support.postgres import fresh_database
from tests.support.stations import COUNCIL, KEY, POLICE, START, FakeClock, Road, settle, station

# Nothing in these is believed: unauthenticated input and counters of attempts.
UNBELIEVED = {"quarantine", "arrival_attempt"}


@asynccontextmanager
async def beside(url: str) -> AsyncIterator[AsyncEngine]:
    """Somebody else's hands on the database."""
    engine = create_async_engine(store_url(url))
    try:
        yield engine
    finally:
        await engine.dispose()


async def used_store(url: str, road: Road, clock: FakeClock, *, partner: str) -> None:
    """Put something into every table that is believed."""
    async with (
        station(COUNCIL, url, road=road, clock=clock) as council,
        station(POLICE, partner, road=road, clock=clock) as police,
    ):
        await council.send(request_to(POLICE))
        await police.send(request_to(COUNCIL))
        await settle(council, police)

        async def work(tx: Transaction) -> bytes:
            await tx.put("enquiry", "E-1", b"text", expect_version=None)
            await tx.record("shared", refs={}, detail=b"what")
            await tx.add_timer("clock.test", "E-1", START + timedelta(days=1))
            await tx.alarm("alarm-1", priority=Priority.P1, code="test", refs={})
            return b"done"

        await council.store.command("key-1", request=b"x", work=work)


async def read_everything(url: str, clock: FakeClock) -> None:
    """Open the store, verify it, and open every document, detail and answer."""
    async with (
        Store.open(url, participant=COUNCIL, store_key=KEY, clock=clock, exclusive=False) as store,
        store.snapshot() as view,
    ):
        for table in METADATA.sorted_tables:
            await view.select(table, table.select())
        check = await view.verify_ledger()
        if check.broken_at is not None:
            raise StoreDamaged("the ledger")
        for kind in ("enquiry", "effect"):
            await view.list(kind)
        for entry in await view.ledger_entries():
            await view.ledger_detail(entry.number)
        assert await view.answered("key-1", request=b"x") == b"done"


def flipped(value: Any) -> Any:
    """Flip one bit."""
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:] if value else b"\x01"
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    return value ^ 1 if isinstance(value, int) else chr(ord(value[0]) ^ 1) + value[1:]


def columns_of(table: Table) -> list[str]:
    """Give the columns in which a flipped bit must be found: all of a guarded table, the sealed ones of another."""
    guarded = "guard" in table.columns or table.name == "ledger"
    keys = {column.name for column in table.primary_key.columns}
    return [
        column.name
        for column in table.columns
        if (guarded or isinstance(column.type, LargeBinary)) and column.name not in keys
    ]


async def write(engine: AsyncEngine, table: Table, row: Any, column: str, value: Any) -> None:
    """Write one field past the store, as a failing disk would."""
    here = [key == row[key.name] for key in table.primary_key.columns]
    async with engine.begin() as connection:
        await connection.execute(table.update().where(*here).values({column: value}))


async def is_found(engine: AsyncEngine, table: Table, row: Any, column: str, *, url: str, clock: FakeClock) -> bool:
    """Flip one bit of a field, say whether reading finds it or the database refuses it, and put it right again."""
    try:
        await write(engine, table, row, column, flipped(row[column]))
        await read_everything(url, clock)
    except (StoreDamaged, WrongStoreKey, IntegrityError):
        return True
    finally:
        await write(engine, table, row, column, row[column])
    return False


async def test_one_flipped_bit_in_any_believed_field_is_found_before_it_is_used(
    new_store: NewStore, road: Road, clock: FakeClock
) -> None:
    """Field by field, on both databases; put right again, the store is whole."""
    url = await new_store()
    await used_store(url, road, clock, partner=await new_store())
    await read_everything(url, clock)
    tried, missed = 0, []
    async with beside(url) as engine:
        for table in (one for one in METADATA.sorted_tables if one.name not in UNBELIEVED):
            async with engine.connect() as connection:
                row = (await connection.execute(table.select().limit(1))).mappings().first()
            assert row is not None, f"nothing in {table.name}"
            for column in (name for name in columns_of(table) if row[name] is not None):
                if isinstance(row[column], str) and not row[column]:
                    continue
                tried += 1
                if not await is_found(engine, table, row, column, url=url, clock=clock):
                    missed.append(f"{table.name}.{column}")
    assert missed == []
    assert tried > 60
    await read_everything(url, clock)


async def test_a_full_disk_under_postgresql_loses_nothing_and_passes(
    postgres: LocalPostgres, road: Road, clock: FakeClock
) -> None:
    """PostgreSQL answers 53100 while the disk is full: nothing is half stored, and with space the work goes on."""
    async with fresh_database(postgres) as url, station(COUNCIL, url, road=road, clock=clock) as council:
        async with beside(url) as engine, engine.begin() as connection:
            await connection.execute(
                text(
                    "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
                    "$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' "
                    "USING ERRCODE = '53100'; END $$"
                )
            )
            await connection.execute(
                text("CREATE TRIGGER full_disk BEFORE INSERT ON ledger EXECUTE FUNCTION full_disk()")
            )
        with pytest.raises(StoreUnavailable, match="disk full"):
            await council.send(request_to(POLICE))
        async with council.store.snapshot() as view:
            assert (await view.verify_ledger()).entries == 0
        async with beside(url) as engine, engine.begin() as connection:
            await connection.execute(text("DROP TRIGGER full_disk ON ledger"))
        assert (await council.send(request_to(POLICE))).state.value == "SEALED"


async def test_a_foreign_lock_under_postgresql_is_said_and_not_waited_for_without_end(
    postgres: LocalPostgres, clock: FakeClock
) -> None:
    """Somebody's open transaction holds the store's row: unavailable after the bound, and fine once it is gone."""
    async with (
        fresh_database(postgres) as url,
        Store.open(url, participant=COUNCIL, store_key=KEY, clock=clock) as store,
        beside(url) as engine,
    ):
        async with engine.begin() as connection:
            await connection.execute(text("SELECT 1 FROM store_meta FOR UPDATE"))
            with pytest.raises(StoreUnavailable, match="locked"):
                async with store.transaction():
                    pass
        async with store.transaction() as tx:
            await tx.record("again", refs={})
