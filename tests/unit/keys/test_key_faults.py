"""The key file under bad hands: weak secrets, forged headers, refused inputs, and what a fault of the disk leaves."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.kit.keys import keyfile, protectors
from adapters.kit.keys.keyerrors import NoSuchRole, NotToBePublished, NotToBeRevoked
from adapters.kit.keys.keyring import Keyring
from adapters.kit.keys.protectors import CannotUnlock, Cost, CredentialProtector, PassphraseProtector
from adapters.kit.keys.secrets import SecretBytes
from schemas.directory import AgencyRecord
from tests.support.parties import CHEAP, NOW, Party, cheap_protector, make_party


@pytest.fixture
def police(tmp_path: Path) -> Party:
    return make_party("testford-police", kind="police", folder=tmp_path / "keys", weeks=0)


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


def test_a_secret_says_how_long_it_is_and_nothing_else() -> None:
    """Whether content keys were kept is asked by length."""
    assert [len(SecretBytes(bytes(count))) for count in (0, 1, 33)] == [0, 1, 33]
    assert len(SecretBytes.random()) == 32


@pytest.mark.parametrize("name", ["", "Duty Team", "d", "1st", "duty-team", "d" * 48])
def test_a_role_whose_name_partners_would_refuse_is_not_added(name: str, police: Party) -> None:
    """A record with it would not be read by anybody, and the agency would be gone from the directory."""
    with pytest.raises(NoSuchRole):
        police.keyring.add_role(name, opens=[1], now=NOW)
    assert len(police.record.roles) == 4


def test_an_identity_key_is_replaced_and_not_revoked(police: Party) -> None:
    """A revocation that nobody honours would be worse than none: the way is a new identity, and the telephone."""
    (identity,) = police.keyring.stored.of_use("identity")
    with pytest.raises(NotToBeRevoked):
        police.keyring.revoke(identity.id, now=NOW)
    assert police.record.revocations == ()


@pytest.mark.parametrize("public", [{"name": "x" * 81}, {"duty_telephone": "0" * 41}, {"duty_telephone": ""}])
def test_a_keyring_that_could_never_be_published_is_not_made(public: dict[str, str], tmp_path: Path) -> None:
    """It is said before anything is written, and not when the first record is to be signed."""
    with pytest.raises(NotToBePublished):
        Keyring.create(
            tmp_path / "keys",
            participant="testford-police",
            protector=cheap_protector(),
            now=NOW,
            kind="police",
            **public,
        )
    assert not (tmp_path / "keys").exists()


def test_an_agency_says_whom_to_ring_and_changes_it(tmp_path: Path) -> None:
    """GOV-05: the number is in the record that the hub reads, from the beginning and after a change."""
    ring = Keyring.create(
        tmp_path / "keys",
        participant="testford-police",
        protector=cheap_protector(),
        now=NOW,
        kind="police",
        name="Testford Police",
        duty_telephone="020 7946 0000",
    )
    assert (ring.directory_record().duty_telephone, ring.directory_record().name) == (
        "020 7946 0000",
        "Testford Police",
    )
    ring.set_duty_telephone("020 7946 0001")
    again = Keyring.open(tmp_path / "keys", protector=cheap_protector(), now=NOW)
    assert again.directory_record().duty_telephone == "020 7946 0001"
    with pytest.raises(NotToBePublished):
        ring.set_duty_telephone("0" * 41)
    assert AgencyRecord.model_validate_json(again.directory_record().model_dump_json()) == again.directory_record()


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
