"""The store of one adapter: opened whole and checked, or not at all; one writer; every transaction all or nothing.

Opening takes the lease (two adapters never share a store), looks the database over, migrates it, opens its keys,
compares its memory with the anchor kept elsewhere, and verifies the newest part of the ledger. Whatever does not fit
is said in plain words (`store_errors`) and nothing is used.
Every transaction locks the store's single row first, checks that the lease is still ours and that the clock has not
gone back, and writes that row again at its commit: with the ledger's head, the count and the time.

Refuses to know: what documents mean, who may do what, how bytes travel.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.kit.delivery.outbox import Mailroom
from adapters.kit.delivery.policy import DEFAULT_POLICY, DeliveryPolicy
from adapters.kit.envelope.envelopes import Envelopes
from adapters.kit.failpoints import reach
from adapters.kit.store import commands, migrating, recovery
from adapters.kit.store import row as store_row
from adapters.kit.store.documents import Document
from adapters.kit.store.engine import (
    DATABASE_ONLY,
    READ_ONLY,
    check_health,
    faults,
    lease,
    make_engine,
    scrub,
    sqlite_path,
    store_url,
)
from adapters.kit.store.errors import CommitUnknown, LeaseLost, NestedTransaction, StoreDamaged
from adapters.kit.store.group_commit import GroupCommit
from adapters.kit.store.ledger import LedgerCheck
from adapters.kit.store.recovery import Anchor
from adapters.kit.store.sealed_fields import FieldCipher, StoreKey
from adapters.kit.store.session import Row
from adapters.kit.store.tables import METADATA
from adapters.kit.store.transaction import Transaction
from adapters.kit.store.turn import Precedence, WriterTurn
from broker.planner import PlannerCounts

Clock = Callable[[], datetime]
Written: TypeAlias = Mapping[str, Sequence[Row]]
ANCHOR_INTERVAL: Final = 1.0  # seconds
LEDGER_CHECKED_AT_OPEN: Final = 10_000
_READING: Final[Mapping[str, dict[str, Any]]] = {
    "sqlite": {READ_ONLY: True},
    "postgresql": {READ_ONLY: True, "isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}


@dataclass
class Store:
    """One open store. Use `Store.open`."""

    participant: str
    clock: Clock = field(repr=False)
    policy: DeliveryPolicy = field(repr=False)
    _engine: AsyncEngine = field(repr=False)
    _cipher: FieldCipher = field(repr=False)
    _envelopes: Envelopes | None = field(default=None, repr=False)
    _anchor: Anchor | None = field(default=None, repr=False)
    _lease: int | None = None
    _anchored: float = field(default=0.0, repr=False)
    _meta: Row = field(default_factory=dict, repr=False)
    _writing: WriterTurn = field(default_factory=WriterTurn, repr=False)
    _writer: "asyncio.Task[object] | None" = field(default=None, repr=False)
    _listeners: list[Callable[[Written], None]] = field(default_factory=list, repr=False)
    _commands: GroupCommit = field(init=False, repr=False)
    _counts: PlannerCounts = field(init=False, repr=False)
    opened_at: datetime = field(default=datetime.max.replace(tzinfo=UTC), repr=False)

    def __post_init__(self) -> None:
        self._commands = GroupCommit(self.transaction, commands.expect)
        self._counts = PlannerCounts(self._engine, METADATA.tables)

    @classmethod
    @asynccontextmanager
    async def open(  # noqa: PLR0913 - composition names all that the store depends on, in one place
        cls,
        url: str,
        *,
        participant: str,
        store_key: StoreKey | bytes,
        clock: Clock,
        envelopes: Envelopes | None = None,
        policy: DeliveryPolicy = DEFAULT_POLICY,
        exclusive: bool = True,
        anchor: Path | None = None,
        clock_accepted_by: str = "",
    ) -> AsyncIterator[Self]:
        """Open the store at `url` (`sqlite:///file` or `postgresql://…`), migrating it first; 32 bytes of `store_key`.

        `exclusive` (an adapter) takes the lease; without it (a command beside a running adapter) the store must be
        migrated already, and nothing may pump or consume. `anchor` is the file that notices a restored backup: keep it
        with the keys; by default it lies beside a SQLite file. `clock_accepted_by` names the user who has checked the
        clock after ClockWentBack. Raises the faults of `store_errors`.
        """
        key = store_key if isinstance(store_key, bytes) else store_key.reveal()
        parsed = store_url(url)
        async with AsyncExitStack() as stack:
            engine = make_engine(parsed)
            stack.push_async_callback(engine.dispose)
            if exclusive:
                await stack.enter_async_context(lease(parsed, engine))
            await check_health(engine)
            await migrating.bring_up_to_date(engine, allowed=exclusive)
            async with faults(), engine.begin() as connection:
                cipher = await store_row.open_keys(connection, key, participant=participant, now=clock())
            memory = anchor or _beside(sqlite_path(parsed))
            marks = Anchor(memory, cipher) if memory and exclusive else None
            store = cls(participant, clock, policy, engine, cipher, envelopes, marks)
            await store._enter(exclusive=exclusive, clock_accepted_by=clock_accepted_by)
            stack.push_async_callback(store._commands.close)
            yield store
            await store._note_anchor(at_once=True)

    def use_envelopes(self, envelopes: Envelopes) -> None:
        """Say who seals and opens, when that is known only after the store is open."""
        self._envelopes = envelopes

    def on_commit(self, listener: Callable[[], None], *, when: Callable[[Written], bool] | None = None) -> None:
        """Call `listener` after every commit; with `when`, after those whose rows, by their table's name, say so."""

        def heard(written: Written) -> None:
            if when is None or when(written):
                listener()

        self._listeners.append(heard)

    @asynccontextmanager
    async def transaction(self, precedence: Precedence = Precedence.USUAL) -> AsyncIterator[Transaction]:
        """Work that is stored together or not at all. One at a time; raises NestedTransaction inside another.

        `precedence` is before whom it goes that waits (`turn.py`). Raises StoreUnavailable (nothing was stored; try
        again), CommitUnknown (look before you repeat), LeaseLost, ClockWentBack, StoreDamaged.
        """
        me = asyncio.current_task()
        if me is not None and me is self._writer:
            raise NestedTransaction
        async with self._writing.taken(precedence):
            self._writer = me
            try:
                async with self._connected() as connection:
                    transaction = await self._begin(connection)
                    yield transaction
                    await store_row.write_row(transaction)
                    reach("C01")
                    await _commit(connection)
                    self._meta = transaction.meta
            finally:
                self._writer = None
        await self._note_anchor()
        for hook in transaction.after_commit:
            hook()
        for heard in self._listeners:
            heard(transaction.written)
        await self._counts.wrote(sum(map(len, transaction.written.values())))

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Transaction]:
        """A consistent view for reading; whatever is written in it is rolled back. Waits for no writer."""
        async with self._connected() as connection:
            reading = await connection.execution_options(**_READING[self._engine.dialect.name])
            yield self._transaction(reading, await store_row.read_row(reading, self._cipher), now=self.clock())

    async def open_document(self, kind: str, key: str, *, user: str) -> Document | None:
        """Open a document for a named user: given out only after the access is committed to the ledger (REC-05)."""
        async with self.transaction() as transaction:
            return await transaction.open_document(kind, key, user=user)

    async def command(
        self, client_key: str, *, request: bytes, work: Callable[[Transaction], Awaitable[bytes]]
    ) -> bytes:
        """Do `work` once for `client_key` and return its answer; the same key again returns the stored answer (C02).

        Commands that wait together share a transaction (`group_commit.py`): `work` may run again, and acts in it alone.
        Raises CommandConflict if the key was used for another `request`, and what `transaction` raises.
        """
        if asyncio.current_task() is self._writer:
            raise NestedTransaction

        async def once(transaction: Transaction) -> bytes:
            answer = await transaction.answered(client_key, request=request)
            if answer is None:
                answer = await work(transaction)
                await transaction.settle(client_key, request=request, answer=answer)
            return answer

        answer = await self._commands.do(client_key, once)
        reach("C02")
        return answer

    async def change_key(self, store_key: StoreKey | bytes) -> None:
        """Wrap the store's keys by another store key (the yearly rotation); the old one opens nothing any more."""
        key = store_key if isinstance(store_key, bytes) else store_key.reveal()
        async with self.transaction() as transaction:
            await store_row.rewrap(transaction, key)

    async def verify_ledger(self) -> LedgerCheck:
        """Recompute the whole ledger."""
        async with self.snapshot() as view:
            return await view.verify_ledger()

    async def scrub(self) -> None:
        """After an erasure, take the erased bytes off the disk too: empty the write-ahead log, or vacuum."""
        async with self._writing.taken(), faults():
            await scrub(self._engine)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        async with faults():
            connection = await self._engine.connect()
        try:
            async with faults(caught=DATABASE_ONLY):
                yield connection
        finally:
            await connection.close()

    async def _begin(self, connection: AsyncConnection) -> Transaction:
        meta = await store_row.read_row(connection, self._cipher, lock=True)
        if self._lease is not None and meta["lease"] != self._lease:
            raise LeaseLost
        now = self.clock()
        store_row.check_clock(now, meta)
        return self._transaction(connection, meta, now=max(now, meta["latest"]))

    def _transaction(self, connection: AsyncConnection, meta: Row, *, now: datetime) -> Transaction:
        room = None if self._envelopes is None else Mailroom(self._envelopes, self.policy)
        return Transaction(connection, self._cipher, meta, now, room=room)

    async def _enter(self, *, exclusive: bool, clock_accepted_by: str) -> None:
        """Look back at what the store says of itself, take the lease, and compare with the anchor."""
        await self._verify_newest()
        async with self._connected() as connection:
            meta = await store_row.read_row(connection, self._cipher, lock=True)
            session = self._transaction(connection, meta, now=self.clock())
            self.opened_at = max(session.now, meta["latest"])  # what is stored in this life is later than this
            if clock_accepted_by:
                await store_row.accept_clock(session, user=clock_accepted_by)
            store_row.check_clock(session.now, meta)
            if self._anchor is not None and self._anchor.is_ahead_of(meta):
                await recovery.enter(session, cause="anchor")
            self._lease = await store_row.take_lease(session) if exclusive else None
            await store_row.write_row(session)
            await connection.commit()
            self._meta = meta

    async def _verify_newest(self) -> None:
        async with self.snapshot() as view:
            start = view.meta["ledger_count"] - LEDGER_CHECKED_AT_OPEN
            check = await view.verify_ledger(start=max(start, 1))
        if check.broken_at is not None:
            raise StoreDamaged(f"the ledger does not hold from entry {check.broken_at}")

    async def _note_anchor(self, *, at_once: bool = False) -> None:
        """Write the anchor, at most once in a while: an older note is harmless."""
        now = asyncio.get_running_loop().time()
        if self._anchor is not None and (at_once or now >= self._anchored + ANCHOR_INTERVAL):
            self._anchored = now
            await asyncio.to_thread(self._anchor.write, self._meta)


def _beside(path: Path | None) -> Path | None:
    return None if path is None else path.with_name(f"{path.name}.anchor")


async def _commit(connection: AsyncConnection) -> None:
    try:
        await connection.commit()
    except DBAPIError as broken:
        if broken.connection_invalidated:
            raise CommitUnknown from None
        raise
