"""The statements that every message needs, straight to the database's driver: rows by a key, inserts, changes.

SQLAlchemy builds, compiles and adapts each statement anew; at fifty messages a second that is most of the work of an
adapter. These few shapes are written once for each table and set of columns, run for any number of rows in one turn
with the database, and run in the transaction that SQLAlchemy has begun on the same connection. Everything else goes
through SQLAlchemy Core as usual.
Names of tables and columns come from `tables_core` alone, values always as parameters.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Protocol, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Integer, LargeBinary, String, Table, Text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, Null
from sqlalchemy.sql.operators import eq, is_

from adapters.kit.store.tables import UtcTime, from_microseconds, to_microseconds

Values = Mapping[str, Any]
Row: TypeAlias = dict[str, Any]
Inserted: TypeAlias = tuple[Table, Sequence[Row]]
_AT_ONCE: Final = 64  # values of one lookup; SQLite has a bound, and each number of marks is a statement of its own


@dataclass(frozen=True)
class Changed:
    """Rows of one table to be written in the columns `names`: `pairs` of each as it was read and as it shall be."""

    table: Table
    names: tuple[str, ...]
    pairs: Sequence[tuple[Row, Row]]


class Driver(Protocol):
    """The two databases' drivers, alike."""

    def mark(self, number: int) -> str:
        """Return the placeholder of parameter `number`, from 1."""
        ...

    async def fetch(self, sql: str, values: Sequence[Any]) -> Iterable[Sequence[Any]]:
        """Run one statement and return its rows."""
        ...

    async def write(self, inserts: Sequence[Inserted], changes: Sequence[Changed]) -> int:
        """Insert rows, every column given, and change others; returns how many were changed."""
        ...


class SqliteDriver:
    """aiosqlite: one hop to its thread a call."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def mark(self, number: int) -> str:
        """Return the placeholder."""
        return "?"

    async def fetch(self, sql: str, values: Sequence[Any]) -> Iterable[Sequence[Any]]:
        """Run one statement and return its rows."""
        rows: Iterable[Sequence[Any]] = await self._raw.execute_fetchall(sql, values)
        return rows

    async def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """Run one statement for each of `rows`."""
        cursor = await self._raw.executemany(sql, rows)
        return int(cursor.rowcount)

    async def write(self, inserts: Sequence[Inserted], changes: Sequence[Changed]) -> int:
        """Write one table after the other."""
        for table, rows in inserts:
            shape = _shape(table)
            values = [[shape.bound(name, row[name]) for name in shape.names] for row in rows]
            await self.run_many(_insert_sql(table, SqliteDriver), values)
        written = 0
        for one in changes:
            written += await self.run_many(_update_sql(one.table, one.names, SqliteDriver), _changed_values(one))
        return written


class PostgresDriver:
    """asyncpg, which keeps each statement prepared and sends many executions without waiting in between."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def mark(self, number: int) -> str:
        """Return the placeholder."""
        return f"${number}"

    async def fetch(self, sql: str, values: Sequence[Any]) -> Iterable[Sequence[Any]]:
        """Run one statement and return its rows."""
        rows: Iterable[Sequence[Any]] = await self._raw.fetch(sql, *values)
        return rows

    async def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """Run one statement for each of `rows`; it returns one row for each that it wrote."""
        counting = f"{sql} RETURNING 1"
        if len(rows) == 1:
            return len(await self._raw.fetch(counting, *rows[0]))
        return len(await self._raw.fetchmany(counting, rows))

    async def write(self, inserts: Sequence[Inserted], changes: Sequence[Changed]) -> int:
        """Write everything in one statement, but for changes of many rows, which go after it."""
        single = [one for one in changes if len(one.pairs) == 1]
        values: list[Any] = []
        for table, rows in inserts:
            values += _columns(table, rows)
        for one in single:
            values += _changed_values(one)[0]
        written = 0
        if values:
            shape = tuple(table for table, _ in inserts), tuple((one.table, one.names) for one in single)
            ((written,),) = await self._raw.fetch(_together_sql(*shape), *values)
        for one in changes:
            if len(one.pairs) > 1:
                sql = _update_sql(one.table, one.names, PostgresDriver)
                written += await self.run_many(sql, _changed_values(one))
        return written


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


def _marks(kind: type[Driver], count: int) -> list[str]:
    return [kind.mark(None, number) for number in range(1, count + 1)]  # type: ignore[arg-type]  # it has no state


@cache
def _insert_sql(table: Table, kind: type[Driver]) -> str:
    marks = ", ".join(_marks(kind, len(table.columns)))
    return f"INSERT INTO {table.name} ({', '.join(_shape(table).names)}) VALUES ({marks})"  # noqa: S608 - own names


@cache
def _update_sql(table: Table, names: tuple[str, ...], kind: type[Driver]) -> str:
    return _update(table, names, _marks(kind, len(names) + len(_shape(table).key)))


def _update(table: Table, names: tuple[str, ...], marks: Sequence[str]) -> str:
    sets = ", ".join(f"{name} = {mark}" for name, mark in zip(names, marks, strict=False))
    where = " AND ".join(f"{n} = {m}" for n, m in zip(_shape(table).key, marks[len(names) :], strict=True))
    return f"UPDATE {table.name} SET {sets} WHERE {where}"  # noqa: S608 - own names


@cache
def _find_sql(table: Table, equal: tuple[str, ...], among: tuple[str, int] | None, kind: type[Driver]) -> str:
    name, count = among or ("", 0)
    marks = _marks(kind, len(equal) + count)
    conditions = [f"{column} = {mark}" for column, mark in zip(equal, marks, strict=False)]
    if among:
        conditions.append(f"{name} IN ({', '.join(marks[len(equal) :])})")
    return f"SELECT {', '.join(_shape(table).names)} FROM {table.name} WHERE {' AND '.join(conditions)}"  # noqa: S608 - own names


def _changed_values(changed: Changed) -> list[list[Any]]:
    """Give the values of `_update_sql` for each row: as it shall be, then the key by which it was read."""
    shape = _shape(changed.table)
    return [
        [
            *(shape.bound(name, after[name]) for name in changed.names),
            *(shape.bound(name, before[name]) for name in shape.key),
        ]
        for before, after in changed.pairs
    ]


def _columns(table: Table, rows: Sequence[Values]) -> list[list[Any]]:
    shape = _shape(table)
    return [[shape.bound(name, row[name]) for row in rows] for name in shape.names]


@cache
def _together_sql(inserts: tuple[Table, ...], changes: tuple[tuple[Table, tuple[str, ...]], ...]) -> str:
    """Write PostgreSQL's one statement: inserts of any number of rows, given by columns, and changes of one row."""
    number, parts = 1, []
    for place, table in enumerate(inserts):
        types = [_ARRAYS[type(column.type)] for column in table.columns]
        arrays = ", ".join(f"${number + step}::{kind}[]" for step, kind in enumerate(types))
        number += len(types)
        names = ", ".join(_shape(table).names)
        parts.append(f"i{place} AS (INSERT INTO {table.name} ({names}) SELECT * FROM unnest({arrays}))")  # noqa: S608 - own names
    for place, (table, changed) in enumerate(changes):
        count = len(changed) + len(_shape(table).key)
        update = _update(table, changed, [f"${number + step}" for step in range(count)])
        parts.append(f"u{place} AS ({update} RETURNING 1)")
        number += count
    counts = [f"(SELECT count(*) FROM u{place})" for place in range(len(changes))]  # noqa: S608 - own names
    return f"WITH {', '.join(parts)} SELECT {' + '.join(['0', *counts])}"


_ARRAYS: Final[Mapping[type, str]] = {
    BigInteger: "int8",
    Integer: "int4",
    UtcTime: "int8",
    LargeBinary: "bytea",
    String: "text",
    Text: "text",
}


async def find(driver: Driver, table: Table, equal: Values) -> list[dict[str, Any]]:
    """Return the rows whose columns equal `equal`."""
    shape = _shape(table)
    values = [shape.bound(name, value) for name, value in equal.items()]
    sql = _find_sql(table, tuple(equal), None, type(driver))
    return [shape.row(found) for found in await driver.fetch(sql, values)]


async def find_among(
    driver: Driver, table: Table, equal: Values, name: str, among: Sequence[Any]
) -> list[dict[str, Any]]:
    """Return the rows whose columns equal `equal` and whose column `name` is one of `among`."""
    shape = _shape(table)
    fixed = [shape.bound(column, value) for column, value in equal.items()]
    rows: list[dict[str, Any]] = []
    for start in range(0, len(among), _AT_ONCE):
        part = [shape.bound(name, value) for value in among[start : start + _AT_ONCE]]
        marks = 1 << (len(part) - 1).bit_length()
        part += [part[-1]] * (marks - len(part))
        sql = _find_sql(table, tuple(equal), (name, marks), type(driver))
        rows += [shape.row(found) for found in await driver.fetch(sql, [*fixed, *part])]
    return rows


def plain(conditions: Sequence[ColumnElement[bool]]) -> dict[str, Any] | None:
    """Take conditions apart that say only "column equals value" or "column is null"; None if one says more."""
    equal: dict[str, Any] = {}
    for condition in conditions:
        if not isinstance(condition, BinaryExpression):
            return None
        name, other = getattr(condition.left, "name", ""), condition.right
        if condition.operator is eq and isinstance(other, BindParameter) and name not in equal:
            equal[name] = other.value
        elif condition.operator is is_ and isinstance(other, Null):
            equal[name] = None
        else:
            return None
    return equal


async def begin(connection: AsyncConnection, table: Table, *, lock: bool) -> dict[str, Any] | None:
    """Begin a transaction by reading the one row of `table`; with `lock`, hold it against every other writer.

    Through SQLAlchemy, which begins the transaction with its first statement; SQLite's BEGIN IMMEDIATE is the lock.
    """
    held = " FOR UPDATE" if lock and connection.dialect.name == "postgresql" else ""
    sql = f"SELECT {', '.join(_shape(table).names)} FROM {table.name}{held}"  # noqa: S608 - own names
    found = (await connection.exec_driver_sql(sql)).one_or_none()
    return None if found is None else _shape(table).row(tuple(found))
