"""`mash-hub watch` as a process, and `mash-hub ledger` on what it kept."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from typer.testing import CliRunner, Result

from adapters.kit.envelope.sealing import Event
from broker.cli.main import build
from broker.embedded import EmbeddedHub
from broker.ledger.engine import ledger_url
from broker.ledger.ledger import Ledger
from broker.topology import Topology
from schemas.directory import Directory
from tests.support.parties import NOW, make_directory, make_party
from tests.unit.watch.traffic import HEALTH, LA, POLICE, Post

PROGRAM = [sys.executable, "-c", "from broker.cli.main import main; main()"]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def db(tmp_path: Path) -> str:
    return str(tmp_path / "ledger.sqlite")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build(arguments), arguments)


def fill(db: str, *said: tuple[str, str, Event]) -> None:
    async def work() -> None:
        post = Post()
        async with Ledger.opened(db, now=NOW) as ledger:
            for sender, recipient, event in said:
                stub = post.verified(sender, recipient, event)
                await ledger.append(stub, ingress_owner=sender, directory=post.directory, received_at=NOW)

    asyncio.run(work())


def tamper(db: str, *statements: str) -> None:
    async def work() -> None:
        engine = create_async_engine(ledger_url(db))
        async with engine.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))
        await engine.dispose()

    asyncio.run(work())


def test_an_inspector_verifies_the_ledger(db: str) -> None:
    """Whole: exit code 0, how many, the last hash, and the directories to compare."""
    fill(db, (LA, POLICE, Event.REQUEST), (POLICE, LA, Event.ANSWER))
    result = run("ledger", "verify", "--db", db)
    assert (result.exit_code, result.stdout.startswith("The ledger is whole: 2 entries")) == (0, True)
    plain = json.loads(run("ledger", "verify", "--db", db, "--json").stdout)
    assert (plain["entries"], plain["fault"], plain["directories"][0]["version"]) == (2, None, 1)


def test_a_broken_ledger_is_named_with_its_first_broken_entry(db: str) -> None:
    """Exit code 1."""
    fill(db, (LA, POLICE, Event.REQUEST), (POLICE, LA, Event.ANSWER))
    tamper(db, "DROP TRIGGER stub_ledger_UPDATE", "UPDATE stub_ledger SET received_at = 0 WHERE number = 2")
    result = run("ledger", "verify", "--db", db)
    assert result.exit_code == 1
    assert result.stdout.startswith("BROKEN at entry 2: changed since it was written (L3).")


@pytest.mark.parametrize("command", ["verify", "standing", "alerts", "refused"])
def test_a_ledger_that_is_not_there_is_refused(tmp_path: Path, command: str) -> None:
    """A wrong path must not read as "all is well"."""
    result = run("ledger", command, "--db", str(tmp_path / "nowhere.sqlite"))
    assert result.exit_code == 1
    assert "no ledger at that address" in result.stderr


def test_a_database_of_another_kind_is_refused() -> None:
    """SQLite or PostgreSQL."""
    result = run("ledger", "verify", "--db", "mysql://host/db")
    assert (result.exit_code, "not on mysql" in result.stderr) == (1, True)


def test_an_agencys_manifest_is_printed_as_json(db: str) -> None:
    """Content for the daily reconciliation; signing comes later."""
    fill(db, (LA, POLICE, Event.REQUEST), (LA, HEALTH, Event.REQUEST))
    result = run("ledger", "manifest", "--participant", POLICE, "--day", "2026-11-24", "--db", db)
    plain = json.loads(result.stdout)
    assert (result.exit_code, plain["participant"], plain["entries"]) == (0, POLICE, 2)
    assert [(half["sender"], half["sent"], half["passed"]) for half in plain["halves"]] == [(LA, 1, 1)]


def test_who_owes_what_is_shown_without_a_thread_or_a_name(db: str) -> None:
    """Reference, ends, rating, phase, due."""
    fill(db, (LA, POLICE, Event.REQUEST))
    later = ("--at", "2026-11-24T10:20:00", "--db", db)
    (row,) = json.loads(run("ledger", "standing", *later, "--json").stdout)
    assert set(row) == {"reference", "responder", "requester", "rag", "phase", "due"}
    assert (row["phase"], row["due"]) == ("undelivered", "2026-11-25T10:12+00:00")
    assert row["reference"] in run("ledger", "standing", *later).stdout
    before = run("ledger", "standing", "--at", "2026-11-24T10:00:00", "--db", db)
    assert before.stdout == "Nothing has been asked.\n"


@contextmanager
def watching(folder: Path, db: str, *more: str) -> Iterator["subprocess.Popen[str]"]:
    """Run the program; it must end by itself when it is told to."""
    arguments = ["watch", "--hub", f"embedded:{folder}/hub.sqlite", "--directory", f"{folder}/directory.json"]
    process = subprocess.Popen([*PROGRAM, *arguments, "--db", db, *more], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.communicate()


def until_entries(db: str, count: int) -> None:
    for _ in range(200):
        if Path(db).exists() and run("ledger", "verify", "--db", db).stdout.startswith(
            f"The ledger is whole: {count} entries"
        ):
            return
        time.sleep(0.1)
    raise AssertionError("the watch never entered it")


def export(where: Directory, path: Path) -> None:
    records = {name: record.model_dump(mode="json") for name, record in where.records.items()}
    pairs = [pair.model_dump(mode="json") for pair in where.pairs.values()]
    path.write_text(json.dumps({"version": where.version, "records": records, "pairs": pairs, "suspended": []}))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_program_keeps_what_passes_shows_its_figures_and_ends_when_told(tmp_path: Path, db: str) -> None:
    """One process, as systemd runs it."""
    now = datetime.now(UTC)
    by = {name: make_party(name, now=now) for name in (LA, POLICE)}
    where, port = make_directory(*by.values()), free_port()
    export(where, tmp_path / "directory.json")
    one = Post(where, by=by).write(LA, POLICE, Event.REQUEST, now=now)

    async def publish() -> None:
        async with EmbeddedHub(Topology.of(where), tmp_path / "hub.sqlite") as hub:
            council = await hub.connect(LA)
            await council.publish(one.body, recipient=POLICE, lane=one.lane, attempt_id="one.1")

    asyncio.run(publish())
    with watching(tmp_path, db, "--metrics", f"127.0.0.1:{port}"):
        until_entries(db, 1)
        shown = until_shown(port, "mash_ledger_entries 1.0")
    assert f'mash_stubs_total{{kind="REQ",lane="urgent",participant="{LA}"}} 1.0' in shown
    alerts = run("ledger", "alerts", "--db", db, "--json")
    kinds = {row["kind"] for row in json.loads(alerts.stdout)}
    assert (alerts.exit_code, "no_duty_contact" in kinds) == (1, True)


def until_shown(port: int, line: str) -> str:
    for _ in range(100):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            shown = str(answer.read(), "utf-8")
        if line in shown:
            return shown
        time.sleep(0.1)
    raise AssertionError(f"{line} was never shown")


def test_the_program_does_not_start_without_a_directory_that_it_understands(tmp_path: Path, db: str) -> None:
    """It could verify nothing."""
    (tmp_path / "directory.json").write_text('{"version": 1, "name": "Tilly Ashgrove-Test"}')
    arguments = ("watch", "--hub", "embedded:hub", "--directory", str(tmp_path / "directory.json"), "--db", db)
    result = run(*arguments)
    assert result.exit_code == 1
    assert "directory cannot be read" in result.stderr
    assert "Ashgrove" not in result.stderr


def test_the_program_does_not_start_with_calendars_that_it_does_not_understand(tmp_path: Path, db: str) -> None:
    """Clocks by the wrong hours are worse than none."""
    where = Post().directory
    export(where, tmp_path / "directory.json")
    (tmp_path / "calendars.toml").write_text('[area]\npatern = "office"\n')
    arguments = ("watch", "--hub", "embedded:hub", "--directory", str(tmp_path / "directory.json"), "--db", db)
    result = run(*arguments, "--calendars", str(tmp_path / "calendars.toml"))
    assert (result.exit_code, "area.patern" in result.stderr) == (1, True)
