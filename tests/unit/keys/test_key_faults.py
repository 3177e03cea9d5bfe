"""The key file under bad hands: weak secrets, forged headers, refused inputs, and what a fault of the disk leaves."""

import fcntl
import hmac
import os
from datetime import timedelta
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from adapters.kit.keys import keyfile, protectors
from adapters.kit.keys.keyerrors import NoSuchRole, NotToBePublished, NotToBeRevoked
from adapters.kit.keys.keyfile import Wrapping
from adapters.kit.keys.keyhealth import self_test
from adapters.kit.keys.keyring import Keyring
from adapters.kit.keys.protectors import CannotUnlock, Cost, CredentialProtector, PassphraseProtector
from adapters.kit.keys.secrets import SecretBytes
from schemas import base64url
from schemas.directory import AgencyRecord
from schemas.signing import pae
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


def test_a_keyring_is_fit_for_use_when_it_is_made(tmp_path: Path) -> None:
    """One identity, one signing key and a prekey for each of the four roles, from the same moment on; none is wrong."""
    ring = Keyring.create(tmp_path / "keys", participant="testford-la", protector=cheap_protector(), now=NOW)
    assert [key.use for key in ring.stored.keys] == ["identity", "signing"] + ["prekey"] * 4
    assert {key.not_before for key in ring.stored.keys} == {int(NOW.timestamp())}
    assert ring.sender_keys(NOW).participant == "testford-la"
    assert len(ring.recipient_keys(["gateway", "team", "decision_maker", "protected"], NOW).prekeys) == 4
    assert [(role.name, role.opens) for role in ring.directory_record().roles] == [
        ("gateway", (0,)),
        ("team", (1,)),
        ("decision_maker", (2,)),
        ("protected", (3,)),
    ]
    assert (ring.directory_record().kind, ring.directory_record().name) == ("la", "testford-la")
    assert self_test(ring, NOW) == []


def test_a_keyring_says_how_many_keys_it_made_and_erased(police: Party) -> None:
    """What the daily work reports is what happened: an operator publishes by it."""
    assert police.keyring.rotate(NOW) == 0
    assert police.keyring.rotate(NOW + timedelta(days=6)) == 4
    assert police.keyring.erase_expired(NOW + timedelta(days=22)) == 0
    assert police.keyring.erase_expired(NOW + timedelta(days=23)) == 4
    assert police.keyring.erase_expired(NOW + timedelta(days=89)) == 4
    assert police.keyring.erase_expired(NOW + timedelta(days=90)) == 1
    assert [key.use for key in police.keyring.stored.keys] == ["identity"]


def test_an_added_role_opens_each_of_its_sections_once_and_in_order(police: Party) -> None:
    """However the operator lists them; all three sections may be one role's."""
    police.keyring.add_role("duty_team", opens=[3, 1, 3, 2], now=NOW)
    added = police.record.role("duty_team")
    assert added is not None
    assert (added.opens, len(added.prekeys)) == ((1, 2, 3), 1)


def test_a_renewed_identity_is_the_one_that_is_published_and_signs(police: Party) -> None:
    """The youngest is in force for 24 months; the one before is kept, because nothing says yet that it was received."""
    before = police.record.identity
    later = NOW + timedelta(days=700)
    police.keyring.renew_identity(later)
    assert police.record.identity != before
    old, new = police.keyring.stored.of_use("identity")
    assert (old.public, new.public) == (before, police.record.identity)
    assert new.not_after - new.not_before == 730 * 86_400
    pair = SigningKey(police.keyring.identity_seed().reveal())
    assert base64url.encode(bytes(pair.verify_key)) == police.record.identity


def test_the_key_of_the_store_is_for_ever_the_same_and_no_other_agencys(police: Party) -> None:
    """Everything at rest is sealed under it: HMAC-SHA256 of the master key under its own label."""
    other = make_party("testford-yot", kind="yot", weeks=0)
    expected = hmac.digest(police.keyring._master.reveal(), pae("keyring-store") + b"\x01", "sha256")
    assert police.keyring.store_key().reveal() == expected
    assert police.keyring.store_key() != other.keyring.store_key()


def test_a_service_signs_no_more_with_a_key_that_a_command_revoked(police: Party) -> None:
    """From the next message on, without being started anew; and it publishes what the command changed."""
    service = Keyring.open(police.folder, protector=cheap_protector(), now=NOW)
    stolen = service.sender_keys(NOW).kid
    police.keyring.revoke(stolen, now=NOW)
    assert service.sender_keys(NOW).kid != stolen
    other = Keyring.open(police.folder, protector=cheap_protector(), now=NOW)
    police.keyring.add_role("duty_team", opens=[1], now=NOW)
    assert other.directory_record() == police.record
    assert other.directory_record().role("duty_team") is not None


def test_a_reader_is_given_the_prekeys_of_its_roles_and_of_their_time_alone(police: Party) -> None:
    """Another office's keys are not handed out, and none that ought to be erased, even where nobody has erased it."""
    team = police.keyring.recipient_keys(["team", "nobody"], NOW)
    assert [role.name for role in team.roles.values()] == ["team"]
    assert [prekey.role_id for prekey in team.prekeys.values()] == list(team.roles)
    late = NOW + timedelta(days=23)
    assert len(police.keyring.recipient_keys(["team"], late - timedelta(seconds=1)).prekeys) == 1
    assert police.keyring.recipient_keys(["team"], late).prekeys == {}


def test_an_erased_key_is_gone_from_memory_too_and_the_others_stay_loaded(police: Party) -> None:
    """What a debugger finds in the process is what the file still holds; a change elsewhere costs no unwrapping."""
    before = police.keyring.recipient_keys(["team"], NOW).prekeys
    police.keyring.rotate(NOW + timedelta(days=6))
    again = police.keyring.recipient_keys(["team"], NOW).prekeys
    (number,) = before
    assert again[number] is before[number]
    police.keyring.erase_expired(NOW + timedelta(days=23))
    assert base64url.encode(number) not in police.keyring._in_hand
    assert len(police.keyring._in_hand) == 1


def test_a_key_file_that_is_not_there_is_said_not_to_be(police: Party, tmp_path: Path) -> None:
    """Neither a fresh keyring nor an empty one is made by opening; what runs goes on with what it holds."""
    (police.folder / keyfile.FILE_NAME).rename(tmp_path / "aside")
    with pytest.raises(FileNotFoundError):
        Keyring.open(police.folder, protector=cheap_protector(), now=NOW)
    assert keyfile.mark_of(police.folder) is None
    assert police.sender(NOW).participant == "testford-police"


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
