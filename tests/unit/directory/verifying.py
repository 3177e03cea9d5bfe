"""What a verifier of evidence is given: a council and a police force, what they published, and what they wrote."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from adapters.kit.envelope.sealing import Sealed
from adapters.kit.evidence.bundle import Bundle, Exhibit, Proof, exhibit_of, proofs_for
from adapters.kit.evidence.findings import Finding, verify_bundle
from broker.directory.proof import Archive
from schemas.directory import Directory
from schemas.envelope import Frame, read_envelope, read_stub, write_head
from schemas.stub import Stub, read_core, write_core
from tests.support.parties import NOW, Party
from tests.support.registry import Registry

LATER = NOW + timedelta(days=3650)
AT = "2026-11-24 10:12:00 UTC"


@dataclass(frozen=True)
class World:
    """A council and a police force, what they published, and the root that a verifier was given."""

    council: Party
    police: Party
    registry: Registry
    directory: Directory
    archive: Archive
    pinned: bytes

    def findings(self, *exhibits: Exhibit, proofs: tuple[Proof, ...] | None = None) -> list[Finding]:
        given = tuple(proofs_for(exhibits, self.archive)) if proofs is None else proofs
        return list(verify_bundle(Bundle(made_at=0, exhibits=exhibits, proofs=given), pinned=self.pinned))

    def sentence(self, *exhibits: Exhibit, proofs: tuple[Proof, ...] | None = None) -> str:
        (found,) = self.findings(*exhibits, proofs=proofs)
        return found.sentence


def frame_of(sealed: Sealed) -> Frame:
    frame = read_envelope(sealed.body)
    assert isinstance(frame, Frame)
    return frame


def shown(sealed: Sealed, texts: Mapping[int, bytes]) -> Exhibit:
    return exhibit_of(frame_of(sealed).stub, openings=sealed.openings, texts=texts)


def re_signed(exhibit: Exhibit, *, by: Party, **changes: Any) -> Exhibit:
    """Write other fields into the core and sign anew, as only the holder of the key could."""
    frame = read_stub(exhibit.stub)
    assert isinstance(frame, Frame)
    stub = read_core(frame.head.core)
    assert isinstance(stub, Stub)
    head = write_head(frame.head._replace(core=write_core(replace(stub, **changes))))
    return Exhibit(stub=head + by.sender().sign(head), sections=())
