"""What locks a key file, under bad hands: weak secrets, forged headers, and derivations that are for ever."""

import hmac
from pathlib import Path

import pytest

from adapters.kit.keys import protectors
from adapters.kit.keys.protectors import CannotUnlock, Cost, CredentialProtector, PassphraseProtector
from adapters.kit.keys.secrets import SecretBytes
from schemas import base64url
from schemas.signing import pae
from tests.support.parties import CHEAP, cheap_protector


def test_a_passphrase_of_twelve_characters_is_enough() -> None:
    """The least that is accepted is the least that the message names."""
    key, header = PassphraseProtector("twelve chars", cost=CHEAP).new()
    assert PassphraseProtector("twelve chars", cost=CHEAP).unlock(header) == key


@pytest.mark.parametrize("change", [{"memory": (1 << 30) + 1}, {"passes": 17}])
def test_a_forged_header_asks_for_more_work_than_a_service_can_bear(change: dict[str, int]) -> None:
    """A gibibyte and sixteen passes are the most; a header that asks for more is refused before any of it is spent."""
    _, header = cheap_protector().new()
    with pytest.raises(CannotUnlock):
        cheap_protector().unlock({**header, **change})


def test_a_header_may_ask_for_all_the_work_that_is_borne(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds themselves are allowed: a careful agency may choose the dearest."""
    monkeypatch.setattr(protectors, "MAX_MEMORY", 16_384)
    for cost in (Cost(passes=16, memory=8192), Cost(passes=1, memory=16_384)):
        key, header = PassphraseProtector("synthetic passphrase", cost=cost).new()
        assert cheap_protector().unlock(header) == key


def test_a_header_whose_work_the_library_refuses_opens_nothing() -> None:
    """Less memory than Argon2id can work with is a refusal, not a crash."""
    _, header = cheap_protector().new()
    careless = PassphraseProtector("synthetic passphrase", cost=Cost(passes=1, memory=1))
    with pytest.raises(CannotUnlock):
        careless.unlock({**header, "memory": 1})


def test_a_service_finds_its_credential_where_systemd_puts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`CREDENTIALS_DIRECTORY`, systemd.exec(5); without it there is no credential and no key."""
    (tmp_path / "mash-keyring").write_bytes(bytes(range(32)))
    (tmp_path / "mash-keyring").chmod(0o400)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    key, header = CredentialProtector().new()
    assert CredentialProtector(folder=tmp_path).unlock(header) == key
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(CannotUnlock):
        CredentialProtector().unlock(header)


@pytest.fixture
def credential(tmp_path: Path) -> CredentialProtector:
    (tmp_path / "mash-keyring").write_bytes(bytes(range(64)))
    (tmp_path / "mash-keyring").chmod(0o400)
    return CredentialProtector(folder=tmp_path)


@pytest.mark.parametrize("change", [{"kind": "passphrase"}, {"salt": "x"}, {"salt": "A" * 43}])
def test_a_header_that_a_credential_did_not_make_opens_nothing(
    change: dict[str, str], credential: CredentialProtector
) -> None:
    """A key file moved from another kind of protection, or with a damaged header, is not opened with some other key."""
    _, header = credential.new()
    with pytest.raises(CannotUnlock):
        credential.unlock({**header, **change})


def test_a_keyring_of_today_is_opened_with_the_credential_by_the_version_of_tomorrow(
    credential: CredentialProtector,
) -> None:
    """The derivation is for ever: HKDF-SHA256 of the whole credential, with the header's salt, under its label."""
    key, header = credential.new()
    extracted = hmac.digest(base64url.decode(header["salt"]) or b"", bytes(range(64)), "sha256")
    assert hmac.digest(extracted, pae("keyring-kek") + b"\x01", "sha256") == key.reveal()


def test_a_secret_says_how_long_it_is_and_nothing_else() -> None:
    """Whether content keys were kept is asked by length."""
    assert [len(SecretBytes(bytes(count))) for count in (0, 1, 33)] == [0, 1, 33]
    assert len(SecretBytes.random()) == 32
