"""The runbook: every message has its page, every page is about a message, and its commands lead back.

Each situation is made for real in a home of its own; the exact message is seen, the page's commands are run as they
stand on it, and the last of them says that all is well.
"""

import re
import shlex
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.kit.keys.keyfile import DamagedKeyFile
from adapters.kit.keys.keyring import Keyring
from adapters.kit.keys.protectors import CannotUnlock, CredentialProtector
from adapters.kit.running.sandbox_directory import DirectoryUnreadable, write_unsigned_directory
from adapters.kit.store import errors, recovery
from adapters.kit.store.errors import StoreError, StoreFault, StoreRefusal, StoreUnavailable
from broker.directory_client import DirectoryDamaged, NoDirectory
from broker.errors import Unreachable
from deploy.demo.agencies import AGENCIES, COUNCIL, MANAGER
from deploy.demo.area import make_homes
from deploy.demo.sandbox import KEYS_AHEAD
from tests.support.program import Said, mash

PAGES = Path(__file__).parents[2] / "deploy" / "runbook"
HOUSING = "testford-housing"
OF_THE_MACHINE = frozenset({"systemctl", "timedatectl", "df", "psql", "pg_dump", "pg_restore"})
ON_FILES = frozenset({"cp", "mv", "rm", "mkdir", "chmod"})
# What these say is on their page word for word, although they are no faults of the store.
OTHERS = {
    "lost-key-file": (DamagedKeyFile, CannotUnlock),
    "directory-damaged": (DirectoryUnreadable, NoDirectory, DirectoryDamaged),
    "hub-down": (Unreachable,),
    "store-damaged": (recovery.AnchorUnreadable,),
}


def kinds(base: type[StoreError]) -> set[type[StoreError]]:
    """Give every kind of an exception."""
    return {kind for direct in base.__subclasses__() for kind in (direct, *kinds(direct))}


def meaning(kind: type[Exception]) -> str:
    """Give what an operator reads of an exception."""
    return " ".join((kind.__doc__ or "").split())


FAULTS = sorted(
    (kinds(StoreFault) | {StoreUnavailable} | kinds(StoreUnavailable) | {errors.InRecovery}),
    key=lambda one: one.__name__,
)


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.__name__)
def test_every_fault_of_the_store_names_its_page_and_the_page_shows_its_words(kind: type[StoreError]) -> None:
    """An operator finds the page by the last words of the message, and the message on the page."""
    assert str(kind("a reference")).endswith(f"(a reference; runbook: {kind.page})")
    assert meaning(kind) in (PAGES / f"{kind.page}.md").read_text("utf-8")


def test_a_refusal_needs_no_page() -> None:
    """It says all that there is to do, and changes nothing; but it has a text."""
    for kind in kinds(StoreRefusal) - {errors.InRecovery, recovery.PartnerMissing}:
        assert (kind.page, len(meaning(kind)) > 20) == ("", True)


@pytest.mark.parametrize(("page", "kinds_"), OTHERS.items(), ids=list(OTHERS))
def test_a_page_shows_the_words_of_what_it_is_about(page: str, kinds_: tuple[type[Exception], ...]) -> None:
    """The message on the page is the program's own."""
    for kind in kinds_:
        assert meaning(kind) in (PAGES / f"{page}.md").read_text("utf-8")


def test_every_page_is_in_the_index_and_has_the_four_parts() -> None:
    """What you see, what it means, what to do, how you know that it worked."""
    index = (PAGES / "README.md").read_text("utf-8")
    for page in PAGES.glob("*.md"):
        parts = re.findall(r"^## (.+)$", page.read_text("utf-8"), re.MULTILINE)
        expected = ["What you see", "What it means", "What to do", "How you know that it worked"]
        assert page.name == "README.md" or (parts, f"({page.name})" in index) == (expected, True), page.name


@dataclass
class Home:
    """One adapter's home in a small area, with a backup of yesterday."""

    path: Path
    backup: Path
    held: ExitStack = field(default_factory=ExitStack)
    words: dict[str, str] = field(default_factory=dict)

    @property
    def store(self) -> Path:
        """The file of the store."""
        return self.path / "store.db"

    def mash(self, *arguments: str) -> Said:
        """Run `mash` in this home."""
        return mash(*arguments, home=self.path, user=MANAGER)

    def run_page(self, page: str, *, leave_out: str = "\0") -> list[Said]:
        """Run every command of a page, in order; those of the machine are its operator's."""
        blocks = re.findall(r"^```sh\n(.*?)^```", (PAGES / f"{page}.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
        lines = [line for block in blocks for line in block.splitlines() if leave_out not in line]
        return [said for line in lines if (said := self._run(line)) is not None]

    def _run(self, line: str) -> Said | None:
        known = {"MASH_HOME": str(self.path), "BACKUP": str(self.backup), **self.words}
        words = [re.sub(r"\$(\w+)", lambda found: known[found[1]], word) for word in shlex.split(line)]
        if words[0] == "mash":
            said = self.mash(*words[1:])
            assert said.code == 0, said
            return said
        if words[0] in ON_FILES:
            subprocess.run(words, check=True)
        else:
            assert words[0] in OF_THE_MACHINE, line
        return None


@pytest.fixture(scope="module")
def area(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A council and a housing service with stores that have been used: two requests were sent and received."""
    folder = tmp_path_factory.mktemp("runbook")
    agencies = [agency for agency in AGENCIES if agency.participant in (COUNCIL, HOUSING)]
    directory = make_homes(folder, hub="embedded:../hub.db", now=datetime.now(UTC), ahead=KEYS_AHEAD, agencies=agencies)
    write_unsigned_directory(folder / "directory.json", directory)
    for participant in (COUNCIL, HOUSING):
        assert mash("store", "set-up", home=folder / participant).code == 0
    _ask(folder, "ENQ-1")
    return folder


def _ask(folder: Path, enquiry: str) -> None:
    from deploy.demo.area import FORM

    council = folder / COUNCIL
    plan = ("--rationale", "council tenancy", "--public-task")
    for arguments in (
        ("enquiry", "new", enquiry, str(FORM)),
        ("enquiry", "choose", enquiry, HOUSING, *plan),
        ("enquiry", "rate", enquiry, "AMBER", "--rationale", "as reported"),
        ("enquiry", "issue", enquiry),
        ("run", "--once"),
    ):
        said = mash(*arguments, home=council, user=MANAGER)
        assert said.code == 0, said
    for home in (folder / HOUSING, council):
        assert mash("run", "--once", home=home).code == 0


@pytest.fixture
def home(area: Path, tmp_path: Path) -> Iterator[Home]:
    """The council's home, a copy of its own, and its backup."""
    copy, backup = tmp_path / "area", tmp_path / "backup"
    shutil.copytree(area, copy)
    one = Home(copy / COUNCIL, backup)
    backup.mkdir()
    assert one.mash("store", "backup", str(backup / "store.db")).code == 0
    assert one.mash("keys", "backup", str(backup / "keyring.json")).code == 0
    shutil.copytree(one.path / "keys", backup / "keys")
    shutil.copy(copy / "directory.json", backup)
    with one.held:
        yield one


def sees(home: Home, page: str, *command: str) -> None:
    """Assert that a command is refused, in the words of the page and with its name."""
    said = home.mash(*command)
    assert said.code == 1, said
    shown = re.findall(r"^```text\n(.*?)\n```", (PAGES / f"{page}.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert any(one in said.err for one in shown), said.err


def flip(path: Path, *, at: int) -> None:
    """Flip one bit of a file."""
    raw = bytearray(path.read_bytes())
    raw[at] ^= 0x10
    path.write_bytes(raw)


def test_a_locked_database_is_waited_out(home: Home) -> None:
    """database-unavailable: another program holds the file; with it gone the page's check passes."""
    other = sqlite3.connect(home.store, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    sees(home, "database-unavailable", "store", "check")
    other.execute("ROLLBACK")
    other.close()
    assert "is whole" in home.run_page("database-unavailable")[-1].out


def test_a_second_adapter_is_stopped(home: Home) -> None:
    """store-in-use: the lock is held; nothing is touched, and with the other one gone the adapter runs."""
    import fcntl

    lock = (home.path / "store.db.lock").open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    sees(home, "store-in-use", "run", "--once")
    lock.close()
    assert "is whole" in home.run_page("store-in-use")[-1].out


def test_a_damaged_store_is_restored_and_reconciled(home: Home) -> None:
    """store-damaged, then older-backup: the backup goes in, it is noticed to be older, and it sends again."""
    _ask(home.path.parent, "ENQ-2")
    with sqlite3.connect(home.store) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    flip(home.store, at=home.store.stat().st_size // 2)
    raw = home.store.read_bytes()
    home.store.write_bytes(b"\x17" * 200 + raw[200:])
    sees(home, "store-damaged", "store", "check")

    said = home.run_page("store-damaged", leave_out="store.anchor")
    assert "IN RECOVERY" in said[-1].out
    refused = home.mash("enquiry", "rerate", "ENQ-1", "RED", "--rationale", "worse")
    assert errors.InRecovery.__doc__ is not None
    assert meaning(errors.InRecovery) in refused.err

    theirs = mash("store", "seen", home=home.path.parent / HOUSING).out
    found = re.search(rf"{COUNCIL} .* we have theirs up to (\d+)", theirs)
    assert found is not None, theirs
    home.words["THEY_HAVE"] = found[1]
    said = home.run_page("older-backup", leave_out="send-again")
    assert "store-is-older" in said[0].out
    assert any("It sends." in one.out for one in said)
    again = mash("store", "send-again", COUNCIL, "1", "5", home=home.path.parent / HOUSING, user="housing-lead")
    assert again.code == 0, again


def test_a_damaged_anchor_is_moved_away(home: Home) -> None:
    """store-damaged, its second message: the store itself is whole."""
    (home.path / "keys" / "store.anchor").write_text("{}")
    sees(home, "store-damaged", "run", "--once")
    (home.path / "keys" / "store.anchor").rename(home.path / "store.anchor.damaged")
    assert "It sends" in home.mash("store", "set-up").out


def test_a_clock_that_ran_ahead_is_accepted_by_a_named_user(home: Home) -> None:
    """clock-went-back: the store has seen tomorrow."""
    from tests.support.program import with_clock

    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert with_clock(tomorrow, "store", "set-up", home=home.path, user=MANAGER).code == 0
    sees(home, "clock-went-back", "store", "check")
    said = home.run_page("clock-went-back")
    assert "is whole" in said[0].out


@pytest.mark.parametrize("harm", [lambda path: flip(path, at=20_000), lambda path: path.unlink()], ids=["bit", "gone"])
def test_a_lost_key_file_is_restored(home: Home, harm: Callable[[Path], None]) -> None:
    """lost-key-file: from the backup that holds no prekeys; new ones are made and handed in."""
    harm(home.path / "keys" / "keyring.json")
    sees(home, "lost-key-file", "store", "check")
    said = home.run_page("lost-key-file")
    assert "is whole" in said[-1].out
    assert list((home.path / "for-the-registrar").iterdir())


def test_keys_that_do_not_fit_are_put_aside(home: Home) -> None:
    """wrong-store-key: made anew while the store stayed."""
    keys = home.path / "keys"
    keys.rename(home.path / "keys.real")
    protector = CredentialProtector(folder=home.path / "credentials")
    Keyring.create(keys, participant=COUNCIL, kind="la", protector=protector, now=datetime.now(UTC))
    sees(home, "wrong-store-key", "store", "check")
    assert "is whole" in home.run_page("wrong-store-key")[-1].out


def test_a_store_of_a_newer_program_waits_for_that_program(home: Home) -> None:
    """other-version: not touched; with the newer program back (here: the number), all is as it was."""
    with sqlite3.connect(home.store) as connection:
        (was,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    sees(home, "other-version", "run", "--once")
    with sqlite3.connect(home.store) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (was,))
    assert "is whole" in home.run_page("other-version")[-1].out


def test_a_store_that_is_not_there_is_set_up(home: Home) -> None:
    """not-set-up: a new adapter."""
    for left in (*home.path.glob("store.db*"), home.path / "keys" / "store.anchor"):
        left.unlink()
    sees(home, "not-set-up", "inbox", "list")
    assert "0 ledger entries" in home.run_page("not-set-up")[-1].out


def test_a_damaged_directory_is_put_back(home: Home) -> None:
    """directory-damaged: nobody is believed until it is."""
    place = home.path.parent / "directory.json"
    flip(place, at=place.stat().st_size // 2)
    place.write_bytes(b"\x00" + place.read_bytes())
    sees(home, "directory-damaged", "run", "--once")
    assert "Sent" in home.run_page("directory-damaged")[-1].out


def test_the_page_for_a_hub_that_is_down_can_be_followed(home: Home) -> None:
    """hub-down: what waits can be listed without the hub, and leaves when it is back."""
    assert "Sent" in home.run_page("hub-down")[-1].out


def test_the_pages_without_a_situation_here_can_be_followed(home: Home) -> None:
    """wrong-participant and not-durable: their commands run; their messages are held above."""
    for page in ("wrong-participant", "not-durable"):
        assert "is whole" in home.run_page(page)[-1].out
