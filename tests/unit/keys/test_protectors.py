import pickle
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from adapters.kit.keys.protectors import (
    MODERATE,
    CannotUnlock,
    Cost,
    CredentialProtector,
    PassphraseProtector,
    ReadableByOthers,
    TooWeak,
)
from adapters.kit.keys.secrets import SecretBytes
from tests.support.parties import CHEAP, cheap_protector


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    (tmp_path / "mash-keyring").write_bytes(bytes(range(32)))
    (tmp_path / "mash-keyring").chmod(0o400)
    return tmp_path


def test_a_passphrase_leads_back_to_its_key() -> None:
    """Argon2id with the salt of the header."""
    key, header = cheap_protector().new()
    assert cheap_protector().unlock(header) == key
    assert cheap_protector().new()[0] != key


def test_the_passphrase_default_costs_a_thief_256_mebibytes_a_guess() -> None:
    """RFC 9106: the default is libsodium's moderate; only tests ask for less."""
    assert Cost(passes=3, memory=268_435_456) == MODERATE
    assert PassphraseProtector("synthetic passphrase")._cost is MODERATE


def test_a_forged_header_cannot_lower_the_cost() -> None:
    """Whoever may write the file must not choose how little work a guess is."""
    _, header = cheap_protector().new()
    dearer = PassphraseProtector("synthetic passphrase", cost=Cost(passes=2, memory=16_384))
    with pytest.raises(CannotUnlock):
        dearer.unlock(header)


@pytest.mark.parametrize(
    "change",
    [{"memory": 1 << 40}, {"passes": 10**6}, {"passes": "1"}, {"passes": True}, {"salt": "x"}, {"kind": "credential"}],
)
def test_a_forged_header_is_refused_before_any_work(change: dict[str, object]) -> None:
    """A header that asks for a terabyte would stop the service."""
    _, header = cheap_protector().new()
    with pytest.raises(CannotUnlock):
        cheap_protector().unlock({**header, **change})


def test_a_short_passphrase_is_refused() -> None:
    """Twelve characters are the least."""
    with pytest.raises(TooWeak):
        PassphraseProtector("elevenchars", cost=CHEAP)


def test_a_credential_leads_back_to_its_key(credentials: Path) -> None:
    """The service manager's credential, and a salt a keyring."""
    protector = CredentialProtector(folder=credentials)
    key, header = protector.new()
    assert protector.unlock(header) == key
    assert protector.new()[0] != key


def test_a_credential_that_others_can_read_is_refused(credentials: Path) -> None:
    """M14."""
    (credentials / "mash-keyring").chmod(0o440)
    with pytest.raises(ReadableByOthers):
        CredentialProtector(folder=credentials).new()


def test_a_missing_or_short_credential_is_refused(credentials: Path) -> None:
    """No credential is no key, never an empty one."""
    with pytest.raises(CannotUnlock):
        CredentialProtector("another", folder=credentials).new()
    (credentials / "short").write_bytes(b"too short")
    (credentials / "short").chmod(0o400)
    with pytest.raises(TooWeak):
        CredentialProtector("short", folder=credentials).new()


def test_a_secret_is_neither_printed_nor_pickled_nor_hashed() -> None:
    """Style 14."""
    secret = SecretBytes(b"the words")
    assert f"{secret!r} {secret!s} {secret:>40}" == "<SecretBytes> <SecretBytes> <SecretBytes>"
    leaks: tuple[Callable[[Any], object], ...] = (pickle.dumps, deepcopy, hash, bytes, list, vars)
    for leak in leaks:
        with pytest.raises(TypeError):
            leak(secret)


def test_secrets_are_equal_by_their_bytes() -> None:
    """Compared in constant time."""
    assert SecretBytes(b"a") == SecretBytes(b"a")
    assert SecretBytes(b"a") != SecretBytes(b"b")
    assert SecretBytes(b"a") != b"a"
