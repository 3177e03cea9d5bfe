"""What the same message costs in JOSE: signed (JWS, EdDSA), then encrypted (JWE, ECDH-ES+A256KW with X25519, A256GCM).

Assembled from RFC 7515, 7516, 7517, 7518 and 8037 over the same libraries, with keys loaded beforehand, so that the
comparison is of formats and not of packages. It has no post-quantum part, no commitments, no padding and no stub.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from os import urandom
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

ALGORITHM = b"ECDH-ES+A256KW"


def _b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _kek(shared: bytes) -> bytes:
    """Concat KDF (RFC 7518, 4.6.2) for 256 bits."""
    parts = (ALGORITHM, b"", b"")
    other = b"".join(len(part).to_bytes(4, "big") + part for part in parts) + (256).to_bytes(4, "big")
    return sha256((1).to_bytes(4, "big") + shared + other).digest()


def sign(text: bytes, key: Ed25519PrivateKey) -> bytes:
    """Make a compact JWS."""
    head = _b64(b'{"alg":"EdDSA","kid":"signing-key"}')
    signing_input = f"{head}.{_b64(text)}".encode()
    return signing_input + b"." + _b64(key.sign(signing_input)).encode()


def verify(token: bytes, key: Ed25519PublicKey) -> bytes:
    """Verify a compact JWS and give its payload."""
    signing_input, _, signature = token.rpartition(b".")
    key.verify(_raw(signature.decode()), signing_input)
    return _raw(signing_input.partition(b".")[2].decode())


def encrypt(text: bytes, recipients: Sequence[X25519PublicKey]) -> bytes:
    """Make a JWE in general JSON serialisation, for one section and its recipients."""
    protected, content_key, nonce = _b64(b'{"enc":"A256GCM"}'), urandom(32), urandom(12)
    entries = []
    for number, public in enumerate(recipients):
        ephemeral = X25519PrivateKey.generate()
        wrapped = aes_key_wrap(_kek(ephemeral.exchange(public)), content_key)
        point = {"kty": "OKP", "crv": "X25519", "x": _b64(ephemeral.public_key().public_bytes_raw())}
        header: dict[str, Any] = {"alg": ALGORITHM.decode(), "kid": str(number), "epk": point}
        entries.append({"header": header, "encrypted_key": _b64(wrapped)})
    sealed = AESGCM(content_key).encrypt(nonce, text, protected.encode())
    body = {"protected": protected, "recipients": entries, "iv": _b64(nonce)}
    return json.dumps({**body, "ciphertext": _b64(sealed[:-16]), "tag": _b64(sealed[-16:])}).encode()


def decrypt(token: bytes, private: X25519PrivateKey) -> bytes:
    """Open a JWE as its first recipient."""
    body = json.loads(token)
    entry = body["recipients"][0]
    point = X25519PublicKey.from_public_bytes(_raw(entry["header"]["epk"]["x"]))
    content_key = aes_key_unwrap(_kek(private.exchange(point)), _raw(entry["encrypted_key"]))
    sealed = _raw(body["ciphertext"]) + _raw(body["tag"])
    return AESGCM(content_key).decrypt(_raw(body["iv"]), sealed, body["protected"].encode())
