"""The bytes of an MSE1 envelope: where each field lies, and nothing about what it means (SPEC 3).

Guarantees that whatever was read is written back identically, that no byte is left over and none is optional.
Refuses to know keys, participants and time. The part before the ciphertexts is the *stub*, which verifies alone.
"""

from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from struct import Struct
from typing import Final

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


@dataclass(frozen=True, slots=True)
class SectionEntry:
    """One row of the section table: the ciphertext's length and hash, and the two commitments."""

    index: int
    length: int
    digest: bytes
    key_commitment: bytes
    text_commitment: bytes


@dataclass(frozen=True, slots=True)
class Wrap:
    """One content key, sealed to one prekey of one role of the recipient."""

    section: int
    role_id: bytes
    prekey_id: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """All that is signed, in parts."""

    suite: int
    kind: int
    flags: int
    core: bytes
    sections: tuple[SectionEntry, ...]
    wraps: tuple[Wrap, ...]


@dataclass(frozen=True, slots=True)
class Frame:
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
    """The bytes end early, carry something extra or count wrongly."""


class _Reader:
    """Takes exact numbers of bytes from the front, or raises `_Broken`."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.at = 0

    def take(self, length: int, *, field: str) -> bytes:
        """Take the next `length` bytes, which belong to `field`."""
        end = self.at + length
        if end > len(self._raw):
            raise _Broken(f"{field} ends early")
        piece, self.at = self._raw[self.at : end], end
        return piece

    def count(self, *, limit: int, field: str) -> int:
        """Take a u16 that must lie between 1 and `limit`."""
        (number,) = _COUNT.unpack(self.take(_COUNT.size, field=field))
        if not 1 <= number <= limit:
            raise _Broken(f"{field} out of range")
        return int(number)

    def finish(self) -> None:
        """Demand that nothing is left."""
        if self.at != len(self._raw):
            raise _Broken("bytes after the end")


def _read_section(reader: _Reader, *, place: int) -> SectionEntry:
    index, zero, zeros, length, *hashes = _SECTION.unpack(reader.take(_SECTION.size, field="section table"))
    if index != place or zero or zeros:
        raise _Broken("section table out of order")
    if not NONCE_LENGTH + TAG_LENGTH <= length <= MAX_ENVELOPE:
        raise _Broken("section length out of range")
    return SectionEntry(index, length, *hashes)


def _read_wrap(reader: _Reader, *, sections: int) -> Wrap:
    section, role_id, prekey_id, length = _WRAP.unpack(reader.take(_WRAP.size, field="wrap"))
    if section >= sections:
        raise _Broken("wrap of no section")
    return Wrap(section, role_id, prekey_id, reader.take(length, field="wrap"))


def _read_head(reader: _Reader) -> Head:
    magic, suite, kind, flags, core_length = _HEAD.unpack(reader.take(_HEAD.size, field="head"))
    if magic != MAGIC:
        raise _Broken("magic")
    if not 2 <= core_length <= MAX_CORE:
        raise _Broken("core length out of range")
    core = reader.take(core_length, field="core")
    section_count = reader.count(limit=MAX_SECTIONS, field="section count")
    sections = tuple(_read_section(reader, place=place) for place in range(section_count))
    wrap_count = reader.count(limit=MAX_WRAPS, field="wrap count")
    wraps = tuple(_read_wrap(reader, sections=section_count) for _ in range(wrap_count))
    return Head(suite, kind, flags, core, sections, wraps)


def _read(raw: bytes, *, with_sections: bool) -> Frame:
    reader = _Reader(raw)
    head = _read_head(reader)
    signed = raw[: reader.at]
    signature = reader.take(SIGNATURE_LENGTH, field="signature")
    entries = head.sections if with_sections else ()
    ciphertexts = tuple(reader.take(entry.length, field="section") for entry in entries)
    reader.finish()
    return Frame(head, signed, signature, ciphertexts)


def read_envelope(raw: bytes) -> Frame | Malformed:
    """Take `raw` apart: exact consumption, no optional byte (SPEC 3, E01)."""
    try:
        return _read(raw, with_sections=True)
    except _Broken as broken:
        return Malformed(str(broken))


def read_stub(raw: bytes) -> Frame | Malformed:
    """Take a stub apart, which is an envelope without its ciphertexts."""
    try:
        return _read(raw, with_sections=False)
    except _Broken as broken:
        return Malformed(str(broken))


def write_head(head: Head) -> bytes:
    """Write everything that is signed (SPEC 3.1 to 3.7)."""
    pieces = [_HEAD.pack(MAGIC, head.suite, head.kind, head.flags, len(head.core)), head.core]
    pieces.append(_COUNT.pack(len(head.sections)))
    for entry in head.sections:
        hashes = (entry.digest, entry.key_commitment, entry.text_commitment)
        pieces.append(_SECTION.pack(entry.index, 0, 0, entry.length, *hashes))
    pieces.append(_COUNT.pack(len(head.wraps)))
    for wrap in head.wraps:
        pieces += (_WRAP.pack(wrap.section, wrap.role_id, wrap.prekey_id, len(wrap.sealed)), wrap.sealed)
    return b"".join(pieces)
