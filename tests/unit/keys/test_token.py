"""The token protector against SoftHSM (`softhsm2` from Debian), which fails in CI where it is missing."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass

from adapters.kit.keys.keyring import Keyring
from adapters.kit.keys.protectors import CannotUnlock, ReadableByOthers
from adapters.kit.keys.token import KEY_LABEL, TokenProtector
from schemas import base64url
from schemas.signing import pae
from tests.conftest import cannot_be_had
from tests.support.parties import NOW, cheap_protector

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
pytestmark = [
    pytest.mark.xdist_group("softhsm"),  # the library reads its configuration once a process
]


def new_token(*, label: str) -> None:
    words = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", "123456", "--so-pin", "654321"]
    subprocess.run(words, check=True, capture_output=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tokens of the test's own, with two in it."""
    if shutil.which("softhsm2-util") is None or not MODULE.exists():
        cannot_be_had("SoftHSM is missing; install it with: apt-get install softhsm2")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    for label in ("mash", "shared"):  # before the library is loaded, which looks for tokens once
        new_token(label=label)
    return folder


@pytest.fixture(scope="module")
def pin(folder: Path) -> Path:
    """The file with the token's PIN."""
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
        keys = list(session.get_objects({Attribute.LABEL: KEY_LABEL}))
        assert len(keys) == 1
        with pytest.raises(pkcs11.PKCS11Error):
            keys[0][Attribute.VALUE]


def test_what_the_token_keeps_is_for_nothing_but_this(pin: Path) -> None:
    """256 bits under the label that every later version must find, never shown or copied out, for HMAC alone."""
    TokenProtector(MODULE, label="mash", pin_file=pin).new()
    token = pkcs11.lib(str(MODULE)).get_token(token_label="mash")
    with token.open(user_pin="123456") as session:
        key: Any
        (key,) = session.get_objects({Attribute.LABEL: "mash-keyring", Attribute.CLASS: ObjectClass.SECRET_KEY})
        assert (key[Attribute.VALUE_LEN], key.key_type, key[Attribute.SENSITIVE]) == (32, KeyType.GENERIC_SECRET, True)
        kept = ("EXTRACTABLE", "VERIFY", "ENCRYPT", "DECRYPT", "WRAP", "UNWRAP", "DERIVE")
        assert {name: key[getattr(Attribute, name)] for name in kept} == dict.fromkeys(kept, False)
        assert (key[Attribute.SIGN], key[Attribute.NEVER_EXTRACTABLE]) == (True, True)


def test_a_keyring_of_today_is_opened_with_the_token_by_the_version_of_tomorrow(pin: Path) -> None:
    """The derivation is for ever: HMAC-SHA256 by the token's secret over the label and the salt."""
    key, header = TokenProtector(MODULE, label="mash", pin_file=pin).new()
    token = pkcs11.lib(str(MODULE)).get_token(token_label="mash")
    with token.open(user_pin="123456") as session:
        held: Any
        (held,) = session.get_objects({Attribute.LABEL: "mash-keyring", Attribute.CLASS: ObjectClass.SECRET_KEY})
        salt = base64url.decode(header["salt"]) or b""
        assert held.sign(pae("keyring-kek", salt), mechanism=Mechanism.SHA256_HMAC) == key.reveal()


def test_a_token_whose_secret_is_gone_or_that_holds_anothers_opens_nothing(pin: Path) -> None:
    """Another program's key on the same token is not taken for ours, and a lost one is not replaced unasked."""
    protector = TokenProtector(MODULE, label="shared", pin_file=pin)
    token = pkcs11.lib(str(MODULE)).get_token(token_label="shared")
    with token.open(rw=True, user_pin="123456") as session:
        mechanism = Mechanism.GENERIC_SECRET_KEY_GEN
        session.generate_key(KeyType.GENERIC_SECRET, 256, label="another", store=True, mechanism=mechanism)
    _, header = protector.new()
    with token.open(rw=True, user_pin="123456") as session:
        (ours,) = session.get_objects({Attribute.LABEL: KEY_LABEL})
        ours.destroy()
    with pytest.raises(CannotUnlock):
        protector.unlock(header)


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
