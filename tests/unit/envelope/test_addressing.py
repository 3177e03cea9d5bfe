"""What is kept of whom a message is sealed to never outlives what made it so: a key's window, a record, a directory."""

from collections.abc import Iterator

import pytest

from adapters.kit.envelope import addressing
from adapters.kit.envelope.addressing import addresses_of
from adapters.kit.envelope.sealing import NoCurrentKey
from schemas import base64url
from schemas.directory import AgencyRecord, Directory, Prekey, Revocation, Role
from schemas.envelope import MAX_SECTIONS, Frame, read_envelope
from tests.support.envelopes import sealed_by
from tests.support.parties import NOW, Party

START = int(NOW.timestamp())


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """Each test begins and ends with nothing kept."""
    addressing._kept.clear()
    yield
    addressing._kept.clear()


def with_prekeys(record: AgencyRecord, *windows: tuple[int, int]) -> AgencyRecord:
    """The same record, each role of which has its public key in these windows, counted in seconds from `NOW`."""
    roles = []
    for place, role in enumerate(record.roles):
        keys = [
            Prekey(
                id=base64url.encode(bytes([place, number]) * 8),
                public=role.prekeys[0].public,
                not_before=START + begin,
                not_after=START + end,
            )
            for number, (begin, end) in enumerate(windows)
        ]
        roles.append(role.model_copy(update={"prekeys": tuple(keys)}))
    return record.model_copy(update={"roles": tuple(roles)})


def directory_of(council: Party, record: AgencyRecord, *, version: int = 1) -> Directory:
    return Directory.build(version, [council.record, record], [(council.name, record.participant)])


def prekeys_used(body: bytes) -> set[bytes]:
    frame = read_envelope(body)
    assert isinstance(frame, Frame)
    return {wrap.prekey_id for wrap in frame.head.wraps}


def numbers_used(body: bytes) -> set[int]:
    """Which of the windows of `with_prekeys` was sealed to."""
    return {prekey_id[1] for prekey_id in prekeys_used(body)}


def test_a_prekey_that_runs_out_between_two_messages_is_sealed_to_no_more(council: Party, police: Party) -> None:
    """The second message goes to the next prekey, the third, when there is none, is not sealed."""
    directory = directory_of(council, with_prekeys(police.record, (0, 10), (-5, 20)))
    for seconds, number in ((9, 0), (10, 1), (19, 1), (9, 0)):
        now = NOW.fromtimestamp(START + seconds, NOW.tzinfo)
        assert numbers_used(sealed_by(council, police, directory=directory, now=now).body) == {number}
    with pytest.raises(NoCurrentKey):
        sealed_by(council, police, directory=directory, now=NOW.fromtimestamp(START + 20, NOW.tzinfo))


def test_the_youngest_prekey_is_used_from_its_first_second(council: Party, police: Party) -> None:
    """Forward secrecy is by the week: an older prekey that still works is not kept on for being known already."""
    directory = directory_of(council, with_prekeys(police.record, (0, 100), (10, 100)))
    for seconds, number in ((9, 0), (10, 1)):
        now = NOW.fromtimestamp(START + seconds, NOW.tzinfo)
        assert numbers_used(sealed_by(council, police, directory=directory, now=now).body) == {number}


def test_a_prekey_revoked_in_the_next_directory_is_sealed_to_no_more(council: Party, police: Party) -> None:
    """The stolen prekey is within its window still; the next message with the new directory avoids it."""
    record = with_prekeys(police.record, (0, 100), (10, 100))
    now = NOW.fromtimestamp(START + 50, NOW.tzinfo)
    before = sealed_by(council, police, directory=directory_of(council, record), now=now)
    stolen = tuple(Revocation(key=role.prekeys[1].id, revoked_at=START) for role in record.roles)
    revoked = directory_of(council, record.model_copy(update={"revocations": stolen}), version=2)
    after = sealed_by(council, police, directory=revoked, now=now)
    assert (numbers_used(before.body), numbers_used(after.body)) == ({1}, {0})


def test_a_record_in_quarantine_is_not_sealed_to_for_having_been_sealed_to(council: Party, police: Party) -> None:
    """A changed identity is held back in a directory of the same version and hash: the earlier record counts."""
    earlier, changed = with_prekeys(police.record, (0, 100)), with_prekeys(police.record, (0, 50), (5, 100))
    directory = directory_of(council, changed)
    held = directory.holding([police.name], earlier={police.name: earlier})
    assert (held.hash, held.version) == (directory.hash, directory.version)
    now = NOW.fromtimestamp(START + 20, NOW.tzinfo)
    for used, number in ((directory, 1), (held, 0), (directory, 1)):
        assert numbers_used(sealed_by(council, police, directory=used, now=now).body) == {number}


def test_two_participants_are_never_taken_for_each_other(council: Party, police: Party) -> None:
    """What is kept of one is found under its name alone."""
    pairs = [(council.name, police.name), (police.name, council.name)]
    directory = Directory.build(1, [council.record, police.record], pairs)
    to_police = sealed_by(council, police, directory=directory)
    to_council = sealed_by(police, council, directory=directory)
    assert prekeys_used(to_police.body).isdisjoint(prekeys_used(to_council.body))


def expected(record: AgencyRecord, index: int, moment: int) -> list[tuple[str, str, str]]:
    """What the record itself says, role by role; nothing as soon as one role has no key."""
    found = [(role, record.prekey_of(role, moment)) for role in record.roles_opening(index)]
    named = [(role.id, prekey.id, prekey.public) for role, prekey in found if prekey is not None]
    return named if len(named) == len(found) else []


def test_what_is_kept_is_what_the_record_says_at_every_second(police: Party) -> None:
    """At each second around every begin and end of a window, forwards and backwards in time."""
    windows = [(0, 10), (4, 14), (10, 12), (20, 30)]
    record = with_prekeys(police.record, *windows)
    short = with_prekeys(police.record, (6, 8)).roles[3]
    record = record.model_copy(update={"roles": (*record.roles[:3], short)})
    seconds = [*range(-3, 35), *range(35, -3, -3), -START]
    for moment in (START + second for second in seconds):
        kept = addresses_of(record, moment)
        assert len(kept.sections) == MAX_SECTIONS
        for index, addresses in enumerate(kept.sections):
            spelled = [
                (base64url.encode(one.role_id), base64url.encode(one.prekey_id), one.public) for one in addresses
            ]
            assert spelled == expected(record, index, moment)


def test_within_one_stretch_of_time_nothing_is_worked_out_again(police: Party) -> None:
    """That is what it is for: another second of the same stretch finds the same addresses, the next stretch not."""
    record = with_prekeys(police.record, (0, 10), (4, 14))
    first = addresses_of(record, START + 4)
    assert (first.begins, first.ends) == (START + 4, START + 10)
    assert all(addresses_of(record, START + second) is first for second in (4, 9))
    assert addresses_of(record, START + 10) is not first
    assert addresses_of(record.model_copy(), START + 4) is not first


def test_a_record_without_prekeys_is_asked_at_every_second(police: Party) -> None:
    """Empty means no, and says nothing about the next second."""
    roles: tuple[Role, ...] = tuple(role.model_copy(update={"prekeys": ()}) for role in police.record.roles)
    record = police.record.model_copy(update={"roles": roles})
    kept = addresses_of(record, START)
    assert (kept.begins, kept.ends) == (START, START + 1)
    assert not any(kept.sections)


def test_a_directory_of_thousands_does_not_fill_the_memory(police: Party) -> None:
    """A registrar who lists names without end costs each sender at most so many records."""
    for number in range(256 + 20):
        addresses_of(police.record.model_copy(update={"participant": f"name-{number}"}), START)
        assert len(addressing._kept) <= 256
    assert len(addressing._kept) == 20
