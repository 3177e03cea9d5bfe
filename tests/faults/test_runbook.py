"""The runbook: every message has its page, every page is about a message, and its commands lead back.

Each situation is made for real in a home of its own; the exact message is seen, the page's commands are run as they
stand on it, and the last of them says that all is well.
"""

import re
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.kit.keys.keyfile import DamagedKeyFile
from adapters.kit.keys.keyring import Keyring
from adapters.kit.keys.protectors import CannotUnlock, CredentialProtector
from adapters.kit.running.sandbox_directory import DirectoryUnreadable
from adapters.kit.store import errors, recovery
from adapters.kit.store.errors import StoreError, StoreFault, StoreRefusal, StoreUnavailable
from broker.directory.client import DirectoryDamaged, NoDirectory
from broker.errors import Unreachable
from deploy.demo.agencies import COUNCIL, MANAGER
from tests.faults.homes import (
    HOUSING,
    PAGES,
    TO_DO,
    TO_KNOW,
    Home,
    ask,
    copied,
    flip,
    make_area,
    reconcile_by_telephone,
    sees,
)
from tests.support.program import mash

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


@pytest.fixture(scope="module")
def area(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A council and a housing service with stores that have been used: two requests were sent and received."""
    return make_area(tmp_path_factory.mktemp("runbook"))


@pytest.fixture
def home(area: Path, tmp_path: Path) -> Home:
    """The council's home, a copy of its own, and its backup."""
    return copied(area, tmp_path)


def test_a_locked_database_is_waited_out(home: Home) -> None:
    """database-unavailable: another program holds the file; with it gone the page's check passes."""
    other = sqlite3.connect(home.store, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    sees(home, "database-unavailable", "store", "check")
    other.execute("ROLLBACK")
    other.close()
    assert "is whole" in home.run_page("database-unavailable")[-1].out


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow beyond a page, as on a disk without room; names and small notes fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_refuses_a_command_whole_and_with_space_it_works(home: Home) -> None:
    """database-unavailable: what was refused has changed nothing, and is simply repeated."""
    rerate = ("enquiry", "rerate", "ENQ-1", "RED", "--rationale", "worse")
    before = _ledger_count(home)
    with full_disk():
        sees(home, "database-unavailable", *rerate)
    assert _ledger_count(home) == before
    assert "is whole" in home.run_page("database-unavailable")[-1].out
    assert home.mash(*rerate).code == 0


def _ledger_count(home: Home) -> int:
    with closing(sqlite3.connect(home.store)) as connection:
        (number,) = connection.execute("SELECT ledger_count FROM store_meta").fetchone()
    return int(number)


def test_a_store_that_has_vanished_is_not_made_anew_but_restored(home: Home) -> None:
    """not-set-up: the danger is a fresh store that uses numbers twice; the anchor remembers that there was more."""
    for left in home.path.glob("store.db*"):
        left.unlink()
    sees(home, "not-set-up", "store", "check")
    sees(home, "store-damaged", "store", "set-up")
    home.run_page("store-damaged", TO_DO, leave_out=("store.anchor",))
    assert "is whole" in home.run_page("store-damaged", TO_KNOW)[-1].out


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
    ask(home.path.parent, "ENQ-2")
    with sqlite3.connect(home.store) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    flip(home.store, at=home.store.stat().st_size // 2)
    raw = home.store.read_bytes()
    home.store.write_bytes(b"\x17" * 200 + raw[200:])
    sees(home, "store-damaged", "store", "check")

    said = home.run_page("store-damaged", leave_out=("store.anchor",))
    assert "IN RECOVERY" in said[-1].out
    refused = home.mash("enquiry", "rerate", "ENQ-1", "RED", "--rationale", "worse")
    assert errors.InRecovery.__doc__ is not None
    assert meaning(errors.InRecovery) in refused.err

    reconcile_by_telephone(home)


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


def test_a_question_goes_by_hand_while_the_hub_is_down_and_is_reconciled_when_it_is_back(home: Home) -> None:
    """hub-down (SEC-04): what waits is listed and carried without the hub, answered for, and then goes by it too."""
    council, housing = home.path, home.path.parent / HOUSING
    rerate = ("enquiry", "rerate", "ENQ-1", "RED", "--rationale", "worse")
    assert home.mash(*rerate).code == 0
    home.words["PARTNER"] = HOUSING
    home.run_page("hub-down", TO_DO, leave_out=("run --once", "reconcile"))
    files = sorted(str(file) for file in (council / "to-carry").iterdir())
    assert files
    brought = ("carry", "in", *files, "--from", COUNCIL, "--by", "egress")
    for said in (f"{len(files)} taken in, 0 were", f"0 taken in, {len(files)} were"):
        assert said in mash(*brought, home=housing, user="housing-lead").out
    assert "carried-by-hand" in home.mash("alarms", "list").out

    for there in (council, housing):
        assert mash("run", "--once", home=there).code == 0
    done = home.run_page("hub-down", leave_out=("carry out",))
    assert "0 are not opened over there yet" in " ".join(one.out for one in done)
    assert "Sent" in done[-1].out
    assert "carried-by-hand" not in home.mash("alarms", "list").out


def test_the_pages_without_a_situation_here_can_be_followed(home: Home) -> None:
    """wrong-participant and not-durable: their commands run; their messages are held above."""
    for page in ("wrong-participant", "not-durable"):
        assert "is whole" in home.run_page(page)[-1].out
