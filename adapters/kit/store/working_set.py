"""What one transaction has read and is about to write: each row is read once, and all rows are written together.

There is one writer a store, so a row that this transaction has read under its lock stays as it was read, and one that
was not there stays absent, until this transaction writes it. Therefore a second look needs no second question, and
what is written can wait until the database must see it: before a statement that searches, and at the commit.
Guarantees: whoever reads sees his own writes; a row is changed only as it was read, and the database is asked to hold
to that as well; nothing is kept beyond the transaction.
Refuses to know: what rows mean, how they are guarded, how they are written (`hot_path.py`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, TypeAlias

from sqlalchemy import Table, UniqueConstraint

from adapters.kit.store.errors import LostUpdate
from adapters.kit.store.hot_path import Changed, Inserted, Row
from adapters.kit.store.tables import METADATA

Key: TypeAlias = tuple[Any, ...]
Names: TypeAlias = tuple[str, ...]


@cache
def names_of(table: Table) -> Names:
    """Return the columns of a table."""
    return tuple(column.name for column in table.columns)


@cache
def _in_order() -> tuple[Table, ...]:
    """Return all tables, those that others point to first; the library works the order out anew at every look."""
    return tuple(METADATA.sorted_tables)


@cache
def keys_of(table: Table) -> tuple[Names, ...]:
    """Return the sets of columns that name one row at most: the primary key first."""
    unique = [constraint.columns for constraint in table.constraints if isinstance(constraint, UniqueConstraint)]
    primary: list[Any] = [table.primary_key.columns]
    return tuple(tuple(column.name for column in columns) for columns in primary + sorted(unique, key=str))


def naming_key(table: Table, equal: Mapping[str, Any]) -> Names | None:
    """Return a key of `table` that `equal` gives every column of, or None."""
    for names in keys_of(table):
        if all(equal.get(name) is not None for name in names):
            return names
    return None


@dataclass
class _Change:
    """A row as the database has it, as it shall be, and the columns in which the two differ."""

    before: Row
    after: Row
    names: set[str]


class Unknown:
    """The answer when this transaction has not looked yet."""


UNKNOWN: Final = Unknown()


@dataclass
class _Known:
    """The rows of one table that were read or written: by every key of theirs; None says that there is none."""

    by: dict[Names, dict[Key, Row | None]]
    looked: set[tuple[str, Any, Key]] = field(default_factory=set)
    inserts: dict[Key, Row] = field(default_factory=dict)
    changes: dict[Key, _Change] = field(default_factory=dict)


class WorkingSet:
    """The rows of one transaction. It cannot be printed."""

    def __init__(self) -> None:
        self._tables: dict[str, _Known] = {}

    def __repr__(self) -> str:
        return "WorkingSet()"

    def find(self, table: Table, names: Names, equal: Mapping[str, Any]) -> Row | Unknown | None:
        """Return the row that the key `names` of `equal` names, None if there is none, or UNKNOWN."""
        return self._known(table).by[names].get(_key(names, equal), UNKNOWN)

    def learn(self, table: Table, row: Row) -> Row:
        """Remember a row as the database has it; returns it as this transaction has it, which may be newer."""
        known, primary = self._known(table), keys_of(table)[0]
        held = known.by[primary].get(_key(primary, row))
        if held is not None:
            return held
        self._file(known, row)
        return row

    def learn_absent(self, table: Table, names: Names, equal: Mapping[str, Any]) -> None:
        """Remember that the database has no row with this key, unless one is about to be written."""
        self._known(table).by[names].setdefault(_key(names, equal), None)

    def unread(self, table: Table, name: str, values: Collection[Any], equal: Mapping[str, Any]) -> list[Any]:
        """Return which of `values` of column `name` were not looked for yet, and count them as looked for."""
        known, beside = self._known(table), tuple(sorted(equal.items()))
        unread = [value for value in values if (name, value, beside) not in known.looked]
        known.looked.update((name, value, beside) for value in unread)
        return unread

    def among(self, table: Table, name: str, values: Collection[Any], equal: Mapping[str, Any]) -> list[Row]:
        """Return the rows read or written here whose column `name` is one of `values` and whose others equal."""
        rows = self._known(table).by[keys_of(table)[0]].values()
        return [
            row
            for row in rows
            if row is not None and row[name] in values and all(row[other] == value for other, value in equal.items())
        ]

    def insert(self, table: Table, row: Row) -> bool:
        """Keep a row for writing; False if one with its primary key waits already: the database shall judge that."""
        known, key = self._known(table), _key(keys_of(table)[0], row)
        if key in known.inserts:
            return False
        known.inserts[key] = row
        self._file(known, row)
        return True

    def change(self, table: Table, row: Row, after: Row, names: Sequence[str]) -> bool:
        """Keep a change for writing; False if `row` was not read here. Raises LostUpdate if it has changed since."""
        known, primary = self._known(table), keys_of(table)[0]
        key = _key(primary, row)
        held = known.by[primary].get(key)
        if held is None:
            return False
        if held is not row and held != row:
            raise LostUpdate(f"a row of {table.name}")
        if key in known.inserts:
            known.inserts[key] = after
        else:
            waiting = known.changes.setdefault(key, _Change(held, after, set()))
            waiting.after = after
            waiting.names.update(names)
        self._unfile(known, held)
        self._file(known, after)
        return True

    def take(self) -> tuple[list[Inserted], list[Changed]]:
        """Give what waits to be written and forget that it waited: inserts in the order of the tables, then changes."""
        inserts: list[Inserted] = []
        changes: list[Changed] = []
        for table in _in_order():
            known = self._tables.get(table.name)
            if known is None:
                continue
            if known.inserts:
                inserts.append((table, list(known.inserts.values())))
            changes += _grouped(table, known.changes)
            known.inserts, known.changes = {}, {}
        return inserts, changes

    def forget(self) -> None:
        """Forget everything: the rows may not be as they were read."""
        self._tables.clear()

    def _known(self, table: Table) -> _Known:
        known = self._tables.get(table.name)
        if known is None:
            known = self._tables[table.name] = _Known({names: {} for names in keys_of(table)})
        return known

    def _file(self, known: _Known, row: Row) -> None:
        for names, rows in known.by.items():
            key = _key(names, row)
            if None not in key:
                rows[key] = row

    def _unfile(self, known: _Known, row: Row) -> None:
        for names, rows in known.by.items():
            rows.pop(_key(names, row), None)


def _key(names: Names, row: Mapping[str, Any]) -> Key:
    return tuple(row[name] for name in names)


def _grouped(table: Table, changes: Mapping[Key, _Change]) -> list[Changed]:
    groups: dict[Names, list[tuple[Row, Row]]] = {}
    for change in changes.values():
        groups.setdefault(tuple(sorted(change.names)), []).append((change.before, change.after))
    return [Changed(table, names, pairs) for names, pairs in groups.items()]
