"""Tokens of acknowledgement: nobody but the hub makes one, and each names one alert, one desk and one post."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.alerts.tokens import LIFETIME, Claim, TokenRefusal, Tokens
from schemas import base64url
from tests.support.parties import NOW

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine proves nothing
KEY, OTHER = b"0123456789abcdef", b"fedcba9876543210"
TOKENS = Tokens([KEY])
CLAIM = Claim(17, "testford-police", "contact_officer")


def test_a_token_says_what_it_was_made_for_until_it_expires() -> None:
    """The last second counts as valid, the next does not."""
    token = TOKENS.make(CLAIM, now=NOW)
    assert TOKENS.read(token, now=NOW) == CLAIM
    assert TOKENS.read(token, now=NOW + LIFETIME - timedelta(seconds=1)) == CLAIM
    assert TOKENS.read(token, now=NOW + LIFETIME) is TokenRefusal.EXPIRED


def test_a_token_signed_with_a_key_that_was_replaced_is_read_while_that_key_is_kept() -> None:
    """Changing the secret does not kill the links that are out; dropping it does."""
    token = TOKENS.make(CLAIM, now=NOW)
    assert Tokens([OTHER, KEY]).read(token, now=NOW) == CLAIM
    assert Tokens([OTHER]).read(token, now=NOW) is TokenRefusal.FORGED


@PATIENT
@given(st.integers(0, 10_000), st.integers(0, 7))
def test_a_token_with_any_bit_changed_is_refused(place: int, bit: int) -> None:
    """Attack: count the alert's number up, or move the expiry."""
    raw = bytearray(base64url.decode(TOKENS.make(CLAIM, now=NOW)) or b"")
    raw[place % len(raw)] ^= 1 << bit
    assert TOKENS.read(base64url.encode(bytes(raw)), now=NOW) is TokenRefusal.FORGED


@PATIENT
@given(st.one_of(st.text(max_size=400), st.binary(max_size=200).map(base64url.encode)))
def test_any_text_at_all_is_refused_without_a_fault(text: str) -> None:
    """A stranger sends whatever he likes."""
    assert TOKENS.read(text, now=NOW) in (TokenRefusal.MALFORMED, TokenRefusal.FORGED)


def test_two_tokens_of_different_claims_share_no_signature() -> None:
    """A desk's token acknowledges as that desk and nobody else."""
    made = {TOKENS.make(replace(CLAIM, desk=desk), now=NOW)[:22] for desk in ("testford-police", "testford-la")}
    assert len(made) == 2


@pytest.mark.parametrize("post", ["", "Tilly Ashgrove-Test", "a/b", "x" * 41])
def test_a_token_is_made_for_posts_only(post: str) -> None:
    """A person's name has a space or a capital; nothing of that kind gets into a link."""
    with pytest.raises(ValueError, match="named in small letters"):
        TOKENS.make(replace(CLAIM, post=post), now=NOW)


def test_tokens_without_a_key_are_not_made() -> None:
    """Empty means no: an empty key would sign for everybody."""
    for keys in ([], [b""]):
        with pytest.raises(ValueError, match="need a key"):
            Tokens(keys)


def test_the_keys_are_in_no_repr() -> None:
    """Secrets cannot be printed."""
    assert KEY.decode() not in repr(TOKENS)
