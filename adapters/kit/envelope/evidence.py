"""Evidence: one file that proves who asked and answered what and when, without a network, with keys long expired.

A bundle holds the stubs of a thread, the content keys and texts that were kept, and the proof of every signing key.
It proves a text by the commitments that the sender signed (SPEC 11); a stub without texts still proves that something
was sent, when and to whom. It contains plaintext and is to be handled as the case file is.
Verifying trusts nothing but the fingerprint of the root, which the verifier brings.
"""

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, ValidationError

from adapters.kit.envelope.manifest import parse_manifest
from adapters.kit.keys.secrets import SecretBytes
from broker.directory_proof import Archive, KeyProof, proven_record
from broker.verify import REVOCATION_MARGIN, is_signed
from schemas import base64url, signing
from schemas.directory import AgencyRecord
from schemas.envelope import CONTENT_KEY_LENGTH, Frame, Malformed, read_stub
from schemas.receipt import parse_receipt
from schemas.stub import BadCore, Event, Stub, read_core

MAX_BUNDLE: Final = 256 * 1024 * 1024
BUNDLE: Final = "bundle.json"


def _bytes(value: object) -> object:
    return base64url.decode(value) if isinstance(value, str) else value


Raw = Annotated[bytes, BeforeValidator(_bytes), PlainSerializer(base64url.encode, return_type=str)]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class OpenedSection(_Closed):
    """A section's content key and text, by which a third party proves the text."""

    index: int
    content_key: Raw
    text: Raw


class Exhibit(_Closed):
    """One envelope: its stub, and the sections that can be proved."""

    stub: Raw
    sections: tuple[OpenedSection, ...]


class Proof(_Closed):
    """The proof of one signing key."""

    participant: str
    roots: tuple[Raw, ...]
    targets: Raw
    agency: Raw
    record: Raw


class Bundle(_Closed):
    """What the file holds."""

    format: Literal["mash-evidence/1"] = "mash-evidence/1"
    made_at: int
    exhibits: tuple[Exhibit, ...]
    proofs: tuple[Proof, ...]


class NoBundle(Exception):
    """The file is not an evidence bundle, or is damaged."""


@dataclass(frozen=True)
class Finding:
    """What one exhibit proves, or why it proves nothing. Nothing of the content is in it but hashes."""

    holds: bool
    sentence: str


def exhibit_of(stub: bytes, *, openings: SecretBytes, texts: Mapping[int, bytes]) -> Exhibit:
    """Put together a stub and the sections of which both content key and text were kept."""
    raw, width = openings.reveal(), 1 + CONTENT_KEY_LENGTH
    keys = {raw[at]: raw[at + 1 : at + width] for at in range(0, len(raw), width)}
    kept = sorted(keys.keys() & texts.keys())
    sections = tuple(OpenedSection(index=index, content_key=keys[index], text=texts[index]) for index in kept)
    return Exhibit(stub=stub, sections=sections)


def proof_of(participant: str, proof: KeyProof) -> Proof:
    """Give a key's proof as the bundle stores it."""
    files = {"roots": proof.roots, "targets": proof.targets, "agency": proof.agency, "record": proof.record}
    return Proof.model_validate({"participant": participant, **files})


def proofs_for(exhibits: Iterable[Exhibit], archive: Archive) -> list[Proof]:
    """Give the proofs of the signing keys that the exhibits need; a key without one is left out, and fails later."""
    read = [one for exhibit in exhibits if (one := _read(exhibit)) is not None]
    needed = dict.fromkeys((one.stub.from_, one.stub.kid) for one in read)
    found = [(participant, archive.proof_of(participant, kid)) for participant, kid in needed]
    return [proof_of(participant, proof) for participant, proof in found if proof is not None]


def write_bundle(exhibits: Iterable[Exhibit], proofs: Iterable[Proof], *, now: datetime) -> bytes:
    """Write the one file."""
    bundle = Bundle(made_at=int(now.timestamp()), exhibits=tuple(exhibits), proofs=tuple(proofs))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(BUNDLE), bundle.model_dump_json())
    return buffer.getvalue()


def read_bundle(raw: bytes) -> Bundle:
    """Read the file, no larger than 256 MiB unpacked. Raises `NoBundle`."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive, archive.open(BUNDLE) as file:
            content = file.read(MAX_BUNDLE + 1)
        if len(content) > MAX_BUNDLE:
            raise NoBundle
        return Bundle.model_validate_json(content)
    except (zipfile.BadZipFile, KeyError, ValidationError, ValueError, OSError, RuntimeError, EOFError) as broken:
        raise NoBundle from broken


@dataclass(frozen=True)
class _Read:
    """An exhibit's stub in parts; nothing is verified yet."""

    exhibit: Exhibit
    frame: Frame
    stub: Stub


def _read(exhibit: Exhibit) -> _Read | None:
    frame = read_stub(exhibit.stub)
    if isinstance(frame, Malformed):
        return None
    stub = read_core(frame.head.core)
    return None if isinstance(stub, BadCore) else _Read(exhibit, frame, stub)


def verify_bundle(bundle: Bundle, *, pinned: bytes) -> Iterator[Finding]:
    """Verify every exhibit, starting from the root with the SHA-256 `pinned`. A bundle without exhibits is refused."""
    records = _records(bundle, pinned)
    readable = [_read(exhibit) for exhibit in bundle.exhibits]
    known = {one.frame.stub_hash for one in readable if one is not None}
    if not readable:
        yield Finding(False, "the bundle proves nothing: it is empty")
    for one in readable:
        yield Finding(False, "an exhibit is no stub") if one is None else _finding(one, records=records, known=known)


def _records(bundle: Bundle, pinned: bytes) -> dict[tuple[str, str], AgencyRecord]:
    """Give the proven records by participant and signing key."""
    found: dict[tuple[str, str], AgencyRecord] = {}
    for proof in bundle.proofs:
        files = KeyProof(proof.roots, proof.targets, proof.agency, proof.record)
        record = proven_record(files, participant=proof.participant, pinned=pinned)
        if record is not None:
            found |= {(proof.participant, key.kid): record for key in record.signing}
    return found


def _finding(one: _Read, *, records: Mapping[tuple[str, str], AgencyRecord], known: set[bytes]) -> Finding:
    reason = _signature_fault(one, records) or _section_fault(one) or _receipt_fault(one, known)
    stub, at = one.stub, datetime.fromtimestamp(one.stub.t, UTC)
    said = f"{stub.from_} to {stub.to}: {stub.event.value} at {at:%Y-%m-%d %H:%M:%S} UTC"
    named = f"stub {one.frame.stub_hash.hex()}, sections proved: {_list(s.index for s in one.exhibit.sections)}"
    return Finding(reason is None, f"{said}, {named}" if reason is None else f"{said}: {reason}")


def _list(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"


def _signature_fault(one: _Read, records: Mapping[tuple[str, str], AgencyRecord]) -> str | None:
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


def _section_fault(one: _Read) -> str | None:
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
        manifest = parse_manifest(section.text) if section.index == 0 else None
        if section.index == 0 and (manifest is None or not manifest.echoes(one.stub)):
            return "the manifest belongs to another message"
    return None


def _receipt_fault(one: _Read, known: set[bytes]) -> str | None:
    """Hold a receipt against the envelope it names, which must be in the bundle."""
    texts = {section.index: section.text for section in one.exhibit.sections}
    if one.stub.event is not Event.RECEIPT or 1 not in texts:
        return None
    receipt = parse_receipt(texts[1])
    if receipt is None:
        return "no receipt inside"
    return None if receipt.original_stub_hash in known else "a receipt for something that is not in the bundle"
