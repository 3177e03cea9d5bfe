"""The reports from a ledger on PostgreSQL: the same files, byte for byte, as from the same ledger on SQLite.

Every message has the same keys and contents in both, because one ledger is copied from the other: entry by entry, with
their times and hashes.
"""

import asyncio
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from broker.ledger.ledger import Ledger
from broker.ledger.tables import metadata
from deploy.local.postgres import LocalPostgres
from tests.integration.reports.months import BEGAN, MONTH
from tests.integration.reports.program import run
from tests.support.postgres import fresh_database

pytestmark = pytest.mark.postgres
AS_AT = re.compile(rb'"as_at": "[^"]*"')
SEED = "the inspector's own words"


async def copy(source: Ledger, target: Ledger) -> None:
    """Copy every row of every table, in the order in which tables depend on one another."""
    for table in metadata.sorted_tables:
        async with source.reading() as reading:
            rows = [dict(row) for row in (await reading.execute(select(table))).mappings()]
        async with target.writing() as writing:
            if (await writing.execute(select(table))).first() is not None:  # what a new ledger writes about itself
                await writing.execute(table.delete())
            if rows:
                await writing.execute(insert(table), rows)


@contextmanager
def moved(october: Path, server: LocalPostgres) -> Iterator[str]:
    """Copy the ledger of October into a database of its own, and give its address."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        url = runner.run(stack.enter_async_context(fresh_database(server)))

        async def fill() -> None:
            async with Ledger.opened(str(october), now=None) as source, Ledger.opened(url, now=BEGAN) as target:
                await copy(source, target)

        runner.run(fill())
        yield url
        runner.run(stack.aclose())


@pytest.fixture(scope="module")
def on_postgres(october: Path, postgres: LocalPostgres) -> Iterator[str]:
    """The ledger of October; no test changes it."""
    with moved(october, postgres) as url:
        yield url


def files(folder: Path) -> dict[str, bytes]:
    """Every file but the papers, which carry the moment at which they were set; a sample without its own moment."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pdf")
    return {str(path.relative_to(folder)): AS_AT.sub(b"", path.read_bytes()) for path in found}


def written(command: str, *more: str, db: str | Path, out: Path) -> dict[str, bytes]:
    """Run a report and give its files."""
    ran = run(command, *more, "--db", db, "--out", out)
    assert ran.exit_code == 0, ran.stderr
    return files(out)


def test_a_month_is_reported_from_postgresql_as_from_sqlite(october: Path, on_postgres: str, tmp_path: Path) -> None:
    """Response times, re-ratings and the lists that name requests: byte for byte."""
    here = written("month", MONTH, db=on_postgres, out=tmp_path / "postgres")
    there = written("month", MONTH, db=october, out=tmp_path / "sqlite")
    assert here == there
    assert f"publication/response-times-{MONTH}.csv" in here


def test_an_inspection_sample_of_postgresql_is_the_one_of_sqlite_and_is_proved_against_either(
    october: Path, on_postgres: str, tmp_path: Path
) -> None:
    """The draw goes by the entries and the seed, so that no database can be chosen to suit it."""
    draw = ("--month", MONTH, "--size", "10", "--seed", SEED)
    here = written("sample", *draw, db=on_postgres, out=tmp_path / "postgres")
    there = written("sample", *draw, db=october, out=tmp_path / "sqlite")
    assert here == there
    file = tmp_path / "postgres" / "internal" / f"sample-{MONTH}.json"
    for ledger in (on_postgres, october):
        told = run("check", file, "--db", ledger)
        assert (told.exit_code, "10 requests" in told.stdout) == (0, True), told.stderr


def test_a_ledger_in_postgresql_that_was_altered_makes_no_report(
    october: Path, postgres: LocalPostgres, tmp_path: Path
) -> None:
    """The attack: the owner of the database takes the guard away and a late answer with it."""
    with moved(october, postgres) as url:
        asyncio.run(_take_an_entry_out(url))
        ran = run("month", MONTH, "--db", url, "--out", tmp_path)
    assert ran.exit_code == 1
    assert not list(tmp_path.rglob("*.csv"))


async def _take_an_entry_out(url: str) -> None:
    async with Ledger.opened(url, now=None) as ledger, ledger.writing() as connection:
        await connection.execute(text("ALTER TABLE stub_ledger DISABLE TRIGGER stub_ledger_guard"))
        await connection.execute(text("DELETE FROM stub_ledger WHERE number = 20"))
