"""E09 against signatures that satisfy the equation and must count for nothing, made here out of numbers.

The known answers from the field are in `test_cctv.py`, where they are on the machine; these need nobody's files.
"""

from itertools import count

import pytest

from broker.verify import is_signed
from schemas import base64url
from schemas.signing import signed_message
from tests.unit.envelope.edwards import (
    ORDER,
    Point,
    answer,
    base,
    challenge,
    encoded,
    plus,
    small_points,
    small_spellings,
    times,
)

SECRET, NONCE = 0x1234567890ABCDEF1234567890ABCDEF, 0xFEDCBA0987654321FEDCBA0987654321
SMALL = small_points()
STRANGE = sorted(small_spellings())


def accepted(text: bytes, *, commitment: bytes, number: int, public: bytes) -> bool:
    return is_signed(text, signature=commitment + answer(number), public=base64url.encode(public))


def test_the_numbers_agree_with_the_library_about_an_honest_signature() -> None:
    """Without this, everything below would be refused for a mistake of its own."""
    public, commitment = encoded(times(SECRET, base())), encoded(times(NONCE, base()))
    number = (NONCE + challenge(commitment, public, signed_message(b"head")) * SECRET) % ORDER
    assert accepted(b"head", commitment=commitment, number=number, public=public)
    assert not accepted(b"heat", commitment=commitment, number=number, public=public)
    assert times(ORDER, base()) == times(8, SMALL[1]) == (0, 1)
    assert (len(set(SMALL)), len(STRANGE)) == (8, 14)


def test_a_forger_publishes_a_key_under_which_every_text_is_signed() -> None:
    """A point of low order as key, in any spelling: no commitment and no text makes a signature of it."""
    texts = [bytes([number]) for number in range(16)]
    assert not any(
        accepted(text, commitment=commitment, number=0, public=public)
        for public in STRANGE
        for commitment in STRANGE
        for text in texts
    )


@pytest.mark.parametrize("commitment", STRANGE)
def test_a_signer_commits_to_nothing(commitment: bytes) -> None:
    """A point of low order as R: the equation can hold, and two signers could claim the one signature."""
    public = encoded(times(SECRET, base()))
    number = challenge(commitment, public, signed_message(b"head")) * SECRET % ORDER
    assert not accepted(b"head", commitment=commitment, number=number, public=public)


def test_a_carrier_writes_the_same_signature_in_another_way() -> None:
    """SPEC 4.7: a scalar that is not reduced is refused, or one stub would have two hashes."""
    public, commitment = encoded(times(SECRET, base())), encoded(times(NONCE, base()))
    number = (NONCE + challenge(commitment, public, signed_message(b"head")) * SECRET) % ORDER
    for other in (number + ORDER, number + 2 * ORDER):
        assert not accepted(b"head", commitment=commitment, number=other, public=public)


@pytest.mark.parametrize("extra", SMALL[1:])
def test_a_key_with_a_hidden_part_signs_only_where_the_part_is_nothing(extra: Point) -> None:
    """The equation is taken without a cofactor: all verifiers of one library agree, and so must hub and recipient."""
    public, commitment = encoded(plus(times(SECRET, base()), extra)), encoded(times(NONCE, base()))
    verdicts = set()
    for text in (b"%d" % number for number in count()):
        asked = challenge(commitment, public, signed_message(text))
        holds = times(asked, extra) == (0, 1)
        number = (NONCE + asked * SECRET) % ORDER
        assert accepted(text, commitment=commitment, number=number, public=public) is holds
        verdicts.add(holds)
        if verdicts == {True, False}:
            return
