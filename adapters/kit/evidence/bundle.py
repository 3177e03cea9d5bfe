"""Evidence: one file that proves who asked and answered what and when, without a network, with keys long expired.

A bundle holds the stubs of a thread, the content keys and texts that were kept, and the proof of every signing key.
It proves a text by the commitments that the sender signed (SPEC 11); a stub without texts still proves that something
was sent, when and to whom. It contains plaintext and is to be handled as the case file is.
The file has one spelling: whatever is not what `write_bundle` would write is refused. What it proves is for
`adapters.kit.evidence.findings` to say.
"""

import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, ValidationError

from adapters.kit.keys.secrets import SecretBytes
from broker.directory.proof import Archive, KeyProof
from schemas import base64url
from schemas.envelope import CONTENT_KEY_LENGTH, Frame, Malformed, read_stub
from schemas.stub import BadCore, Stub, read_core

MAX_BUNDLE: Final = 256 * 1024 * 1024
BUNDLE: Final = "bundle.json"
LAST_SECOND: Final = 253_402_300_799  # the end of the year 9999
UNIX: Final = 3  # what a zip calls the system that made it; ours says the same on every system
# What zipfile raises on damaged files besides BadZipFile: unknown compression, encryption, lengths beyond the end.
FAULTS: Final = (
    zipfile.BadZipFile,
    KeyError,
    ValidationError,
    ValueError,
    OSError,
    RuntimeError,
    EOFError,
    NotImplementedError,
)


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
    """What the file holds. `made_at` (Unix seconds) is what its maker says; nothing proves it."""

    format: Literal["mash-evidence/1"] = "mash-evidence/1"
    made_at: int
    exhibits: tuple[Exhibit, ...]
    proofs: tuple[Proof, ...]


class NoBundle(Exception):
    """The file is not an evidence bundle, or is damaged."""


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
    read = [one for exhibit in exhibits if (one := read_exhibit(exhibit)) is not None]
    needed = dict.fromkeys((one.stub.from_, one.stub.kid) for one in read)
    found = [(participant, archive.proof_of(participant, kid)) for participant, kid in needed]
    return [proof_of(participant, proof) for participant, proof in found if proof is not None]


def write_bundle(exhibits: Iterable[Exhibit], proofs: Iterable[Proof], *, now: datetime) -> bytes:
    """Write the one file."""
    return _packed(Bundle(made_at=int(now.timestamp()), exhibits=tuple(exhibits), proofs=tuple(proofs)))


def _packed(bundle: Bundle) -> bytes:
    """Pack without compression, date or system: the same bytes on every machine and with every library."""
    buffer, entry = io.BytesIO(), zipfile.ZipInfo(BUNDLE)
    entry.create_system = UNIX
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(entry, bundle.model_dump_json())
    return buffer.getvalue()


def read_bundle(raw: bytes) -> Bundle:
    """Read the file, no larger than 256 MiB, if it is spelt as `write_bundle` spells it. Raises `NoBundle`."""
    if len(raw) > MAX_BUNDLE:
        raise NoBundle
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            bundle = Bundle.model_validate_json(_unpacked(archive, limit=len(raw)))
    except FAULTS as broken:
        raise NoBundle from broken
    if _packed(bundle) != raw:
        raise NoBundle
    return bundle


def _unpacked(archive: zipfile.ZipFile, *, limit: int) -> bytes:
    """Unpack no more than the file itself holds: a small file that becomes a huge one is none of ours."""
    if archive.getinfo(BUNDLE).file_size > limit:
        raise NoBundle
    return archive.read(BUNDLE)


@dataclass(frozen=True)
class ReadExhibit:
    """An exhibit's stub in parts; nothing is verified yet."""

    exhibit: Exhibit
    frame: Frame
    stub: Stub


def read_exhibit(exhibit: Exhibit) -> ReadExhibit | None:
    """Read an exhibit's stub, or give None; a stub of a time after the year 9999, which has no date, is none."""
    frame = read_stub(exhibit.stub)
    if isinstance(frame, Malformed):
        return None
    stub = read_core(frame.head.core)
    return None if isinstance(stub, BadCore) or stub.t > LAST_SECOND else ReadExhibit(exhibit, frame, stub)
