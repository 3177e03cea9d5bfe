"""HPKE base mode over X-Wing, assembled from RFC 9180 and the X-Wing draft, with the randomness as an argument."""

from hashlib import sha3_256, shake_256
from hmac import digest

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tests.vectors.lattice import encapsulate

SUITE_ID = b"HPKE" + bytes.fromhex("647a00010003")
XWING_LABEL = b"\\.//^\\"


def entropy(label: str, length: int = 32) -> bytes:
    """Give bytes that look random and are the same every time."""
    return shake_256(b"mash vectors " + label.encode()).digest(length)


def _extract(salt: bytes, label: bytes, material: bytes) -> bytes:
    return digest(salt or bytes(32), b"HPKE-v1" + SUITE_ID + label + material, "sha256")


def _expand(key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + SUITE_ID + label + info
    return digest(key, labelled + b"\x01", "sha256")[:length]


def _encapsulate(public: bytes) -> tuple[bytes, bytes]:
    lattice_public, curve_public = public[:1184], public[1184:]
    label = sha3_256(public).hexdigest()
    lattice_secret, lattice_sealed = encapsulate(lattice_public, entropy("lattice " + label))
    ephemeral = X25519PrivateKey.from_private_bytes(entropy("curve " + label))
    curve_secret = ephemeral.exchange(X25519PublicKey.from_public_bytes(curve_public))
    curve_sealed = ephemeral.public_key().public_bytes_raw()
    shared = sha3_256(lattice_secret + curve_secret + curve_sealed + curve_public + XWING_LABEL).digest()
    return shared, lattice_sealed + curve_sealed


def hpke_seal(content_key: bytes, *, public: bytes, info: bytes) -> bytes:
    """Seal `content_key` to an X-Wing public key."""
    shared, encapsulated = _encapsulate(public)
    context = b"\x00" + _extract(b"", b"psk_id_hash", b"") + _extract(b"", b"info_hash", info)
    secret = _extract(shared, b"secret", b"")
    key, nonce = _expand(secret, b"key", context, 32), _expand(secret, b"base_nonce", context, 12)
    return encapsulated + ChaCha20Poly1305(key).encrypt(nonce, content_key, None)
