"""Each test is something that a hub, a registrar, a partner or a network could do to the directory."""

from datetime import timedelta
from pathlib import Path

import pytest

from broker.directory.client import DirectoryClient, NoDirectory, NotPinned
from broker.directory.keys import load_signer, make_key
from broker.directory.repository import NotEnoughSignatures, NothingPublished
from broker.directory.rules import Alarm, Freshness, Raised, directory_of
from broker.directory.shelf import Shelf
from broker.directory.tuf import Metadata, MetaFile, Timestamp
from schemas import base64url
from schemas.routing import Lane
from tests.support.envelopes import delivered, refusal_code, sealed_by
from tests.support.parties import NOW, Party, make_party
from tests.support.registry import Registry, alarms, member_of, members_of

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def test_two_readers_see_one_directory_with_one_hash(registry: Registry, police: Party, council: Party) -> None:
    """What rides in every envelope is the same for everybody, the hub included."""
    readers = [registry.client(name).refresh(registry.source, now=NOW).directory for name in ("one", "other")]
    hashes = {directory.hash for directory in readers if directory is not None}
    assert hashes == {directory_of(registry.repository.published()).hash}
    directory = readers[0]
    assert directory is not None
    body = sealed_by(council, police, directory=directory).body
    assert refusal_code(delivered(body, sender=council, recipient=police, directory=directory)) == "accepted"


def test_a_reader_goes_on_with_the_last_good_directory_when_the_hub_is_away(registry: Registry, tmp_path: Path) -> None:
    """The world's fault is an alarm and no reason to use anything unverified."""
    client = registry.client("reader")
    good = client.refresh(registry.source, now=NOW).directory
    away = client.refresh(str(tmp_path / "nowhere"), now=NOW + HOUR)
    assert away.directory == good == client.current()
    assert away.alarms == (Raised(Alarm.UNREACHABLE),)


def test_a_reader_without_a_pinned_root_trusts_nothing(registry: Registry, tmp_path: Path) -> None:
    """There is no trust on first use."""
    client = DirectoryClient(tmp_path / "bare")
    with pytest.raises(NotPinned):
        client.refresh(registry.source, now=NOW)
    with pytest.raises(NoDirectory):
        client.current()


def test_a_hub_rolls_the_directory_back(registry: Registry, police: Party) -> None:
    """M6, rollback: an older snapshot is refused, and the newer one stays in use."""
    client = registry.client("reader")
    client.refresh(registry.source, now=NOW)
    old = registry.copy("old")
    registry.submit(police, now=NOW + HOUR)
    registry.publish(NOW + HOUR)
    client.refresh(registry.source, now=NOW + HOUR)
    assert alarms(client, old, after=2 * HOUR) == [Alarm.ROLLBACK]
    assert client.current().version == 2


def test_a_hub_freezes_the_directory(registry: Registry) -> None:
    """M6, freeze: a timestamp lives 48 hours; then urgent messages only for a day, then none."""
    client = registry.client("reader")
    client.refresh(registry.source, now=NOW)
    assert alarms(client, registry.source, after=49 * HOUR) == [Alarm.FROZEN]
    at = {hours: client.freshness(NOW + hours * HOUR) for hours in (47, 49, 73)}
    assert at == {47: Freshness.FRESH, 49: Freshness.DEGRADED, 73: Freshness.STALE}
    sends = {
        (hours, lane): client.may_send(lane, now=NOW + hours * HOUR)
        for hours in at
        for lane in (Lane.URGENT, Lane.ROUTINE)
    }
    assert sends == {
        (47, Lane.URGENT): True,
        (47, Lane.ROUTINE): True,
        (49, Lane.URGENT): True,
        (49, Lane.ROUTINE): False,
        (73, Lane.URGENT): False,
        (73, Lane.ROUTINE): False,
    }
    assert client.current().version == 1


def test_a_reader_recovers_from_a_fast_forward_once_the_hubs_key_is_replaced(registry: Registry) -> None:
    """Fast-forward: a stolen hub key set the version to the sky; a new root with a new hub key makes it fall back."""
    client = registry.client("reader")
    client.refresh(registry.source, now=NOW)
    sky = Metadata(Timestamp(10**9, expires=NOW + 2 * DAY, snapshot_meta=MetaFile(1)))
    sky.sign(load_signer(registry.private("hub")))
    honest = Shelf(registry.folder).timestamp()
    Shelf(registry.folder).put_timestamp(sky)
    client.refresh(registry.source, now=NOW)
    assert honest is not None
    Shelf(registry.folder).put_timestamp(honest)
    assert alarms(client, registry.source) == [Alarm.ROLLBACK]
    for suffix in ("", ".pub"):
        registry.private("hub" + suffix).unlink()
    make_key(registry.private("hub"))
    registry.stage_root(NOW)
    registry.sign("root", "root-1", "root-2")
    registry.publish(NOW + HOUR)
    assert alarms(client, registry.source, after=HOUR) == []


def test_a_hub_forges_an_agencys_keys(registry: Registry, police: Party) -> None:
    """Decision 2: the hub signs snapshot and timestamp, and no agency's record."""
    client = registry.client("reader")
    good = client.refresh(registry.source, now=NOW).directory
    impostor = make_party("testford-police", kind="police")
    registry.submit(impostor, now=NOW + HOUR)
    published = registry.publish(NOW + HOUR)
    assert published.records["testford-police"] == police.record
    assert client.refresh(registry.source, now=NOW + HOUR).directory == good


def test_a_hub_serves_a_forged_record_past_its_own_checks(registry: Registry) -> None:
    """Even if the hub's software is replaced, a reader verifies the agency's own signature and alarms."""
    client = registry.client("reader")
    impostor = make_party("testford-police", kind="police")
    registry.submit(impostor, now=NOW)
    forged = registry.repository.incoming / "agency-testford-police.json"
    (published,) = (registry.folder / "metadata").glob("*.agency-testford-police.json")
    published.write_bytes(forged.read_bytes())
    refreshed = client.refresh(registry.source, now=NOW)
    assert Raised(Alarm.RECORD_MISSING, "testford-police") in refreshed.alarms
    assert refreshed.directory is not None
    assert refreshed.directory.participant("testford-police") is None


def test_one_registrar_alone_changes_nothing(registry: Registry, police: Party) -> None:
    """Threshold 2: one stolen registrar's key, or one bribed registrar, adds no member and no pair."""
    registry.stage(members_of(police), now=NOW, signers=("registrar-1",))
    with pytest.raises(NotEnoughSignatures):
        registry.publish(NOW + HOUR)
    registry.sign("targets", "registrar-1")
    with pytest.raises(NotEnoughSignatures):
        registry.publish(NOW + HOUR)
    registry.sign("targets", "root-1")
    with pytest.raises(NotEnoughSignatures):
        registry.publish(NOW + HOUR)


def test_a_root_is_replaced_only_with_the_consent_of_the_old_one(registry: Registry, tmp_path: Path) -> None:
    """A new root needs the old threshold and the new; version exactly one higher."""
    strangers = Registry(_made(tmp_path / "strangers"), now=NOW)
    (registry.repository.staging / "root.json").write_bytes((strangers.repository.staging / "root.json").read_bytes())
    with pytest.raises(NotEnoughSignatures):
        registry.publish(NOW)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_a_repository_without_members_publishes_nothing(tmp_path: Path) -> None:
    """Empty means no."""
    with pytest.raises(NothingPublished):
        Registry(tmp_path, now=NOW).publish(NOW)


def test_a_registrar_makes_an_agency_vanish(registry: Registry, police: Party, council: Party) -> None:
    """A member that is gone without being suspended is an attack: the directory before it stays in use."""
    client = registry.client("reader")
    good = client.refresh(registry.source, now=NOW).directory
    registry.stage(members_of(council), now=NOW)
    registry.publish(NOW + HOUR)
    refreshed = client.refresh(registry.source, now=NOW + HOUR)
    assert refreshed.directory == good
    assert refreshed.alarms == (Raised(Alarm.VANISHED, "testford-police"),)


def test_a_suspended_agency_reaches_nobody(registry: Registry, police: Party, council: Party) -> None:
    """M8: eviction of a compromised partner, in both directions."""
    client = registry.client("reader")
    full = members_of(police, council)
    out = member_of(police, suspended_at=int(NOW.timestamp()))
    registry.stage(full.model_copy(update={"members": (out, member_of(council))}), now=NOW)
    registry.publish(NOW + HOUR)
    directory = client.refresh(registry.source, now=NOW + HOUR).directory
    assert directory is not None
    assert not directory.permits(police.name, council.name)
    assert not directory.permits(council.name, police.name)


def test_a_changed_identity_is_not_believed_for_72_hours(registry: Registry, police: Party, council: Party) -> None:
    """A registrar who was deceived, or bribed, replaces an agency: everybody is alarmed, nobody uses it for 3 days."""
    client = registry.client("reader")
    client.refresh(registry.source, now=NOW)
    impostor = make_party("testford-police", kind="police")
    registry.stage(members_of(impostor, council), now=NOW)
    registry.submit(impostor, now=NOW + HOUR)
    registry.publish(NOW + HOUR)
    held = client.refresh(registry.source, now=NOW + HOUR)
    assert held.alarms == (Raised(Alarm.IDENTITY_CHANGED, "testford-police"),)
    assert held.directory is not None
    assert held.directory.participant("testford-police") == police.record
    assert client.current() == held.directory
    registry.publish(NOW + 40 * HOUR)
    assert alarms(client, registry.source, after=72 * HOUR) == [Alarm.IDENTITY_CHANGED]
    registry.publish(NOW + 73 * HOUR)
    later = client.refresh(registry.source, now=NOW + 73 * HOUR)
    assert later.alarms == ()
    assert later.directory is not None
    assert later.directory.participant("testford-police") == impostor.record


def test_a_quarantine_is_no_equivocation(registry: Registry, police: Party, council: Party) -> None:
    """A reader who holds an identity back still has the hash that everybody else has."""
    cautious, fresh = registry.client("cautious"), registry.client("fresh")
    cautious.refresh(registry.source, now=NOW)
    registry.stage(members_of(make_party("testford-police", kind="police"), council), now=NOW)
    registry.publish(NOW + HOUR)
    one = cautious.refresh(registry.source, now=NOW + HOUR).directory
    other = fresh.refresh(registry.source, now=NOW + HOUR).directory
    assert one is not None
    assert other is not None
    assert (one.version, one.hash) == (other.version, other.hash)


def test_a_hub_shows_two_directories_at_one_version(registry: Registry, police: Party, council: Party) -> None:
    """M5, equivocation: the second one is refused and all sending stops until people have looked."""
    client = registry.client("reader")
    split = registry.copy("split")
    client.refresh(registry.source, now=NOW)
    other = registry.elsewhere(Path(split))
    police.keyring.rotate(NOW, ahead=10_000_000)
    other.submit(police, now=NOW + HOUR)
    other.publish(NOW + HOUR)
    shelf = Shelf(Path(split))
    snapshot = shelf.snapshot()
    assert snapshot is not None
    past = {**snapshot.signed.unrecognized_fields["history"][0], "digest": base64url.encode(bytes(32))}
    snapshot.signed.unrecognized_fields["history"] = [past]
    snapshot.sign(load_signer(registry.private("hub")))
    shelf.put("snapshot", Metadata(snapshot.signed, snapshot.signatures))
    assert alarms(client, split, after=HOUR) == [Alarm.EQUIVOCATION]
    assert not client.may_send(Lane.URGENT, now=NOW + HOUR)
    client.resume_sending()
    assert client.may_send(Lane.URGENT, now=NOW + HOUR)
    client.stop_sending()
    assert not client.may_send(Lane.RECEIPT, now=NOW + HOUR)


def test_a_reader_that_slept_knows_the_versions_it_missed(registry: Registry, police: Party, council: Party) -> None:
    """E06: a message sealed under a version that this reader never fetched is not lost."""
    sender, sleeper = registry.client("sender"), registry.client("sleeper")
    sleeper.refresh(registry.source, now=NOW)
    for hour in (1, 2):
        registry.submit(police, now=NOW + hour * HOUR)
        registry.publish(NOW + hour * HOUR)
        if hour == 1:
            between = sender.refresh(registry.source, now=NOW + hour * HOUR).directory
    mine = sleeper.refresh(registry.source, now=NOW + 2 * HOUR).directory
    assert between is not None
    assert mine is not None
    body = sealed_by(council, police, directory=between, now=NOW + 2 * HOUR).body
    outcome = delivered(body, sender=council, recipient=police, directory=mine, now=NOW + 2 * HOUR)
    assert (between.version, mine.version, refusal_code(outcome)) == (2, 3, "accepted")


def test_a_crash_between_two_files_leaves_the_hub_with_the_version_before(registry: Registry, police: Party) -> None:
    """C37: metadata without its snapshot is not published, and the history stays true."""
    before = registry.repository.published()
    registry.submit(police, now=NOW + HOUR)
    targets = registry.repository._shelf.targets()
    assert targets is not None
    (member,) = (one for one in before.members.members if one.participant == police.name)
    registry.repository._publish_agency(member, targets.signed)
    assert directory_of(registry.repository.published()).hash == directory_of(before).hash
