"""What the same message costs in JOSE with a library that people use, joserfc.

Each text is signed (JWS, Ed25519, RFC 9864) and then encrypted once for all its recipients (JWE in general JSON
serialisation, ECDH-ES+A256KW with X25519, A256GCM): without a post-quantum part, commitments, padding and a stub.
"""

import json
from collections.abc import Sequence

from joserfc import jwe, jws
from joserfc.jwe import GeneralJSONEncryption, GeneralJSONSerialization
from joserfc.jwk import OKPKey

ENCRYPTION = ["ECDH-ES+A256KW", "A256GCM"]
SIGNATURE = ["Ed25519"]


def sign(text: bytes, key: OKPKey) -> bytes:
    """Make a compact JWS."""
    return jws.serialize_compact({"alg": "Ed25519", "kid": "signing-key"}, text, key, algorithms=SIGNATURE).encode()


def verify(token: bytes, key: OKPKey) -> bytes:
    """Verify a compact JWS and give its payload."""
    return jws.deserialize_compact(token, key, algorithms=SIGNATURE).payload


def encrypt(text: bytes, recipients: Sequence[OKPKey]) -> bytes:
    """Make a JWE for one section and its recipients."""
    sealed = GeneralJSONEncryption({"enc": "A256GCM"}, text)
    for number, recipient in enumerate(recipients):
        sealed.add_recipient({"alg": "ECDH-ES+A256KW", "kid": str(number)}, recipient)
    return json.dumps(jwe.encrypt_json(sealed, None, algorithms=ENCRYPTION)).encode()


def decrypt(token: bytes, key: OKPKey) -> bytes:
    """Open a JWE as its first recipient; the library would want every recipient's key otherwise."""
    body: GeneralJSONSerialization = json.loads(token)
    body["recipients"] = body["recipients"][:1]
    opened = jwe.decrypt_json(body, key, algorithms=ENCRYPTION)
    return opened.plaintext or b""
