"""What an evidence bundle proves: exhibit by exhibit, in the order of time, or why it proves nothing.

Trusts nothing but the fingerprint of the root, which the verifier brings; needs no network, no clock and no key.
Expiry is ignored, since all of it has expired by then, and nothing else is: a key must have been valid when it signed.
Not checked here: what the texts mean, and whether the bundle is whole (its maker may have left exhibits out).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Final

from adapters.kit.envelope.manifest import Manifest, parse_manifest
from adapters.kit.evidence.bundle import Bundle, ReadExhibit, read_exhibit
from broker.directory.proof import KeyProof, proven_record
from broker.verify import REVOCATION_MARGIN, is_signed
from schemas import signing
from schemas.directory import AgencyRecord
from schemas.envelope import CONTENT_KEY_LENGTH
from schemas.receipt import Receipt, parse_receipt
from schemas.stub import Event, Stub

SECTION_NAMES: Final = {0: "manifest", 1: "team", 2: "decision maker", 3: "protected"}
MANIFEST, RECEIPT = 0, 1
Records = Mapping[tuple[str, str], AgencyRecord]
Stubs = Mapping[bytes, Stub]


@dataclass(frozen=True)
class Statement:
    """What one envelope says, as far as it is proved. `at` is the sender's own clock; `stub_hash` hexadecimal.

    `texts`: the proved text by section. `user`, `role` and `purpose` stand in the manifest and are None where that is
    not in the bundle.
    """

    sender: str
    recipient: str
    event: Event
    at: datetime
    mid: str
    thread: str
    in_reply_to: str | None
    stub_hash: str
    texts: Mapping[int, bytes] = field(repr=False)
    user: str | None = None
    role: str | None = None
    purpose: str | None = None
    receipt: Receipt | None = None


@dataclass(frozen=True)
class Finding:
    """What one exhibit proves, or why it proves nothing. Nothing of the content is in the sentence but hashes."""

    holds: bool
    sentence: str
    statement: Statement | None = None


def verify_bundle(bundle: Bundle, *, pinned: bytes) -> Iterator[Finding]:
    """Verify every exhibit, starting from the root with the SHA-256 `pinned`. A bundle without exhibits is refused."""
    records = _records(bundle, pinned)
    read = [read_exhibit(exhibit) for exhibit in bundle.exhibits]
    readable = sorted((one for one in read if one is not None), key=lambda one: (one.stub.t, one.stub.seq))
    known = {one.frame.stub_hash: one.stub for one in readable}
    if not read:
        yield Finding(False, "the bundle proves nothing: it is empty")
    for _ in range(len(read) - len(readable)):
        yield Finding(False, "an exhibit is no stub")
    for one in readable:
        yield _finding(one, records=records, known=known)


def _records(bundle: Bundle, pinned: bytes) -> dict[tuple[str, str], AgencyRecord]:
    """Give the proven records by participant and signing key; of two, the one that knows more about revocations."""
    found: dict[tuple[str, str], AgencyRecord] = {}
    for proof in bundle.proofs:
        files = KeyProof(proof.roots, proof.targets, proof.agency, proof.record)
        record = proven_record(files, participant=proof.participant, pinned=pinned)
        for key in record.signing if record else ():
            before = found.get((proof.participant, key.kid))
            if record and (before is None or len(before.revocations) < len(record.revocations)):
                found[proof.participant, key.kid] = record
    return found


def _finding(one: ReadExhibit, *, records: Records, known: Stubs) -> Finding:
    reason = _signature_fault(one, records) or _section_fault(one) or _receipt_fault(one, known)
    statement = _statement(one)
    said = f"{statement.sender} to {statement.recipient}: {_event(statement)} at {statement.at:%Y-%m-%d %H:%M:%S} UTC"
    return Finding(False, f"{said}: {reason}") if reason else Finding(True, f"{said}, {_proved(statement)}", statement)


def _event(statement: Statement) -> str:
    return f"{statement.event.name.lower().replace('_', ' ')} ({statement.event.value})"


def _proved(statement: Statement) -> str:
    author = f"written by {statement.user} ({statement.role}), " if statement.user else ""
    named = ", ".join(f"{index} {SECTION_NAMES.get(index, '')}".rstrip() for index in statement.texts) or "none"
    return f"{author}{_receipt(statement.receipt)}stub {statement.stub_hash}, sections proved: {named}"


def _receipt(receipt: Receipt | None) -> str:
    if receipt is None:
        return ""
    original = receipt.original_stub_hash.hex()
    return f"{receipt.kind.value} {receipt.outcome.value} at {receipt.at:%Y-%m-%d %H:%M:%S} UTC of stub {original}, "


def _texts(one: ReadExhibit) -> dict[int, bytes]:
    return {section.index: section.text for section in one.exhibit.sections}


def _statement(one: ReadExhibit) -> Statement:
    stub, texts = one.stub, _texts(one)
    manifest: Manifest | None = parse_manifest(texts.get(MANIFEST, b""))
    return Statement(
        sender=stub.from_,
        recipient=stub.to,
        event=stub.event,
        at=datetime.fromtimestamp(stub.t, UTC),
        mid=stub.mid,
        thread=stub.thread,
        in_reply_to=stub.irt,
        stub_hash=one.frame.stub_hash.hex(),
        texts=texts,
        user=manifest.user if manifest else None,
        role=manifest.role if manifest else None,
        purpose=manifest.purpose if manifest else None,
        receipt=parse_receipt(texts.get(RECEIPT, b"")) if stub.event is Event.RECEIPT else None,
    )


def _signature_fault(one: ReadExhibit, records: Records) -> str | None:
    """E08 and E09 as of the day it was signed."""
    record = records.get((one.stub.from_, one.stub.kid))
    if record is None:
        return "no proof of the signing key"
    key = next(key for key in record.signing if key.kid == one.stub.kid)
    revoked_at = record.revoked_at(key.kid)
    if not key.covers(one.stub.t) or (revoked_at is not None and one.stub.t >= revoked_at - REVOCATION_MARGIN):
        return "the signing key was not valid then"
    held = is_signed(one.frame.signed, signature=one.frame.signature, public=key.public)
    return None if held else "the signature does not hold"


def _section_fault(one: ReadExhibit) -> str | None:
    """E18, E20 and E21 without ciphertext, and E22 for the manifest."""
    head = one.frame.head
    core_hash = signing.core_hash(suite=head.suite, kind=head.kind, core=head.core)
    for section in one.exhibit.sections:
        if not 0 <= section.index < len(head.sections) or len(section.content_key) != CONTENT_KEY_LENGTH:
            return "a section that the stub has not"
        entry = head.sections[section.index]
        derived = signing.section_secrets(section.content_key, core_hash=core_hash, index=section.index)
        committed = signing.plaintext_commitment(derived.commitment_key, signing.pad(section.text))
        same_key = compare_digest(derived.commit, entry.key_commitment)
        if not same_key or not compare_digest(committed, entry.text_commitment):
            return f"section {section.index} is not what was signed"
        manifest = parse_manifest(section.text) if section.index == MANIFEST else None
        if section.index == MANIFEST and (manifest is None or not manifest.echoes(one.stub)):
            return "the manifest belongs to another message"
    return None


def _receipt_fault(one: ReadExhibit, known: Stubs) -> str | None:
    """Hold a receipt against the envelope it names, which must be in the bundle and between the same two parties."""
    texts = _texts(one)
    if one.stub.event is not Event.RECEIPT or RECEIPT not in texts:
        return None
    receipt = parse_receipt(texts[RECEIPT])
    if receipt is None:
        return "no receipt inside"
    original = known.get(receipt.original_stub_hash)
    if original is None:
        return "a receipt for something that is not in the bundle"
    ends = (original.to, original.from_)
    return None if ends == (one.stub.from_, one.stub.to) else "a receipt by somebody else than the recipient"
