"""Fetching the Standard Safeguarding Dataset from a database, any that SQLAlchemy speaks to, or from its CSV extract.

Guarantees: a table or a column that is not there is named, and never read as "nobody"; a database that cannot be
reached is the world's fault and says only that. Values come as the driver gives them; `ssd.py` reads them.
A folder of CSV files, one a table, is loaded into a database in memory first, so that there is one way to read.
"""

import asyncio
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, create_engine, insert, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import StaticPool
from sqlalchemy.types import NullType

from adapters.kit.lookup.annotations import FILE as ANNOTATIONS
from adapters.kit.lookup.records import RecordsUnavailableError
from adapters.kit.lookup.tables import read_table
from adapters.kit.lookup.unread import Unread
from adapters.la.ssd_tables import NEEDED, TABLES

Given = TypeVar("Given")
_REMEDY: Final = "extract it as the data model says, or ask the council's data team"


@dataclass(frozen=True)
class Extract:
    """Rows by table, each row by column, in order of the primary key; and what is not there."""

    tables: Mapping[str, list[Mapping[str, Any]]] = field(repr=False)
    unread: tuple[Unread, ...]


def fetch(location: str) -> Extract:
    """Fetch every needed table from a database URL or a folder of CSV files. Raises `RecordsUnavailableError`."""
    if "://" not in location:
        engine = create_engine("sqlite://", poolclass=StaticPool)
        missing = _load(Path(location), engine)
        with engine.connect() as connection:
            extract = _read_all(connection)
        engine.dispose()
        return Extract(extract.tables, (*missing, *extract.unread))
    return _connected(make_url(location), _read_all)


def load_folder(folder: Path, url: str) -> tuple[Unread, ...]:
    """Build the database at `url` from the CSV files in `folder`; give what could not be loaded.

    The holder's annotations are put beside an SQLite file, where the look-up expects them.
    """
    engine = create_engine(url)
    unread = _load(folder, engine)
    engine.dispose()
    database = make_url(url).database
    if database and (folder / ANNOTATIONS).exists():
        shutil.copy(folder / ANNOTATIONS, Path(database).parent / ANNOTATIONS)
    return unread


def _load(folder: Path, engine: Engine) -> tuple[Unread, ...]:
    unread: list[Unread] = []
    metadata = MetaData()
    with engine.begin() as connection:
        for name, columns in TABLES.items():
            read = read_table(folder / f"{name}.csv", columns)
            unread += read.unread
            if any(gap.row in (None, 1) for gap in read.unread):
                continue
            table = Table(name, metadata, *(Column(column, String) for column in columns))
            table.create(connection)
            rows = [{column: cell or None for column, cell in row.cells.items()} for row in read.rows]
            if rows:
                connection.execute(insert(table), rows)
    return tuple(unread)


def _connected(url: URL, work: Callable[[Connection], Given]) -> Given:
    try:
        return _with_engine(url, work)
    except (SQLAlchemyError, OSError):
        # The driver's message may quote the statement and its values.
        raise RecordsUnavailableError("the council's database could not be read") from None


def _with_engine(url: URL, work: Callable[[Connection], Given]) -> Given:
    if url.get_backend_name() == "postgresql" and url.get_driver_name() != "asyncpg":
        url = url.set(drivername="postgresql+asyncpg")
    if url.get_dialect().is_async:
        return asyncio.run(_with_async_engine(url, work))
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        raise FileNotFoundError("connecting would create an empty database")
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return work(connection)
    finally:
        engine.dispose()


async def _with_async_engine(url: URL, work: Callable[[Connection], Given]) -> Given:
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def _read_all(connection: Connection) -> Extract:
    tables: dict[str, list[Mapping[str, Any]]] = {}
    unread: list[Unread] = []
    catalogue = inspect(connection)
    present = frozenset(catalogue.get_table_names()) | frozenset(catalogue.get_view_names())
    for name, needed in NEEDED.items():
        if name not in present:
            unread.append(Unread(name, None, None, "the table is missing", _REMEDY))
            continue
        columns = frozenset(column["name"] for column in catalogue.get_columns(name))
        missing = [column for column in needed if column not in columns]
        unread += [Unread(name, None, column, "the column is missing", _REMEDY) for column in missing]
        if not missing:
            tables[name] = _rows(connection, name=name, needed=needed)
    return Extract(tables, tuple(unread))


def _rows(connection: Connection, *, name: str, needed: tuple[str, ...]) -> list[Mapping[str, Any]]:
    # Untyped columns: the driver's own values, so that one bad date does not fail the whole fetch.
    table = Table(name, MetaData(), *(Column(column, NullType()) for column in needed))
    statement = select(table).order_by(*(table.c[column] for column in needed[:2]))
    return [_plain(row) for row in connection.execute(statement).mappings()]


def _plain(row: Mapping[Any, Any]) -> Mapping[str, Any]:
    # An id may be a number in one table and text in the next.
    return {str(column): str(value) if isinstance(value, int) else value for column, value in row.items()}
