"""One transaction's hands on the database: guarded rows, data keys, the time, and what to do after the commit.

Guarantees: a row with a guard is verified when it is read and guarded again when it is written, so a flipped bit is
found before it is acted upon; the time is one for the whole transaction and never runs backwards; a savepoint that is
rolled back takes the ledger's head back with it; whoever reads sees what he has written.
What is written waits in `working_set.py` until a statement must see it, and is flushed at the commit at the latest.
Everything above this file speaks of messages and documents; everything below of SQL. Nothing here decides anything.
"""

import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Executable, Select, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.kit.store import hot_path
from adapters.kit.store.errors import ContentErased, LostUpdate, StoreDamaged
from adapters.kit.store.hot_path import Changed, Inserted, Row
from adapters.kit.store.sealed_fields import FieldCipher, Place, open_under, seal_under
from adapters.kit.store.tables import record_key
from adapters.kit.store.working_set import Unknown, WorkingSet, keys_of, names_of, naming_key

__all__ = ["Row", "Savepoint", "SealedValue", "Session"]


@dataclass(frozen=True)
class SealedValue:
    """A sealed field and what it takes to open it again."""

    key_id: str
    epoch: int
    sealed: bytes = field(repr=False)


@dataclass
class Session:
    """What one transaction may touch. `meta` is the store's single row; the store writes it back at the commit.

    `connection` is for statements that this class does not know; use `execute`, which lets them see what was written.
    """

    connection: AsyncConnection = field(repr=False)
    cipher: FieldCipher = field(repr=False)
    meta: Row = field(repr=False)
    now: datetime
    after_commit: list[Callable[[], None]] = field(default_factory=list, repr=False)
    written: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list), repr=False)
    _driver: hot_path.Driver | None = field(default=None, repr=False)
    _data_keys: dict[str, tuple[bytes, int]] = field(default_factory=dict, repr=False)
    _work: WorkingSet = field(default_factory=WorkingSet, repr=False)

    async def insert(self, table: Table, values: Mapping[str, Any]) -> Row:
        """Insert a row, every column given or null; returns the row."""
        row: Row = {name: values.get(name) for name in names_of(table)}
        if not self._work.insert(table, row):
            await self.flush()
            self._work.insert(table, row)
        return row

    async def change(self, table: Table, row: Row, **changes: Any) -> Row:
        """Write `changes` to `row`; returns the changed row. Raises LostUpdate if it is not as it was read."""
        after = {**row, **changes}
        if not self._work.change(table, row, after, tuple(changes)):
            await self.flush()
            await self._write([], [Changed(table, tuple(changes), [(row, after)])])
            self._work.learn(table, after)
        return after

    async def find(self, table: Table, *conditions: ColumnElement[bool], **equal: Any) -> Row | None:
        """Return the one row that fits, verified, or None; `equal` names columns and their values."""
        equal_or_null = hot_path.plain(conditions)
        wanted = {**(equal_or_null or {}), **equal}
        names = naming_key(table, wanted)
        if equal_or_null is None or names is None:
            named = [table.c[name] == value for name, value in equal.items()]
            rows = await self.select(table, select(table).where(*conditions, *named))
            return rows[0] if rows else None
        row = self._work.find(table, names, wanted)
        if isinstance(row, Unknown):
            await self._look(table, names, wanted)
            row = self._work.find(table, names, wanted)
        fits = isinstance(row, dict) and all(row[name] == value for name, value in wanted.items())
        return row if fits and isinstance(row, dict) else None

    async def _look(self, table: Table, names: tuple[str, ...], wanted: Mapping[str, Any]) -> None:
        key = {name: wanted[name] for name in names}
        for row in await hot_path.find(await self._link(), table, key):
            self._learned(table, row)
        self._work.learn_absent(table, names, key)

    async def expect(self, table: Table, name: str, values: Iterable[Any], **equal: Any) -> None:
        """Read ahead, in one turn, the rows whose `name` is one of `values`: they will be asked for one by one."""
        names = next(key for key in keys_of(table) if set(key) == {name, *equal})
        wanted = [value for value in dict.fromkeys(values) if value is not None]
        unread = [one for one in wanted if isinstance(self._work.find(table, names, {**equal, name: one}), Unknown)]
        if len(unread) < 2:
            return  # one alone is read when it is asked for
        for row in await hot_path.find_among(await self._link(), table, equal, name, unread):
            self._learned(table, row)
        for one in unread:
            self._work.learn_absent(table, names, {**equal, name: one})

    async def near(self, table: Table, name: str, values: Iterable[Any], **equal: Any) -> list[Row]:
        """Return the rows whose column `name` is one of `values`, as this transaction has them; each is read once."""
        wanted = set(values)
        unread = self._work.unread(table, name, wanted, equal)
        if unread:
            for row in await hot_path.find_among(await self._link(), table, equal, name, sorted(unread)):
                self._learned(table, row)
        return self._work.among(table, name, wanted, equal)

    async def select_among(self, table: Table, name: str, values: Iterable[Any], **equal: Any) -> list[Row]:
        """Return the rows whose column `name` is one of `values`, verified; `equal` as in `find`."""
        await self.flush()
        rows = await hot_path.find_among(await self._link(), table, equal, name, list(dict.fromkeys(values)))
        return [self._learned(table, row) for row in rows]

    async def select(self, table: Table, statement: Select[Any]) -> list[Row]:
        """Return the rows of `table` that `statement` selects (all columns), each verified; raises StoreDamaged."""
        await self.flush()
        result = await self.connection.execute(statement)
        return [self._learned(table, dict(found)) for found in result.mappings()]

    async def execute(self, statement: Executable) -> CursorResult[*tuple[Any, ...]]:
        """Run a statement that this class has no better word for; what was read before is read anew after it."""
        await self.flush()
        self._work.forget()
        return await self.connection.execute(statement)

    async def flush(self) -> None:
        """Write what waits to be written. Raises LostUpdate if a row is not as it was read, and the database's own."""
        inserts, changes = self._work.take()
        if inserts or changes:
            await self._write(inserts, changes)

    async def _write(self, inserts: Sequence[Inserted], changes: Sequence[Changed]) -> None:
        for table, rows in inserts:
            self._guard(table, rows)
            self.written[table.name] += rows
        guarded = []
        for one in changes:
            rows = [after for _, after in one.pairs]
            guarded.append(replace(one, names=(*one.names, "guard")) if self._guard(one.table, rows) else one)
            self.written[one.table.name] += rows
        if await (await self._link()).write(inserts, guarded) != sum(len(one.pairs) for one in changes):
            raise LostUpdate("a row of " + " or ".join(one.table.name for one in changes))

    def _guard(self, table: Table, rows: Sequence[Row]) -> bool:
        """Guard rows that are about to be written; returns whether rows of their table are guarded."""
        if "guard" not in table.columns:
            return False
        for row in rows:
            row["guard"] = self.cipher.guard(table.name, row)
        return True

    async def _link(self) -> hot_path.Driver:
        if self._driver is None:
            self._driver = await hot_path.driver_of(self.connection)
        return self._driver

    def _learned(self, table: Table, row: Row) -> Row:
        self._verify(table, row)
        return self._work.learn(table, row)

    def _verify(self, table: Table, row: Row) -> None:
        if "guard" in row and not secrets.compare_digest(row["guard"], self.cipher.guard(table.name, row)):
            raise StoreDamaged(f"a row of {table.name} is not what was written")

    async def seal(self, plain: bytes, *, place: Place, retention: str, key_id: str) -> SealedValue:
        """Seal `plain` for `place` under the data key `key_id`, which is made if it is new."""
        key, epoch = await self._data_key(key_id) or await self._new_data_key(key_id, retention)
        return SealedValue(key_id, epoch, seal_under(key, plain, place=place, epoch=epoch))

    async def open(self, value: SealedValue, *, place: Place) -> bytes:
        """Open a sealed value; raises ContentErased if its key was erased, StoreDamaged if it does not open."""
        found = await self._data_key(value.key_id)
        if found is None:
            raise StoreDamaged("a data key is missing")
        return open_under(found[0], value.sealed, place=place, epoch=value.epoch)

    async def _data_key(self, key_id: str) -> tuple[bytes, int] | None:
        if key_id in self._data_keys:
            return self._data_keys[key_id]
        row = await self.find(record_key, key_id=key_id)
        if row is None:
            return None
        if row["wrapped"] is None:
            raise ContentErased(key_id)
        key = self.cipher.open_data_key(key_id, row["wrapped"], epoch=row["epoch"])
        self._data_keys[key_id] = (key, row["epoch"])
        return key, row["epoch"]

    async def _new_data_key(self, key_id: str, retention: str) -> tuple[bytes, int]:
        key, wrapped = self.cipher.new_data_key(key_id)
        epoch = self.cipher.epoch
        values = {"key_id": key_id, "retention": retention, "epoch": epoch, "wrapped": wrapped, "made_at": self.now}
        await self.insert(record_key, values)
        self._data_keys[key_id] = (key, epoch)
        return key, epoch

    def forget_data_key(self, key_id: str) -> None:
        """Drop a data key from memory, after its erasure."""
        self._data_keys.pop(key_id, None)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator["Savepoint"]:
        """Work that can be undone alone: call `undo()` inside, and on leaving it is as if it had never been."""
        await self.flush()
        before, hooks = dict(self.meta), len(self.after_commit)
        point = Savepoint()
        async with self.connection.begin_nested() as nested:
            yield point
            if point.undone:
                await nested.rollback()
            else:
                await self.flush()
        if point.undone:
            self.meta.clear()
            self.meta.update(before)
            del self.after_commit[hooks:]
            self._work.forget()
            self._data_keys.clear()


@dataclass
class Savepoint:
    """Whether the work since the savepoint shall be undone."""

    undone: bool = False

    def undo(self) -> None:
        """Undo the work when the savepoint is left."""
        self.undone = True
