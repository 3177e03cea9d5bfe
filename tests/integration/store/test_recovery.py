"""A store restored from an older backup: noticed in two ways, quiet until reconciled, and then heard again (C44)."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.kit.delivery.chain import RESTART
from adapters.kit.delivery.states import OutboxState
from adapters.kit.store.engine import sqlite_path, store_url
from adapters.kit.store.errors import InRecovery, NoNamedUser
from adapters.kit.store.recovery import AnchorUnreadable, PartnerMissing
from adapters.kit.store.tables import outbox_rows, pair
from tests.integration.store.conftest import NewStore
from tests.support.fake_sealing import request_to
from tests.support.stations import COUNCIL, POLICE, START, FakeClock, Road, Station, settle, station

S = OutboxState


async def copied(source: str, target: str) -> None:
    """Put one closed store in the place of another one: a backup, or its restore."""
    path = sqlite_path(store_url(source))
    if path is None:
        engine = create_async_engine(make_url(source).set(database="postgres"), isolation_level="AUTOCOMMIT")
        one, other = make_url(source).database, make_url(target).database
        async with engine.connect() as connection:
            await connection.execute(text(f"DROP DATABASE {other} WITH (FORCE)"))
            await connection.execute(text(f"CREATE DATABASE {other} TEMPLATE {one}"))
        await engine.dispose()
        return
    place = Path(make_url(target).database or "")
    shutil.copy(path, place)
    for leftover in ("-wal", "-shm"):
        place.with_name(place.name + leftover).unlink(missing_ok=True)


async def _talk(council: Station, police: Station, *, messages: int) -> None:
    for _ in range(messages):
        await council.send(request_to(POLICE))
    await settle(council, police)


@dataclass(frozen=True)
class Office:
    """One whose store is on either database, and the anchor that lies with its keys."""

    name: str
    url: str
    backup: str
    anchor: Path
    road: Road
    clock: FakeClock

    def open(self) -> AbstractAsyncContextManager[Station]:
        """Start the adapter."""
        return station(self.name, self.url, road=self.road, clock=self.clock, anchor=self.anchor)

    async def restored(self, police: Station) -> None:
        """Two messages, a backup, three more, and the backup put back."""
        async with self.open() as council:
            await _talk(council, police, messages=2)
            await council.send(request_to(POLICE), release_at=START + timedelta(minutes=1))
        await copied(self.url, self.backup)
        async with self.open() as council:
            self.clock.pass_(minutes=2)
            await _talk(council, police, messages=3)
        await copied(self.backup, self.url)


@pytest.fixture
async def office(new_store: NewStore, tmp_path: Path, road: Road, clock: FakeClock) -> Office:
    return Office(COUNCIL, await new_store(), await new_store(), tmp_path / "anchor", road, clock)


@pytest.fixture
async def police(new_store: NewStore, road: Road, clock: FakeClock) -> AsyncIterator[Station]:
    async with station(POLICE, await new_store(), road=road, clock=clock) as opened:
        yield opened


async def test_a_restored_store_is_noticed_before_it_sends(office: Office, police: Station) -> None:
    """C44: by the anchor, at once; nothing leaves, not even what was held; what comes is still received."""
    await office.restored(police)
    published = len(office.road.log)
    async with office.open() as council:
        assert await council.alarm_codes() == ["store-is-older"]
        with pytest.raises(InRecovery):
            await council.send(request_to(POLICE))
        office.clock.pass_(days=1)
        await police.send(request_to(COUNCIL))
        await police.pump.run_once()
        published += 1
        await settle(council, police)
        assert (len(office.road.log), len(council.applied)) == (published, 1)
        drafts = [row["state"] for row in await council.rows(outbox_rows) if row["sort"] == "note"]
        assert drafts == [S.DRAFT.value, S.DRAFT.value]


async def test_a_restored_store_is_noticed_by_its_partners_receipts(office: Office, police: Station) -> None:
    """C44: without an anchor, a receipt that has seen more than we sent gives it away."""
    await office.restored(police)
    office.anchor.unlink()
    parcels = [parcel for parcel in office.road.log if parcel.sender == POLICE]
    async with office.open() as council:
        office.road.parcels.extend(parcels)
        await council.fetch()
        assert "store-is-older" in await council.alarm_codes()
        with pytest.raises(InRecovery):
            await council.send(request_to(POLICE))


async def test_reconciling_ends_recovery_with_a_new_chain(office: Office, police: Station) -> None:
    """The partner sees the restart, nothing is refused as a fork, and what was held is left to a person."""
    await office.restored(police)
    (ends,) = await police.rows(pair)
    async with office.open() as council:
        async with council.store.transaction() as tx:
            with pytest.raises(NoNamedUser):
                await tx.reconcile(seen={POLICE: ends["seen_seq"]}, user=" ")
            for missing in ({}, {POLICE: 1}):
                with pytest.raises(PartnerMissing):
                    await tx.reconcile(seen=missing, user="user-1")
            await tx.reconcile(seen={POLICE: ends["seen_seq"]}, user="user-1")
            assert not tx.recovering
        (mine,) = await council.rows(pair)
        assert (mine["sent_seq"], mine["sent_hash"]) == (ends["seen_seq"], RESTART)
        before = len(police.applied)
        ref = await council.send(request_to(POLICE))
        await settle(council, police)
        assert ((await council.look(ref.ref)).state, len(police.applied) - before) == (S.OPENED, 1)
        assert "chain-restart" in await police.alarm_codes()
        assert "held-at-restore" in await council.alarm_codes()
        held = [row for row in await council.rows(outbox_rows) if row["state"] == S.CANCELLED.value]
        assert len(held) == 1


async def test_a_partner_that_lost_messages_gets_them_again(
    new_store: NewStore, office: Office, road: Road, clock: FakeClock
) -> None:
    """The other side was restored: stored bytes are repeated, and what it still has is a duplicate."""
    theirs = replace(office, name=POLICE)
    async with station(COUNCIL, await new_store(), road=road, clock=clock) as council:
        async with theirs.open() as police:
            await _talk(council, police, messages=1)
        await copied(theirs.url, theirs.backup)
        async with theirs.open() as police:
            await _talk(council, police, messages=2)
        await copied(theirs.backup, theirs.url)
        async with theirs.open() as police:
            async with police.store.transaction() as tx:
                assert tx.recovering
                (ends,) = await police.rows(pair)
                await tx.reconcile(seen={COUNCIL: ends["sent_seq"] + 4}, user="user-1")
            async with council.store.transaction() as tx:
                assert await tx.send_again(POLICE, first=1, last=3) == 3
            await settle(council, police)
            assert len(police.applied) == 2
            states = {row["state"] for row in await council.rows(outbox_rows) if row["sort"] == "message"}
            assert states == {S.OPENED.value}


@pytest.mark.parametrize("damage", [b"", b"{}", b"not json", None])
async def test_a_damaged_anchor_stops_the_adapter(office: Office, damage: bytes | None) -> None:
    """A flipped bit in the anchor could hide a restore: fail closed, with the way back in the message."""
    async with office.open() as council:
        await council.send(request_to(POLICE))
    told = office.anchor.read_bytes()
    office.anchor.write_bytes(told.replace(b'"lease": 1', b'"lease": 0') if damage is None else damage)
    with pytest.raises(AnchorUnreadable, match="delete it"):
        async with office.open():
            pass
    office.anchor.unlink()
    async with office.open() as council:
        assert await council.alarm_codes() == []
