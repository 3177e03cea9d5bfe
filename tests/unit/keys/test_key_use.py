"""A keyring in use: what it makes, counts, hands out and refuses."""

import hmac
from datetime import timedelta
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from adapters.kit.keys.keyerrors import NoSuchRole, NotToBePublished, NotToBeRevoked
from adapters.kit.keys.keyhealth import self_test
from adapters.kit.keys.keyring import Keyring
from schemas import base64url
from schemas.directory import AgencyRecord
from schemas.signing import pae
from tests.support.parties import NOW, Party, cheap_protector, make_party


@pytest.fixture
def police(tmp_path: Path) -> Party:
    return make_party("testford-police", kind="police", folder=tmp_path / "keys", weeks=0)


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
