"""A store restored from an older backup: noticed in two ways, quiet until reconciled, and then heard again (C44)."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.kit.delivery.chain import RESTART
from adapters.kit.delivery.states import OutboxState
from adapters.kit.store.errors import InRecovery, NoNamedUser
from adapters.kit.store.recovery import AnchorUnreadable, PartnerMissing
from adapters.kit.store.tables import outbox_rows, pair
from tests.support.fake_sealing import request_to
from tests.support.stations import COUNCIL, POLICE, START, FakeClock, Road, Station, settle, station

S = OutboxState


def copied(source: Path, target: Path) -> None:
    """Back up, or restore, a SQLite store that is closed."""
    shutil.copy(source, target)
    for leftover in ("-wal", "-shm"):
        target.with_name(target.name + leftover).unlink(missing_ok=True)


async def _talk(council: Station, police: Station, *, messages: int) -> None:
    for _ in range(messages):
        await council.send(request_to(POLICE))
    await settle(council, police)


async def _restored(folder: Path, road: Road, clock: FakeClock, police: Station) -> str:
    """Two messages, a backup, three more, and the backup put back."""
    store, backup = folder / "council.sqlite", folder / "backup"
    url = f"sqlite:///{store}"
    async with station(COUNCIL, url, road=road, clock=clock) as council:
        await _talk(council, police, messages=2)
        await council.send(request_to(POLICE), release_at=START + timedelta(minutes=1))
    copied(store, backup)
    async with station(COUNCIL, url, road=road, clock=clock) as council:
        clock.pass_(minutes=2)
        await _talk(council, police, messages=3)
    copied(backup, store)
    return url


async def test_a_restored_store_is_noticed_before_it_sends(tmp_path: Path, road: Road, clock: FakeClock) -> None:
    """C44: by the anchor, at once; nothing leaves, not even what was held; what comes is still received."""
    async with station(POLICE, f"sqlite:///{tmp_path}/police.sqlite", road=road, clock=clock) as police:
        url = await _restored(tmp_path, road, clock, police)
        published = len(road.log)
        async with station(COUNCIL, url, road=road, clock=clock) as council:
            assert await council.alarm_codes() == ["store-is-older"]
            with pytest.raises(InRecovery):
                await council.send(request_to(POLICE))
            clock.pass_(days=1)
            await police.send(request_to(COUNCIL))
            await police.pump.run_once()
            published += 1
            await settle(council, police)
            assert (len(road.log), len(council.applied)) == (published, 1)
            drafts = [row["state"] for row in await council.rows(outbox_rows) if row["sort"] == "note"]
            assert drafts == [S.DRAFT.value, S.DRAFT.value]


async def test_a_restored_store_is_noticed_by_its_partners_receipts(
    tmp_path: Path, road: Road, clock: FakeClock
) -> None:
    """C44: without an anchor, a receipt that has seen more than we sent gives it away."""
    async with station(POLICE, f"sqlite:///{tmp_path}/police.sqlite", road=road, clock=clock) as police:
        url = await _restored(tmp_path, road, clock, police)
        (tmp_path / "council.sqlite.anchor").unlink()
        parcels = [parcel for parcel in road.log if parcel.sender == POLICE]
        async with station(COUNCIL, url, road=road, clock=clock) as council:
            road.parcels.extend(parcels)
            await council.fetch()
            assert "store-is-older" in await council.alarm_codes()
            with pytest.raises(InRecovery):
                await council.send(request_to(POLICE))


async def test_reconciling_ends_recovery_with_a_new_chain(tmp_path: Path, road: Road, clock: FakeClock) -> None:
    """The partner sees the restart, nothing is refused as a fork, and what was held is left to a person."""
    async with station(POLICE, f"sqlite:///{tmp_path}/police.sqlite", road=road, clock=clock) as police:
        url = await _restored(tmp_path, road, clock, police)
        (ends,) = await police.rows(pair)
        async with station(COUNCIL, url, road=road, clock=clock) as council:
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


async def test_a_partner_that_lost_messages_gets_them_again(tmp_path: Path, road: Road, clock: FakeClock) -> None:
    """The other side was restored: stored bytes are repeated, and what it still has is a duplicate."""
    url = f"sqlite:///{tmp_path}/police.sqlite"
    async with station(COUNCIL, f"sqlite:///{tmp_path}/council.sqlite", road=road, clock=clock) as council:
        async with station(POLICE, url, road=road, clock=clock) as police:
            await _talk(council, police, messages=1)
        copied(tmp_path / "police.sqlite", tmp_path / "backup")
        async with station(POLICE, url, road=road, clock=clock) as police:
            await _talk(council, police, messages=2)
        copied(tmp_path / "backup", tmp_path / "police.sqlite")
        async with station(POLICE, url, road=road, clock=clock) as police:
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
async def test_a_damaged_anchor_stops_the_adapter(
    tmp_path: Path, road: Road, clock: FakeClock, damage: bytes | None
) -> None:
    """A flipped bit in the anchor could hide a restore: fail closed, with the way back in the message."""
    url = f"sqlite:///{tmp_path}/council.sqlite"
    async with station(COUNCIL, url, road=road, clock=clock) as council:
        await council.send(request_to(POLICE))
    anchor = tmp_path / "council.sqlite.anchor"
    told = anchor.read_bytes()
    anchor.write_bytes(told.replace(b'"lease": 1', b'"lease": 0') if damage is None else damage)
    with pytest.raises(AnchorUnreadable, match="delete it"):
        async with station(COUNCIL, url, road=road, clock=clock):
            pass
    anchor.unlink()
    async with station(COUNCIL, url, road=road, clock=clock) as council:
        assert await council.alarm_codes() == []
