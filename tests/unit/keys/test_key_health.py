"""Whether an operator learns in time that a key runs out, or that a private half does not fit its public one."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from adapters.kit.keys.keyfile import KeyFile, StoredKey
from adapters.kit.keys.keyhealth import Expiry, KeyMetrics, expiries, self_test, write_metrics
from adapters.kit.keys.keyring import Keyring
from tests.support.parties import NOW, Party, make_party

SECOND = timedelta(seconds=1)


@pytest.fixture
def police(tmp_path: Path) -> Party:
    return make_party("testford-police", kind="police", folder=tmp_path / "keys", weeks=0)


def with_public_half_of_another(party: Party, use: str) -> tuple[Keyring, StoredKey]:
    """Give the keyring as it would be if one key's published half were not its own, and that key."""
    ring = party.keyring
    other = make_party("testford-yot", kind="yot", weeks=0).keyring.stored.of_use(use)[0].public
    honest = ring.stored.of_use(use)[0]
    wrong = honest.model_copy(update={"public": other})
    wrong = wrong.model_copy(
        update={"sealed": ring._wrapping.seal(ring.unwrapped(honest), label=wrong.label(party.name))}
    )
    keys = tuple(wrong if key.id == honest.id else key for key in ring.stored.keys)
    content = KeyFile.model_validate({**ring.stored.model_dump(), "keys": tuple(key.model_dump() for key in keys)})
    return Keyring(party.folder, content=content, master=ring._master), wrong


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(("use", "days"), [("identity", 60), ("signing", 10), ("prekey", 1)])
def test_an_operator_is_warned_so_many_days_ahead_and_not_sooner(use: str, days: float) -> None:
    """Long enough to have two people compare a fingerprint, or to notice that rotation has stopped."""
    assert not Expiry(use, "", days).is_warning
    assert Expiry(use, "", days - 1e-6).is_warning


@pytest.mark.parametrize(("use", "words"), [("signing", "signing key {id}"), ("prekey", "prekey {id} of gateway")])
def test_a_published_half_that_is_not_ours_is_found_while_partners_may_use_it(
    use: str, words: str, police: Party
) -> None:
    """From its first second to its last, and not after: what nobody uses any more alarms nobody."""
    ring, wrong = with_public_half_of_another(police, use)
    for at in (moment(wrong.not_before), moment(wrong.not_after) - SECOND):
        assert words.format(id=wrong.id) in self_test(ring, at)
    assert words.format(id=wrong.id) not in self_test(ring, moment(wrong.not_after))


def test_a_signing_key_that_is_not_in_use_yet_alarms_nobody(police: Party) -> None:
    """The successor is published 14 days ahead; what nobody signs with yet is no fault of today."""
    ring, wrong = with_public_half_of_another(police, "signing")
    assert self_test(ring, moment(wrong.not_before) - SECOND) == []


def test_a_monitoring_system_reads_days_and_faults(police: Party) -> None:
    """Issue 3: expiry warnings as metrics, with labels of ours only; a key that does not fit is counted."""
    ring, _ = with_public_half_of_another(police, "signing")
    registry = CollectorRegistry()
    KeyMetrics(registry).observe(ring, NOW)
    assert registry.get_sample_value("mash_key_self_test_faults") == 1
    days = {
        (use, role): registry.get_sample_value("mash_key_days_left", {"use": use, "role": role})
        for use, role in [("identity", ""), ("signing", ""), ("prekey", "gateway"), ("prekey", "protected")]
    }
    expected = {("identity", ""): 730, ("signing", ""): 90, ("prekey", "gateway"): 7, ("prekey", "protected"): 7}
    assert days == expected


def test_the_figures_are_left_where_prometheus_collects_them(police: Party, tmp_path: Path) -> None:
    """A command beside the service is enough: `mash keys show --metrics FILE` from a timer."""
    file = tmp_path / "mash_keys.prom"
    write_metrics(police.keyring, file, now=NOW)
    families = {family.name: family for family in text_string_to_metric_families(file.read_text())}
    shown = {(one.labels["use"], one.labels["role"]): one.value for one in families["mash_key_days_left"].samples}
    assert shown == {(one.use, one.role): one.days for one in expiries(police.keyring, NOW)}
    assert [one.value for one in families["mash_key_self_test_faults"].samples] == [0]
    assert police.keyring.stored.master not in file.read_text()


EXPIRED: list[Callable[[KeyFile], tuple[StoredKey, ...]]] = [
    lambda content: (),
    lambda content: tuple(key.model_copy(update={"not_after": key.not_before + 1}) for key in content.keys),
]


@pytest.mark.parametrize("left", EXPIRED)
def test_a_key_that_is_gone_or_long_over_lasts_no_days(
    left: Callable[[KeyFile], tuple[StoredKey, ...]], police: Party
) -> None:
    """Never fewer than none: a dashboard that sums must not be told of minus forty days."""
    content = police.keyring.stored.model_copy(update={"keys": left(police.keyring.stored)})
    ring = Keyring(police.folder, content=content, master=police.keyring._master)
    later = expiries(ring, NOW + timedelta(days=40))
    assert {one.days for one in later} == {0.0}
    assert all(one.is_warning for one in later)


def test_a_published_successor_counts_for_how_long_a_use_lasts(police: Party) -> None:
    """Who has rotated is not warned about the key that is about to end."""
    later = NOW + timedelta(days=80)
    police.keyring.rotate(later)
    ends = [key.not_after for key in police.keyring.stored.of_use("signing")]
    lasting = {one.use: one.days for one in expiries(police.keyring, later)}
    assert len(ends) == 2
    assert lasting["signing"] == (max(ends) - later.timestamp()) / 86_400 > 80


def test_a_revoked_key_does_not_count_as_one_that_lasts(police: Party) -> None:
    """Its successor does: without one there would be none."""
    (signing,) = police.keyring.stored.of_use("signing")
    police.keyring.revoke(signing.id, now=NOW)
    (successor,) = (key for key in police.keyring.stored.of_use("signing") if key.id != signing.id)
    content = police.keyring.stored.model_copy(
        update={"keys": tuple(key for key in police.keyring.stored.keys if key.id != successor.id)}
    )
    bare = Keyring(police.folder, content=content, master=police.keyring._master)
    lasting = {one.use: one.days for one in expiries(bare, NOW) if one.use == "signing"}
    assert json.dumps(lasting) == '{"signing": 0.0}'
