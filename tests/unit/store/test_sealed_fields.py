"""Sealed fields: bound to their place, unreadable without the store key, and flipped bits are seen."""

from datetime import UTC, datetime
from itertools import permutations

import pytest

from adapters.kit.store.errors import StoreDamaged, WrongStoreKey
from adapters.kit.store.sealed_fields import FieldCipher, Place, framed, new_epoch, open_under, seal_under, wrap_epoch

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
PLACE = Place("document", "enquiry/1", "content/1")


def cipher() -> FieldCipher:
    return FieldCipher(KEY, [new_epoch(KEY, epoch=1)])


def test_a_field_opens_where_it_was_sealed() -> None:
    """The round trip."""
    assert open_under(KEY, seal_under(KEY, b"text", place=PLACE, epoch=1), place=PLACE, epoch=1) == b"text"


@pytest.mark.parametrize(
    ("place", "epoch"),
    [
        (Place("ledger", "enquiry/1", "content/1"), 1),
        (Place("document", "enquiry/2", "content/1"), 1),
        (Place("document", "enquiry/1", "content/2"), 1),
        (PLACE, 2),
    ],
)
def test_a_field_does_not_open_in_another_row_column_or_epoch(place: Place, epoch: int) -> None:
    """The attack: copy a sealed value of one child into the row of another, or an old version over a new one."""
    sealed = seal_under(KEY, b"text", place=PLACE, epoch=1)
    with pytest.raises(StoreDamaged):
        open_under(KEY, sealed, place=place, epoch=epoch)


def test_a_flipped_bit_anywhere_is_seen() -> None:
    """Every byte of the sealed value counts."""
    sealed = seal_under(KEY, b"text", place=PLACE, epoch=1)
    for index in range(len(sealed)):
        flipped = bytes(byte ^ (index == at) for at, byte in enumerate(sealed))
        with pytest.raises(StoreDamaged):
            open_under(KEY, flipped, place=PLACE, epoch=1)


def test_frames_of_different_parts_differ() -> None:
    """No two lists of parts are the same bytes, so a place cannot be read as another."""
    parts = [b"a", b"b", b"", b"ab"]
    frames = [framed(*chosen) for size in range(5) for chosen in permutations(parts, size)]
    assert len(set(frames)) == len(frames)


def test_the_wrong_store_key_is_refused_at_once() -> None:
    """A disk without its key opens nothing."""
    with pytest.raises(WrongStoreKey):
        FieldCipher(OTHER, [new_epoch(KEY, epoch=1)])
    with pytest.raises(WrongStoreKey):
        FieldCipher(KEY, [])


def test_keys_wrapped_again_open_the_same_fields() -> None:
    """C39: after a rotation of the store key both old and new fields are read."""
    before = cipher()
    key, wrapped = before.new_data_key("group")
    after = FieldCipher(OTHER, before.rewrapped(OTHER))
    assert after.open_data_key("group", wrapped, epoch=1) == key


def test_a_data_key_opens_under_its_own_name_only() -> None:
    """Exchanging the wrapped keys of two groups does not exchange their content."""
    keys = cipher()
    _, wrapped = keys.new_data_key("group")
    with pytest.raises(StoreDamaged):
        keys.open_data_key("other", wrapped, epoch=1)
    with pytest.raises(StoreDamaged):
        keys.open_data_key("group", wrapped, epoch=7)


def test_a_guard_covers_every_column_and_its_type() -> None:
    """A state, a time, a null: whatever changes changes the guard."""
    keys, time = cipher(), datetime(2026, 11, 24, tzinfo=UTC)
    row = {"ref": "1", "state": "SEALED", "seq": 1, "due_at": time, "code": None, "hash": b"1"}
    variants = [row, *({**row, name: other} for name, other in [("ref", 1), ("state", "CLOSED"), ("seq", "1")])]
    variants += [{**row, "due_at": None}, {**row, "code": ""}, {**row, "hash": "1"}, {**row, "code": b""}]
    guards = [keys.guard("outbox", variant) for variant in variants] + [keys.guard("inbox", row)]
    assert len(set(guards)) == len(guards)


def test_a_guard_written_by_an_earlier_version_still_holds() -> None:
    """Another encoding of a row would make every store of before look damaged."""
    keys = FieldCipher(KEY, [wrap_epoch(KEY, bytes(range(64, 96)), epoch=1)])
    due = datetime(2026, 11, 24, 9, 30, 0, 5, tzinfo=UTC)
    row = {"ref": "r/1", "seq": 7, "due_at": due, "code": None, "hash": b"\0\xff", "guard": b"not in it"}
    assert keys.guard("outbox", row).hex() == "1040fa6a1cfdb73650798e35b1ab07c2"


def test_a_cipher_does_not_print_its_keys() -> None:
    """Secrets cannot be printed."""
    assert repr(cipher()) == "FieldCipher(epochs=[1])"
