"""The token protector against SoftHSM (`softhsm2` from Debian), which fails in CI where it is missing."""

import os
import shutil
import subprocess
from pathlib import Path

import pkcs11
import pytest

from adapters.kit.keys.keyring import Keyring
from adapters.kit.keys.protectors import CannotUnlock, ReadableByOthers
from adapters.kit.keys.token import KEY_LABEL, TokenProtector
from tests.conftest import cannot_be_had
from tests.support.parties import NOW, cheap_protector

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
pytestmark = [
    pytest.mark.xdist_group("softhsm"),  # the library reads its configuration once a process
]


@pytest.fixture(scope="module")
def pin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A token in a folder of the test, and the file with its PIN."""
    if shutil.which("softhsm2-util") is None or not MODULE.exists():
        cannot_be_had("SoftHSM is missing; install it with: apt-get install softhsm2")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    words = ["softhsm2-util", "--init-token", "--free", "--label", "mash", "--pin", "123456", "--so-pin", "654321"]
    subprocess.run(words, check=True, capture_output=True)
    file = folder / "pin"
    file.write_text("123456\n")
    file.chmod(0o400)
    return file


def test_a_keyring_opens_with_the_token_and_with_nothing_else(pin: Path, tmp_path: Path) -> None:
    """M14: the disk alone, or the disk and a passphrase, open nothing."""
    protector = TokenProtector(MODULE, label="mash", pin_file=pin)
    made = Keyring.create(tmp_path / "keys", participant="testford-police", protector=protector, now=NOW)
    again = Keyring.open(tmp_path / "keys", protector=TokenProtector(MODULE, label="mash", pin_file=pin), now=NOW)
    assert again.store_key() == made.store_key()
    with pytest.raises(CannotUnlock):
        Keyring.open(tmp_path / "keys", protector=cheap_protector(), now=NOW)


def test_two_keyrings_on_one_token_have_keys_of_their_own(pin: Path) -> None:
    """A salt a keyring."""
    protector = TokenProtector(MODULE, label="mash", pin_file=pin)
    assert protector.new()[0] != protector.new()[0]


def test_the_tokens_key_cannot_be_read_out(pin: Path) -> None:
    """Sensitive and not extractable: the library itself refuses."""
    TokenProtector(MODULE, label="mash", pin_file=pin).new()
    token = pkcs11.lib(str(MODULE)).get_token(token_label="mash")
    with token.open(user_pin="123456") as session:
        keys = list(session.get_objects({pkcs11.Attribute.LABEL: KEY_LABEL}))
        assert len(keys) == 1
        with pytest.raises(pkcs11.PKCS11Error):
            keys[0][pkcs11.Attribute.VALUE]


def test_a_wrong_pin_or_a_missing_token_opens_nothing(pin: Path, tmp_path: Path) -> None:
    """One exception, which says what to look for."""
    wrong = tmp_path / "wrong"
    wrong.write_text("000000")
    wrong.chmod(0o400)
    _, header = TokenProtector(MODULE, label="mash", pin_file=pin).new()
    for label, file in (("mash", wrong), ("elsewhere", pin)):
        with pytest.raises(CannotUnlock):
            TokenProtector(MODULE, label=label, pin_file=file).unlock({**header, "token": label})
    for change in ({"kind": "passphrase"}, {"salt": "x"}, {"token": "elsewhere"}):
        with pytest.raises(CannotUnlock):
            TokenProtector(MODULE, label="mash", pin_file=pin).unlock({**header, **change})


def test_a_pin_file_that_others_can_read_is_refused(pin: Path, tmp_path: Path) -> None:
    """A PIN beside the token is worth as much as the token."""
    open_file = tmp_path / "pin"
    open_file.write_text("123456")
    open_file.chmod(0o644)
    with pytest.raises(ReadableByOthers):
        TokenProtector(MODULE, label="mash", pin_file=open_file)
