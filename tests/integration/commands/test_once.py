"""A program that calls `mash` and hears no answer calls again under the same client key, and nothing happens twice."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adapters.cli.frame import CLIENT_KEY
from deploy.demo.agencies import COUNCIL, MANAGER
from deploy.demo.area import FORM
from tests.support.program import Said, mash

KEY = "case-system:4711"
NEW = ("enquiry", "new", "ENQ-7")


@pytest.fixture
def home(sandbox: Path, tmp_path: Path) -> Path:
    """The council's home in an area of the test's own, and a form to fill in."""
    shutil.copytree(sandbox, tmp_path / "area")
    shutil.copy(FORM, tmp_path / "form.toml")
    return tmp_path / "area" / COUNCIL


def call(home: Path, *arguments: str, key: str = KEY) -> Said:
    """Call `mash` under a client key."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CLIENT_KEY, key)
        return mash(*arguments, home=home, user=MANAGER)


def test_the_same_call_under_the_same_key_gives_the_same_answer_and_does_nothing(home: Path, tmp_path: Path) -> None:
    """C02: without a key the second call is refused, because the enquiry is there."""
    arguments = (*NEW, str(tmp_path / "form.toml"), "--json")
    first, second = (call(home, *arguments) for _ in range(2))
    assert (first.code, second.code, first.out) == (0, 0, second.out)
    assert '"reference": "ENQ-7"' in first.out
    assert mash(*arguments, home=home, user=MANAGER).code == 1
    assert len(call(home, "enquiry", "list", key="another-key").out.split("ENQ-7")) == 2


def test_an_answer_that_is_given_again_is_an_access_that_is_written_down(home: Path, tmp_path: Path) -> None:
    """REC-05: the danger is content that is read by its key, again and again, and in no ledger."""
    assert mash(*NEW, str(tmp_path / "form.toml"), home=home, user=MANAGER).code == 0
    for arguments in (("--user", MANAGER), (f"--user={MANAGER}",), ()):
        for _ in range(2):
            assert call(home, "enquiry", "show", "ENQ-7", *arguments, key=f"reader:{len(arguments)}").code == 0
    with closing(sqlite3.connect(home / "store.db")) as connection:
        given = connection.execute("SELECT refs FROM ledger WHERE event = 'answer given again'").fetchall()
    assert [json.loads(refs) for (refs,) in given] == [
        {"key": f"cli/reader:{number}", "user": MANAGER} for number in (2, 1, 0)
    ]


def test_another_call_under_the_same_key_is_refused(home: Path, tmp_path: Path) -> None:
    """The danger: the answer to one question is taken for the answer to another. A file counts by what it says."""
    form = tmp_path / "form.toml"
    assert call(home, *NEW, str(form)).code == 0
    for arguments in (("enquiry", "new", "ENQ-8", str(form)), ("enquiry", "list")):
        said = call(home, *arguments)
        assert (said.code, said.out, "used before for a different request" in said.err) == (1, "", True)
    form.write_text(form.read_text("utf-8") + "\n# and one more thing\n", "utf-8")
    assert call(home, *NEW, str(form)).code == 1


def test_a_call_that_was_refused_has_not_used_its_key(home: Path, tmp_path: Path) -> None:
    """Nothing was done, so the corrected call goes under the same key."""
    assert call(home, "enquiry", "rate", "ENQ-7", "AMBER", "--rationale", "x").code == 1
    assert call(home, *NEW, str(tmp_path / "form.toml")).code == 0


@pytest.mark.parametrize("key", ["", "short", "x" * 101, "with space", "Tilly-Ashgrove-Tést"])
def test_what_is_no_key_is_refused(home: Path, tmp_path: Path, key: str) -> None:
    """A key is a reference: it stands unsealed in the store, so it has no room for a sentence."""
    said = call(home, *NEW, str(tmp_path / "form.toml"), key=key)
    assert (said.code, CLIENT_KEY in said.err) == (1, True)


def test_a_command_that_writes_files_takes_no_key(home: Path, tmp_path: Path) -> None:
    """DIS-14: the ledger comes before the file, and a key puts the ledger's commit at the end."""
    for arguments in (
        ("carry", "out", "testford-police", str(tmp_path / "out"), "--by", "cjsm"),
        ("evidence", "export", "ENQ-1", "--out", str(tmp_path / "out")),
        ("store", "backup", str(tmp_path / "out")),
    ):
        said = call(home, *arguments)
        assert (said.code, "takes no client key" in said.err) == (1, True), said
        assert not (tmp_path / "out").exists()
