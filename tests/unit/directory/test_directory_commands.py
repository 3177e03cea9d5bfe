import json
import re
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adapters.cli import directory, keys
from broker.cli import directory as hub_directory
from schemas import base64url
from schemas.fingerprint import fingerprint

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
MEMBERS = """
[[members]]
participant = "testford-police"
kind = "police"
name = "testford-police"
identity = "{identity}"
fingerprint = "{fingerprint}"
checked_by = ["registrar-1", "registrar-2"]
"""


def hub(*words: object) -> Result:
    return CliRunner().invoke(hub_directory.app, [str(word) for word in words])


def agency(home: Path, *words: object) -> Result:
    return CliRunner().invoke(directory.app, [*(str(word) for word in words), "--home", str(home)])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "agency"
    (place / "credentials").mkdir(parents=True)
    (place / "adapter.toml").write_text(SETTINGS)
    credential = place / "credentials" / "mash-keyring"
    credential.write_bytes(bytes(range(64)))
    credential.chmod(0o400)
    assert CliRunner().invoke(keys.app, ["init", "--home", str(place)]).exit_code == 0
    return place


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A root staged and signed: each key on a machine of its own, the staged file carried from one to the next."""
    place = tmp_path / "repository"
    for name in ("root-1", "root-2", "root-3", "registrar-1", "registrar-2", "hub"):
        (tmp_path / name).mkdir()
        assert hub("key", tmp_path / name / "private").exit_code == 0
    roots = [
        word for name in ("root-1", "root-2", "root-3") for word in ("--root-key", tmp_path / name / "private.pub")
    ]
    registrars = [
        word for name in ("registrar-1", "registrar-2") for word in ("--registrar-key", tmp_path / name / "private.pub")
    ]
    done = hub("init", place, *roots, *registrars, "--hub-key", tmp_path / "hub" / "private.pub", "--root-threshold", 2)
    assert done.exit_code == 0, done.output
    carry(tmp_path, place / "staging" / "root.json", "root-1", "root-3")
    return place


def carry(tmp_path: Path, staged: Path, *signers: str) -> None:
    """Carry a staged file to each signer's machine and back; neither the repository nor another key is there."""
    for name in signers:
        away = tmp_path / name / staged.name
        away.write_bytes(staged.read_bytes())
        assert hub("sign", away, "--key", tmp_path / name / "private").exit_code == 0
        staged.write_bytes(away.read_bytes())


def enter(repository: Path, tmp_path: Path, home: Path) -> None:
    handed = agency(home, "publish-record", "--to", repository / "incoming")
    assert handed.exit_code == 0, handed.output
    record = (repository / "incoming" / "testford-police.json").read_text()
    found = re.search(r'"identity":"([^"]+)"', record)
    assert found is not None
    listed = tmp_path / "members.toml"
    listed.write_text(MEMBERS.format(identity=found[1], fingerprint=fingerprint(found[1])))
    assert hub("members", repository, listed).exit_code == 0
    carry(tmp_path, repository / "staging" / "targets.json", "registrar-1", "registrar-2")


def test_an_agency_is_enrolled_with_keys_on_separate_machines(home: Path, repository: Path, tmp_path: Path) -> None:
    """The whole of issue 3's directory on the command line: key, init, sign, members, publish, pin, refresh, show."""
    enter(repository, tmp_path, home)
    published = hub("publish", repository, "--hub-key", tmp_path / "hub" / "private")
    assert published.exit_code == 0, published.output
    root = repository / "metadata" / "1.root.json"
    read_out = fingerprint(base64url.encode(sha256(root.read_bytes()).digest()))
    assert agency(home, "pin", root, "--fingerprint", read_out).exit_code == 0
    refreshed = agency(home, "refresh", "--from", repository)
    assert refreshed.exit_code == 0, refreshed.output
    shown = agency(home, "show")
    assert "testford-police" in shown.output
    assert refreshed.output.split("hash ")[1] in shown.output
    assert published.output.split("hash ")[1].strip() in shown.output


def test_an_agency_is_told_that_partners_do_not_have_its_new_keys(home: Path, repository: Path, tmp_path: Path) -> None:
    """A rotation that nobody hands in stops all traffic within days: `mash keys show` compares with the directory."""

    def shown(*words: str) -> Result:
        return CliRunner().invoke(keys.app, [*words, "--home", str(home)])

    assert json.loads(shown("show", "--json").output)["published"] is None
    enter(repository, tmp_path, home)
    hub("publish", repository, "--hub-key", tmp_path / "hub" / "private")
    root = repository / "metadata" / "1.root.json"
    read_out = fingerprint(base64url.encode(sha256(root.read_bytes()).digest()))
    agency(home, "pin", root, "--fingerprint", read_out)
    agency(home, "refresh", "--from", repository)
    fine = shown("show")
    assert (fine.exit_code, "partners see another record" in fine.output) == (0, False)
    assert shown("add-role", "duty_team", "--opens", "1").exit_code == 0
    behind = shown("show")
    assert (behind.exit_code, "partners see another record" in behind.output) == (0, True)
    assert json.loads(shown("show", "--json").output)["published"] is False


def test_an_agency_refreshes_from_where_its_settings_say(home: Path, repository: Path, tmp_path: Path) -> None:
    """`mash directory refresh` alone: `directory_source` in adapter.toml; without either it says what is missing."""
    enter(repository, tmp_path, home)
    hub("publish", repository, "--hub-key", tmp_path / "hub" / "private")
    root = repository / "metadata" / "1.root.json"
    read_out = fingerprint(base64url.encode(sha256(root.read_bytes()).digest()))
    agency(home, "pin", root, "--fingerprint", read_out)
    nowhere = agency(home, "refresh")
    assert (nowhere.exit_code, "names no directory_source" in nowhere.stderr) == (1, True)
    (home / "adapter.toml").write_text(f'directory_source = "{repository}"\n{SETTINGS}')
    assert agency(home, "refresh").exit_code == 0


def test_an_agency_does_not_pin_a_root_that_was_not_read_out(home: Path, repository: Path) -> None:
    """The wrong fingerprint trusts nothing."""
    root = repository / "staging" / "root.json"
    refused = agency(home, "pin", root, "--fingerprint", "00000 " * 8)
    assert refused.exit_code == 1
    assert agency(home, "refresh", "--from", repository).exit_code == 1


def test_the_hub_says_which_signatures_are_missing(repository: Path, tmp_path: Path) -> None:
    """Refusals are sentences on standard error."""
    assert "no root or no members yet" in hub("publish", repository, "--hub-key", tmp_path / "hub" / "private").stderr
    (tmp_path / "bad.toml").write_text(MEMBERS.format(identity="A" * 43, fingerprint="1"))
    refused = hub("members", repository, tmp_path / "bad.toml")
    assert (refused.exit_code, "fingerprint that was read out" in refused.stderr) == (1, True)


def test_an_agency_is_told_of_an_alarm_by_exit_code(home: Path, repository: Path, tmp_path: Path) -> None:
    """A refresh that raised an alarm is no success, though the last good directory stays."""
    enter(repository, tmp_path, home)
    hub("publish", repository, "--hub-key", tmp_path / "hub" / "private")
    root = repository / "metadata" / "1.root.json"
    read_out = fingerprint(base64url.encode(sha256(root.read_bytes()).digest()))
    agency(home, "pin", root, "--fingerprint", read_out)
    assert agency(home, "refresh", "--from", repository).exit_code == 0
    away = agency(home, "refresh", "--from", tmp_path / "nowhere")
    assert (away.exit_code, "ALARM unreachable" in away.output) == (1, True)
    assert agency(home, "resume").exit_code == 0
    assert hub("key", tmp_path / "hub" / "private").exit_code == 1
