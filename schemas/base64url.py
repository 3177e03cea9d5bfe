"""Unpadded base64url (RFC 4648 §5) with exactly one spelling for each value.

A lax decoder would let two texts name one message, and the duplicate table would miss the second:
here a text that would not be written back identically is refused.
"""

import re
from binascii import a2b_base64, b2a_base64
from functools import cache
from typing import Final

# A last group of two characters holds 8 bits, one of three holds 16: the bits that are left over must be zero.
_LAST_GROUP: Final = ("", r"[A-Za-z0-9_-][AQgw]", r"[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048]")
_SPELLING: Final = re.compile(rf"(?:[A-Za-z0-9_-]{{4}})*(?:{_LAST_GROUP[1]}|{_LAST_GROUP[2]})?", re.ASCII)
_TO_STANDARD: Final = str.maketrans("-_", "+/")
_FROM_STANDARD: Final = bytes.maketrans(b"+/", b"-_")


def encode(raw: bytes) -> str:
    """Write `raw` without padding: 16 bytes become 22 characters, 32 become 43."""
    return b2a_base64(raw, newline=False).rstrip(b"=").translate(_FROM_STANDARD).decode("ascii")


def spelling_of(size: int) -> str:
    """Give the pattern, as text, of a value of `size` bytes."""
    groups, rest = divmod(size, 3)
    return rf"[A-Za-z0-9_-]{{{4 * groups}}}{_LAST_GROUP[rest]}"


@cache
def _pattern_of(size: int) -> re.Pattern[str]:
    """Compile the pattern of a value of `size` bytes; the sizes are those that the code names."""
    return re.compile(spelling_of(size), re.ASCII)


def is_spelling(text: str, *, size: int | None = None) -> bool:
    """Say whether `text` is the one spelling of a value, of `size` bytes if that is given (SPEC 2.4)."""
    spelling = _SPELLING if size is None else _pattern_of(size)
    return spelling.fullmatch(text) is not None


def decode(text: str, *, size: int | None = None) -> bytes | None:
    """Read `text` back, or give None unless it is the one spelling of a value of `size` bytes (SPEC 2.4)."""
    return value_of(text) if is_spelling(text, size=size) else None


def value_of(spelling: str) -> bytes:
    """Read back a text that is known to be a spelling; whoever does not know it asks `decode`."""
    return a2b_base64(spelling.translate(_TO_STANDARD) + "=" * (-len(spelling) % 4))
