"""Keys in use: what a sender signs with and what a recipient opens with. They have no printable form.

The keyring makes these; sealing and verification take them as arguments and never see the keyring.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey
from nacl.signing import SigningKey

from adapters.kit.envelope import hybrid
from adapters.kit.keys.secrets import SecretBytes
from schemas.signing import signed_message


@dataclass(frozen=True, repr=False, eq=False)
class SenderKeys:
    """The signing key of the day, with the id that partners find it by."""

    participant: str
    kid: str
    _signing_key: SigningKey

    @classmethod
    def load(cls, participant: str, *, kid: str, seed: SecretBytes) -> Self:
        """Make the signing key out of its 32-byte seed."""
        return cls(participant, kid, SigningKey(seed.reveal()))

    def sign(self, head: bytes) -> bytes:
        """Sign the head of an envelope under its label: 64 bytes (SPEC 4.7)."""
        return self._signing_key.sign(signed_message(head)).signature


@dataclass(frozen=True, repr=False, eq=False)
class RoleInHand:
    """A role whose sections this process may open."""

    name: str
    opens: tuple[int, ...]


@dataclass(frozen=True, repr=False, eq=False)
class PrekeyInHand:
    """A private prekey and the time in which senders could use it (Unix seconds)."""

    role_id: bytes
    private: MLKEM768X25519PrivateKey
    not_before: int
    not_after: int

    @classmethod
    def load(cls, role_id: bytes, *, secret: SecretBytes, not_before: int, not_after: int) -> Self:
        """Make the private key out of its 96 bytes."""
        return cls(role_id, hybrid.load_private(secret), not_before, not_after)


@dataclass(frozen=True, repr=False, eq=False)
class RecipientKeys:
    """What a recipient opens with: its roles by role id, its live prekeys by prekey id. Empty opens nothing."""

    participant: str
    roles: Mapping[bytes, RoleInHand]
    prekeys: Mapping[bytes, PrekeyInHand]
