import json
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
    roles = [line.split()[-1] for line in shown.output.splitlines() if line.startswith("prekey")]
    assert roles == ["gateway", "team", "decision_maker", "protected"]
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


def test_an_operator_is_told_why_a_key_a_role_or_a_name_is_refused(home: Path) -> None:
    """Each refusal is a sentence that says what to do instead; nothing was changed."""
    assert "1 to 80 characters" in run(home, "init", "--name", "x" * 81).stderr
    assert not (home / "keys" / "keyring.json").exists()
    run(home, "init", "--duty-telephone", "020 7946 0000")
    before = (home / "keys" / "keyring.json").read_bytes()
    identity = next(line.split()[1] for line in run(home, "show").output.splitlines() if line.startswith("identity"))
    assert "mash keys renew-identity" in run(home, "revoke", identity).stderr
    assert "small letters" in run(home, "add-role", "Duty Team", "--opens", "1").stderr
    assert "at most" not in run(home, "duty-telephone", "0" * 41).output
    assert "1 to 40" in run(home, "duty-telephone", "0" * 41).stderr
    assert (home / "keys" / "keyring.json").read_bytes() == before


def test_an_operator_publishes_and_changes_the_duty_telephone(home: Path) -> None:
    """GOV-05: whom the hub's operators ring; the change has to be handed in like any other."""
    run(home, "init", "--duty-telephone", "020 7946 0000")
    changed = run(home, "duty-telephone", "020 7946 0001", "--json")
    assert json.loads(changed.output)["publish_record"] is True
    assert '"duty_telephone": "020 7946 0001"' in (home / "keys" / "keyring.json").read_text()


def test_an_operator_has_the_figures_collected_by_prometheus(home: Path) -> None:
    """Issue 3: expiry warnings as metrics, by a command that a timer may run."""
    run(home, "init")
    assert run(home, "show", "--metrics", str(home / "keys.prom")).exit_code == 0
    figures = (home / "keys.prom").read_text()
    assert 'mash_key_days_left{role="team",use="prekey"} 6.99' in figures
    assert "mash_key_self_test_faults 0.0" in figures


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
