"""The bytes of an MSE1 envelope: where each field lies, and nothing about what it means (SPEC 3).

Guarantees that whatever was read is written back identically, that no byte is left over and none is optional.
Refuses to know keys, participants and time. The part before the ciphertexts is the *stub*, which verifies alone.
"""

from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from struct import Struct
from struct import error as StructError  # noqa: N812  # a class
from typing import Final, NamedTuple

MAGIC: Final = b"MSE1"
SUITE_XWING: Final = 2
MAX_ENVELOPE: Final = 2 * 1024 * 1024
MAX_CORE: Final = 4096
MAX_SECTIONS: Final = 8
MAX_WRAPS: Final = 64
SIGNATURE_LENGTH: Final = 64
NONCE_LENGTH: Final = 24
TAG_LENGTH: Final = 16
WRAP_LENGTH: Final = 1168  # X-Wing: 1,120 bytes of encapsulation, 32 of content key, 16 of tag
CONTENT_KEY_LENGTH: Final = 32

_HEAD: Final = Struct(">4sBBHI")
_COUNT: Final = Struct(">H")
_SECTION: Final = Struct(">BBHI32s32s32s")
_WRAP: Final = Struct(">B16s16sH")


class Kind(IntEnum):
    """What an envelope is for; the hub sees it."""

    MESSAGE = 1
    RECEIPT = 2
    HEARTBEAT = 3


SECTIONS_OF_KIND: Final = {Kind.MESSAGE: 4, Kind.RECEIPT: 2, Kind.HEARTBEAT: 1}


class SectionEntry(NamedTuple):
    """One row of the section table: the ciphertext's length and hash, and the two commitments."""

    place: int
    length: int
    digest: bytes
    key_commitment: bytes
    text_commitment: bytes


class Wrap(NamedTuple):
    """One content key, sealed to one prekey of one role of the recipient."""

    section: int
    role_id: bytes
    prekey_id: bytes
    sealed: bytes


class Head(NamedTuple):
    """All that is signed, in parts."""

    suite: int
    kind: int
    flags: int
    core: bytes
    sections: tuple[SectionEntry, ...]
    wraps: tuple[Wrap, ...]


class Frame(NamedTuple):
    """A whole envelope in its parts; nothing in it is authenticated yet."""

    head: Head
    signed: bytes
    signature: bytes
    ciphertexts: tuple[bytes, ...]

    @property
    def stub(self) -> bytes:
        """Give the bytes that verify without any ciphertext."""
        return self.signed + self.signature

    @property
    def stub_hash(self) -> bytes:
        """Give the SHA-256 by which receipts and the next message name this envelope (SPEC 3.9)."""
        return sha256(self.stub).digest()


@dataclass(frozen=True, slots=True)
class Malformed:
    """Why bytes are no envelope; the reason names the field and never its value."""

    reason: str


class _Broken(Exception):
    """The bytes carry something extra or count wrongly."""


def _read_count(raw: bytes, at: int, *, limit: int, field: str) -> int:
    (number,) = _COUNT.unpack_from(raw, at)
    if not 1 <= number <= limit:
        raise _Broken(f"{field} out of range")
    return int(number)


def _read_sections(raw: bytes, at: int) -> tuple[tuple[SectionEntry, ...], int]:
    count = _read_count(raw, at, limit=MAX_SECTIONS, field="section count")
    start = at + _COUNT.size
    end = start + count * _SECTION.size
    if end > len(raw):
        raise _Broken("section table ends early")
    entries: list[SectionEntry] = []
    for place, zero, zeros, length, digest, key, text in _SECTION.iter_unpack(raw[start:end]):
        if place != len(entries) or zero or zeros:
            raise _Broken("section table out of order")
        if not NONCE_LENGTH + TAG_LENGTH <= length <= MAX_ENVELOPE:
            raise _Broken("section length out of range")
        entries.append(SectionEntry(place, length, digest, key, text))
    return tuple(entries), end


def _read_wraps(raw: bytes, at: int, *, sections: int) -> tuple[tuple[Wrap, ...], int]:
    count = _read_count(raw, at, limit=MAX_WRAPS, field="wrap count")
    end = at + _COUNT.size
    wraps = []
    for _ in range(count):
        section, role_id, prekey_id, length = _WRAP.unpack_from(raw, end)
        if section >= sections:
            raise _Broken("wrap of no section")
        start = end + _WRAP.size
        end = start + length
        wraps.append(Wrap(section, role_id, prekey_id, raw[start:end]))
    return tuple(wraps), end


def _read_head(raw: bytes) -> tuple[Head, int]:
    magic, suite, kind, flags, core_length = _HEAD.unpack_from(raw)
    if magic != MAGIC:
        raise _Broken("magic")
    if not 2 <= core_length <= MAX_CORE:
        raise _Broken("core length out of range")
    core = raw[_HEAD.size : _HEAD.size + core_length]
    sections, at = _read_sections(raw, _HEAD.size + core_length)
    wraps, end = _read_wraps(raw, at, sections=len(sections))
    return Head(suite, kind, flags, core, sections, wraps), end


def _read(raw: bytes, *, with_sections: bool) -> Frame:
    """Read field by field; a slice that ended early is found out at the end, which then lies behind the bytes."""
    head, signed = _read_head(raw)
    end = signed + SIGNATURE_LENGTH
    signature = raw[signed:end]
    ciphertexts = []
    for entry in head.sections if with_sections else ():
        start, end = end, end + entry.length
        ciphertexts.append(raw[start:end])
    if end != len(raw):
        raise _Broken("ends early" if end > len(raw) else "bytes after the end")
    return Frame(head, raw[:signed], signature, tuple(ciphertexts))


def _read_exactly(raw: bytes, *, with_sections: bool) -> Frame | Malformed:
    try:
        return _read(raw, with_sections=with_sections)
    except _Broken as broken:
        return Malformed(str(broken))
    except StructError:
        return Malformed("ends early")


def read_envelope(raw: bytes) -> Frame | Malformed:
    """Take `raw` apart: exact consumption, no optional byte (SPEC 3, E01)."""
    return _read_exactly(raw, with_sections=True)


def read_stub(raw: bytes) -> Frame | Malformed:
    """Take a stub apart, which is an envelope without its ciphertexts."""
    return _read_exactly(raw, with_sections=False)


def write_head(head: Head) -> bytes:
    """Write everything that is signed (SPEC 3.1 to 3.7)."""
    pieces = [_HEAD.pack(MAGIC, head.suite, head.kind, head.flags, len(head.core)), head.core]
    pieces.append(_COUNT.pack(len(head.sections)))
    for entry in head.sections:
        hashes = (entry.digest, entry.key_commitment, entry.text_commitment)
        pieces.append(_SECTION.pack(entry.place, 0, 0, entry.length, *hashes))
    pieces.append(_COUNT.pack(len(head.wraps)))
    for wrap in head.wraps:
        pieces += (_WRAP.pack(wrap.section, wrap.role_id, wrap.prekey_id, len(wrap.sealed)), wrap.sealed)
    return b"".join(pieces)
