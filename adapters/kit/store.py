"""The store of one adapter: opened whole and checked, or not at all; one writer; every transaction all or nothing.

Opening takes the lease (two adapters never share a store), looks the database over, migrates it, opens its keys,
compares its memory with the anchor kept elsewhere, and verifies the newest part of the ledger. Whatever does not fit
is said in plain words (`store_errors`) and nothing is used.
Every transaction locks the store's single row first, checks that the lease is still ours and that the clock has not
gone back, and writes that row again at its commit: with the ledger's head, the count and the time.

Refuses to know: what documents mean, who may do what, how bytes travel.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.kit import migrating
from adapters.kit.delivery_policy import DEFAULT_POLICY, DeliveryPolicy
from adapters.kit.documents import Document
from adapters.kit.envelopes import Envelopes
from adapters.kit.failpoints import reach
from adapters.kit.ledger import GENESIS, LedgerCheck
from adapters.kit.outbox import SENDING, Mailroom
from adapters.kit.sealed_fields import FieldCipher, StoreKey, WrappedEpoch, new_epoch
from adapters.kit.session import Row, Session
from adapters.kit.store_engine import DATABASE_ONLY, READ_ONLY, check_health, faults, lease, make_engine, store_url
from adapters.kit.store_errors import (
    ClockWentBack,
    CommitUnknown,
    LeaseLost,
    NestedTransaction,
    StoreDamaged,
    WrongParticipant,
    WrongStoreKey,
)
from adapters.kit.tables_core import field_epoch, store_meta
from adapters.kit.transaction import Transaction

Clock = Callable[[], datetime]
CLOCK_TOLERANCE: Final = timedelta(minutes=5)
LEDGER_CHECKED_AT_OPEN: Final = 10_000


@dataclass
class Store:
    """One open store. Use `Store.open`."""

    participant: str
    clock: Clock = field(repr=False)
    policy: DeliveryPolicy = field(repr=False)
    _engine: AsyncEngine = field(repr=False)
    _cipher: FieldCipher = field(repr=False)
    _lease: int | None = None
    _envelopes: Envelopes | None = field(default=None, repr=False)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    _writer: "asyncio.Task[object] | None" = field(default=None, repr=False)
    _listeners: list[Callable[[], None]] = field(default_factory=list, repr=False)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str,
        *,
        participant: str,
        store_key: StoreKey | bytes,
        clock: Clock,
        envelopes: Envelopes | None = None,
        policy: DeliveryPolicy = DEFAULT_POLICY,
        exclusive: bool = True,
    ) -> AsyncIterator[Self]:
        """Open the store at `url` (`sqlite:///file` or `postgresql://…`), migrating it first; 32 bytes of `store_key`.

        `exclusive` (an adapter) takes the lease; without it (a command beside a running adapter) the store must be
        migrated already, and nothing may pump or consume. Raises the faults of `store_errors`.
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
                cipher, number = await _admit(connection, key, participant=participant, now=clock(), renew=exclusive)
            store = cls(participant, clock, policy, engine, cipher, number if exclusive else None, envelopes)
            await store._look_back()
            yield store

    def use_envelopes(self, envelopes: Envelopes) -> None:
        """Say who seals and opens, when that is known only after the store is open."""
        self._envelopes = envelopes

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every commit that enqueued or stored something to do."""
        self._listeners.append(listener)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Work that is stored together or not at all. One at a time; raises NestedTransaction inside another.

        Raises StoreUnavailable (nothing was stored; try again), CommitUnknown (look before you repeat), LeaseLost,
        ClockWentBack, StoreDamaged.
        """
        me = asyncio.current_task()
        if me is not None and me is self._writer:
            raise NestedTransaction
        async with self._writing:
            self._writer = me
            try:
                async with self._connected() as connection:
                    transaction = await self._begin(connection)
                    yield transaction
                    await _write_meta(transaction)
                    reach("C01")
                    await _commit(connection)
            finally:
                self._writer = None
        for hook in (*transaction.after_commit, *self._listeners):
            hook()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Transaction]:
        """A consistent view for reading; whatever is written in it is rolled back. Waits for no writer."""
        async with self._connected() as connection:
            reading = await connection.execution_options(**{READ_ONLY: True})
            if self._engine.dialect.name == "postgresql":
                await reading.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            yield self._transaction(reading, await _meta(reading, self._cipher), now=self.clock())

    async def open_document(self, kind: str, key: str, *, user: str) -> Document | None:
        """Open a document for a named user: given out only after the access is committed to the ledger (REC-05)."""
        async with self.transaction() as transaction:
            return await transaction.open_document(kind, key, user=user)

    async def command(
        self, client_key: str, *, request: bytes, work: Callable[[Transaction], Awaitable[bytes]]
    ) -> bytes:
        """Do `work` once for `client_key` and return its answer; the same key again returns the stored answer (C02).

        Raises CommandConflict if the key was used for another `request`.
        """
        async with self.transaction() as transaction:
            answer = await transaction.answered(client_key, request=request)
            if answer is None:
                answer = await work(transaction)
                await transaction.settle(client_key, request=request, answer=answer)
        reach("C02")
        return answer

    async def verify_ledger(self) -> LedgerCheck:
        """Recompute the whole ledger."""
        async with self.snapshot() as view:
            return await view.verify_ledger()

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
        meta = await _meta(connection, self._cipher, lock=True)
        if self._lease is not None and meta["lease"] != self._lease:
            raise LeaseLost
        now = self.clock()
        if now < meta["latest"] - CLOCK_TOLERANCE:
            raise ClockWentBack
        return self._transaction(connection, meta, now=max(now, meta["latest"]))

    def _transaction(self, connection: AsyncConnection, meta: Row, *, now: datetime) -> Transaction:
        room = None if self._envelopes is None else Mailroom(self._envelopes, self.policy)
        return Transaction(connection, self._cipher, meta, now, room=room)

    async def _look_back(self) -> None:
        async with self.snapshot() as view:
            start = view.meta["ledger_count"] - LEDGER_CHECKED_AT_OPEN
            check = await view.verify_ledger(start=max(start, 1))
        if check.broken_at is not None:
            raise StoreDamaged(f"the ledger does not hold from entry {check.broken_at}")


async def _meta(connection: AsyncConnection, cipher: FieldCipher, *, lock: bool = False) -> Row:
    statement = select(store_meta)
    found = (await connection.execute(statement.with_for_update() if lock else statement)).mappings().one_or_none()
    if found is None or found["guard"] != cipher.guard("store_meta", dict(found)):
        raise StoreDamaged("the store's own row")
    return dict(found)


async def _write_meta(session: Session) -> None:
    kept = {name: session.meta[name] for name in ("mode", "ledger_count", "ledger_head")}
    await session.change(store_meta, session.meta, latest=session.now, **kept)


async def _commit(connection: AsyncConnection) -> None:
    try:
        await connection.commit()
    except DBAPIError as broken:
        if broken.connection_invalidated:
            raise CommitUnknown from None
        raise


async def _admit(
    connection: AsyncConnection, key: bytes, *, participant: str, now: datetime, renew: bool
) -> tuple[FieldCipher, int]:
    """Open the keys and the store's row, or make them in a new store; a new holder gets a new lease number."""
    wrapped = [WrappedEpoch(row.epoch, row.wrapped) for row in await connection.execute(select(field_epoch))]
    found = (await connection.execute(select(store_meta))).mappings().one_or_none()
    if found is None and not wrapped:
        return await _begin_store(connection, key, participant=participant, now=now)
    cipher = FieldCipher(key, wrapped)
    meta = await _meta(connection, cipher)
    if meta["participant"] != participant:
        raise WrongParticipant
    if now < meta["latest"] - CLOCK_TOLERANCE:
        raise ClockWentBack
    if renew:
        session = Session(connection, cipher, meta, now)
        meta = await session.change(store_meta, meta, lease=meta["lease"] + 1)
    return cipher, meta["lease"]


async def _begin_store(
    connection: AsyncConnection, key: bytes, *, participant: str, now: datetime
) -> tuple[FieldCipher, int]:
    if not key:
        raise WrongStoreKey
    first = new_epoch(key, epoch=1)
    cipher = FieldCipher(key, [first])
    meta: Row = {"one": 1, "participant": participant, "mode": SENDING, "lease": 1, "latest": now}
    meta |= {"ledger_count": 0, "ledger_head": GENESIS}
    session = Session(connection, cipher, meta, now)
    await session.insert(field_epoch, {"epoch": first.epoch, "wrapped": first.wrapped, "made_at": now})
    await session.insert(store_meta, meta)
    return cipher, 1
