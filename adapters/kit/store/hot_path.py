"""The statements that every message needs, straight to the database's driver: one row by its key, insert, change.

SQLAlchemy builds, compiles and adapts each statement anew; at fifty messages a second that is most of the work of an
adapter. These few shapes are written once for each table and set of columns, and run in the transaction that SQLAlchemy
has begun on the same connection. Everything else goes through SQLAlchemy Core as usual.
Names of tables and columns come from `tables_core` alone, values always as parameters.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement, Table
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, Null
from sqlalchemy.sql.operators import eq, is_

from adapters.kit.store.tables import UtcTime, from_microseconds, to_microseconds

Values = Mapping[str, Any]


class Driver(Protocol):
    """The two databases' drivers, alike. `mark` gives the placeholder of the n-th parameter."""

    async def fetch(self, sql: str, values: Sequence[Any]) -> Iterable[Sequence[Any]]:
        """Run one statement and return its rows."""
        ...

    def mark(self, number: int) -> str:
        """Return the placeholder of parameter `number`, from 1."""
        ...


class SqliteDriver:
    """aiosqlite: one hop to its thread a statement."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    async def fetch(self, sql: str, values: Sequence[Any]) -> Iterable[Sequence[Any]]:
        """Run one statement and return its rows."""
        rows: Iterable[Sequence[Any]] = await self._raw.execute_fetchall(sql, values)
        return rows

    def mark(self, number: int) -> str:
        """Return the placeholder."""
        return "?"


class PostgresDriver:
    """asyncpg, which keeps each statement prepared."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    async def fetch(self, sql: str, values: Sequence[Any]) -> Iterable[Sequence[Any]]:
        """Run one statement and return its rows."""
        rows: Iterable[Sequence[Any]] = await self._raw.fetch(sql, *values)
        return rows

    def mark(self, number: int) -> str:
        """Return the placeholder."""
        return f"${number}"


async def driver_of(connection: AsyncConnection) -> Driver:
    """Return the driver under a connection on which a transaction has begun."""
    raw = (await connection.get_raw_connection()).driver_connection
    return SqliteDriver(raw) if connection.dialect.name == "sqlite" else PostgresDriver(raw)


class _Shape:
    """What is the same for every statement on a table."""

    def __init__(self, table: Table) -> None:
        self.names: Final = tuple(column.name for column in table.columns)
        self.times: Final = frozenset(column.name for column in table.columns if isinstance(column.type, UtcTime))
        keys = tuple(column.name for column in table.primary_key.columns)
        # A guarded row is changed only as it was read: its guard covers the columns that are not written again.
        self.key: Final = (*keys, "guard") if "guard" in table.columns else keys

    def bound(self, name: str, value: Any) -> Any:
        """Turn a value into what the driver takes."""
        return to_microseconds(value) if name in self.times else value

    def row(self, found: Sequence[Any]) -> dict[str, Any]:
        """Turn a driver's row into ours."""
        row = dict(zip(self.names, found, strict=True))
        for name in self.times:
            row[name] = from_microseconds(row[name])
        return row


@cache
def _shape(table: Table) -> _Shape:
    return _Shape(table)


@cache
def _insert_sql(table: Table, kind: type[Driver]) -> str:
    marks = ", ".join(kind.mark(None, n) for n in range(1, len(table.columns) + 1))  # type: ignore[arg-type]  # no state
    return f"INSERT INTO {table.name} ({', '.join(_shape(table).names)}) VALUES ({marks})"  # noqa: S608 - own names


@cache
def _update_sql(table: Table, names: tuple[str, ...], kind: type[Driver]) -> str:
    marks = [kind.mark(None, n) for n in range(1, len(names) + len(_shape(table).key) + 1)]  # type: ignore[arg-type]  # no state
    sets = ", ".join(f"{name} = {mark}" for name, mark in zip(names, marks, strict=False))
    where = " AND ".join(f"{n} = {m}" for n, m in zip(_shape(table).key, marks[len(names) :], strict=True))
    return f"UPDATE {table.name} SET {sets} WHERE {where} RETURNING 1"  # noqa: S608 - own names


@cache
def _find_sql(table: Table, names: tuple[str, ...], nulls: tuple[str, ...], kind: type[Driver]) -> str:
    equal = [f"{name} = {kind.mark(None, n)}" for n, name in enumerate(names, 1)]  # type: ignore[arg-type]  # no state
    where = " AND ".join([*equal, *(f"{name} IS NULL" for name in nulls)])
    return f"SELECT {', '.join(_shape(table).names)} FROM {table.name} WHERE {where}"  # noqa: S608 - own names


async def insert(driver: Driver, table: Table, row: Values) -> None:
    """Insert a row, every column given."""
    shape = _shape(table)
    await driver.fetch(_insert_sql(table, type(driver)), [shape.bound(name, row[name]) for name in shape.names])


async def change(driver: Driver, table: Table, row: Values, changes: Values) -> int:
    """Write `changes` to `row`, as it was read; returns how many rows were changed: none if it is not so any more."""
    shape = _shape(table)
    values = [shape.bound(name, value) for name, value in changes.items()]
    values += [shape.bound(name, row[name]) for name in shape.key]
    return len(list(await driver.fetch(_update_sql(table, tuple(changes), type(driver)), values)))


async def find(driver: Driver, table: Table, equal: Values, nulls: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the rows whose columns equal `equal` and whose `nulls` are null."""
    shape = _shape(table)
    values = [shape.bound(name, value) for name, value in equal.items()]
    sql = _find_sql(table, tuple(equal), nulls, type(driver))
    return [shape.row(found) for found in await driver.fetch(sql, values)]


def plain(conditions: Sequence[ColumnElement[bool]]) -> tuple[dict[str, Any], tuple[str, ...]] | None:
    """Take conditions apart that say only "column equals value" or "column is null"; None if one says more."""
    equal: dict[str, Any] = {}
    nulls: list[str] = []
    for condition in conditions:
        if not isinstance(condition, BinaryExpression):
            return None
        name, other = getattr(condition.left, "name", ""), condition.right
        if condition.operator is eq and isinstance(other, BindParameter) and name not in equal:
            equal[name] = other.value
        elif condition.operator is is_ and isinstance(other, Null):
            nulls.append(name)
        else:
            return None
    return equal, tuple(nulls)


async def begin(connection: AsyncConnection, table: Table, *, lock: bool) -> dict[str, Any] | None:
    """Begin a transaction by reading the one row of `table`; with `lock`, hold it against every other writer.

    Through SQLAlchemy, which begins the transaction with its first statement; SQLite's BEGIN IMMEDIATE is the lock.
    """
    held = " FOR UPDATE" if lock and connection.dialect.name == "postgresql" else ""
    sql = f"SELECT {', '.join(_shape(table).names)} FROM {table.name}{held}"  # noqa: S608 - own names
    found = (await connection.exec_driver_sql(sql)).one_or_none()
    return None if found is None else _shape(table).row(tuple(found))
