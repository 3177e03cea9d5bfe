"""Unpadded base64url (RFC 4648 §5) with exactly one spelling for each value.

A lax decoder would let two texts name one message, and the duplicate table would miss the second:
here a text that would not be written back identically is refused.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


def encode(raw: bytes) -> str:
    """Write `raw` without padding: 16 bytes become 22 characters, 32 become 43."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode(text: str, *, size: int | None = None) -> bytes | None:
    """Read `text` back, or give None unless it is the one spelling of a value of `size` bytes (SPEC 2.4)."""
    if not _ALPHABET.fullmatch(text) or len(text) % 4 == 1:
        return None
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(raw) != text or (size is not None and len(raw) != size):
        return None
    return raw
