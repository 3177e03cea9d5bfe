"""`mash-hub clock`: what an operator starts, sees and stops, and what is refused."""

import asyncio
import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from broker.cli.clock import app
from broker.ledger.ledger import Ledger
from broker.sla.started import StartedKind, read_subject
from broker.timers import started as book


def run(*arguments: str | Path) -> Result:
    """Type `mash-hub clock` and these words."""
    return CliRunner().invoke(app, [str(one) for one in arguments], env={"TERM": "dumb", "COLUMNS": "200"})


def ago(**span: float) -> str:
    """Give a moment so long ago, as an operator would write it."""
    return (datetime.now(UTC) - timedelta(**span)).isoformat(timespec="minutes")


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A ledger in which nothing has passed."""
    path = tmp_path / "ledger.sqlite"

    async def make() -> None:
        async with Ledger.opened(str(path), now=datetime.now(UTC)):
            pass

    asyncio.run(make())
    return path


def test_a_breach_is_started_seen_and_stopped(db: Path) -> None:
    """SLA-11: four rows from the moment of awareness; stopped once, and no second time."""
    told = json.loads(
        run("start", "breach", "--aware-at", ago(hours=2), "--whose", "testford-health", "--db", db, "--json").stdout
    )
    assert [one["timer"] for one in told["timers"]] == [
        "breach_alert.24h",
        "breach_alert.48h",
        "breach_alert.60h",
        "breach_due",
    ]
    began = datetime.fromisoformat(told["began_at"])
    assert [datetime.fromisoformat(one["due_at"]) - began for one in told["timers"]] == [
        timedelta(hours=hours) for hours in (24, 48, 60, 72)
    ]
    assert told["name"] in run("list", "--db", db).stdout
    assert run("stop", told["name"], "--db", db).exit_code == 0
    assert run("stop", told["name"], "--db", db).exit_code == 1
    assert run("list", "--db", db).stdout.strip() == "No clock is running."
    (past,) = json.loads(run("list", "--past", "--db", db, "--json").stdout)["items"]
    assert (past["name"], past["timers"]) == (told["name"], [])
    assert past["stopped_at"]


@pytest.mark.parametrize("kind", list(StartedKind))
def test_every_kind_of_clock_has_rows(db: Path, kind: StartedKind) -> None:
    """A clock without a row would run and never ring."""
    told = json.loads(run("start", kind.value, "--began", ago(hours=1), "--db", db, "--json").stdout)
    assert told["timers"]
    assert all(one["due_at"] > told["began_at"] for one in told["timers"])


@pytest.mark.parametrize("kind", list(StartedKind))
@pytest.mark.parametrize("whose", ["", "testford-health"])
def test_the_subject_of_a_row_says_which_clock_it_is_on(kind: StartedKind, whose: str) -> None:
    """The alert is made of the row alone, and its reference fits the book of alerts."""
    clock = book.named(kind, whose=whose, began_at=datetime.now(UTC))
    assert read_subject(clock.subject) == (clock.name, kind, whose)
    assert len(clock.name) <= 16


@pytest.mark.parametrize(
    "words",
    [
        ("start", "theft", "--began", "2026-11-24T09:05"),
        ("start", "breach"),
        ("start", "breach", "--began", "yesterday"),
        ("start", "breach", "--began", "2026-11-24"),
        ("start", "breach", "--began", "2099-01-01T09:00"),
        ("start", "breach", "--began", "1999-01-01T09:00"),
        ("start", "breach", "--began", "2026-11-24T09:05", "--whose", "Tilly Ashgrove-Test"),
    ],
)
def test_bad_input_is_wrong_usage_and_starts_nothing(db: Path, words: tuple[str, ...]) -> None:
    """Exit code 2; and what was typed, which may be a name, is not said again."""
    ran = run(*words, "--db", db)
    assert ran.exit_code == 2
    assert "Tilly" not in ran.output
    assert run("list", "--past", "--db", db).stdout.strip() == "No clock is running."


def test_a_clock_cannot_be_started_where_there_is_no_ledger(tmp_path: Path) -> None:
    """The attack: a typing error in the address, and the breach clock runs where nobody watches."""
    ran = run("start", "breach", "--began", ago(hours=1), "--db", tmp_path / "typo.sqlite")
    assert ran.exit_code == 1
    assert "no ledger" in ran.stderr
    assert not (tmp_path / "typo.sqlite").exists()


def test_a_ledger_of_an_older_version_gets_the_tables_that_it_lacks(db: Path) -> None:
    """Started on the night of the incident, not after a migration."""
    with sqlite3.connect(db) as database:
        database.execute("DROP TABLE hub_timer")
        database.execute("DROP TABLE hub_clock")
    database.close()
    assert run("start", "breach", "--began", ago(hours=1), "--db", db).exit_code == 0
