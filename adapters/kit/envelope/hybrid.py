"""Wrapping of content keys: HPKE base mode (RFC 9180) with X-Wing, which a quantum computer does not open either.

Base mode proves nothing about the sender, so a wrap is only ever read inside a signed envelope, and `info` binds it
to that envelope, section, sender and prekey. There is no associated data here; all binding goes through `info`.
"""

from functools import lru_cache
from hashlib import sha512
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite

from adapters.kit.keys.secrets import SecretBytes
from schemas import base64url
from schemas.directory import PREKEY_LENGTH

SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
LATTICE_PUBLIC: Final = 1184
LATTICE_SEED: Final = 64


class UnusableKey(Exception):
    """A partner has published a prekey that nothing may be sealed to (malformed or of low order)."""


def generate() -> tuple[SecretBytes, bytes]:
    """Make a key pair: the private part is the ML-KEM seed and the X25519 key (96 bytes), the public 1,216 bytes."""
    lattice, curve = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
    public = lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
    return SecretBytes(lattice.private_bytes_raw() + curve.private_bytes_raw()), public


def load_private(secret: SecretBytes) -> MLKEM768X25519PrivateKey:
    """Make the private key out of its 96 bytes."""
    raw = secret.reveal()
    lattice = MLKEM768PrivateKey.from_seed_bytes(raw[:LATTICE_SEED])
    return MLKEM768X25519PrivateKey(lattice, X25519PrivateKey.from_private_bytes(raw[LATTICE_SEED:]))


def _clear_registers() -> None:
    """Give the vector registers back as they were found: the next wrap or unwrap is then an eighth faster.

    OpenSSL 4.0 ends ChaCha20-Poly1305, the last step of HPKE, with their upper halves in use, where AVX-512 is at hand.
    What comes next pays, ML-KEM most (28 to 41 microseconds). SHA-512 ends with the instruction that empties them, and
    of nothing it takes less than one microsecond. Only time depends on it.
    """
    sha512(b"").digest()


@lru_cache(maxsize=512)
def load_public(public: str) -> MLKEM768X25519PublicKey:
    """Make a public key out of its base64url form. Raises `UnusableKey`."""
    raw = base64url.decode(public, size=PREKEY_LENGTH)
    if raw is None:
        raise UnusableKey
    try:
        lattice = MLKEM768PublicKey.from_public_bytes(raw[:LATTICE_PUBLIC])
        return MLKEM768X25519PublicKey(lattice, X25519PublicKey.from_public_bytes(raw[LATTICE_PUBLIC:]))
    except ValueError as broken:
        raise UnusableKey from broken


def wrap(content_key: bytes, *, public: str, info: bytes) -> bytes:
    """Seal a content key to a prekey: 1,168 bytes. Raises `UnusableKey`, for a key of low order too."""
    try:
        sealed = SUITE.encrypt(content_key, load_public(public), info=info)
        _clear_registers()
        return sealed
    except (ValueError, RuntimeError) as broken:
        raise UnusableKey from broken


def unwrap(sealed: bytes, *, private: MLKEM768X25519PrivateKey, info: bytes) -> bytes | None:
    """Open a wrap, or give None (E17)."""
    try:
        content_key = SUITE.decrypt(sealed, private, info=info)
        _clear_registers()
        return content_key
    except (InvalidTag, ValueError, RuntimeError):
        return None
