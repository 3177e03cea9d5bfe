"""The token in an alert's link: names an alert, a desk and a post, until when, and is signed by the hub.

It guarantees: nobody without the hub's secret makes one or changes one (HMAC-SHA256, 128 bits kept, RFC 2104 §5), and
one has one spelling. What it allows is to say that this alert is seen, and to be shown its reference, until it expires.
It refuses to know whether the alert exists; `broker.alerts.acknowledging` looks.
The first key signs and every key verifies, so that a secret can be replaced while links are out.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hmac import compare_digest, digest
from struct import Struct
from typing import Final

from schemas import base64url
from schemas.agency import ParticipantId
from schemas.signing import pae

LIFETIME: Final = timedelta(days=7)
LONGEST: Final = 160
_HEAD: Final = Struct(">QQ")
_SIGNATURE: Final = 16
_NAMES: Final = re.compile(rb"([a-z0-9-]{3,40})/([a-z0-9_-]{1,40})")


class TokenRefusal(StrEnum):
    """Why a token is not accepted. Show a person only that the link is not valid any more."""

    MALFORMED = "malformed"
    FORGED = "forged"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Claim:
    """What a good token says: the alert's number, whose desk it went to, and which post there was told."""

    alert: int
    desk: ParticipantId
    post: str


@dataclass(frozen=True, repr=False)
class Tokens:
    """Makes and reads tokens. `keys`: the first signs; there is at least one."""

    keys: Sequence[bytes]
    lifetime: timedelta = LIFETIME

    def __post_init__(self) -> None:
        if not self.keys or not all(self.keys):
            raise ValueError("tokens need a key")

    def make(self, claim: Claim, *, now: datetime) -> str:
        """Make the token of `claim`, good from `now` for `lifetime`."""
        expires = int((now + self.lifetime).timestamp())
        said = _HEAD.pack(claim.alert, expires) + f"{claim.desk}/{claim.post}".encode("ascii")
        if _NAMES.fullmatch(said[_HEAD.size :]) is None:
            raise ValueError("a desk and a post are named in small letters, digits, hyphens and underscores")
        return base64url.encode(_sign(self.keys[0], said) + said)

    def read(self, token: str, *, now: datetime) -> Claim | TokenRefusal:
        """Check `token`, the signature before anything that it says."""
        raw = base64url.decode(token) if len(token) <= LONGEST else None
        if raw is None or len(raw) <= _SIGNATURE + _HEAD.size:
            return TokenRefusal.MALFORMED
        signature, said = raw[:_SIGNATURE], raw[_SIGNATURE:]
        # Every key is tried, so that the time taken does not tell which one is in use.
        if not any([compare_digest(signature, _sign(key, said)) for key in self.keys]):  # noqa: C419 - see above
            return TokenRefusal.FORGED
        alert, expires = _HEAD.unpack_from(said)
        named = _NAMES.fullmatch(said[_HEAD.size :])
        if named is None:
            return TokenRefusal.MALFORMED
        if now.astimezone(UTC).timestamp() >= expires:
            return TokenRefusal.EXPIRED
        return Claim(alert, named[1].decode(), named[2].decode())


def _sign(key: bytes, said: bytes) -> bytes:
    return digest(key, pae("alert-token", said), "sha256")[:_SIGNATURE]
