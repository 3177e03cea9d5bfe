from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.keys import app

SETTINGS = """
participant = "testford-police"
kind = "police"
hub = "embedded:hub.db"
directory = "directory"
credentials = "credentials"
[answers]
contact = "Duty desk"
telephone = "020 7946 0000"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "adapter.toml").write_text(SETTINGS)
    (tmp_path / "credentials").mkdir()
    credential = tmp_path / "credentials" / "mash-keyring"
    credential.write_bytes(bytes(range(64)))
    credential.chmod(0o400)
    return tmp_path


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--home", str(home)])


def test_an_operator_makes_keys_and_reads_the_fingerprint_to_the_registrar(home: Path) -> None:
    """Two people compare eight groups of five digits."""
    made = run(home, "init", "--name", "Testford Police")
    assert made.exit_code == 0
    name, _, digits = made.output.splitlines()[0].partition(": ")
    assert name == "testford-police"
    assert [len(group) for group in digits.split()] == [5] * 8
    shown = run(home, "show")
    assert shown.exit_code == 0
    assert digits in shown.output
    assert "WARNING" not in shown.output


def test_an_operator_rotates_erases_backs_up_revokes_and_adds_a_role(home: Path) -> None:
    """The commands of issue 3, one after another, each with its exit code."""
    run(home, "init")
    assert "no key is due" in run(home, "rotate").output
    assert "0 keys erased" in run(home, "erase-expired").output
    assert run(home, "backup", str(home / "copy.json")).exit_code == 0
    assert (home / "copy.json").stat().st_mode & 0o777 == 0o600
    signing = next(line.split()[1] for line in run(home, "show").output.splitlines() if line.startswith("signing"))
    assert run(home, "revoke", signing).exit_code == 0
    assert run(home, "add-role", "duty_team", "--opens", "1").exit_code == 0
    assert run(home, "renew-identity").exit_code == 0


def test_a_command_says_no_without_a_traceback(home: Path) -> None:
    """Refusals are sentences on standard error, with exit code 1."""
    missing = run(home, "show")
    assert (missing.exit_code, missing.exception.__class__) == (1, SystemExit)
    run(home, "init")
    again = run(home, "init")
    assert "not overwritten" in again.stderr
    assert "no key with this id" in run(home, "revoke", "A" * 22).stderr
    (home / "keys" / "keyring.json").chmod(0o644)
    assert "chmod it to 600" in run(home, "show").stderr


def test_no_command_prints_a_private_key(home: Path) -> None:
    """Neither `show` nor anything else says what is wrapped."""
    run(home, "init")
    stored = (home / "keys" / "keyring.json").read_text()
    shown = run(home, "show").output
    wrapped = [line.split('"')[3] for line in stored.splitlines() if '"sealed"' in line or '"master"' in line]
    assert len(wrapped) == 7
    assert not any(text in shown for text in wrapped)
