"""Bad days of a store: found before use, said in plain words, nothing half done, and the way back works."""

import asyncio
import random
import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from adapters.kit.store.errors import (
    ClockWentBack,
    LeaseLost,
    StoreError,
    StoreFault,
    StoreInUse,
    StoreUnavailable,
    WrongParticipant,
    WrongStoreKey,
)
from adapters.kit.store.recovery import AnchorUnreadable
from adapters.kit.store.store import Store
from adapters.kit.store.tables import METADATA, store_meta
from deploy.local.postgres import LocalPostgres
from tests.integration.store.conftest import NewStore
from tests.support.fake_sealing import request_to
from tests.support.postgres import fresh_database
from tests.support.stations import COUNCIL, KEY, POLICE, FakeClock, Road, settle, station


async def _open(url: str, clock: FakeClock, *, key: bytes = KEY, participant: str = COUNCIL, by: str = "") -> None:
    opening = Store.open(url, participant=participant, store_key=key, clock=clock, clock_accepted_by=by)
    async with opening as store, store.transaction() as tx:
        await tx.record("opened", refs={})


async def test_two_adapters_on_one_store_are_one_too_many(new_store: NewStore, clock: FakeClock) -> None:
    """Started twice by mistake: the second says so and touches nothing; after the first it may."""
    url = await new_store()
    async with Store.open(url, participant=COUNCIL, store_key=KEY, clock=clock):
        with pytest.raises(StoreInUse, match="Another adapter is running on this store"):
            await _open(url, clock)
    await _open(url, clock)


async def test_a_command_may_work_beside_the_adapter(new_store: NewStore, clock: FakeClock) -> None:
    """`exclusive=False` takes turns with the adapter and does not end its lease."""
    url = await new_store()
    async with Store.open(url, participant=COUNCIL, store_key=KEY, clock=clock) as adapter:
        opening = Store.open(url, participant=COUNCIL, store_key=KEY, clock=clock, exclusive=False)
        async with opening as visitor:
            for store in (visitor, adapter, visitor, adapter):
                async with store.transaction() as tx:
                    await tx.record("turn", refs={})
        assert (await adapter.verify_ledger()).entries == 4


async def test_an_adapter_that_lost_its_lease_writes_nothing_more(new_store: NewStore, clock: FakeClock) -> None:
    """Fencing: a process that slept through its own replacement finds out at its next transaction."""
    async with Store.open(await new_store(), participant=COUNCIL, store_key=KEY, clock=clock) as store:
        async with store.transaction() as tx:
            tx.meta.update(await tx.change(store_meta, tx.meta, lease=tx.meta["lease"] + 1))
        with pytest.raises(LeaseLost):
            async with store.transaction():
                pass


async def test_the_wrong_key_opens_nothing(new_store: NewStore, clock: FakeClock) -> None:
    """M14: the disk without its key, or with another adapter's."""
    url = await new_store()
    await _open(url, clock)
    for wrong in (bytes(32), KEY[:31]):
        with pytest.raises(WrongStoreKey):
            await _open(url, clock, key=wrong)
    with pytest.raises(WrongParticipant):
        await _open(url, clock, participant=POLICE)


async def test_a_clock_a_day_behind_stops_the_adapter(new_store: NewStore, clock: FakeClock) -> None:
    """Timers, expiry and keys all hang on the clock: fail closed, and a named user may say that it is right now."""
    url = await new_store()
    async with Store.open(url, participant=COUNCIL, store_key=KEY, clock=clock) as store:
        async with store.transaction() as tx:
            await tx.record("before", refs={})
        clock.pass_(days=-1)
        with pytest.raises(ClockWentBack):
            async with store.transaction():
                pass
    with pytest.raises(ClockWentBack, match="behind what the store has already seen"):
        await _open(url, clock)
    await _open(url, clock, by="user-1")
    await _open(url, clock)


async def test_a_small_step_back_is_borne_and_time_does_not_run_backwards(
    new_store: NewStore, clock: FakeClock
) -> None:
    """A time server corrects by seconds all day."""
    async with Store.open(await new_store(), participant=COUNCIL, store_key=KEY, clock=clock) as store:
        async with store.transaction() as tx:
            before = tx.now
        clock.pass_(seconds=-30)
        async with store.transaction() as tx:
            assert tx.now == before
        clock.pass_(seconds=31)
        async with store.transaction() as tx:
            assert tx.now == before + timedelta(seconds=1)


async def test_a_full_disk_loses_nothing_and_passes(tmp_path: Path, road: Road, clock: FakeClock) -> None:
    """The database refuses to grow: nothing half stored, the message comes again, and with space all is well."""
    async with (
        station(COUNCIL, f"sqlite:///{tmp_path}/council.sqlite", road=road, clock=clock) as council,
        station(POLICE, f"sqlite:///{tmp_path}/police.sqlite", road=road, clock=clock) as police,
    ):
        ref = await council.send(request_to(POLICE, b"x" * 50_000))
        await council.pump.run_once()
        async with police.store._engine.connect() as connection:
            pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
            await connection.execute(text(f"PRAGMA max_page_count={pages}"))
            parcels = list(road.parcels)
            police.store.policy.__dict__["patience_with_database"] = timedelta(0)
            with pytest.raises(StoreUnavailable):
                await police.fetch()
            await connection.execute(text("PRAGMA max_page_count=1073741823"))
        assert (police.applied, road.parcels) == ([], type(road.parcels)())
        road.parcels.extend(parcels)
        await settle(council, police)
        assert (len(police.applied), (await council.look(ref.ref)).state.value) == (1, "OPENED")


async def test_a_locked_database_is_unavailable_and_not_broken(tmp_path: Path, clock: FakeClock) -> None:
    """Some other program holds the file: said, and it passes."""
    path = tmp_path / "store.sqlite"
    async with Store.open(f"sqlite:///{path}", participant=COUNCIL, store_key=KEY, clock=clock) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            async with store.transaction():
                pass
        other.execute("ROLLBACK")
        other.close()
        async with store.transaction() as tx:
            await tx.record("again", refs={})


async def test_a_database_that_goes_away_is_unavailable_until_it_is_back(
    postgres: LocalPostgres, clock: FakeClock
) -> None:
    """Every connection is cut: the transaction fails whole, the next one works, the lease is noticed to be gone."""
    async with fresh_database(postgres) as url:
        opening = Store.open(url, participant=COUNCIL, store_key=KEY, clock=clock)
        async with opening as store:
            async with store.transaction() as tx:
                await tx.record("before", refs={})
            await _cut_connections(postgres, url)
            with pytest.raises(StoreUnavailable):
                async with store.transaction() as tx:
                    await tx.record("during", refs={})
            async with store.transaction() as tx:
                await tx.record("after", refs={})
            assert (await store.verify_ledger()).entries == 2


async def _cut_connections(server: LocalPostgres, url: str) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(server.url())
    async with engine.connect() as connection:
        await connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
            {"name": url.rsplit("/", 1)[1]},
        )
    await engine.dispose()


# What opening changes, and what nothing is decided by.
_IRRELEVANT = {"store_meta": ("latest", "lease", "guard"), "field_epoch": ("made_at",)}


async def _contents(url: str, clock: FakeClock) -> list[object]:
    """Read every guarded row, every document and the ledger, as an adapter would over time."""
    async with Store.open(url, participant=COUNCIL, store_key=KEY, clock=clock) as store:
        found: list[object] = [await store.verify_ledger()]
        async with store.snapshot() as view:
            for table in METADATA.sorted_tables:
                rows = await view.select(table, table.select())
                hidden = _IRRELEVANT.get(table.name, ())
                found += [{name: value for name, value in row.items() if name not in hidden} for row in rows]
            found += [document.plain for document in await view.list("enquiry")]
        return found


async def test_a_flipped_bit_is_found_before_it_is_used(tmp_path: Path, road: Road, clock: FakeClock) -> None:
    """Anywhere in the file: either the store says so, or what is read is what was written."""
    path = tmp_path / "store.sqlite"
    async with station(COUNCIL, f"sqlite:///{path}", road=road, clock=clock) as council:
        for number in range(3):
            await council.send(request_to(POLICE))
            async with council.store.transaction() as tx:
                await tx.put("enquiry", f"E-{number}", b"text %d" % number, expect_version=None)
        await council.pump.run_once()
        await council.store.scrub()
    whole = path.read_bytes()
    expected = await _contents(f"sqlite:///{path}", clock)
    chance = random.Random(5)  # noqa: S311 - the same places at every run
    found, silent = 0, 0
    written = [at for at, byte in enumerate(whole) if byte]
    for number in range(40):
        copy = tmp_path / f"copy-{number}.sqlite"
        at = chance.choice(written)
        copy.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << chance.randrange(8))]) + whole[at + 1 :])
        try:
            unharmed = await _contents(f"sqlite:///{copy}", clock) == expected
        except (StoreError, LookupError, UnicodeDecodeError, ValueError):
            found += 1
            continue
        silent += not unharmed
    assert (silent, found > 10) == (0, True)


async def test_a_log_that_lost_its_end_is_found_by_the_anchor(tmp_path: Path, road: Road, clock: FakeClock) -> None:
    """SQLite drops a damaged end of its write-ahead log in silence; the anchor remembers that there was more."""
    path = tmp_path / "store.sqlite"
    async with station(COUNCIL, f"sqlite:///{path}", road=road, clock=clock) as council:
        await council.send(request_to(POLICE))
        await council.store._note_anchor(at_once=True)
        copies = [(path.with_name(path.name + end), tmp_path / f"copy.sqlite{end}") for end in ("", "-wal", ".anchor")]
        for source, target in copies:
            await asyncio.to_thread(shutil.copy, source, target)
    log = tmp_path / "copy.sqlite-wal"
    raw = bytearray(log.read_bytes())
    raw[-2000] ^= 1
    log.write_bytes(raw)
    async with station(COUNCIL, f"sqlite:///{tmp_path}/copy.sqlite", road=road, clock=clock) as council:
        assert "store-is-older" in await council.alarm_codes()


@pytest.mark.parametrize("damage", [b"this is no database at all" * 100, b""])
async def test_a_file_that_is_no_store_is_not_used(tmp_path: Path, clock: FakeClock, damage: bytes) -> None:
    """An overwritten file is damage; an emptied one is a store that once was more (by its anchor)."""
    path = tmp_path / "store.sqlite"
    await _open(f"sqlite:///{path}", clock)
    path.write_bytes(damage)
    with pytest.raises((StoreFault, AnchorUnreadable)):
        await _open(f"sqlite:///{path}", clock)
