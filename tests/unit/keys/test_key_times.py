"""When keys begin and end, and whether anybody could be left without one."""

from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.registry import CollectorRegistry

from adapters.kit.keys import keyplan
from adapters.kit.keys.keyhealth import KeyMetrics, expiries
from adapters.kit.keys.keyring import NoSigningKey
from tests.support.envelopes import sealed_by
from tests.support.parties import NOW, Party, make_directory, make_party


@pytest.fixture
def police(tmp_path: Path) -> Party:
    return make_party("testford-police", kind="police", folder=tmp_path / "keys", weeks=0)


@pytest.fixture
def council() -> Party:
    return make_party("testford-la", kind="la", weeks=0)


def test_there_is_a_usable_key_at_every_moment_when_rotation_runs_daily(council: Party, police: Party) -> None:
    """Keys are published before they are needed: a daily rotation never leaves a gap."""
    for day in range(120):
        now = NOW + timedelta(days=day)
        for party in (council, police):
            party.keyring.rotate(now)
            party.keyring.erase_expired(now)
        directory = make_directory(council, police)
        sealed_by(council, police, directory=directory, now=now + timedelta(hours=23, minutes=59))
    stored = police.keyring.stored
    assert len(stored.of_use("signing")) <= 2
    assert len(stored.of_use("prekey")) <= 4 * 5


def test_a_signing_key_lives_90_days_and_its_successor_is_known_14_days_before(police: Party) -> None:
    """The overlap lets every partner refresh its directory before the new key is used."""
    first = police.sender().kid
    assert police.keyring.rotate(NOW + timedelta(days=1)) == 0
    police.keyring.rotate(NOW + timedelta(days=76))
    police.keyring.rotate(NOW + timedelta(days=77))
    old, new = police.keyring.stored.of_use("signing")
    assert (old.not_after - old.not_before, new.not_before) == (keyplan.SIGNING_LIFE, old.not_after - 14 * 86_400)
    assert police.sender(NOW + timedelta(days=80)).kid == first
    assert police.sender(NOW + timedelta(days=90)).kid == new.id


def test_nobody_signs_without_a_valid_key(police: Party) -> None:
    """A keyring that was not rotated refuses instead of signing with a dead key."""
    with pytest.raises(NoSigningKey):
        police.sender(NOW + timedelta(days=91))


def test_an_operator_is_warned_before_a_key_runs_out(police: Party) -> None:
    """Lessons: expiry alerts; a key that ends in the night stops all traffic."""
    assert [expiry for expiry in expiries(police.keyring, NOW) if expiry.is_warning] == []
    warned = {
        (expiry.use, expiry.role) for expiry in expiries(police.keyring, NOW + timedelta(days=85)) if expiry.is_warning
    }
    assert ("signing", "") in warned
    assert ("prekey", "gateway") in warned
    registry = CollectorRegistry()
    KeyMetrics(registry).observe(police.keyring, NOW)
    assert registry.get_sample_value("mash_key_days_left", {"use": "signing", "role": ""}) == 90
    assert registry.get_sample_value("mash_key_self_test_faults") == 0


def test_the_keys_live_as_long_as_the_statement_on_forward_secrecy_says() -> None:
    """SPEC 7: whoever takes all keys today cannot read what was sealed more than 23 days ago."""
    lives = (keyplan.IDENTITY_LIFE, keyplan.SIGNING_LIFE, keyplan.PREKEY_LIFE, keyplan.FORWARD_SECRECY)
    assert tuple(life // 86_400 for life in lives) == (730, 90, 7, 23)
    overlaps = (keyplan.SIGNING_OVERLAP, keyplan.PREKEY_OVERLAP, keyplan.KEPT_AFTER)
    assert tuple(length // 86_400 for length in overlaps) == (14, 2, 16)


def test_nobody_is_given_a_key_for_a_time_before_there_was_a_keyring() -> None:
    """A key that claims to have been valid earlier would let somebody date a message back."""
    party = make_party("testford-yot", kind="yot", weeks=1)
    assert {key.not_before for key in party.keyring.stored.keys if key.not_before < NOW.timestamp()} == set()


def test_an_operator_reads_of_each_role_how_long_its_own_keys_last() -> None:
    """A role whose keys run out is not hidden behind another's that last longer."""
    party, later = make_party("testford-yot", kind="yot", weeks=1), NOW + timedelta(days=3)
    ring = party.keyring
    ring.add_role("duty_team", opens=[1], now=later)
    lasting = {one.role: one.days for one in expiries(ring, later) if one.use == "prekey"}
    ends = {
        role.name: max(key.not_after for key in ring.stored.keys if key.role == role.id) for role in ring.stored.roles
    }
    assert {name: (end - later.timestamp()) / 86_400 for name, end in ends.items()} == lasting
    assert len(set(ends.values())) > 1
