"""Opening: the checks E14 to E22 on an authenticated envelope, in one order, and the way to run E00 to E10 first.

Cheap before authentic before fresh before decrypt before meaning; each check is one small function.
Whatever fails from E14 to E22 has one and the same answer outside, so that a sender learns nothing about our keys.
What the caller must still check: that the stub is new and in its chain (E11 to E13), and the meaning (E23 to E27).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as aead_decrypt
from nacl.exceptions import CryptoError

from adapters.kit.envelope import hybrid
from adapters.kit.envelope.manifest import Author, Manifest, parse_manifest
from adapters.kit.envelope.sealing import SECTION_AT, Section
from adapters.kit.keys.in_use import PrekeyInHand, RecipientKeys
from adapters.kit.keys.secrets import SecretBytes
from broker.verify import CLOCK_SLACK, Circumstances, Refusal, check_envelope
from schemas import signing
from schemas.directory import Directory
from schemas.envelope import NONCE_LENGTH, Frame, Malformed, Wrap, read_envelope
from schemas.once import once
from schemas.routing import Lane
from schemas.stub import Stub

__all__ = ["Arrival", "Opened", "Refusal", "check_arrival", "open_arrival"]

UNOPENABLE: Final = "REJ-CRYPTO"
MANIFEST: Final = 0


@dataclass(frozen=True)
class Arrival:
    """An authenticated envelope: E00 to E10 hold. `body` is kept as it came; `frame` spares reading it twice."""

    stub: Stub
    stub_hash: bytes
    body: bytes = field(repr=False)
    frame: Frame | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, repr=False)
class Opened:
    """What an envelope says to the roles whose keys were given. `openings` prove it later; keep them sealed at rest."""

    author: Author
    purpose: str
    sections: Mapping[Section, bytes]
    openings: SecretBytes


def check_arrival(
    body: bytes,
    *,
    me: str,
    ingress_owner: str,
    lane: Lane,
    has_cc: bool,
    directory: Directory,
    now: datetime,
) -> Arrival | Refusal:
    """Run E00 to E10 on a delivery. Never raises."""
    verified = check_envelope(body, Circumstances(ingress_owner, lane, has_cc, directory, now, me))
    if isinstance(verified, Refusal):
        return verified
    return Arrival(verified.stub, verified.stub_hash, body, verified.frame)


@dataclass(frozen=True, repr=False)
class _Case:
    """One envelope being opened; what a check reads exists because the checks before it have passed."""

    arrival: Arrival
    keys: RecipientKeys
    directory: Directory

    @once
    def frame(self) -> Frame:
        frame = self.arrival.frame or read_envelope(self.arrival.body)
        if isinstance(frame, Malformed):
            raise TypeError("an arrival that is no envelope")
        return frame

    @once
    def core_hash(self) -> bytes:
        head = self.frame.head
        return signing.core_hash(suite=head.suite, kind=head.kind, core=head.core)

    @once
    def mine(self) -> list[Wrap]:
        """Every wrap that is addressed to a role of mine, in order."""
        roles = self.keys.roles
        return [wrap for wrap in self.frame.head.wraps if wrap.role_id in roles]

    @once
    def my_wraps(self) -> dict[int, Wrap]:
        """The first wrap for me of each section."""
        return {wrap.section: wrap for wrap in reversed(self.mine)}

    @once
    def prekeys(self) -> dict[int, PrekeyInHand | None]:
        return {index: self.keys.prekeys.get(wrap.prekey_id) for index, wrap in self.my_wraps.items()}

    @once
    def content_keys(self) -> dict[int, bytes | None]:
        stub, suite = self.arrival.stub, self.frame.head.suite
        binding = signing.WrapBinding.of((stub.from_, stub.kid, stub.to), suite=suite, core_hash=self.core_hash)
        return {index: self._unwrap(index, wrap, binding) for index, wrap in self.my_wraps.items()}

    def _unwrap(self, index: int, wrap: Wrap, binding: signing.WrapBinding) -> bytes | None:
        prekey = self.prekeys[index]
        if prekey is None:
            return None
        info = binding.info(index, role_id=wrap.role_id, prekey_id=wrap.prekey_id)
        return hybrid.unwrap(wrap.sealed, private=prekey.private, info=info)

    @once
    def derived(self) -> dict[int, signing.SectionSecrets]:
        keys, core_hash = self.content_keys.items(), self.core_hash
        return {
            index: signing.section_secrets(key, core_hash=core_hash, index=index)
            for index, key in keys
            if key is not None
        }

    @once
    def padded(self) -> dict[int, bytes | None]:
        return {index: self._decrypt(index, secrets.aead_key) for index, secrets in self.derived.items()}

    def _decrypt(self, index: int, key: bytes) -> bytes | None:
        ciphertexts = self.frame.ciphertexts
        nonce, sealed = ciphertexts[index][:NONCE_LENGTH], ciphertexts[index][NONCE_LENGTH:]
        binding = signing.section_binding(self.core_hash, index=index, count=len(ciphertexts))
        try:
            return aead_decrypt(sealed, binding, nonce, key)
        except (CryptoError, ValueError, RuntimeError):
            return None

    @once
    def texts(self) -> dict[int, bytes | None]:
        return {index: None if text is None else signing.unpad(text) for index, text in self.padded.items()}

    @once
    def manifest(self) -> Manifest | None:
        text = self.texts[MANIFEST]
        return None if text is None else parse_manifest(text)


def ciphertexts_match(case: _Case) -> str | None:
    """E14: each ciphertext is the one that the signed table names."""
    named = [entry.digest for entry in case.frame.head.sections]
    return None if named == [sha256(text).digest() for text in case.frame.ciphertexts] else "hash of a section"


def wrapped_for_my_roles(case: _Case) -> str | None:
    """E15: the manifest is sealed to me, and no role of mine is offered a section that it may not open."""
    if MANIFEST not in case.my_wraps:
        return "no manifest for a role of mine"
    roles = case.keys.roles
    strange = [wrap for wrap in case.mine if wrap.section not in roles[wrap.role_id].opens]
    return "a section sealed to a role that may not open it" if strange else None


def prekeys_at_hand(case: _Case) -> str | None:
    """E16: each prekey is mine, of that role, not erased, and was current when the sender used it."""
    for index, wrap in case.my_wraps.items():
        prekey = case.prekeys[index]
        if prekey is None or prekey.role_id != wrap.role_id:
            return "prekey unknown or erased"
        if not prekey.not_before - CLOCK_SLACK <= case.arrival.stub.t < prekey.not_after + CLOCK_SLACK:
            return "prekey not current then"
    return None


def content_keys_unwrap(case: _Case) -> str | None:
    """E17: every wrap for me opens."""
    return "wrap" if None in case.content_keys.values() else None


def key_commitments_hold(case: _Case) -> str | None:
    """E18: the content key is the one committed to, so no other role was given another text (M11)."""
    table = case.frame.head.sections
    for index, secrets in case.derived.items():
        if not compare_digest(secrets.commit, table[index].key_commitment):
            return "key commitment"
    return None


def sections_decrypt(case: _Case) -> str | None:
    """E19: every section for me decrypts in this envelope and at this place."""
    return "section" if None in case.padded.values() else None


def padding_exact(case: _Case) -> str | None:
    """E20: the padding is exactly what `pad` writes."""
    return "padding" if None in case.texts.values() else None


def text_commitments_hold(case: _Case) -> str | None:
    """E21: the text is the one committed to, so that evidence of it will convince a third party (M10)."""
    table = case.frame.head.sections
    for index, secrets in case.derived.items():
        committed = signing.plaintext_commitment(secrets.commitment_key, case.padded[index] or b"")
        if not compare_digest(committed, table[index].text_commitment):
            return "text commitment"
    return None


def manifest_echoes(case: _Case) -> str | None:
    """E22: the manifest belongs to this core, tells the truth about the sections, and its author's role may write."""
    manifest, stub = case.manifest, case.arrival.stub
    if manifest is None or not manifest.echoes(stub):
        return "manifest"
    if max(manifest.sections, default=0) >= len(case.frame.ciphertexts):
        return "more sections than there are"
    filled = {index for index, text in case.texts.items() if text and index != MANIFEST}
    if filled != case.texts.keys() & set(manifest.sections):
        return "sections other than the manifest says"
    record = case.directory.participant(stub.from_)
    allowed = record is not None and (record.author_roles is None or manifest.role in record.author_roles)
    return None if allowed else "role of the author"


CHECKS: Final[tuple[tuple[str, Callable[[_Case], str | None]], ...]] = (
    ("E14", ciphertexts_match),
    ("E15", wrapped_for_my_roles),
    ("E16", prekeys_at_hand),
    ("E17", content_keys_unwrap),
    ("E18", key_commitments_hold),
    ("E19", sections_decrypt),
    ("E20", padding_exact),
    ("E21", text_commitments_hold),
    ("E22", manifest_echoes),
)


def _open(case: _Case) -> Opened | Refusal:
    for code, check in CHECKS:
        reason = check(case)
        if reason is not None:
            return Refusal(code, UNOPENABLE, reason)
    manifest = case.manifest
    if manifest is None:
        raise TypeError("a manifest that passed its check is gone")
    sections = {SECTION_AT[index]: text for index, text in case.texts.items() if index in SECTION_AT and text}
    openings = b"".join(bytes([index]) + key for index, key in sorted(case.content_keys.items()) if key is not None)
    return Opened(Author(manifest.user, manifest.role), manifest.purpose, sections, SecretBytes(openings))


def open_arrival(arrival: Arrival, *, keys: RecipientKeys, directory: Directory) -> Opened | Refusal:
    """Run E14 to E22 and open every section that the given role keys open. Never raises: the unforeseen is E99."""
    try:
        return _open(_Case(arrival, keys, directory))
    except Exception as unforeseen:
        return Refusal("E99", None, type(unforeseen).__name__)
