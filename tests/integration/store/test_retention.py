"""Retention over the whole adapter: dates from the matters, erasure by key, and nothing to be read from the disk."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.kit.delivery.outbox import thread_key
from adapters.kit.running.retention import Matter, Retention, RetentionSchedule
from adapters.kit.store import erasure
from adapters.kit.store.engine import store_url
from adapters.kit.store.errors import ContentErased, StoreUnavailable
from adapters.kit.store.filing import Erased, read
from adapters.kit.store.store import Store
from adapters.kit.store.tables import envelope, outbox_rows, record_key
from adapters.kit.store.transaction import Transaction
from schemas.content.base import Content
from tests.integration.store.conftest import NewStore
from tests.support.fake_sealing import request_to
from tests.support.stations import COUNCIL, KEY, POLICE, START, FakeClock, Road, Station, settle, station

DAYS = RetentionSchedule(enquiry=30, request=10, ledger=60, command=15)


class Note(Content):
    """Something that is kept."""

    text: str


async def raw_bytes(url: str) -> bytes:
    """Return every byte of the files that hold the data keys: SQLite's three, PostgreSQL's table and its index."""
    parsed = store_url(url)
    if parsed.get_backend_name() == "sqlite":
        path = Path(parsed.database or "")
        return b"".join(file.read_bytes() for file in path.parent.iterdir() if file.name.startswith(path.name))
    engine = create_async_engine(parsed)
    names = ("record_key", "pk_record_key", "ix_record_key_erase_at")
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("CHECKPOINT"))
        reading = text("SELECT pg_read_binary_file(pg_relation_filepath(:name))")
        found = [(await connection.execute(reading, {"name": name})).scalar_one() for name in names]
    await engine.dispose()
    return b"".join(bytes(one) for one in found)


@asynccontextmanager
async def conversation(new_store: NewStore, road: Road, clock: FakeClock) -> AsyncIterator[tuple[str, Station, str]]:
    """A question asked and opened, with a document about it in the same group; gives address, asker and group."""
    url = await new_store()
    async with (
        station(COUNCIL, url, road=road, clock=clock) as council,
        station(POLICE, await new_store(), road=road, clock=clock) as police,
    ):
        outgoing = request_to(POLICE)
        await council.send(outgoing)
        await settle(council, police)
        group = thread_key(outgoing.thread)
        async with council.store.transaction() as tx:
            note = Note(text="Ashgrove-Test").model_dump_json().encode()
            await tx.put("note", "N-1", note, expect_version=None, group=group)
        yield url, council, group


def kept(store: Store, *matters: Matter) -> Retention:
    """Give the retention of a store with these matters."""

    async def find(_: Transaction) -> tuple[Matter, ...]:
        return matters

    return Retention(store, DAYS, (find,))


async def key_of(one: Station, group: str) -> dict[str, object]:
    """Give the row of a group's key."""
    (row,) = [row for row in await one.rows(record_key) if row["key_id"] == group]
    return row


async def test_closed_matters_are_erased_in_their_time_and_cannot_be_read_from_the_disk(
    new_store: NewStore, road: Road, clock: FakeClock
) -> None:
    """REC-07: a day before nothing; then the key's bytes are in no file, and proof, receipts and ledger remain."""
    async with conversation(new_store, road, clock) as (url, council, group):
        retention = kept(council.store, Matter("enquiry", START, (group,)))
        wrapped = (await key_of(council, group))["wrapped"]
        assert isinstance(wrapped, bytes)
        clock.pass_(days=29)
        assert (await retention.run_once()).erased == ()
        assert wrapped in await raw_bytes(url)

        clock.pass_(days=1)
        assert (await retention.run_once()).erased == (group,)

        assert wrapped not in await raw_bytes(url)
        async with council.store.snapshot() as view:
            with pytest.raises(ContentErased):
                await view.get("note", "N-1")
            with pytest.raises(Erased):
                await read(view, Note, "note", "N-1")
            assert await view.list("note") == []
            events = [entry.event for entry in await view.ledger_entries()]
        assert events.count("content.erased") == 1
        assert {row["way"] for row in await council.rows(envelope) if row["whole"]} == {"in"}  # receipts, and no more
        assert {row["state"] for row in await council.rows(outbox_rows)} >= {"OPENED"}
        assert (await council.store.verify_ledger()).broken_at is None


async def test_the_search_of_the_disk_would_find_a_key(new_store: NewStore, road: Road, clock: FakeClock) -> None:
    """The test above would notice: after an erasure without scrubbing, the bytes are still in the log or the table."""
    async with conversation(new_store, road, clock) as (url, council, group):
        wrapped = (await key_of(council, group))["wrapped"]
        assert isinstance(wrapped, bytes)
        async with council.store.transaction() as tx:
            await tx.erase(group)
        assert wrapped in await raw_bytes(url)


async def test_an_open_matter_has_no_date_and_a_reopened_one_loses_it(
    new_store: NewStore, road: Road, clock: FakeClock
) -> None:
    """A date follows from the matter alone: a supplement moves it, an open correction takes it away."""
    async with conversation(new_store, road, clock) as (_, council, group):
        dates = []
        for closed_at in (None, START, START + timedelta(days=5), None):
            await kept(council.store, Matter("request", closed_at, (group, "thread/none"))).plan()
            dates.append((await key_of(council, group))["erase_at"])
        assert dates == [None, START + timedelta(days=10), START + timedelta(days=15), None]


async def test_what_is_unconfirmed_is_kept_and_holds_nothing_else_up(
    new_store: NewStore, road: Road, clock: FakeClock
) -> None:
    """Nothing unconfirmed is ever deleted; more of it than one batch does not keep the rest from being erased."""
    async with station(COUNCIL, await new_store(), road=road, clock=clock) as council:
        waiting = [request_to(POLICE) for _ in range(3)]
        for outgoing in waiting:
            await council.send(outgoing)
        async with council.store.transaction() as tx:
            await tx.put("note", "N-1", b"{}", expect_version=None, group="note/1")
        clock.pass_(days=3)
        groups = tuple(thread_key(outgoing.thread) for outgoing in waiting)
        matters = [Matter("request", START - timedelta(days=20), groups), Matter("request", START, ("note/1",))]
        clock.pass_(days=10)
        done = await kept(council.store, *matters).run_once()
        assert (done.erased, sorted(done.kept_back)) == (("note/1",), sorted(groups))
        assert {row["whole"] for row in await council.rows(envelope)} == {1}
        assert await council.alarm_codes() == ["erasure-held"] * 3
        async with council.store.snapshot() as view:
            (standing,) = [one for one in await erasure.standing(view) if one.retention == "enquiry"]
        assert (standing.overdue, standing.erased) == (3, 1)


async def test_answers_to_commands_and_details_of_the_ledger_go_by_their_age(
    new_store: NewStore, road: Road, clock: FakeClock
) -> None:
    """The entry stays and the chain holds; what it was about is gone. A shorter schedule applies to what is old."""
    async with station(COUNCIL, await new_store(), road=road, clock=clock) as council:

        async def work(tx: Transaction) -> bytes:
            return b"done"

        await council.store.command("key-1", request=b"x", work=work)
        async with council.store.transaction() as tx:
            number = await tx.record("decision", refs={}, detail=b"what was decided")
        retention = kept(council.store)
        await retention.plan()
        assert {(row["retention"], row["erase_at"]) for row in await council.rows(record_key)} == {
            ("command", START + timedelta(days=15)),
            ("ledger", START + timedelta(days=60)),
        }
        clock.pass_(days=61)
        assert len((await retention.run_once()).erased) == 2
        async with council.store.snapshot() as view:
            with pytest.raises(ContentErased):
                await view.ledger_detail(number)
        assert (await council.store.verify_ledger()).broken_at is None


async def test_an_erasure_whose_bytes_are_still_read_is_not_called_done(tmp_path: Path, clock: FakeClock) -> None:
    """A reader holds SQLite's log: the chore says that the store is busy, and takes the bytes off at its next run."""
    url = f"sqlite:///{tmp_path}/store.sqlite"
    async with Store.open(url, participant=COUNCIL, store_key=KEY, clock=clock) as store:
        async with store.transaction() as tx:
            await tx.put("note", "N-1", b"{}", expect_version=None, group="note/1")
        retention = kept(store, Matter("request", START - timedelta(days=11), ("note/1",)))
        async with store.snapshot() as view:
            row = await view.find(record_key, record_key.c.key_id == "note/1")
            assert row is not None
            with pytest.raises(StoreUnavailable):
                await retention.run_once()
        assert row["wrapped"] in await raw_bytes(url)
        assert (await retention.run_once()).erased == ()
        assert row["wrapped"] not in await raw_bytes(url)
        async with store.snapshot() as view:
            rows = await view.select(record_key, select(record_key))
        assert [one["wrapped"] for one in rows] == [None]
