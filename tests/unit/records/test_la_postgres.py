"""The council's look-up in a real PostgreSQL, where dates are timestamps."""

import asyncio
import csv
from datetime import datetime

import pytest
from sqlalchemy import Column, DateTime, MetaData, String, Table, insert
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.kit.lookup.records import RecordsUnavailableError
from adapters.la.records import open_records
from adapters.la.ssd_tables import TABLES
from tests.support.ashgrove import ISSUED, request_to, sample

DATES = ("_date", "_dob", "_from_date", "_to_date")


def typed(table: str) -> list[dict[str, str | datetime | None]]:
    """Give the sample's rows with timestamps for dates, as the data model has them."""
    with (sample("la") / f"{table}.csv").open(encoding="utf-8") as file:
        return [{name: value(name, cell) for name, cell in row.items()} for row in csv.DictReader(file)]


def value(name: str, cell: str) -> str | datetime | None:
    if cell and name.endswith(DATES):
        return datetime.fromisoformat(cell)
    return cell or None


async def fill(url: str) -> None:
    engine, metadata = create_async_engine(url), MetaData()
    for name, columns in TABLES.items():
        Table(name, metadata, *(Column(one, DateTime if one.endswith(DATES) else String) for one in columns))
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        for name, table in metadata.tables.items():
            await connection.execute(insert(table), typed(name))
    await engine.dispose()


async def test_la_finds_the_same_in_postgresql_as_in_the_extract(postgres_url: str) -> None:
    """The adapter reads whatever the driver gives, and the answer is the same."""
    await fill(postgres_url)
    found = await asyncio.to_thread(open_records(postgres_url).lookup, request_to("la"), as_of=ISSUED)
    expected = open_records(str(sample("la"))).lookup(request_to("la"), as_of=ISSUED)
    assert found.unread == ()
    assert found.traces == expected.traces
    # The prepared wording lies beside the extract, and nowhere in a database.
    assert [(one.record_id, one.text, one.event_on) for one in found.records] == [
        (one.record_id, one.text, one.event_on) for one in expected.records
    ]


async def test_la_shows_no_address_of_the_database_when_it_refuses(postgres_url: str) -> None:
    """A refused connection is the world's fault, and says neither whom it asked nor how."""
    refused = make_url(postgres_url).set(database="there_is_no_such_database").render_as_string(hide_password=False)
    with pytest.raises(RecordsUnavailableError) as refusal:
        await asyncio.to_thread(open_records(refused).lookup, request_to("la"), as_of=ISSUED)
    assert "no_such" not in str(refusal.value)
    assert refusal.value.__cause__ is None
