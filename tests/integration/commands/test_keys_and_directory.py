"""`mash keys`, `mash directory` and `mash envelope` as an operator's script runs them: another process, one object.

What the commands do is held by the unit tests; here it is held that each ends as it should, says it in its shape,
and says nothing private.
"""

import json
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.kit.envelope.conformance import DIRECTORY_FILE, KEYS_FILE
from schemas.directory import AgencyRecord
from schemas.members import Members
from tests.integration.commands.program import Ran, is_a_plain_no, mash
from tests.integration.commands.signed_area import member_of, offline, read_out
from tests.integration.commands.test_round import documented_fields
from tests.support.registry import Registry
from tests.vectors.make import FOLDER

pytestmark = [pytest.mark.xdist_group("commands"), pytest.mark.timeout(600)]

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
Say = Callable[..., Ran]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An agency's folder with a credential and no keys yet."""
    place = tmp_path / "agency"
    (place / "credentials").mkdir(parents=True)
    (place / "adapter.toml").write_text(SETTINGS)
    credential = place / "credentials" / "mash-keyring"
    credential.write_bytes(bytes(range(64)))
    credential.chmod(0o400)
    return place


@pytest.fixture
def say(home: Path) -> Say:
    """Run a command with `--json` that has to end with `code` and to say exactly the fields of its shape."""
    shapes = documented_fields()

    def run(*words: str, code: int = 0) -> Ran:
        ran = mash(*words, "--json", home=home)
        assert (ran.code, ran.err) == (code, ""), ran
        assert set(ran.json) - {"schema"} == shapes[ran.json["schema"]], ran
        return ran

    return run


def test_a_script_makes_shows_rotates_erases_backs_up_and_revokes_keys(home: Path, say: Say) -> None:
    """The life of a keyring, command by command, each answer one object."""
    made = say("keys", "init", "--name", "Testford Police").json
    assert (made["participant"], len(made["keys"])) == ("testford-police", 6)
    assert re.fullmatch(r"(\d{5} ?){8}", made["fingerprint"])
    assert say("keys", "rotate").json == {
        "schema": "mash.keys-changed.v1", "made": 0, "erased": 0, "publish_record": False,
    }  # fmt: skip
    assert say("keys", "erase-expired").json["erased"] == 0
    assert say("keys", "backup", str(home / "copy.json")).json["file"] == str(home / "copy.json")
    assert (home / "copy.json").stat().st_mode & 0o777 == 0o600
    signing = next(key["id"] for key in made["keys"] if key["use"] == "signing")
    revoked = say("keys", "revoke", signing).json
    assert (revoked["made"], revoked["publish_record"]) == (1, True)
    shown = say("keys", "show").json
    assert (shown["warnings"], shown["faults"]) == ([], [])
    assert {key["id"] for key in shown["keys"]} - {key["id"] for key in made["keys"]}


def test_an_operator_is_warned_of_keys_that_run_out_and_erases_them(home: Path, say: Say) -> None:
    """Ten years on every key has expired: `show` ends with 1 and names them; erased keys are gone from the disk."""
    say("keys", "init")
    stored = (home / "keys" / "keyring.json").read_text("utf-8")
    late = offline("keys", "show", "--home", str(home), "--json", folder=home)
    assert (late.code, late.err) == (1, "")
    assert {"signing", "prekey"} <= {one["use"] for one in late.json["warnings"]}
    gone = offline("keys", "erase-expired", "--home", str(home), "--json", folder=home)
    left = (home / "keys" / "keyring.json").read_text("utf-8")
    assert (gone.code, len(left) < len(stored)) == (0, True)


def test_a_script_never_sees_a_private_key(home: Path, say: Say) -> None:
    """Neither a wrapped key nor the master key stands in any answer."""
    said = "".join(say("keys", *words).out for words in (("init",), ("show",), ("renew-identity",), ("rotate",)))
    plain = json.loads((home / "keys" / "keyring.json").read_text("utf-8"))
    secret = [plain["master"], *(key["sealed"] for key in plain["keys"])]
    assert not [text for text in secret if text in said]


def test_a_keyring_that_others_can_read_is_refused_by_every_command(home: Path, say: Say) -> None:
    """M14: a world-readable key file is not used, whatever is asked."""
    say("keys", "init")
    (home / "keys" / "keyring.json").chmod(0o644)
    for words in (("show",), ("rotate",), ("backup", str(home / "copy.json")), ("revoke", "A" * 22)):
        is_a_plain_no(mash("keys", *words, "--json", home=home))


def test_a_script_pins_refreshes_shows_and_hands_in_a_record(home: Path, say: Say, tmp_path: Path) -> None:
    """The directory at the command line: trust begins with a fingerprint that was read out, and with nothing else."""
    say("keys", "init")
    is_a_plain_no(mash("directory", "show", "--json", home=home))
    registry = _registry(tmp_path, home, say)
    root = registry.folder / "metadata" / "1.root.json"
    is_a_plain_no(mash("directory", "refresh", "--from", registry.source, "--json", home=home))
    is_a_plain_no(mash("directory", "pin", str(root), "--fingerprint", "00000 " * 8, "--json", home=home))
    pinned = say("directory", "pin", str(root), "--fingerprint", read_out(root)).json
    assert pinned["fingerprint"] == read_out(root)
    fetched = say("directory", "refresh", "--from", registry.source).json
    assert (fetched["version"], fetched["freshness"], fetched["alarms"]) == (1, "fresh", [])
    assert [one["participant"] for one in fetched["participants"]] == ["testford-police"]
    assert say("directory", "show").json | {"alarms": []} == fetched
    away = say("directory", "refresh", "--from", str(tmp_path / "nowhere"), code=1).json
    assert [one["alarm"] for one in away["alarms"]] == ["unreachable"]
    assert say("directory", "resume").json["sending"] is True


def test_an_implementer_checks_a_folder_of_vectors_by_script(tmp_path: Path, say: Say) -> None:
    """`mash envelope check DIR`: a line a file, an object on request, exit code 1 where one does not hold."""
    for name in (DIRECTORY_FILE, KEYS_FILE, "OK-heartbeat.json", "E14-section-last-byte.json"):
        source = FOLDER / name
        shutil.copy(source if source.exists() else next(FOLDER.glob("E14-*.json")), tmp_path / name)
    checked = say("envelope", "check", str(tmp_path)).json
    assert (checked["total"], checked["holding"], len(checked["files"])) == (2, 2, 2)
    lines = mash("envelope", "check", str(tmp_path), home=tmp_path).out.splitlines()
    assert (len(lines), lines[-1]) == (3, "2 of 2 hold")
    vector = json.loads((FOLDER / "OK-heartbeat.json").read_bytes())
    (tmp_path / "mine.json").write_text(json.dumps(vector | {"expect": "E09"}))
    failed = say("envelope", "check", str(tmp_path), "--quiet", code=1).json
    assert [one["name"] for one in failed["files"]] == ["mine"]


def _registry(folder: Path, home: Path, say: Say) -> Registry:
    """Enrol the agency with the record that it hands in itself."""
    now = datetime.now(UTC) - timedelta(minutes=1)
    (folder / "registrar").mkdir()
    registry = Registry(folder / "registrar", now=now)
    handed = say("directory", "publish-record", "--to", str(registry.repository.incoming)).json["files"]
    record = AgencyRecord.model_validate_json(Path(handed[-1]).read_bytes())
    registry.stage(Members(members=(member_of(record),), pairs=()), now=now)
    registry.publish(now)
    return registry
