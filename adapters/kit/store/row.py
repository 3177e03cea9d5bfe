"""The store's single row, and its keys: made once, opened and checked at every opening.

Whoever holds this row's lock is the one writer. It carries the lease number, the ledger's head, how late it has been,
and whether the store may send.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.kit.delivery.outbox import SENDING
from adapters.kit.failpoints import reach
from adapters.kit.store import hot_path, ledger
from adapters.kit.store.errors import ClockWentBack, StoreDamaged, WrongParticipant
from adapters.kit.store.ledger import GENESIS
from adapters.kit.store.sealed_fields import FieldCipher, WrappedEpoch, new_epoch
from adapters.kit.store.session import Row, Session
from adapters.kit.store.tables import field_epoch, store_meta

CLOCK_TOLERANCE: Final = timedelta(minutes=5)


async def read_row(connection: AsyncConnection, cipher: FieldCipher, *, lock: bool = False) -> Row:
    """Return the row, verified; with `lock`, nobody else writes until this transaction ends."""
    found = await hot_path.begin(connection, store_meta, lock=lock)
    if found is None or found["guard"] != cipher.guard("store_meta", found):
        raise StoreDamaged("the store's own row")
    return found


async def write_row(session: Session) -> None:
    """Write the row back at the end of a transaction."""
    kept = {name: session.meta[name] for name in ("mode", "ledger_count", "ledger_head")}
    await session.change(store_meta, session.meta, latest=session.now, **kept)
    await session.flush()


def check_clock(now: datetime, row: Row) -> None:
    """Raise ClockWentBack if the clock is behind what the store has seen; small steps back are borne."""
    if now < row["latest"] - CLOCK_TOLERANCE:
        raise ClockWentBack


async def open_keys(connection: AsyncConnection, key: bytes, *, participant: str, now: datetime) -> FieldCipher:
    """Unwrap the keys of the store, or make them and its row if it is new. Raises WrongStoreKey, WrongParticipant."""
    wrapped = [WrappedEpoch(row.epoch, row.wrapped) for row in await connection.execute(select(field_epoch))]
    found = (await connection.execute(select(store_meta))).mappings().one_or_none()
    if found is None and not wrapped:
        return await _begin_store(connection, key, participant=participant, now=now)
    cipher = FieldCipher(key, wrapped)
    if (await read_row(connection, cipher))["participant"] != participant:
        raise WrongParticipant
    return cipher


async def _begin_store(connection: AsyncConnection, key: bytes, *, participant: str, now: datetime) -> FieldCipher:
    first = new_epoch(key, epoch=1)
    cipher = FieldCipher(key, [first])
    row: Row = {"one": 1, "participant": participant, "mode": SENDING, "lease": 0, "latest": now}
    row |= {"ledger_count": 0, "ledger_head": GENESIS}
    session = Session(connection, cipher, row, now)
    await session.insert(field_epoch, {"epoch": first.epoch, "wrapped": first.wrapped, "made_at": now})
    await session.insert(store_meta, row)
    await session.flush()
    return cipher


async def take_lease(session: Session) -> int:
    """Count the lease number up, so that whoever held the store before finds out at its next transaction."""
    lease: int = session.meta["lease"] + 1
    session.meta.update(await session.change(store_meta, session.meta, lease=lease))
    return lease


async def accept_clock(session: Session, *, user: str) -> None:
    """Believe the clock although it is behind the store, because a named user has looked (it once ran ahead)."""
    session.meta["latest"] = session.now
    await ledger.append(session, "clock.accepted", refs={"user": user})


async def rewrap(session: Session, store_key: bytes) -> None:
    """Wrap the epoch keys by another store key, all in one transaction: either key opens all of them, never a part."""
    for wrapped in session.cipher.rewrapped(store_key):
        row = await session.find(field_epoch, field_epoch.c.epoch == wrapped.epoch)
        if row is None:
            raise StoreDamaged("a key epoch")
        await session.change(field_epoch, row, wrapped=wrapped.wrapped)
    await ledger.append(session, "store.key-changed", refs={})
    reach("C39")
