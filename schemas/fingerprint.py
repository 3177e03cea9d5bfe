"""The fingerprint of an identity key, as two people read it to each other: eight groups of five digits.

Digits are read over a telephone without being spelt. Forty digits are 132 bits: nobody makes a second key to fit.
"""

from hashlib import sha256
from typing import Final

from schemas import base64url
from schemas.signing import pae

GROUPS: Final = 8
DIGITS: Final = 5


def fingerprint(public: str) -> str:
    """Give the fingerprint of an Ed25519 public key (base64url). Raises `ValueError` unless it is one."""
    raw = base64url.decode(public, size=32)
    if raw is None:
        raise ValueError("not a public key")
    number = int.from_bytes(sha256(pae("fingerprint", raw)).digest(), "big") % 10 ** (GROUPS * DIGITS)
    digits = f"{number:0{GROUPS * DIGITS}}"
    return " ".join(digits[at : at + DIGITS] for at in range(0, len(digits), DIGITS))
