"""Broken files, careless keys and careless enrolment: each is an alarm or a refusal, and nothing else."""

import json
import random

import pytest

from broker.directory.client import DirectoryDamaged
from broker.directory.keys import KeyReadableByOthers
from broker.directory.rules import Alarm
from schemas.members import Members
from tests.support.parties import NOW, Party
from tests.support.registry import Registry, alarms, member_of


def test_an_endless_answer_is_cut_off(registry: Registry) -> None:
    """Endless data: python-tuf reads no more than the limit of each role."""
    client = registry.client("reader")
    (registry.folder / "metadata" / "timestamp.json").write_bytes(b" " * 10_000)
    assert alarms(client, registry.source) == [Alarm.UNREACHABLE]


@pytest.mark.parametrize("name", ["timestamp.json", "1.snapshot.json", "1.targets.json"])
def test_garbage_in_a_metadata_file_raises_an_alarm_and_nothing_else(name: str, registry: Registry) -> None:
    """No exception escapes a refresh."""
    (registry.folder / "metadata" / name).write_bytes(b'{"signed": 1}')
    assert alarms(registry.client("reader"), registry.source) == [Alarm.FORGED]


def test_a_private_key_that_others_can_read_is_refused(registry: Registry) -> None:
    """M14 for the registrar and the hub."""
    registry.private("hub").chmod(0o644)
    with pytest.raises(KeyReadableByOthers):
        registry.publish(NOW)


def test_a_member_is_entered_only_after_two_people_compared_its_fingerprint(police: Party) -> None:
    """Enrolment: the fingerprint that was read out must be that of the key, and two must have heard it."""
    plain = json.loads(member_of(police).model_dump_json())
    changes: tuple[dict[str, object], ...] = (
        {"fingerprint": "00000 " * 7 + "00000"},
        {"checked_by": ["registrar-1"]},
        {"checked_by": ["registrar-1", "registrar-1"]},
        {"checked_by": []},
        {"participant": "hub"},
        {"kind": "bakery"},
    )
    for change in changes:
        with pytest.raises(ValueError, match=r"1 validation error"):
            Members.from_plain({"members": [{**plain, **change}], "pairs": []})


def test_a_flipped_bit_in_the_kept_directory_is_seen_before_it_is_believed(registry: Registry) -> None:
    """It could be a partner's key: the copy is refused, or says exactly what was written."""
    registry.publish(NOW)
    client = registry.client("reader")
    expected = client.refresh(registry.source, now=NOW).directory
    path = registry.folder.parent / "reader" / "known.json"
    whole = path.read_bytes()
    chance = random.Random(3)  # noqa: S311 - the same places at every run
    refused = 0
    for at in chance.sample(range(len(whole)), 60):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << chance.randrange(7))]) + whole[at + 1 :])
        try:
            assert client.current() == expected
        except DirectoryDamaged:
            refused += 1
            with pytest.raises(DirectoryDamaged):
                client.refresh(registry.source, now=NOW)
    assert refused > 55
