"""What lies on the disk: nothing readable, erased content gone, the schema the one that was migrated."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.kit.delivery.outbox import thread_key
from adapters.kit.store import migrating
from adapters.kit.store.engine import make_engine, store_url
from adapters.kit.store.errors import ContentErased, NewerStore, NotSetUp, NotYetSettled
from adapters.kit.store.ledger import LedgerCheck
from adapters.kit.store.migrating import bring_up_to_date
from adapters.kit.store.store import Store
from adapters.kit.store.tables import METADATA, envelope, inbox_rows, outbox_rows, record_key
from adapters.kit.store.transaction import Transaction
from tests.integration.store.conftest import NewStore
from tests.support.fake_sealing import request_to
from tests.support.parties import make_directory, make_party
from tests.support.stations import COUNCIL, KEY, POLICE, START, FakeClock, Road, Station, settle, station

CANARY = b"CANARY-Ashgrove-Test-9990001111"


async def _everything_stored(url: str) -> bytes:
    """Return every byte that the database holds: the files of SQLite, every column of PostgreSQL."""
    parsed = store_url(url)
    if parsed.get_backend_name() == "sqlite":
        path = Path(parsed.database or "")
        return b"".join(file.read_bytes() for file in path.parent.iterdir() if file.name.startswith(path.name))
    engine = create_async_engine(parsed)
    async with engine.connect() as connection:
        rows = [
            f"{row}".encode() + b"".join(bytes(value) for value in row if isinstance(value, bytes))
            for table in METADATA.sorted_tables
            for row in await connection.execute(text(f"SELECT * FROM {table.name}"))  # noqa: S608 - names of our tables
        ]
    await engine.dispose()
    return b"".join(rows)


async def _use_every_table(url: str, clock: FakeClock, road: Road) -> None:
    """Put the canary wherever content may go, with real sealing."""
    from adapters.kit.envelope.envelopes import KeyedEnvelopes

    council, police = make_party(COUNCIL), make_party(POLICE, kind="police")
    directory = make_directory(council, police)
    seals = KeyedEnvelopes(COUNCIL, council.sender, lambda now: council.recipient(now=now), lambda: directory)
    async with station(COUNCIL, url, road=road, clock=clock, envelopes=seals) as one:
        await one.send(request_to(POLICE, CANARY))
        await one.send(request_to(POLICE, CANARY), release_at=START + timedelta(hours=1))

        async def work(tx: Transaction) -> bytes:
            await tx.put("enquiry", "E-1", CANARY, expect_version=None)
            await tx.record("shared", refs={"key": "E-1"}, detail=CANARY)
            return CANARY

        await one.store.command("key-1", request=CANARY, work=work)
        await one.pump.run_once()


async def test_no_plaintext_reaches_the_disk(new_store: NewStore, clock: FakeClock, road: Road) -> None:
    """I6, M14: a stolen disk or backup shows references and ciphertext."""
    url = await new_store()
    await _use_every_table(url, clock, road)
    stored = await _everything_stored(url)
    assert POLICE.encode() in stored
    for form in (CANARY, CANARY.hex().encode(), CANARY[:12]):
        assert form not in stored


async def test_the_canary_test_sees_what_is_not_sealed(new_store: NewStore, clock: FakeClock) -> None:
    """The test above would notice: the same words in a reference are found."""
    url = await new_store()
    async with Store.open(url, participant=COUNCIL, store_key=KEY, clock=clock) as store, store.transaction() as tx:
        await tx.record("x", refs={"note": CANARY.decode()})
    assert CANARY in await _everything_stored(url)


async def _whole_conversation(council: Station, police: Station) -> tuple[str, str]:
    outgoing = request_to(POLICE)
    ref = await council.send(outgoing)
    await settle(council, police)
    return ref.ref, outgoing.thread


async def test_erased_content_is_gone_and_its_proof_stays(new_store: NewStore, clock: FakeClock, road: Road) -> None:
    """REC-07: by key, verified, with stubs, receipts and ledger left as evidence without content."""
    url = await new_store()
    async with (
        station(COUNCIL, url, road=road, clock=clock) as council,
        station(POLICE, await new_store(), road=road, clock=clock) as police,
    ):
        _, thread = await _whole_conversation(council, police)
        async with council.store.transaction() as tx:
            await tx.put("answer", "A-1", CANARY, expect_version=None, group=thread_key(thread))
            await tx.erase_at(thread_key(thread), START + timedelta(days=30))
        (key,) = [row for row in await council.rows(record_key) if row["key_id"] == thread_key(thread)]
        clock.pass_(days=29)
        async with council.store.transaction() as tx:
            assert (await tx.erase_due()).erased == ()
        clock.pass_(days=2)
        async with council.store.transaction() as tx:
            assert (await tx.erase_due()).erased == (thread_key(thread),)
        await council.store.scrub()
        async with council.store.snapshot() as view:
            with pytest.raises(ContentErased):
                await view.get("answer", "A-1")
        assert Counter((row["way"], row["whole"]) for row in await council.rows(envelope)) == {
            ("out", 0): 1,
            ("in", 1): 2,
        }
        assert len(await council.rows(outbox_rows)) == 1
        assert await council.store.verify_ledger() == LedgerCheck(4, None)
    assert key["wrapped"] not in await _everything_stored(url)


async def test_a_message_that_is_repeated_after_its_erasure_gets_its_receipts_again_and_stops_nobody(
    new_store: NewStore, clock: FakeClock, road: Road
) -> None:
    """E11, REC-07: receipts are kept. The danger: a partner's late repetition, taken for a damaged store."""
    async with (
        station(COUNCIL, await new_store(), road=road, clock=clock) as council,
        station(POLICE, await new_store(), road=road, clock=clock) as police,
    ):
        _, thread = await _whole_conversation(council, police)
        again = [parcel for parcel in road.log if parcel.recipient == POLICE]
        receipts = [parcel.body for parcel in road.log if parcel.recipient == COUNCIL]
        for one in (council, police):
            async with one.store.transaction() as tx:
                await tx.put("answer", "A-1", CANARY, expect_version=None, group=thread_key(thread))
                await tx.erase(thread_key(thread))
        road.parcels.extend(again)
        await settle(council, police)
        assert [parcel.body for parcel in road.log if parcel.recipient == COUNCIL] == [*receipts, *receipts]
        assert (len(police.applied), await police.alarm_codes()) == (1, [])


async def test_erased_bytes_are_not_sent_again_to_a_partner_that_was_restored(
    new_store: NewStore, clock: FakeClock, road: Road
) -> None:
    """C44, REC-07: what is erased is gone; to ask for it must not stop the one who kept to the schedule."""
    async with (
        station(COUNCIL, await new_store(), road=road, clock=clock) as council,
        station(POLICE, await new_store(), road=road, clock=clock) as police,
    ):
        _, thread = await _whole_conversation(council, police)
        await _whole_conversation(council, police)
        async with council.store.transaction() as tx:
            await tx.erase(thread_key(thread))
        async with council.store.transaction() as tx:
            assert await tx.send_again(POLICE, first=1, last=9) == 1
        assert await council.pump.run_once() == 1


async def test_what_is_not_settled_is_never_erased(new_store: NewStore, clock: FakeClock, road: Road) -> None:
    """REC-07: an unconfirmed message outlives its schedule, and someone is told."""
    async with station(COUNCIL, await new_store(), road=road, clock=clock) as council:
        outgoing = request_to(POLICE)
        await council.send(outgoing)
        await council.pump.run_once()
        clock.pass_(days=1)
        async with council.store.transaction() as tx:
            await tx.erase_at(thread_key(outgoing.thread), START)
            assert (await tx.erase_due()).kept_back == (thread_key(outgoing.thread),)
            with pytest.raises(NotYetSettled):
                await tx.erase(thread_key(outgoing.thread))
        assert await council.alarm_codes() == ["erasure-held"]
        assert {row["whole"] for row in await council.rows(envelope)} == {1}


async def test_what_is_not_yet_applied_is_never_erased(new_store: NewStore, clock: FakeClock, road: Road) -> None:
    """The same on the way in: stored and not opened is not settled."""
    async with (
        station(COUNCIL, await new_store(), road=road, clock=clock) as council,
        station(POLICE, await new_store(), road=road, clock=clock) as police,
    ):
        outgoing = request_to(POLICE)
        await council.send(outgoing)
        await council.pump.run_once()
        await police.fetch()
        async with police.store.transaction() as tx:
            await tx.put("note", "1", b"text", expect_version=None, group=thread_key(outgoing.thread))
            with pytest.raises(NotYetSettled):
                await tx.erase(thread_key(outgoing.thread))
        assert [row["state"] for row in await police.rows(inbox_rows)] == ["STORED"]


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": False})
    return list(compare_metadata(context, METADATA))


async def test_the_migrated_schema_is_that_of_the_tables(new_store: NewStore) -> None:
    """The migrations and the tables the code uses cannot drift apart."""
    engine = make_engine(store_url(await new_store()))
    await bring_up_to_date(engine, allowed=True)
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    await engine.dispose()


def test_the_names_of_the_migrations_say_what_alembic_reads_in_them() -> None:
    """A store is known to be up to date by the files' names alone: names and contents agree, without branches."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrating.__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    oldest_first = [script.revision for script in scripts.walk_revisions()][::-1]
    assert list(migrating.known_revisions()) == oldest_first
    assert scripts.get_heads() == [migrating.known_revisions()[-1]]


async def test_a_store_of_a_newer_program_is_not_touched(new_store: NewStore, clock: FakeClock) -> None:
    """After a downgrade of the program: a plain word, and nothing changed."""
    url = await new_store()
    async with Store.open(url, participant=COUNCIL, store_key=KEY, clock=clock) as store, store.transaction() as tx:
        await tx.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerStore):
        async with Store.open(url, participant=COUNCIL, store_key=KEY, clock=clock):
            pass


async def test_a_command_beside_the_adapter_does_not_set_a_store_up(new_store: NewStore, clock: FakeClock) -> None:
    """Without the lease nothing is migrated, and what to run is said."""
    with pytest.raises(NotSetUp, match="Run `mash store set-up` once"):
        async with Store.open(await new_store(), participant=COUNCIL, store_key=KEY, clock=clock, exclusive=False):
            pass
