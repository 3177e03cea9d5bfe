"""A core in its usual order is read at one look, and is what a patient reader makes of it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from schemas.routing import Lane
from schemas.stub import BadCore, DirectoryReference, Event, Stub, read_core, write_core

SOUND: dict[str, str] = {
    "v": "1",
    "mid": '"AAAAAAAAAAAAAAAAAAAAAA"',
    "thread": '"BBBBBBBBBBBBBBBBBBBBBA"',
    "from": '"testford-la"',
    "to": '"testford-police"',
    "kid": '"CCCCCCCCCCCCCCCCCCCCCg"',
    "seq": "7",
    "prev": f'"{"D" * 42}A"',
    "irt": "null",
    "lane": '"urgent"',
    "cls": '"amber"',
    "ev": '"REQ"',
    "t": "1795515120",
    "exp": "1796724720",
    "dir": f'{{"ver":3,"sha256":"{"E" * 42}8"}}',
}
# What may stand in a field, sound for some and unsound for others.
VALUES = (
    "0",
    "1",
    "2",
    "-1",
    "-0",
    "01",
    "1.0",
    "1e3",
    "9007199254740991",
    "9007199254740992",
    "10000000000000000",
    "99999999999999999",
    "true",
    "null",
    "{}",
    '""',
    '"1"',
    '"A"',
    f'"{"A" * 22}"',
    f'"{"A" * 21}B"',
    f'"{"A" * 21}"',
    f'"{"A" * 23}"',
    f'"{"A" * 21}+"',
    f'"{"A" * 21}\n"',
    f'"{"A" * 43}"',
    f'"{"A" * 42}B"',
    f'"{"A" * 44}"',
    '"hub"',
    '"dead"',
    '"a-b"',
    '"ab"',
    '"-ab"',
    '"ab-"',
    f'"{"a" * 40}"',
    f'"{"a" * 41}"',
    '"Testford"',
    '"tëst"',
    '"te st"',
    '"routine"',
    '"receipt"',
    '"Urgent"',
    '"urgent"',
    '"green"',
    f'"{"a" * 16}"',
    f'"{"a" * 17}"',
    '"RCP"',
    '"HB"',
    '"HOLD"',
    '"REQQ"',
    '"RE"',
    f'{{"ver":0,"sha256":"{"A" * 43}"}}',
    f'{{"ver":9007199254740992,"sha256":"{"A" * 43}"}}',
    f'{{"ver":01,"sha256":"{"A" * 43}"}}',
    f'{{"sha256":"{"A" * 43}","ver":1}}',
    '{"ver":1}',
    '1,"x":2',
    '"A","v":1',
)


def spelled(values: dict[str, str], *, backwards: bool = False) -> bytes:
    """The core in its usual order, or from the last field to the first, where no look at the whole can help."""
    pairs = [f'"{name}":{value}' for name, value in values.items()]
    return ("{" + ",".join(reversed(pairs) if backwards else pairs) + "}").encode()


def both_ways(values: dict[str, str]) -> tuple[Stub | None, Stub | None]:
    read = [read_core(spelled(values, backwards=backwards)) for backwards in (False, True)]
    usual, backwards = (None if isinstance(one, BadCore) else one for one in read)
    return usual, backwards


@pytest.mark.parametrize("name", SOUND)
def test_a_core_in_its_usual_order_means_what_it_means_in_any_other(name: str) -> None:
    """SPEC 5.1: no value gets past one reader that the other refuses, and both find the same in it."""
    for value in VALUES:
        usual, backwards = both_ways({**SOUND, name: value})
        assert usual == backwards, value


@given(
    some.fixed_dictionaries(
        {name: some.sampled_from((sound, sound, sound, *VALUES)) for name, sound in SOUND.items()},
    )
)
def test_no_choice_of_values_parts_the_two_readers(values: dict[str, str]) -> None:
    """The same with several fields changed at once."""
    usual, backwards = both_ways(values)
    assert usual == backwards


def test_a_core_says_what_stands_in_it() -> None:
    """Each field lands where it belongs, whichever reader reads it."""
    usual, backwards = both_ways({**SOUND, "irt": '"FFFFFFFFFFFFFFFFFFFFFw"'})
    expected = Stub(
        mid="A" * 22,
        thread="B" * 21 + "A",
        from_="testford-la",
        to="testford-police",
        kid="C" * 21 + "g",
        seq=7,
        prev=bytes.fromhex("0c30c3" * 10 + "0c30"),
        irt="F" * 21 + "w",
        lane=Lane.URGENT,
        service_class="amber",
        event=Event.REQUEST,
        t=1795515120,
        exp=1796724720,
        directory=DirectoryReference(3, bytes.fromhex("104104" * 10 + "104f")),
    )
    assert usual == backwards == expected
    assert write_core(expected) == spelled({**SOUND, "irt": '"FFFFFFFFFFFFFFFFFFFFFw"'})


def test_a_core_is_read_at_one_look_where_its_sender_wrote_it_as_we_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The patient reader is for other people's order; asking it each time would cost twice."""
    monkeypatch.setattr("schemas.stub._read_any_order", lambda core: BadCore("asked"))
    assert isinstance(read_core(spelled(SOUND)), Stub)
    assert read_core(spelled(SOUND, backwards=True)) == BadCore("asked")


@pytest.mark.parametrize(
    "changes",
    [
        {"mid": "A"},
        {"mid": 'A","v":1,"mid":"' + "A" * 22},
        {"thread": "A" * 21 + "B"},
        {"from_": "hub"},
        {"to": "hub"},
        {"from_": "Testford"},
        {"to": "ab"},
        {"kid": ""},
        {"seq": 0},
        {"seq": 2**53},
        {"seq": True},
        {"prev": bytes(31)},
        {"irt": ""},
        {"irt": "A"},
        {"irt": "null"},
        {"service_class": "a b"},
        {"service_class": ""},
        {"t": -1},
        {"t": 2**53},
        {"exp": 2**53},
        {"exp": 1.0},
        {"directory": DirectoryReference(2**53, bytes(32))},
        {"directory": DirectoryReference(-1, bytes(32))},
        {"directory": DirectoryReference(1, bytes(33))},
    ],
)
def test_a_sender_writes_no_core_that_a_recipient_would_refuse(changes: dict[str, Any]) -> None:
    """E03 at the sender: it is refused before anything is signed, and a value cannot smuggle in another field."""
    stub = read_core(spelled(SOUND))
    assert isinstance(stub, Stub)
    with pytest.raises(ValueError, match="breaks its own rule"):
        write_core(replace(stub, **changes))


@pytest.mark.parametrize("numbers", [(0, 0, 1), (0, 2**53 - 1, 2**53 - 1), (2**53 - 1, 0, 2)])
def test_a_sender_writes_every_number_that_a_recipient_accepts(numbers: tuple[int, int, int]) -> None:
    """SPEC 5.1: from 0, or 1 for the place in the chain, to 2^53 - 1."""
    stub = read_core(spelled(SOUND))
    assert isinstance(stub, Stub)
    sent, version, seq = numbers
    reference = replace(stub.directory, version=version)
    written = replace(stub, t=sent, exp=2**53 - 1, seq=seq, directory=reference)
    assert read_core(write_core(written)) == written
