"""The key file under bad hands and on a bad disk: whole or absent, and for its owner alone."""

import fcntl
import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from adapters.kit.keys import keyfile
from adapters.kit.keys.keyfile import Wrapping
from adapters.kit.keys.keyring import Keyring
from adapters.kit.keys.protectors import CannotUnlock
from adapters.kit.keys.secrets import SecretBytes
from tests.support.parties import NOW, Party, cheap_protector, make_party


@pytest.fixture
def police(tmp_path: Path) -> Party:
    return make_party("testford-police", kind="police", folder=tmp_path / "keys", weeks=0)


def test_a_key_file_that_is_not_there_is_said_not_to_be(police: Party, tmp_path: Path) -> None:
    """Neither a fresh keyring nor an empty one is made by opening; what runs goes on with what it holds."""
    (police.folder / keyfile.FILE_NAME).rename(tmp_path / "aside")
    with pytest.raises(FileNotFoundError):
        Keyring.open(police.folder, protector=cheap_protector(), now=NOW)
    assert keyfile.mark_of(police.folder) is None
    assert police.sender(NOW).participant == "testford-police"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"format":"mash-keyring/1"', '"format":"mash-keyring/2"'),
        ('"format":"mash-keyring/1"', '"format":"mash-keyring/1","more":1'),
        ('"duty_telephone":null', '"duty_telephone":5'),
        ('"participant":"testford-police"', '"participant":"Testford Police"'),
        ('"not_before":{begins},', '"not_before":"{begins}",'),
        ('"master":"', '"master":"A'),
    ],
)
def test_a_key_file_in_any_other_shape_is_damaged_and_none_of_it_is_shown(
    before: str, after: str, police: Party
) -> None:
    """Closed and strict: what a later version adds, or a careless hand mends, is not read as if it were ours."""
    path, begins = police.folder / keyfile.FILE_NAME, int(NOW.timestamp())
    compact = keyfile.load(police.folder).model_dump_json()
    path.write_text(compact)
    assert keyfile.load(police.folder).participant == "testford-police"
    changed = compact.replace(before.replace("{begins}", str(begins)), after.replace("{begins}", str(begins)))
    assert changed != compact
    path.write_text(changed)
    with pytest.raises(keyfile.DamagedKeyFile) as refused:
        keyfile.load(police.folder)
    assert "Testford Police" not in f"{refused.value} {refused.value.__cause__}"


def test_what_is_stored_is_not_changed_in_place(police: Party) -> None:
    """A key file is replaced as a whole; a value that changes under a service would be signed with."""
    with pytest.raises(ValidationError):
        police.keyring.stored.kind = "la"  # type: ignore[misc]  # that is the fault


def test_keys_are_on_the_disk_with_their_folder_before_anything_goes_on(
    police: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C35: file and folder are flushed, and no descriptor of either stays open."""
    flushed: list[bool] = []
    flush = os.fsync

    def noted(descriptor: int) -> None:
        flushed.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    held = len(list(Path("/proc/self/fd").iterdir()))
    keyfile.save(police.keyring.stored, folder=police.folder)
    assert flushed == [False, True]
    assert len(list(Path("/proc/self/fd").iterdir())) == held


def test_keys_are_written_for_their_owner_alone_and_over_what_a_crash_left(police: Party) -> None:
    """A half-written file beside the keys, readable by others, is neither used nor written into."""
    left = police.folder / f"{keyfile.FILE_NAME}.new"
    left.write_text("half of a key file")
    left.chmod(0o644)
    police.keyring.rotate(NOW + timedelta(days=6))
    assert not left.exists()
    assert {path.stat().st_mode & 0o777 for path in police.folder.iterdir()} == {0o600}


def test_a_folder_of_keys_is_made_with_those_above_it_and_kept_if_it_is_there(tmp_path: Path) -> None:
    """The installer may have made it; its mode is then the installer's."""
    made = Keyring.create(tmp_path / "a" / "b", participant="testford-la", protector=cheap_protector(), now=NOW)
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    (tmp_path / "c").mkdir()
    Keyring.create(tmp_path / "c", participant="testford-la", protector=cheap_protector(), now=NOW)
    assert made.stored.format == "mash-keyring/1"


def test_two_that_write_keys_take_turns(police: Party) -> None:
    """The lock is one of the folder's, held while a change is made, and free afterwards."""
    with (police.folder / keyfile.LOCK_NAME).open("w") as other:
        with keyfile.locked(police.folder), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_wrapped_key_opens_under_its_own_label_and_key_alone() -> None:
    """The label says whose and which key it is; an empty or cut one opens nothing."""
    wrapping, secret = Wrapping(SecretBytes(bytes(32))), SecretBytes(b"private")
    sealed = wrapping.seal(secret, label=b"label")
    assert wrapping.open(sealed, label=b"label") == secret
    assert wrapping.seal(secret, label=b"label") != sealed
    wrongs = [(sealed, b"another"), ("", b"label"), (sealed[:-4], b"label"), ("!", b"label"), ("A" * 32, b"label")]
    for text, label in wrongs:
        with pytest.raises(CannotUnlock):
            wrapping.open(text, label=label)
    with pytest.raises(CannotUnlock):
        Wrapping(SecretBytes(b"1" * 32)).open(sealed, label=b"label")


def test_a_full_disk_leaves_the_keys_that_were_there(police: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    """C35: what cannot be made durable is not used, and the old file stays whole."""
    before = (police.folder / keyfile.FILE_NAME).read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        police.keyring.rotate(NOW + timedelta(days=80))
    monkeypatch.undo()
    assert (police.folder / keyfile.FILE_NAME).read_bytes() == before
    assert police.keyring.rotate(NOW + timedelta(days=80)) > 0
