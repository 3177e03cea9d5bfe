"""The hub's ledger: every verified stub that passed, once, in order, chained by hash (REC-03).

Guarantees: entries are durable when `append` returns; a stub that comes again is recognised by its hash and makes no
second entry; two processes on one ledger keep one chain, because every writer locks the head first; `verify` names the
first entry that is missing, changed, moved or no longer signed, and a cut-off end.
Refuses to know anything but stubs: the rest of an envelope was dropped before it came here.
Raises `LedgerUnavailable` from everything that touches the database; the caller waits and tries again.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from sqlalchemy import Select, and_, insert, inspect, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from broker.ledger.chain import (
    GENESIS,
    Fault,
    KeptDirectory,
    Link,
    Passage,
    Row,
    columns_of,
    fault_of,
    keep,
    link_hash,
    passage_of,
    read_kept,
)
from broker.ledger.engine import READ_ONLY, NoLedger, ledger_url, make_engine, must_exist, world_faults
from broker.ledger.tables import FORMAT, directories, head, metadata, stubs
from broker.planner import PlannerCounts
from broker.verify import VerifiedStub
from schemas.directory import Directory

_PAGE: Final = 500
_VERIFIED_AT_ONCE: Final = 100  # signatures; the event loop is free between these
_LIGHT: Final = [column for column in stubs.c if column.name not in ("stub", "previous", "hash", "checked_with")]


@dataclass(frozen=True)
class Head:
    """How long the ledger is, its last hash, and since when it is kept."""

    entries: int
    hash: bytes
    began_at: datetime


@dataclass(frozen=True)
class Seen:
    """A verified stub that is to be entered: by whose exchange it came, and when."""

    verified: VerifiedStub
    ingress_owner: str
    received_at: datetime


@dataclass(frozen=True)
class LedgerCheck:
    """What a verification found. `directories` are the digests by which stubs were verified, to be compared."""

    entries: int
    hash: bytes
    directories: tuple[tuple[int, bytes], ...]
    fault: Fault | None


class Ledger:
    """An open ledger."""

    def __init__(self, engine: AsyncEngine, *, began_at: datetime) -> None:
        self._engine = engine
        self._kept: tuple[Directory, KeptDirectory] | None = None
        self._written: set[bytes] = set()
        self._turn = asyncio.Lock()
        self._counts = PlannerCounts(engine, metadata.tables)
        self.began_at = began_at

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str, *, now: datetime | None) -> AsyncIterator[Self]:
        """Open the ledger at `url`, a path or a database URL; begin one at `now`, or with None raise `NoLedger`."""
        place = ledger_url(url)
        if now is None:
            must_exist(place)
        engine = make_engine(place)
        try:
            async with world_faults():
                began_at = await _begin(engine, now)
            yield cls(engine, began_at=began_at)
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Begin a transaction that holds the head, so that writers follow one another; commit it at the end."""
        async with self._transaction() as connection:
            await connection.execute(select(head.c.id).with_for_update())
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Begin a transaction that only reads."""
        async with world_faults(), self._engine.connect() as connection:
            yield await connection.execution_options(**{READ_ONLY: True})

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        # In turn within this process: SQLite's own waiting for its lock sleeps and polls.
        async with self._turn, world_faults(), self._engine.begin() as connection:
            yield connection

    async def append(
        self, verified: VerifiedStub, *, ingress_owner: str, directory: Directory, received_at: datetime
    ) -> int | None:
        """Enter a verified stub and give its number, or None if it has been entered before (SEC-09)."""
        (number,) = await self.append_all([Seen(verified, ingress_owner, received_at)], directory=directory)
        return number

    async def append_all(self, seen: Sequence[Seen], *, directory: Directory) -> list[int | None]:
        """Enter stubs in their order, all or none; give the number of each, or None if it has been entered before."""
        kept = self._keep(directory)
        known = select(stubs.c.stub_hash).where(stubs.c.stub_hash.in_([one.verified.stub_hash for one in seen]))
        async with self._transaction() as connection:
            last = (await connection.execute(select(head.c.entries, head.c.hash).with_for_update())).one()
            # Looked for once the head is held: PostgreSQL would look into the past if it were the same statement.
            entered = {row.stub_hash for row in await connection.execute(known)}
            rows = _rows(seen, Link(last.entries, last.hash), kept=kept, entered=entered)
            if rows and kept.digest not in self._written:
                await _keep_directory(connection, kept)
            if rows:
                await connection.execute(insert(stubs), rows)
                await connection.execute(update(head).values(entries=rows[-1]["number"], hash=rows[-1]["hash"]))
        if rows:
            self._written.add(kept.digest)
        await self._counts.wrote(len(rows))
        numbers = {row["stub_hash"]: int(row["number"]) for row in rows}
        return [numbers.pop(one.verified.stub_hash, None) for one in seen]

    async def head(self) -> Head:
        """Give the head as it stands."""
        async with self.reading() as connection:
            row = (await connection.execute(select(head))).one()
        return Head(row.entries, row.hash, row.began_at)

    async def passages(self, *, after: int = 0, limit: int = _PAGE) -> list[Passage]:
        """Give entries in order, from the one behind number `after`."""
        return await self._passages(select(*_LIGHT).where(stubs.c.number > after), limit)

    async def passages_of(self, participant: str, *, after: int = 0, limit: int = _PAGE) -> list[Passage]:
        """Give the entries that `participant` sent or was sent, in order, from behind number `after`."""
        ends = or_(stubs.c.sender == participant, stubs.c.recipient == participant)
        return await self._passages(select(*_LIGHT).where(and_(stubs.c.number > after, ends)), limit)

    async def verify(self) -> LedgerCheck:
        """Recompute every link, verify every stub again, and name the first that does not hold (L1 to L8)."""
        last = await self.head()
        link, used, fault = Link(), _Directories(), None
        while fault is None and (rows := await self._page(link.number)):
            for row in rows:
                directory = await used.find(self, row["checked_with"])
                fault = fault_of(row, after=link, directory=directory)
                if fault is not None:
                    break
                link = Link(link.number + 1, row["hash"])
        if fault is None and (link.number < last.entries or (link.number == last.entries and link.hash != last.hash)):
            fault = Fault(link.number + 1, "L8", "the end has been cut off")
        return LedgerCheck(link.number, link.hash, used.named(), fault)

    async def kept_directory(self, digest: bytes) -> KeptDirectory | None:
        """Give a kept directory, or None unless its bytes have that digest."""
        async with self.reading() as connection:
            row = (await connection.execute(select(directories).where(directories.c.digest == digest))).first()
        found = KeptDirectory(row.version, row.body) if row else None
        return found if found and found.digest == digest else None

    async def _passages(self, statement: Select[Any], limit: int) -> list[Passage]:
        async with self.reading() as connection:
            rows = await connection.execute(statement.order_by(stubs.c.number).limit(limit))
            return [passage_of(row) for row in rows.mappings()]

    async def _page(self, after: int) -> list[Row]:
        statement = select(stubs).where(stubs.c.number > after).order_by(stubs.c.number).limit(_VERIFIED_AT_ONCE)
        async with self.reading() as connection:
            return [dict(row) for row in (await connection.execute(statement)).mappings()]

    def _keep(self, directory: Directory) -> KeptDirectory:
        if self._kept is None or self._kept[0] is not directory:
            self._kept = directory, keep(directory)
        return self._kept[1]


class _Directories:
    """The kept directories that one verification needed, each read and hashed once."""

    def __init__(self) -> None:
        self._read: dict[bytes, Directory | None] = {}

    async def find(self, ledger: Ledger, digest: bytes) -> Directory | None:
        if digest not in self._read:
            kept = await ledger.kept_directory(digest)
            self._read[digest] = _readable(kept) if kept else None
        return self._read[digest]

    def named(self) -> tuple[tuple[int, bytes], ...]:
        return tuple(sorted((found.version, digest) for digest, found in self._read.items() if found))


def _readable(kept: KeptDirectory) -> Directory | None:
    """Read it, or give None: whoever makes the whole chain anew can also keep bytes that are no directory."""
    try:
        return read_kept(kept.body)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


async def _begin(engine: AsyncEngine, now: datetime | None) -> datetime:
    """Make the tables if they may be made, and give since when the ledger is kept."""
    if now is None:
        async with engine.connect() as connection:
            if not await connection.run_sync(lambda sync: inspect(sync).has_table(head.name)):
                raise NoLedger
    else:
        await _make(engine, now)
    async with engine.connect() as connection:
        row = (await connection.execute(select(head))).first()
    if row is None or row.format != FORMAT:
        raise NoLedger("(another format)")
    return row.began_at  # type: ignore[no-any-return]  # a row of Core is not typed


async def _make(engine: AsyncEngine, now: datetime) -> None:
    try:
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
            if (await connection.execute(select(head.c.id))).first() is None:
                first = {"id": 1, "format": FORMAT, "began_at": now, "entries": 0, "hash": GENESIS}
                await connection.execute(insert(head).values(first))
    except IntegrityError:
        return  # another process began it at this very moment


def _rows(seen: Sequence[Seen], last: Link, *, kept: KeptDirectory, entered: set[bytes]) -> list[dict[str, Any]]:
    """Make the entries behind `last`; a stub is entered once, however often it comes."""
    rows: list[dict[str, Any]] = []
    entered = set(entered)
    for one in seen:
        if one.verified.stub_hash not in entered:
            entered.add(one.verified.stub_hash)
            rows.append(_row(one, last, kept=kept))
            last = Link(rows[-1]["number"], rows[-1]["hash"])
    return rows


def _row(one: Seen, last: Link, *, kept: KeptDirectory) -> dict[str, Any]:
    row: dict[str, Any] = {
        **columns_of(one.verified.stub),
        "number": last.number + 1,
        "received_at": one.received_at,
        "ingress_owner": one.ingress_owner,
        "stub_hash": one.verified.stub_hash,
        "checked_with": kept.digest,
        "stub": one.verified.frame.stub,
        "previous": last.hash,
    }
    row["hash"] = link_hash(row)
    return row


async def _keep_directory(connection: AsyncConnection, kept: KeptDirectory) -> None:
    known = select(directories.c.digest).where(directories.c.digest == kept.digest)
    if (await connection.execute(known)).first() is None:
        row = {"digest": kept.digest, "version": kept.version, "body": kept.body}
        await connection.execute(insert(directories).values(row))
