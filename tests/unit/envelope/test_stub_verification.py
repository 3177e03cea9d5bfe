"""What the hub does with envelopes: it verifies stubs, keeps them, and may verify what it kept."""

import pytest

from adapters.kit.envelope.sealing import Section
from broker.verify import CHECKS, Circumstances, Refusal, VerifiedStub, check_envelope
from schemas.directory import Directory
from schemas.envelope import Frame, Head, read_envelope, write_head
from tests.support.envelopes import sealed_by
from tests.support.parties import NOW, Party


@pytest.fixture(scope="module")
def body(council: Party, police: Party, directory: Directory) -> bytes:
    return sealed_by(council, police, directory=directory).body


def test_the_hub_verifies_a_stub_without_any_ciphertext(body: bytes, council: Party, directory: Directory) -> None:
    """SPEC 3.9: the tap keeps the stub, drops the rest, and may verify what it kept again."""
    around = Circumstances(council.name, None, False, directory, NOW)
    whole = check_envelope(body, around)
    assert isinstance(whole, VerifiedStub)
    kept = check_envelope(whole.frame.stub, around, stub_only=True)
    assert isinstance(kept, VerifiedStub)
    assert (kept.stub, kept.stub_hash) == (whole.stub, whole.stub_hash)
    assert refusal_code_of(check_envelope(whole.frame.stub, around)) == "E01"
    assert refusal_code_of(check_envelope(body, around, stub_only=True)) == "E01"


def refusal_code_of(outcome: VerifiedStub | Refusal) -> str:
    return outcome.code if isinstance(outcome, Refusal) else "accepted"


def test_the_checks_are_in_the_order_of_the_specification() -> None:
    """Cheap before authentic before fresh: nobody reorders them by accident, and only E10 answers."""
    assert [code for code, _, _ in CHECKS] == [f"E{number:02}" for number in range(11)]
    assert {code: answer for code, answer, _ in CHECKS if answer} == {"E10": "REJ-TIME"}


def test_the_head_is_written_as_it_was_read(body: bytes) -> None:
    """SPEC 3: reading and writing are inverse, so no second spelling of an envelope exists."""
    frame = read_envelope(body)
    assert isinstance(frame, Frame)
    assert write_head(frame.head) == frame.signed
    assert isinstance(frame.head, Head)
    assert Section.TEAM.value not in frame.stub.decode("latin-1")
