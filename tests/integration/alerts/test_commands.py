"""`mash-hub watch --duty` as a process, from the alert to the mail to the confirmation; and `mash-hub alerts`."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner, Result

from broker.alerts import Alert, AlertKind, Urgency, book
from broker.alerts.acknowledging import Acknowledgement
from broker.alerts.listing import Listed, listed_recent
from broker.cli.main import build
from broker.ledger.ledger import Ledger
from tests.integration.alerts.servers import MailServer, Mood, mail_server, nobodys_port
from tests.integration.watch.test_commands import export
from tests.support.parties import make_directory, make_party
from tests.unit.watch.traffic import LA, POLICE

ROOT = Path(__file__).parents[3]
PROGRAM = ("-c", "from broker.cli.main import main; main()")
SAMPLE = ROOT / "deploy/alerts/duty.toml"
DUTY = """
[page]
link = "http://127.0.0.1:{page}"
[mail]
host = "127.0.0.1"
port = {mail}
tls = "none"
sender = "mash-alerts@hub.example.org"
[hub]
telephone = "01632 960000"
[[hub.posts]]
post = "operator"
rung = "contact_officer"
ways = ["mail:operations@hub.example.org", "page"]
round_the_clock = true
[desks.{police}]
"""


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(build(arguments), arguments, env=environment)


@asynccontextmanager
async def program(folder: Path, db: str, *more: str) -> AsyncIterator[None]:
    """Run the watch; it must end by itself when it is told to."""
    arguments = ("--hub", f"embedded:{folder}/hub.sqlite", "--directory", f"{folder}/directory.json", "--db", db)
    quiet = ("--metrics", "off", *more)
    process = await asyncio.create_subprocess_exec(
        sys.executable, *PROGRAM, "watch", *arguments, *quiet, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 40) == 0
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def until_mailed(server: MailServer) -> str:
    async with asyncio.timeout(60):
        while not server.mails:  # noqa: ASYNC110 - another server's list has no event
            await asyncio.sleep(0.05)
    return server.texts()[0]


async def until_acknowledged(db: str) -> list[Listed]:
    async with asyncio.timeout(30), Ledger.opened(db, now=None) as ledger:
        while True:
            if seen := [one for one in await listed_recent(ledger) if one.acknowledgement]:
                return seen
            await asyncio.sleep(0.05)


async def test_an_alert_leaves_the_program_as_a_mail_and_its_link_is_confirmed_on_the_page(tmp_path: Path) -> None:
    """One process, real mail, real page: looking changes nothing, confirming is written in the ledger."""
    now, db, page = datetime.now(UTC), str(tmp_path / "ledger.sqlite"), nobodys_port()
    export(make_directory(*(make_party(name, now=now) for name in (LA, POLICE))), tmp_path / "directory.json")
    (tmp_path / "acknowledge.key").write_text("0123456789abcdef0123456789abcdef")
    async with mail_server() as server:
        (tmp_path / "duty.toml").write_text(DUTY.format(mail=server.port, page=page, police=POLICE))
        duty = ("--duty", f"{tmp_path}/duty.toml", "--secrets", str(tmp_path), "--http", f"127.0.0.1:{page}")
        async with program(tmp_path, db, *duty):
            text = await until_mailed(server)
            found = re.search(r"http://127\.0\.0\.1:\d+/a/[A-Za-z0-9_-]+", text)
            assert found
            async with httpx2.AsyncClient(trust_env=False) as browser:
                looked = await browser.get(found[0])
                assert looked.status_code == 200
                async with Ledger.opened(db, now=None) as ledger:
                    assert [one for one in await listed_recent(ledger) if one.acknowledgement] == []
                form = re.search(r'name="form" value="([^"]+)"', looked.text)
                assert form
                confirmed = await browser.post(found[0], data={"form": form[1]})
                assert confirmed.status_code < 400
            (seen,) = await until_acknowledged(db)
    assert isinstance(seen.acknowledgement, Acknowledgement)
    assert (seen.acknowledgement.desk, seen.acknowledgement.by) == ("hub", "operator")
    assert {one.way for one in seen.told} == {"mail", "page"}


def test_the_program_does_not_start_with_a_duty_file_or_a_secret_that_is_not_right(tmp_path: Path) -> None:
    """Found at the start, and not by the first urgent alert."""
    export(make_directory(*(make_party(name, now=datetime.now(UTC)) for name in (LA, POLICE))), tmp_path / "d.json")
    for text, said in (
        ("[page]\n", "duty.toml: page.link: Field required"),
        (DUTY.format(mail=25, page=80, police=POLICE), "acknowledge.key"),
    ):
        (tmp_path / "duty.toml").write_text(text)
        arguments = ("--hub", f"embedded:{tmp_path}/hub", "--directory", f"{tmp_path}/d.json", "--db", f"{tmp_path}/db")
        result = run("watch", *arguments, "--duty", f"{tmp_path}/duty.toml")
        assert result.exit_code == 1
        assert said in result.stderr


@pytest.fixture
def db(tmp_path: Path) -> str:
    """A ledger with one alert."""
    path = str(tmp_path / "ledger.sqlite")

    async def work() -> None:
        now = datetime.now(UTC)
        async with Ledger.opened(path, now=now) as ledger:
            alert = Alert(AlertKind.BREACHED, POLICE, Urgency.NOW, peer=LA, reference="ABCDE-FGHIJ", code="RED")
            await book.write(ledger, [alert], now=now)

    asyncio.run(work())
    return path


def test_an_operator_lists_and_acknowledges_at_the_terminal(db: str) -> None:
    """Exit code 1 while something waits for a human; the first word stands."""
    listed = run("alerts", "list", "--db", db)
    assert (listed.exit_code, "[WAITS; nobody told]" in listed.stdout) == (1, True)
    done = run("alerts", "acknowledge", "1", "--by", "control-room", "--db", db)
    assert (done.exit_code, done.stdout.strip()) == (0, "Alert 1 is acknowledged by control-room.")
    again = json.loads(run("alerts", "acknowledge", "1", "--by", "operator", "--db", db, "--json").stdout)
    assert (again["by"], again["desk"], again["first"]) == ("control-room", POLICE, False)
    plain = run("alerts", "list", "--db", db, "--json")
    (row,) = json.loads(plain.stdout)
    assert (plain.exit_code, row["acknowledged"]["by"], row["reference"]) == (0, "control-room", "ABCDE-FGHIJ")
    assert "seen by control-room" in run("alerts", "list", "--past", "--db", db).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("7", "--by", "operator"), "no alert of that number"), (("1", "--by", "Tilly Ashgrove-Test"), "Name a post")],
)
def test_an_acknowledgement_that_cannot_be_is_refused_with_its_reason(
    db: str, arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 1, and the name is not repeated."""
    result = run("alerts", "acknowledge", *arguments, "--db", db)
    assert (result.exit_code, said in result.stderr) == (1, True)
    assert "Ashgrove" not in result.output


def test_a_ledger_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    """A wrong path must not read as "no alert stands"."""
    result = run("alerts", "list", "--db", str(tmp_path / "nowhere.sqlite"))
    assert (result.exit_code, "no ledger" in result.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []


NEEDED = ("ACKNOWLEDGE_KEY", "MAIL_PASSWORD", "CANARY_PASSWORD", "NOTIFY_KEY", "WEBHOOK_TESTFORD_CONTROL_ROOM")
SECRETS = {f"MASH_SECRET_{name}": "0123456789abcdef0123456789abcdef" for name in NEEDED}


def test_the_sample_duty_file_is_understood_with_every_word_in_it() -> None:
    """What the documentation shows must work; on another day somebody else would be told."""
    result = run("alerts", "check", "--duty", str(SAMPLE), "--json", **SECRETS)
    rows = {row["desk"]: row for row in json.loads(result.stdout)}
    assert list(rows) == ["hub", "testford-police", "testford-health"]
    assert rows["hub"]["posts"] == ["hub-operator"]
    for word in ("[patience]", "leave =", "out_of_hours =", "round_the_clock =", "telephone ="):
        assert word in SAMPLE.read_text()


@pytest.mark.parametrize("missing", sorted(SECRETS))
def test_a_secret_that_the_file_needs_and_nobody_gave_is_named(missing: str) -> None:
    """By its variable, before anything starts."""
    given = {name: value for name, value in SECRETS.items() if name != missing}
    result = run("alerts", "check", "--duty", str(SAMPLE), **given)
    assert (result.exit_code, missing in result.stderr) == (1, True)


def test_the_sample_names_no_address_that_could_be_somebodys() -> None:
    """example.org and the numbers that Ofcom keeps for drama."""
    text = SAMPLE.read_text()
    for address in re.findall(r"@[a-z.]+", text):
        assert address.endswith(".example.org")
    for number in re.findall(r"0\d{4} \d{6}", text):
        assert number.startswith(("01632 960", "07700 900"))


async def test_a_check_tries_every_way_and_tells_nobody_anything(tmp_path: Path) -> None:
    """Exit code 1 and the fault of each way, without its address."""
    (tmp_path / "acknowledge.key").write_text("0123456789abcdef0123456789abcdef")
    async with mail_server() as server:
        (tmp_path / "duty.toml").write_text(DUTY.format(mail=server.port, page=80, police=POLICE))
        arguments = ("alerts", "check", "--duty", f"{tmp_path}/duty.toml", "--secrets", str(tmp_path), "--try")
        well = await asyncio.to_thread(run, *arguments)
        server.mood = Mood.REFUSES
        broken = await asyncio.to_thread(run, *arguments)
    assert (well.exit_code, "hub: contact_officer (operator)\n" in well.stdout) == (1, True)
    assert f"{POLICE}: NOBODY" in well.stdout
    assert "FAILS: contact_officer operator mail: refused" in broken.stdout
    assert "@" not in broken.stdout
    assert server.mails == []
