"""The ledger on both databases: what it keeps, and every way of tampering with it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.kit.envelope.sealing import Event
from broker.ledger.chain import link_hash
from broker.ledger.engine import LedgerUnavailable, NoLedger
from broker.ledger.engine import ledger_url as read_url
from broker.ledger.ledger import Ledger
from broker.ledger.tables import stubs
from broker.verify import VerifiedStub
from tests.support.parties import NOW
from tests.unit.watch.traffic import LA, POLICE, Post


async def fill(ledger: Ledger, post: Post, *, entries: int = 3) -> list[VerifiedStub]:
    written = [post.verified(LA, POLICE, Event.REQUEST, thread=f"thread-{number}") for number in range(entries)]
    for stub in written:
        await ledger.append(stub, ingress_owner=LA, directory=post.directory, received_at=NOW)
    return written


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Ledger]:
    async with Ledger.opened(ledger_url, now=NOW) as opened:
        yield opened


async def tamper(url: str, *statements: str, values: Sequence[dict[str, Any]] = ()) -> None:
    """Do what only somebody with the database's own rights can do: take the guards off and write."""
    engine = create_async_engine(read_url(url))
    sqlite = engine.dialect.name == "sqlite"
    guards = ["DROP TRIGGER stub_ledger_UPDATE", "DROP TRIGGER stub_ledger_DELETE"] if sqlite else []
    guards += [] if sqlite else ["DROP TRIGGER stub_ledger_guard ON stub_ledger"]
    try:
        async with engine.begin() as connection:
            for guard in guards:
                await connection.execute(text(guard))
            for number, statement in enumerate(statements):
                await connection.execute(text(statement), values[number] if values else {})
    finally:
        await engine.dispose()


async def test_a_ledger_that_nobody_touched_verifies_with_every_stub(ledger: Ledger) -> None:
    """Every link, every signature, and the directory that they were verified by."""
    post = Post()
    await fill(ledger, post)
    check = await ledger.verify()
    assert (check.entries, check.fault) == (3, None)
    assert check.hash == (await ledger.head()).hash
    assert [version for version, _ in check.directories] == [1]


async def test_a_stub_that_comes_again_is_one_entry(ledger: Ledger) -> None:
    """SEC-09: a redelivery and a replay are recognised by the hash of the stub."""
    post = Post()
    (stub,) = await fill(ledger, post, entries=1)
    assert await ledger.append(stub, ingress_owner=LA, directory=post.directory, received_at=NOW) is None
    assert (await ledger.head()).entries == 1


async def test_two_writers_keep_one_chain(ledger: Ledger, ledger_url: str) -> None:
    """Two processes on one ledger follow one another."""
    post = Post()
    stubs_of = [post.verified(LA, POLICE, Event.REQUEST, thread=f"thread-{number}") for number in range(12)]
    async with Ledger.opened(ledger_url, now=NOW) as second:
        await asyncio.gather(
            *(
                which.append(stub, ingress_owner=LA, directory=post.directory, received_at=NOW)
                for stub in stubs_of
                for which in (ledger, second)
            )
        )
    check = await ledger.verify()
    assert (check.entries, check.fault) == (12, None)


async def test_what_is_read_back_is_what_the_sender_signed(ledger: Ledger) -> None:
    """The columns repeat the stub."""
    written = await fill(ledger, Post())
    passages = await ledger.passages()
    assert [passage.stub for passage in passages] == [stub.stub for stub in written]
    assert [passage.number for passage in await ledger.passages(after=1)] == [2, 3]
    assert [passage.number for passage in await ledger.passages_of(POLICE)] == [1, 2, 3]
    assert await ledger.passages_of("testford-health") == []


ATTACKS = {
    "an entry taken out of the middle": ("L1", 2, "DELETE FROM stub_ledger WHERE number = 2"),
    "an entry put under another number": ("L1", 2, "UPDATE stub_ledger SET number = 9 WHERE number = 2"),
    "an entry cut loose from the one before it": (
        "L2",
        2,
        "UPDATE stub_ledger SET previous = (SELECT hash FROM stub_ledger WHERE number = 3) WHERE number = 2",
    ),
    "a time moved by a second": ("L3", 2, "UPDATE stub_ledger SET received_at = received_at + 1 WHERE number = 2"),
    "another exchange's name": ("L3", 2, "UPDATE stub_ledger SET ingress_owner = 'testford-health' WHERE number = 2"),
    "the bytes of another stub": (
        "L3",
        2,
        "UPDATE stub_ledger SET stub = (SELECT stub FROM stub_ledger WHERE number = 3) WHERE number = 2",
    ),
    "a directory taken away": ("L4", 1, "DELETE FROM ledger_directory"),
    "keys put into a directory under its old name": (
        "L4",
        1,
        "UPDATE ledger_directory SET body = (SELECT stub FROM stub_ledger WHERE number = 1)",
    ),
    "a stub known by another hash": (
        "L6",
        2,
        "UPDATE stub_ledger SET stub_hash = previous WHERE number = 2",
    ),
    "a recipient changed in the column alone": (
        "L7",
        2,
        "UPDATE stub_ledger SET recipient = 'testford-health' WHERE number = 2",
    ),
    "a rating changed in the column alone": (
        "L7",
        2,
        "UPDATE stub_ledger SET service_class = 'green' WHERE number = 2",
    ),
    "the end cut off": ("L8", 3, "DELETE FROM stub_ledger WHERE number = 3"),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_whoever_writes_into_the_database_is_named_with_the_first_broken_entry(
    ledger: Ledger, ledger_url: str, attack: str
) -> None:
    """Each way of tampering has its number."""
    code, number, statement = ATTACKS[attack]
    await fill(ledger, Post())
    await tamper(ledger_url, statement)
    fault = (await ledger.verify()).fault
    assert fault is not None
    assert (fault.code, fault.number) == (code, number)


async def test_a_hub_that_makes_the_chain_anew_cannot_make_up_a_stub(ledger: Ledger, ledger_url: str) -> None:
    """M1: hashes can be computed by anybody, a signature only by the agency."""
    (genuine, *_) = await fill(ledger, Post(), entries=1)
    async with ledger.reading() as connection:
        row = dict((await connection.execute(stubs.select())).mappings().one())
    row["stub"] = genuine.frame.stub.replace(b'"cls":"amber"', b'"cls":"green"')
    forged = {"stub": row["stub"], "hash": link_hash(row), "class": "green"}
    await tamper(
        ledger_url,
        "UPDATE stub_ledger SET stub = :stub, hash = :hash, service_class = :class",
        "UPDATE ledger_head SET hash = :hash",
        values=[forged, {"hash": forged["hash"]}],
    )
    fault = (await ledger.verify()).fault
    assert fault is not None
    assert (fault.code, fault.number) == ("L5", 1)


@pytest.mark.parametrize("statement", ["UPDATE stub_ledger SET t = 0", "DELETE FROM stub_ledger"])
async def test_a_mistaken_statement_changes_nothing(ledger: Ledger, ledger_url: str, statement: str) -> None:
    """The table refuses what is no insertion."""
    await fill(ledger, Post(), entries=1)
    engine = create_async_engine(read_url(ledger_url))
    try:
        with pytest.raises(DBAPIError, match="append-only"):
            async with engine.begin() as connection:
                await connection.execute(text(statement))
    finally:
        await engine.dispose()
    assert (await ledger.verify()).fault is None


async def test_a_ledger_verifies_without_the_directory_of_today(ledger: Ledger, ledger_url: str) -> None:
    """The keys of the day are kept in it, so evidence outlives rotation, suspension and the hub's own directory."""
    await fill(ledger, Post())
    async with Ledger.opened(ledger_url, now=None) as elsewhere:
        assert (await elsewhere.verify()).fault is None


async def test_a_ledger_that_is_not_there_is_no_whole_ledger(tmp_path: Path) -> None:
    """An empty ledger verifies: whoever asks about a wrong path must not hear that all is well."""
    with pytest.raises(NoLedger):
        async with Ledger.opened(str(tmp_path / "elsewhere.sqlite"), now=None):
            pass
    assert not (tmp_path / "elsewhere.sqlite").exists()


async def test_a_database_that_is_away_is_the_worlds_fault() -> None:
    """A port where nothing listens."""
    with pytest.raises(LedgerUnavailable):
        async with Ledger.opened("postgresql://nobody@127.0.0.1:1/ledger", now=NOW):
            pass


async def test_a_ledger_is_opened_again_where_it_was_left(ledger_url: str) -> None:
    """Restart: the beginning stays the beginning, and the chain goes on."""
    post = Post()
    async with Ledger.opened(ledger_url, now=NOW) as first:
        await fill(first, post, entries=2)
    async with Ledger.opened(ledger_url, now=NOW + timedelta(days=1)) as second:
        await fill(second, post, entries=2)
        check = await second.verify()
    assert (check.entries, check.fault) == (4, None)
    assert second.began_at == NOW
