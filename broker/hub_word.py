"""Signed words that are no envelopes: DSSE envelopes (version 1) of the hub, and an agency's answers to them.

The hub's are signed by a key of its own, whose public half the registrar has put into the signed directory; an agency's
by the signing key that signs its envelopes. Reading is strict and bounded, says who signed, and nothing about the text.
This module holds no key: `say` is given a signer of securesystemslib, as the directory's keys are.
"""

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError

from broker.directory.keys import key_of_identity
from broker.directory.tuf import Key, Signature, Signer
from broker.hub import MAX_BODY_BYTES
from broker.verify import is_signed
from schemas import base64url
from schemas.directory import SigningKey

_FIELDS: Final = frozenset({"payload", "payloadType", "signatures"})
_SIGNATURE_FIELDS: Final = frozenset({"keyid", "sig"})


@dataclass(frozen=True)
class Word:
    """A DSSE envelope as it was read; nothing in it is believed before `heard` or `answered` has given its payload."""

    unverified_payload: bytes = field(repr=False)
    payload_type: str
    keyid: str
    signature: bytes

    @property
    def signed(self) -> bytes:
        """Give what the signature covers: type and payload, each behind its length."""
        return pre_authentication(self.unverified_payload, self.payload_type)


def pre_authentication(payload: bytes, payload_type: str) -> bytes:
    """Give what is signed (DSSE 1, PAE)."""
    encoded: bytes = Envelope(payload, payload_type, {}).pae()
    return encoded


def kid_of(public: str) -> str:
    """Name a key of the hub's by its public half (base64url): the first 16 bytes of its SHA-256."""
    return base64url.encode(sha256(base64url.decode(public, size=32) or b"").digest()[:16])


def public_of(signer: Signer) -> str:
    """Give the public half of a signer's Ed25519 key as the directory writes it. Raises `ValueError` for another."""
    return public_half(signer.public_key)


def public_half(key: Key) -> str:
    """Give an Ed25519 key as the directory writes it. Raises `ValueError` for another."""
    if key.scheme != "ed25519":
        raise ValueError("the hub signs with Ed25519")
    return base64url.encode(bytes.fromhex(key.keyval["public"]))


def entry_of(key: Key, *, begins: datetime, life: timedelta) -> SigningKey:
    """Give the directory's entry for a key of the hub's. Raises `ValueError` unless it is Ed25519."""
    public = public_half(key)
    first, last = int(begins.timestamp()), int((begins + life).timestamp())
    return SigningKey(kid=kid_of(public), public=public, not_before=first, not_after=last)


def say(payload: bytes, *, payload_type: str, signer: Signer) -> bytes:
    """Sign `payload` as the hub."""
    signature = signer.sign(pre_authentication(payload, payload_type))
    return written(payload, payload_type=payload_type, keyid=kid_of(public_of(signer)), signature=signature.signature)


def answer(payload: bytes, *, payload_type: str, kid: str, sign: Callable[[bytes], bytes]) -> bytes:
    """Sign `payload` as an agency, with the key that signs its envelopes (SPEC 4.7)."""
    signature = sign(pre_authentication(payload, payload_type))
    return written(payload, payload_type=payload_type, keyid=kid, signature=signature.hex())


def written(payload: bytes, *, payload_type: str, keyid: str, signature: str) -> bytes:
    """Write a DSSE envelope with one signature (hex)."""
    one = {"keyid": keyid, "sig": b64encode(bytes.fromhex(signature)).decode()}
    plain = {"payload": b64encode(payload).decode(), "payloadType": payload_type, "signatures": [one]}
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode("ascii")


def read(body: bytes) -> Word | None:
    """Read an envelope with exactly one signature, or give None."""
    if len(body) > MAX_BODY_BYTES or not body.startswith(b"{"):
        return None
    try:
        plain = json.loads(body)
        (one,) = plain["signatures"]
        if plain.keys() != _FIELDS or one.keys() != _SIGNATURE_FIELDS:
            return None
        return Word(_decoded(plain["payload"]), _text(plain["payloadType"]), _text(one["keyid"]), _decoded(one["sig"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def heard(word: Word, *, payload_type: str, keys: Iterable[SigningKey]) -> tuple[bytes, SigningKey] | None:
    """Give the payload and the key that signed it, if it is of this type and one of the hub's `keys` did; or None."""
    if word.payload_type != payload_type:
        return None
    for key in keys:
        if key.kid == word.keyid and _verifies(word, key.public):
            return word.unverified_payload, key
    return None


def answered(word: Word, *, payload_type: str, key: SigningKey | None) -> bytes | None:
    """Give the payload if it is of this type and `key`, an agency's, signed it; no key means no."""
    if key is None or word.payload_type != payload_type:
        return None
    held = is_signed(word.signed, signature=word.signature, public=key.public)
    return word.unverified_payload if held else None


def _verifies(word: Word, public: str) -> bool:
    key = key_of_identity(public)
    try:
        key.verify_signature(Signature(key.keyid, word.signature.hex()), word.signed)
    except UnverifiedSignatureError:
        return False
    return True


def _decoded(text: Any) -> bytes:
    try:
        return b64decode(_text(text), validate=True)
    except binascii.Error as broken:
        raise ValueError("not base64") from broken


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
