"""The runbook with the store on a real PostgreSQL: each situation is made, its words are seen, its page leads back."""

import asyncio
import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep

import asyncpg  # type: ignore[import-untyped]  # ships no types
import pytest

from adapters.kit.store.engine import _ADVISORY
from adapters.kit.store.errors import InRecovery
from deploy.demo.agencies import COUNCIL, MANAGER
from deploy.local.postgres import LocalPostgres
from deploy.local.postgres import postgres as own_postgres
from deploy.local.process import free_ports
from tests.faults.homes import TO_DO, TO_KNOW, Home, ask, copied, make_area, reconcile_by_telephone, sees, sql
from tests.support.program import with_clock

pytestmark = pytest.mark.postgres
FULL_DISK = (
    "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
    "'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$",
    "CREATE TRIGGER full_disk BEFORE INSERT ON ledger EXECUTE FUNCTION full_disk()",
)


@contextmanager
def database(server: LocalPostgres, *, like: str = "template0") -> Iterator[str]:
    """Make a database, gone with everybody in it at the end; gives its name."""
    name = f"runbook_{secrets.token_hex(6)}"
    sql(server.url(), f"CREATE DATABASE {name} TEMPLATE {like}")
    try:
        yield name
    finally:
        sql(server.url(), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def used(postgres: LocalPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """An area that has been used, and the name of its council's database."""
    with database(postgres) as name:
        yield make_area(tmp_path_factory.mktemp("runbook-postgres"), database=postgres.url(name)), name


@pytest.fixture
def home(used: tuple[Path, str], postgres: LocalPostgres, tmp_path: Path) -> Iterator[Home]:
    """The council's home, with a copy of the database of its own, and its backup by pg_dump."""
    area, name = used
    with database(postgres, like=name) as copy:
        yield copied(area, tmp_path, database=postgres.url(copy))


@contextmanager
def held(url: str, *statements: str) -> Iterator[None]:
    """Let somebody else's session run statements and keep what they took, for the block."""
    taken: Future[None] = Future()
    enough = threading.Event()

    async def hold() -> None:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        for statement in statements:
            await connection.execute(statement)
        taken.set_result(None)
        await asyncio.to_thread(enough.wait)
        await connection.close()

    other = threading.Thread(target=asyncio.run, args=(hold(),))
    other.start()
    try:
        taken.result(timeout=60)
        yield
    finally:
        enough.set()
        other.join()


def whole(home: Home, page: str) -> bool:
    """Follow a page to its end and say whether the store is then whole."""
    return "is whole" in " ".join(said.out for said in home.run_page(page))


def test_a_database_that_is_not_there_is_waited_for(home: Home) -> None:
    """database-unavailable: nobody listens at its address; with the server back the page's check passes."""
    there, (nobody,) = home.database, free_ports(1)
    port = there.rpartition(":")[2].partition("/")[0]
    home.use_database(there.replace(f":{port}/", f":{nobody}/"))
    for command in (("store", "check"), ("run", "--once"), ("enquiry", "list")):
        sees(home, "database-unavailable", *command)
    home.use_database(there)
    assert whole(home, "database-unavailable")


def test_a_locked_database_is_said_and_passes(home: Home) -> None:
    """database-unavailable: somebody's open transaction holds the store; with it gone the page's check passes."""
    with held(home.database, "BEGIN", "LOCK TABLE store_meta IN ACCESS EXCLUSIVE MODE"):
        sees(home, "database-unavailable", "store", "check")
    assert whole(home, "database-unavailable")


def test_a_full_disk_refuses_a_command_whole_and_with_space_it_works(home: Home) -> None:
    """database-unavailable: what was refused has changed nothing, and is simply repeated."""
    rerate = ("enquiry", "rerate", "ENQ-1", "RED", "--rationale", "worse")
    before = sql(home.database, "SELECT count(*) FROM ledger", "SELECT ledger_count FROM store_meta")
    sql(home.database, *FULL_DISK)
    sees(home, "database-unavailable", *rerate)
    sql(home.database, "DROP TRIGGER full_disk ON ledger")
    assert sql(home.database, "SELECT ledger_count FROM store_meta") == before
    assert whole(home, "database-unavailable")
    assert home.mash(*rerate).code == 0


def test_a_second_adapter_is_stopped(home: Home) -> None:
    """store-in-use: the database's lock is held; nothing is touched, and with the other one gone the adapter runs."""
    before = sql(home.database, "SELECT lease FROM store_meta")
    with held(home.database, f"SELECT pg_advisory_lock({_ADVISORY})"):
        sees(home, "store-in-use", "run", "--once")
        assert sql(home.database, "SELECT lease FROM store_meta") == before
    assert whole(home, "store-in-use")


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE outbox SET thread = overlay(thread placing 'x' from 1)",
        "UPDATE ledger SET hash = set_byte(hash, 0, get_byte(hash, 0) # 1) WHERE number = 1",
        "UPDATE store_meta SET ledger_head = set_byte(ledger_head, 0, get_byte(ledger_head, 0) # 1)",
    ],
    ids=["row", "ledger", "head"],
)
def test_a_damaged_database_is_restored_from_the_dump_and_reconciled(
    home: Home, postgres: LocalPostgres, harm: str
) -> None:
    """store-damaged, then older-backup: the dump goes into a new database, is noticed to be older, and sends again."""
    ask(home.path.parent, "ENQ-2")
    sql(home.database, harm)
    sees(home, "store-damaged", "store", "check")
    with database(postgres) as restored:
        sql(postgres.url(), f"DROP DATABASE {restored}")
        home.words["RESTORED"] = restored
        home.run_page("store-damaged", TO_DO, leave_out=("store.db", "store.anchor"))
        home.use_database(postgres.url(restored))
        assert "IN RECOVERY" in home.run_page("store-damaged", TO_KNOW)[-1].out
        refused = home.mash("enquiry", "rerate", "ENQ-1", "RED", "--rationale", "worse")
        assert " ".join((InRecovery.__doc__ or "").split()) in refused.err
        reconcile_by_telephone(home)


def test_a_clock_that_ran_ahead_is_accepted_by_a_named_user(home: Home) -> None:
    """clock-went-back: the store has seen tomorrow."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert with_clock(tomorrow, "store", "set-up", home=home.path, user=MANAGER).code == 0
    for command in (("store", "check"), ("run", "--once"), ("enquiry", "rerate", "ENQ-1", "RED", "--rationale", "x")):
        sees(home, "clock-went-back", *command)
    assert whole(home, "clock-went-back")


def test_a_store_of_a_newer_program_waits_for_that_program(home: Home) -> None:
    """other-version: not touched; with the newer program back (here: the number), all is as it was."""
    sql(home.database, "UPDATE alembic_version SET version_num = '9' || version_num")
    sees(home, "other-version", "run", "--once")
    sql(home.database, "UPDATE alembic_version SET version_num = substr(version_num, 2)")
    assert whole(home, "other-version")


def test_an_empty_database_is_no_store_and_is_not_taken_for_the_one_that_was(
    home: Home, postgres: LocalPostgres
) -> None:
    """not-set-up: the danger is a wrong name in adapter.toml; the anchor beside the keys remembers that there was more.

    The page says to find the one that was: with it named again, all is well.
    """
    there = home.database
    with database(postgres) as empty:
        home.use_database(postgres.url(empty))
        sees(home, "not-set-up", "inbox", "list")
        assert home.mash("store", "set-up").code == 1
    home.use_database(there)
    assert whole(home, "not-set-up")


def test_a_database_that_promises_nothing_is_not_used_until_it_does(home: Home, tmp_path: Path) -> None:
    """not-durable: a server without fsync, of this test's own; the page's own statements bring it back."""
    with own_postgres() as server:
        area = make_area(tmp_path / "own", database=server.url())
        own = replace(home, path=area / COUNCIL, database=server.url())
        sql(server.url(), "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        _until(server, "fsync", "off")
        for command in (("store", "check"), ("run", "--once")):
            sees(own, "not-durable", *command)
        own.run_page("not-durable", TO_DO)
        _until(server, "fsync", "on")
        assert "is whole" in own.run_page("not-durable", TO_KNOW)[-1].out


def _until(server: LocalPostgres, setting: str, value: str) -> None:
    """Wait until the server has read its settings."""
    while [tuple(row) for row in sql(server.url(), f"SHOW {setting}")] != [(value,)]:
        sleep(0.05)
