import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from adapters.kit.envelope.sealing import NoCurrentKey
from adapters.kit.envelope.verification import Arrival, Opened, open_arrival
from adapters.kit.keys import keyfile
from adapters.kit.keys.keyhealth import self_test
from adapters.kit.keys.keyring import AlreadyThere, Keyring, NoSuchKey, NoSuchRole
from adapters.kit.keys.protectors import CannotUnlock, ReadableByOthers
from schemas.directory import Directory
from schemas.signing import pae
from tests.support.envelopes import delivered, refusal_code, sealed_by
from tests.support.parties import ALL_ROLES, NOW, Party, cheap_protector, make_directory, make_party

WEEK = timedelta(days=7)
PROMISE = timedelta(days=23)


@pytest.fixture
def police(tmp_path: Path) -> Party:
    return make_party("testford-police", kind="police", folder=tmp_path / "keys", weeks=0)


@pytest.fixture
def council() -> Party:
    return make_party("testford-la", kind="la", weeks=0)


def reopened(party: Party, now: datetime) -> Keyring:
    return Keyring.open(party.folder, protector=cheap_protector(), now=now)


MOMENTS_OF_A_WEEK = (timedelta(0), timedelta(days=3, hours=5), WEEK - timedelta(seconds=1))


@pytest.mark.parametrize("sealed_after", MOMENTS_OF_A_WEEK)
def test_a_thief_of_all_keys_reads_nothing_that_was_sealed_more_than_23_days_ago(
    sealed_after: timedelta, council: Party, police: Party
) -> None:
    """The forward secrecy promise (7 + 14 + 2 days), whenever in the week a message was sealed."""
    sealed_at = NOW + sealed_after
    directory = make_directory(council, police)
    body = sealed_by(council, police, directory=directory, now=sealed_at).body
    arrival = delivered(body, sender=council, recipient=police, directory=directory, now=sealed_at)
    assert isinstance(arrival, Arrival)
    stolen = reopened(police, sealed_at + PROMISE + timedelta(seconds=1))
    keys = stolen.recipient_keys(ALL_ROLES, sealed_at)
    assert refusal_code(open_arrival(arrival, keys=keys, directory=directory)) == "E16"
    on_disk = (police.folder / keyfile.FILE_NAME).read_text()
    used = used_at(directory, police, sealed_at)
    assert len(used) == 4
    assert not any(prekey in on_disk for prekey in used)


def used_at(directory: Directory, party: Party, moment: datetime) -> set[str]:
    record = directory.records[party.name]
    chosen = (record.prekey_of(role, int(moment.timestamp())) for role in record.roles)
    return {prekey.id for prekey in chosen if prekey is not None}


def test_a_recipient_still_opens_a_message_that_took_its_whole_14_days(council: Party, police: Party) -> None:
    """Erasure waits for the last message that may arrive."""
    sealed_at = NOW + WEEK - timedelta(seconds=1)
    directory = make_directory(council, police)
    body = sealed_by(council, police, directory=directory, now=sealed_at).body
    late = sealed_at + timedelta(days=14) - timedelta(seconds=1)
    arrival = delivered(body, sender=council, recipient=police, directory=directory, now=late)
    assert isinstance(arrival, Arrival)
    keys = reopened(police, late).recipient_keys(ALL_ROLES, late)
    assert isinstance(open_arrival(arrival, keys=keys, directory=directory), Opened)


def test_a_restored_backup_brings_no_prekey_back(tmp_path: Path, police: Party) -> None:
    """M14: a backup is older than the erasures since; it must not undo them."""
    copy = tmp_path / "restored"
    copy.mkdir()
    police.keyring.back_up(copy / keyfile.FILE_NAME)
    restored = Keyring.open(copy, protector=cheap_protector(), now=NOW)
    assert restored.stored.of_use("prekey") == ()
    assert restored.store_key() == police.keyring.store_key()
    assert restored.sender_keys(NOW).kid == police.sender().kid
    assert restored.rotate(NOW) == 4
    assert (copy / keyfile.FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_a_revoked_signing_key_is_used_no_more_and_partners_are_told(council: Party, police: Party) -> None:
    """E08: the successor is there at once, and the record says since when."""
    stolen = police.sender().kid
    later = NOW + timedelta(hours=1)
    police.keyring.revoke(stolen, now=later)
    assert police.sender(later).kid != stolen
    assert police.record.revoked_at(stolen) == int(later.timestamp())
    with pytest.raises(NoSuchKey):
        police.keyring.revoke("A" * 22, now=later)


def test_nobody_seals_to_a_revoked_prekey(council: Party, police: Party) -> None:
    """A stolen prekey is left at once: its successor is sealed to, and without one nothing is sealed."""
    before = make_directory(council, police)
    team = police.record.role("team")
    assert team is not None
    (stolen,) = (prekey.id for prekey in team.prekeys)
    police.keyring.revoke(stolen, now=NOW)
    after = make_directory(council, police)
    assert stolen not in used_at(after, police, NOW)
    bare = police.record.model_copy(
        update={"roles": before.records[police.name].roles, "revocations": police.record.revocations}
    )
    stale = Directory.build(1, [council.record, bare], [(council.name, police.name)])
    with pytest.raises(NoCurrentKey):
        sealed_by(council, police, directory=stale)


def test_a_role_that_the_agency_adds_opens_its_sections_and_no_others(council: Party, police: Party) -> None:
    """Issue 3: any role the agency adds; senders seal to it without being told anything else."""
    police.keyring.add_role("duty_team", opens=[1], now=NOW)
    directory = make_directory(council, police)
    arrival = delivered(
        sealed_by(council, police, directory=directory).body, sender=council, recipient=police, directory=directory
    )
    assert isinstance(arrival, Arrival)
    message = open_arrival(arrival, keys=police.recipient("gateway", "duty_team"), directory=directory)
    assert isinstance(message, Opened)
    assert list(message.sections) == ["team"]


@pytest.mark.parametrize(("name", "opens"), [("team", [1]), ("duty", []), ("duty", [0]), ("duty", [4])])
def test_a_role_cannot_be_added_twice_or_open_the_manifest(name: str, opens: list[int], police: Party) -> None:
    """Empty means no, and section 0 stays with the gateway."""
    with pytest.raises(NoSuchRole):
        police.keyring.add_role(name, opens=opens, now=NOW)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_key_file_that_others_can_read_is_refused(mode: int, police: Party) -> None:
    """M14: it is not repaired either; the operator must know that keys may be out."""
    (police.folder / keyfile.FILE_NAME).chmod(mode)
    with pytest.raises(ReadableByOthers):
        reopened(police, NOW)


def test_a_thief_of_the_disk_opens_nothing_without_the_passphrase(police: Party) -> None:
    """M14: the file alone is no key."""
    with pytest.raises(CannotUnlock):
        Keyring.open(police.folder, protector=cheap_protector("another passphrase"), now=NOW)


def test_a_wrapped_key_cannot_take_another_keys_place(police: Party) -> None:
    """The wrapping is bound to use, id and public half: swapping two in the file is noticed."""
    content = keyfile.load(police.folder)
    *others, first, second = content.keys
    swapped = (first.model_copy(update={"sealed": second.sealed}), second.model_copy(update={"sealed": first.sealed}))
    keyfile.save(content.model_copy(update={"keys": (*others, *swapped)}), folder=police.folder)
    ring = reopened(police, NOW)
    with pytest.raises(CannotUnlock):
        ring.recipient_keys(ALL_ROLES, NOW)


def test_a_damaged_key_file_is_said_to_be_damaged_without_being_shown(police: Party) -> None:
    """The message names the file and nothing that is in it."""
    (police.folder / keyfile.FILE_NAME).write_text('{"master": "secret-looking"}')
    with pytest.raises(keyfile.DamagedKeyFile) as caught:
        reopened(police, NOW)
    assert "secret-looking" not in str(caught.value)


def test_a_keyring_is_not_overwritten(police: Party) -> None:
    """Making one where one is would lose every key."""
    with pytest.raises(AlreadyThere):
        Keyring.create(police.folder, participant="testford-police", protector=cheap_protector(), now=NOW)


def test_a_command_and_a_service_do_not_overwrite_each_others_keys(police: Party) -> None:
    """C35: a published key without its private half must never exist."""
    service, command = reopened(police, NOW), reopened(police, NOW)
    later = NOW + timedelta(days=6)
    assert command.rotate(later) == 4
    service.add_role("duty_team", opens=[1], now=later)
    ids = {key.id for key in reopened(police, later).stored.keys}
    assert {key.id for key in command.stored.keys} <= ids


def test_a_running_service_opens_what_is_sealed_to_a_prekey_that_a_command_made(council: Party, police: Party) -> None:
    """`mash keys rotate` beside a running adapter must not make it refuse its partners' messages."""
    service = reopened(police, NOW)
    service.recipient_keys(ALL_ROLES, NOW)
    later = NOW + timedelta(days=8)
    for party in (council, police):
        party.keyring.rotate(later)
    directory = make_directory(council, police)
    body = sealed_by(council, police, directory=directory, now=later).body
    arrival = delivered(body, sender=council, recipient=police, directory=directory, now=later)
    assert isinstance(arrival, Arrival)
    assert isinstance(open_arrival(arrival, keys=service.recipient_keys(ALL_ROLES, later), directory=directory), Opened)
    assert service.directory_record() == police.record


def test_a_service_forgets_a_key_that_a_command_erased(police: Party) -> None:
    """Erased is erased in every process that holds the keyring."""
    service, much_later = reopened(police, NOW), NOW + timedelta(days=24)
    held = service.recipient_keys(ALL_ROLES, NOW).prekeys
    assert police.keyring.erase_expired(much_later) == 4
    assert service.recipient_keys(ALL_ROLES, NOW).prekeys == {}
    assert len(held) == 4


def test_a_new_passphrase_changes_no_key(police: Party) -> None:
    """The key-encryption key is renewed each year; partners notice nothing."""
    before = police.record
    police.keyring.protect_anew(cheap_protector("a new passphrase"))
    with pytest.raises(CannotUnlock):
        reopened(police, NOW)
    ring = Keyring.open(police.folder, protector=cheap_protector("a new passphrase"), now=NOW)
    assert (ring.directory_record(), ring.store_key()) == (before, police.keyring.store_key())


def test_the_self_test_finds_a_published_key_that_does_not_fit(police: Party) -> None:
    """Lessons, KeyValidatorHandler: partners would seal to a key that opens nothing."""
    assert self_test(police.keyring, NOW) == []
    first, second = police.keyring.stored.of_use("prekey")[:2]
    secret, mistaken = police.keyring.unwrapped(first), first.model_copy(update={"public": second.public})
    label = mistaken.label(police.name)
    sealed = police.keyring._wrapping.seal(secret, label=label)
    content = police.keyring.stored.model_copy(update={"keys": (mistaken.model_copy(update={"sealed": sealed}),)})
    content = content.model_copy(update={"keys": content.keys + police.keyring.stored.of_use("identity")})
    ring = Keyring(police.folder, content=content, master=police.keyring._master)
    assert self_test(ring, NOW) == [f"prekey {first.id} of gateway"]


def test_no_private_key_has_a_printable_form(police: Party) -> None:
    """Style 14: neither the keyring nor what it hands out shows more than public halves."""
    shown = repr(
        (police.keyring, police.keyring.stored, police.sender(), police.recipient(), police.keyring.store_key())
    )
    assert all(key.sealed not in shown for key in police.keyring.stored.keys)
    assert f"{police.keyring.identity_seed()} {police.keyring.store_key():>20}" == "<SecretBytes> <SecretBytes>"


def test_a_flipped_bit_anywhere_in_the_key_file_is_seen_before_anything_in_it_is_used(police: Party) -> None:
    """In a date, a public key or a sealed one: the file is refused, or says exactly what was written."""
    path = police.folder / keyfile.FILE_NAME
    whole, expected = path.read_bytes(), keyfile.load(police.folder)
    chance = random.Random(7)  # noqa: S311 - the same places at every run
    refused = 0
    for at in chance.sample(range(len(whole)), 60):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << chance.randrange(7))]) + whole[at + 1 :])
        try:
            assert keyfile.load(police.folder) == expected
        except keyfile.DamagedKeyFile:
            refused += 1
    assert refused > 40


def test_a_keyring_of_today_is_opened_by_the_version_of_tomorrow(tmp_path: Path) -> None:
    """Names on the disk are for ever: what keys are bound to, which file locks, and who may look into the folder."""
    Keyring.create(tmp_path / "keys", participant="testford-yot", protector=cheap_protector(), now=NOW)
    (key, *_) = keyfile.load(tmp_path / "keys").keys
    parts = ("testford-yot", key.use, key.id, key.public)
    assert key.label("testford-yot") == pae("keyring", *(part.encode() for part in parts))
    assert keyfile.master_label("testford-yot") == pae("keyring-master", b"testford-yot")
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["keyring.json", "keyring.lock"]
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
