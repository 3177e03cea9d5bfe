"""What is hashed, derived and signed: every use has a label of its own, so no value can be taken for another.

Pure functions over bytes with SHA-256 and HMAC from the standard library.
Nothing here holds a long-lived key: signatures are checked in `broker.verify` and made in `adapters.kit`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256
from hmac import digest
from struct import Struct
from typing import Final, Self

PAE_PREFIX: Final = b"mash/1\x00"
PADDING_FLOOR: Final = 2048
LENGTH_PREFIX: Final = 4
HASH_LENGTH: Final = 32
_LENGTH: Final = Struct(">I").pack
# Parts of a fixed length, each behind its length, as `pae` would write them one by one.
_SECTION_PARTS: Final = Struct(">I32sIBIB")
_INDEX: Final = Struct(">IB")
_WRAP_ENDS: Final = Struct(">I16sI16s")


def pae(kind: str, *parts: bytes) -> bytes:
    """Encode a labelled list of parts without ambiguity: each is preceded by its length as u32 (SPEC 4.1)."""
    return _beginning(kind) + _counted(*parts)


@cache
def _beginning(kind: str) -> bytes:
    """Give what every encoding under the label `kind` begins with; there are about ten labels."""
    return PAE_PREFIX + _counted(kind.encode("ascii"))


def _counted(*parts: bytes) -> bytes:
    return b"".join([piece for part in parts for piece in (_LENGTH(len(part)), part)])


_SECTION_LABEL: Final = _beginning("sec")


def core_hash(*, suite: int, kind: int, core: bytes) -> bytes:
    """Hash what the core says together with how it is to be read (SPEC 4.2)."""
    return sha256(pae("core", bytes([suite]), bytes([kind]), core)).digest()


@dataclass(frozen=True, repr=False, slots=True)
class SectionSecrets:
    """The three values derived from one section's content key; only `commit` may leave the process."""

    commit: bytes
    aead_key: bytes
    commitment_key: bytes


def section_secrets(content_key: bytes, *, core_hash: bytes, index: int) -> SectionSecrets:
    """Derive by HKDF-SHA256 (RFC 5869), salted with the core so that no key works under another core (SPEC 4.4)."""
    extracted = digest(core_hash, content_key, "sha256")
    commit, aead, commitment = _expansions(index)
    return SectionSecrets(
        digest(extracted, commit, "sha256"), digest(extracted, aead, "sha256"), digest(extracted, commitment, "sha256")
    )


@cache
def _expansions(index: int) -> tuple[bytes, ...]:
    """Give what HKDF-Expand is fed for the three values of section `index`; there are eight sections at most."""
    return tuple(pae(label, bytes([index])) + b"\x01" for label in ("commit", "aead", "ptc"))


def plaintext_commitment(commitment_key: bytes, padded: bytes) -> bytes:
    """Commit to a section's padded text; whoever holds the content key can prove the text later (SPEC 4.6)."""
    return digest(commitment_key, padded, "sha256")


def section_binding(core_hash: bytes, *, index: int, count: int) -> bytes:
    """Give the associated data of section `index` of `count`: its envelope and its place in it (SPEC 4.5)."""
    return _SECTION_LABEL + _SECTION_PARTS.pack(HASH_LENGTH, core_hash, 1, index, 1, count)


@dataclass(frozen=True, slots=True)
class WrapBinding:
    """What every wrap of one envelope is bound to; the parts that all of them share are encoded once (SPEC 4.3)."""

    _before: bytes
    _names: bytes

    @classmethod
    def of(cls, names: Sequence[str], *, suite: int, core_hash: bytes) -> Self:
        """Bind to one envelope: `names` are sender, signing key id and recipient."""
        return cls(pae("wrap", bytes([suite]), core_hash), _counted(*(name.encode("ascii") for name in names)))

    def beginning(self, index: int) -> bytes:
        """Give what the `info` of every wrap of section `index` begins with; `key_ending` of its prekey follows."""
        return self._before + _INDEX.pack(1, index) + self._names

    def info(self, index: int, *, role_id: bytes, prekey_id: bytes) -> bytes:
        """Give the HPKE `info` of the wrap of section `index` for one prekey of one role."""
        return self.beginning(index) + key_ending(role_id, prekey_id)


def key_ending(role_id: bytes, prekey_id: bytes) -> bytes:
    """Give what the `info` of every wrap for one prekey of one role ends with, whatever the envelope (SPEC 4.3)."""
    return _WRAP_ENDS.pack(len(role_id), role_id, len(prekey_id), prekey_id)


def signed_message(head: bytes) -> bytes:
    """Give what the signature covers: everything before the signature, under its label (SPEC 4.7)."""
    return pae("env", head)


@lru_cache(maxsize=1024)
def padded_size(length: int) -> int:
    """Say how long a section of `length` bytes is once padded: Padmé above a floor of 2 KiB (SPEC 4.8)."""
    total = max(PADDING_FLOOR, length + LENGTH_PREFIX)
    exponent = total.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (total + mask) & ~mask


def pad(plaintext: bytes) -> bytes:
    """Put the length before `plaintext` and zeros after it."""
    body = _LENGTH(len(plaintext)) + plaintext
    return body.ljust(padded_size(len(plaintext)), b"\x00")


def unpad(padded: bytes) -> bytes | None:
    """Take the padding off, or give None unless it is exactly what `pad` would have written (E20)."""
    if len(padded) < LENGTH_PREFIX:
        return None
    end = LENGTH_PREFIX + int.from_bytes(padded[:LENGTH_PREFIX], "big")
    if end > len(padded) or padded_size(end - LENGTH_PREFIX) != len(padded) or padded[end:] != bytes(len(padded) - end):
        return None
    return padded[LENGTH_PREFIX:end]
