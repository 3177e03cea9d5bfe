"""Sealing: makes out of plaintexts the one envelope that only the recipient's roles can open.

Always the same number of sections for a kind of envelope: a section that is not needed is sealed empty, to the same
roles and padded to the same floor, so that nobody outside can tell it from a full one (a silent withhold included).
Sealing happens once: a retry publishes the same bytes. Nothing is sealed that the recipient's checks would refuse.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as aead_encrypt
from nacl.utils import random

from adapters.kit.envelope import hybrid
from adapters.kit.envelope.addressing import Addresses, addresses_of
from adapters.kit.envelope.manifest import Author, Manifest
from adapters.kit.keys.in_use import SenderKeys
from adapters.kit.keys.secrets import SecretBytes
from schemas import base64url, signing
from schemas.directory import AgencyRecord, Directory
from schemas.envelope import (
    CONTENT_KEY_LENGTH,
    MAX_ENVELOPE,
    NONCE_LENGTH,
    SECTIONS_OF_KIND,
    SUITE_XWING,
    Head,
    Kind,
    SectionEntry,
    Wrap,
    write_head,
)
from schemas.routing import Lane
from schemas.stub import FIRST_PREVIOUS, IDENTIFIER_LENGTH, DirectoryReference, Event, Stub, write_core

__all__ = [
    "Author",
    "CannotSeal",
    "Chain",
    "Event",
    "NoCurrentKey",
    "NotPermitted",
    "Outgoing",
    "Sealed",
    "Section",
    "UnfitForSealing",
    "new_mid",
    "new_thread",
    "seal",
]


class Section(StrEnum):
    """A part of a message with an audience of its own. The manifest, section 0, is made by `seal`."""

    TEAM = "team"
    DECISION_MAKER = "decision_maker"
    PROTECTED = "protected"


INDEX_OF: Final = {Section.TEAM: 1, Section.DECISION_MAKER: 2, Section.PROTECTED: 3}
SECTION_AT: Final = {index: section for section, index in INDEX_OF.items()}
_KIND_OF: Final = {Event.RECEIPT: Kind.RECEIPT, Event.HEARTBEAT: Kind.HEARTBEAT}


class CannotSeal(Exception):
    """The message was not sealed and nothing has left."""


class NotPermitted(CannotSeal):
    """No agreement in the directory lets this agency write to that recipient in this service class."""


class NoCurrentKey(CannotSeal):
    """The recipient has published no usable key for a role: refresh the directory, or ask them to rotate."""


class UnfitForSealing(CannotSeal):
    """The message breaks a rule that every recipient checks (size, section, author, service class or time)."""


@dataclass(frozen=True, repr=False)
class Outgoing:
    """A message before sealing. `thread` is `new_thread()` or the thread that is answered; `in_reply_to` a mid."""

    recipient: str
    thread: str
    event: Event
    lane: Lane
    service_class: str
    in_reply_to: str | None
    sections: Mapping[Section, bytes]
    author: Author
    purpose: str
    expires_after: timedelta = timedelta(days=14)


@dataclass(frozen=True)
class Chain:
    """The place in the chain of one sender and recipient: the first is `Chain(1, bytes(32))`.

    `prev` is the stub hash of the envelope numbered `seq - 1`.
    """

    seq: int
    prev: bytes


@dataclass(frozen=True)
class Sealed:
    """The bytes to publish. `openings` (33 bytes a section) prove the text later; keep them sealed at rest."""

    mid: str
    body: bytes = field(repr=False)
    stub_hash: bytes
    lane: Lane
    recipient: str
    openings: SecretBytes = field(default_factory=lambda: SecretBytes(b""))


@dataclass(frozen=True, repr=False)
class _SealedSection:
    entry: SectionEntry
    ciphertext: bytes
    content_key: bytes


@dataclass(frozen=True, repr=False)
class _Sealer:
    """One envelope in the making: everything its sections are bound to."""

    kind: Kind
    core: bytes
    core_hash: bytes
    wrap_binding: signing.WrapBinding
    addresses: Addresses

    def section(self, index: int, plaintext: bytes) -> _SealedSection:
        content_key, nonce = random(CONTENT_KEY_LENGTH), random(NONCE_LENGTH)
        derived = signing.section_secrets(content_key, core_hash=self.core_hash, index=index)
        padded = signing.pad(plaintext)
        binding = signing.section_binding(self.core_hash, index=index, count=SECTIONS_OF_KIND[self.kind])
        ciphertext = nonce + aead_encrypt(padded, binding, nonce, derived.aead_key)
        committed = signing.plaintext_commitment(derived.commitment_key, padded)
        entry = SectionEntry(index, len(ciphertext), sha256(ciphertext).digest(), derived.commit, committed)
        return _SealedSection(entry, ciphertext, content_key)

    def wraps(self, sections: Iterable[_SealedSection]) -> tuple[Wrap, ...]:
        """Wrap all content keys one after the other: between other work each would find the processor's caches cold."""
        try:
            return tuple([wrap for section in sections for wrap in self._wraps_of(section)])
        except hybrid.UnusableKey as broken:
            raise NoCurrentKey from broken

    def _wraps_of(self, section: _SealedSection) -> list[Wrap]:
        index, key = section.entry.place, section.content_key
        beginning, addresses = self.wrap_binding.beginning(index), self.addresses.sections[index]
        if not addresses:
            raise NoCurrentKey
        return [
            Wrap(index, role_id, prekey_id, hybrid.wrap(key, public=public, info=beginning + ending))
            for role_id, prekey_id, public, ending in addresses
        ]


def new_thread() -> str:
    """Make a thread's name: random, never derived from a case or a person."""
    return base64url.encode(random(IDENTIFIER_LENGTH))


def new_mid() -> str:
    """Make a message's name, for a caller that must know it before sealing."""
    return base64url.encode(random(IDENTIFIER_LENGTH))


def _stub(
    outgoing: Outgoing, *, keys: SenderKeys, directory: Directory, chain: Chain, now: datetime, mid: str | None
) -> Stub:
    sent = int(now.timestamp())
    return Stub(
        mid=mid or new_mid(),
        thread=outgoing.thread,
        from_=keys.participant,
        to=outgoing.recipient,
        kid=keys.kid,
        seq=chain.seq,
        prev=chain.prev,
        irt=outgoing.in_reply_to,
        lane=outgoing.lane,
        service_class=outgoing.service_class,
        event=outgoing.event,
        t=sent,
        exp=sent + int(outgoing.expires_after.total_seconds()),
        directory=DirectoryReference(directory.version, directory.hash),
    )


def _texts(outgoing: Outgoing, *, stub: Stub, kind: Kind) -> list[bytes]:
    """Give the plaintext of every section in order; the unused ones are empty."""
    texts = [b""] * SECTIONS_OF_KIND[kind]
    for section, text in outgoing.sections.items():
        if INDEX_OF[section] >= len(texts) or not text:
            raise UnfitForSealing("a section that this kind of envelope has not, or an empty one")
        texts[INDEX_OF[section]] = text
    used = tuple(index for index, text in enumerate(texts) if text)
    texts[0] = Manifest.of(stub, author=outgoing.author, purpose=outgoing.purpose, sections=used).to_bytes()
    return texts


def _begin(outgoing: Outgoing, *, stub: Stub, record: AgencyRecord) -> tuple[_Sealer, list[bytes]]:
    kind = _KIND_OF.get(outgoing.event, Kind.MESSAGE)
    if (kind is Kind.RECEIPT) != (outgoing.lane is Lane.RECEIPT):
        raise UnfitForSealing("receipts, and nothing else, travel in the lane of receipts")
    if not timedelta(0) < outgoing.expires_after <= timedelta(days=14):
        raise UnfitForSealing("a message lives at most 14 days")
    if (stub.seq == 1) != (stub.prev == FIRST_PREVIOUS):
        raise UnfitForSealing("the first of a chain, and no other, follows nothing")
    try:
        core = write_core(stub)
        texts = _texts(outgoing, stub=stub, kind=kind)
    except (TypeError, ValueError) as broken:
        raise UnfitForSealing(type(broken).__name__) from None
    hashed = signing.core_hash(suite=SUITE_XWING, kind=kind, core=core)
    binding = signing.WrapBinding.of((stub.from_, stub.kid, stub.to), suite=SUITE_XWING, core_hash=hashed)
    return _Sealer(kind, core, hashed, binding, addresses_of(record, stub.t)), texts


def seal(
    outgoing: Outgoing,
    *,
    keys: SenderKeys,
    directory: Directory,
    chain: Chain,
    now: datetime,
    mid: str | None = None,
) -> Sealed:
    """Seal `outgoing` to every role of the recipient that opens each section (SPEC 6), under `mid` or a new name.

    Raises a `CannotSeal`: `NotPermitted`, `NoCurrentKey` or `UnfitForSealing`.
    """
    stub = _stub(outgoing, keys=keys, directory=directory, chain=chain, now=now, mid=mid)
    record = directory.participant(outgoing.recipient)
    if record is None or not directory.permits(stub.from_, stub.to, service_class=stub.service_class):
        raise NotPermitted
    if record.min_suite > SUITE_XWING:
        raise UnfitForSealing("the recipient accepts a newer suite only")
    sealer, texts = _begin(outgoing, stub=stub, record=record)
    sealed = [sealer.section(index, text) for index, text in enumerate(texts)]
    entries, wraps = tuple([part.entry for part in sealed]), sealer.wraps(sealed)
    head = write_head(Head(SUITE_XWING, sealer.kind, 0, sealer.core, entries, wraps))
    signed = head + keys.sign(head)
    body = b"".join((signed, *(part.ciphertext for part in sealed)))
    if len(body) > MAX_ENVELOPE:
        raise UnfitForSealing("larger than 2 MiB")
    openings = SecretBytes(b"".join(bytes([part.entry.place]) + part.content_key for part in sealed))
    return Sealed(stub.mid, body, sha256(signed).digest(), stub.lane, stub.to, openings)
