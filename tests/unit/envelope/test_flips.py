"""Every byte, every length and every cut of an envelope, one at a time: what the network and the hub can do blindly."""

import pytest

from adapters.kit.envelope.verification import Arrival, Opened, Refusal, open_arrival
from schemas.directory import Directory
from schemas.envelope import Frame, read_envelope
from tests.support.envelopes import delivered, refusal_code, sealed_by
from tests.support.parties import Party


@pytest.fixture(scope="module")
def body(council: Party, police: Party, directory: Directory) -> bytes:
    return sealed_by(council, police, directory=directory).body


@pytest.fixture(scope="module")
def frame(body: bytes) -> Frame:
    frame = read_envelope(body)
    assert isinstance(frame, Frame)
    return frame


def test_a_network_attacker_flips_one_bit_anywhere(
    body: bytes, frame: Frame, council: Party, police: Party, directory: Directory
) -> None:
    """M7: no byte is unauthenticated; of the stub nothing gets an answer, and of the ciphertexts all get the same."""
    stub = len(frame.stub)
    keys = police.recipient()
    for place in range(len(body)):
        forged = body[:place] + bytes([body[place] ^ (1 << place % 8)]) + body[place + 1 :]
        outcome: Arrival | Opened | Refusal = delivered(forged, sender=council, recipient=police, directory=directory)
        if isinstance(outcome, Arrival):
            outcome = open_arrival(outcome, keys=keys, directory=directory)
        assert isinstance(outcome, Refusal), place
        assert outcome.external == (None if place < stub else "REJ-CRYPTO"), place
        assert (outcome.code == "E14") == (place >= stub), place
        assert outcome.code in {f"E{number:02}" for number in (*range(10), 14)}, place


def test_a_network_attacker_cuts_the_envelope_at_any_length(
    body: bytes, frame: Frame, council: Party, police: Party, directory: Directory
) -> None:
    """E01: exact consumption; no prefix of an envelope is an envelope."""
    for length in range(len(body)):
        outcome = delivered(body[:length], sender=council, recipient=police, directory=directory)
        assert refusal_code(outcome) == "E01", length


@pytest.mark.parametrize("by", [-1, 1])
def test_a_network_attacker_changes_any_length_or_count_by_one(
    by: int, body: bytes, frame: Frame, council: Party, police: Party, directory: Directory
) -> None:
    """Lengths of core, sections and wraps, and both counts: nothing is read where the sender did not write it."""
    table = 14 + len(frame.head.core)
    wraps = table + 104 * 4
    numbers = [(8, 4), (table - 2, 2), (wraps, 2)]
    numbers += [(table + 104 * row + 4, 4) for row in range(4)]
    numbers += [(wraps + 2 + 1203 * wrap + 33, 2) for wrap in range(4)]
    for place, width in numbers:
        number = int.from_bytes(body[place : place + width], "big") + by
        forged = body[:place] + number.to_bytes(width, "big") + body[place + width :]
        outcome = delivered(forged, sender=council, recipient=police, directory=directory)
        assert isinstance(outcome, Refusal), place
        assert (outcome.code in ("E01", "E02"), outcome.external) == (True, None), (place, outcome)


def test_a_hub_appends_bytes(body: bytes, frame: Frame, council: Party, police: Party, directory: Directory) -> None:
    """E01: nothing rides behind an envelope."""
    for extra in (b"\0", b"\0" * 64, body):
        assert refusal_code(delivered(body + extra, sender=council, recipient=police, directory=directory)) == "E01"
