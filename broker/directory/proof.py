"""Proof that a signing key was an agency's: the chain from the pinned root to the record, kept and checked offline.

A proof is kept for every version of a record when it is accepted, because ten years on nobody serves it any more.
Checking ignores expiry, since all of it has expired by then, and ignores nothing else: thresholds, delegations and
hashes hold as on the day. Whether the key was valid at a time is the caller's question (`SigningKey.covers`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from tuf.api.exceptions import RepositoryError
from tuf.api.serialization import DeserializationError

from broker.directory.keys import key_of_identity
from broker.directory.shelf import role_name, target_path
from broker.directory.tuf import Metadata
from schemas.directory import AgencyRecord

ROOTS: Final = "roots"


@dataclass(frozen=True)
class KeyProof:
    """The root chain, the registrar's metadata, the agency's metadata and its record, each as it was published."""

    roots: tuple[bytes, ...]
    targets: bytes
    agency: bytes
    record: bytes


class Archive:
    """Keeps what proofs are made of, one folder a version of a record."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, client: Path) -> None:
        """Keep what a reader's folder holds now: every agency's record that is not kept yet."""
        metadata, targets = client / "metadata", client / "targets"
        for agency in metadata.glob("agency-*.json"):
            name = agency.stem.removeprefix("agency-")
            record = targets / f"agency%2F{name}.json"
            if record.exists():
                self._keep(name, agency.read_bytes(), record.read_bytes(), metadata)

    def _keep(self, name: str, agency: bytes, record: bytes, metadata: Path) -> None:
        place = self._folder / name / sha256(agency).hexdigest()
        if (place / "record.json").exists():
            return
        (place / ROOTS).mkdir(parents=True, exist_ok=True)
        for root in (metadata / "root_history").glob("*.root.json"):
            (place / ROOTS / root.name).write_bytes(root.read_bytes())
        (place / "targets.json").write_bytes((metadata / "targets.json").read_bytes())
        (place / "agency.json").write_bytes(agency)
        (place / "record.json").write_bytes(record)

    def proofs(self, participant: str) -> Iterator[tuple[AgencyRecord, KeyProof]]:
        """Give every kept record of a participant with its proof."""
        for place in sorted((self._folder / participant).glob("*")):
            record = (place / "record.json").read_bytes()
            numbered = sorted((place / ROOTS).glob("*.root.json"), key=lambda path: int(path.name.partition(".")[0]))
            roots = tuple(path.read_bytes() for path in numbered)
            proof = KeyProof(roots, (place / "targets.json").read_bytes(), (place / "agency.json").read_bytes(), record)
            yield AgencyRecord.model_validate_json(record), proof

    def proof_of(self, participant: str, kid: str) -> KeyProof | None:
        """Find a proof of a signing key, of the record that says most about its revocation."""
        listed = [
            (record.revoked_at(kid) is not None, len(record.revocations), proof)
            for record, proof in self.proofs(participant)
            if any(key.kid == kid for key in record.signing)
        ]
        return max(listed, key=lambda entry: entry[:2])[2] if listed else None


def proven_record(proof: KeyProof, *, participant: str, pinned: bytes) -> AgencyRecord | None:
    """Give the record that the proof proves, starting from the root with the SHA-256 `pinned`; None if it does not."""
    try:
        return _proven(proof, participant, pinned)
    except (RepositoryError, DeserializationError, ValidationError, ValueError, KeyError):
        return None


def _proven(proof: KeyProof, participant: str, pinned: bytes) -> AgencyRecord | None:
    start = next((at for at, root in enumerate(proof.roots) if sha256(root).digest() == pinned), None)
    if start is None:
        return None
    root = _last_root(proof.roots[start:])
    targets: Metadata[Any] = Metadata.from_bytes(proof.targets)
    root.verify_delegate("targets", targets.signed_bytes, targets.signatures)
    agency: Metadata[Any] = Metadata.from_bytes(proof.agency)
    if {targets.signed.type, agency.signed.type} != {"targets"}:
        raise ValueError("signed metadata of another kind")
    targets.signed.verify_delegate(role_name(participant), agency.signed_bytes, agency.signatures)
    agency.signed.targets[target_path(participant)].verify_length_and_hashes(proof.record)
    record = AgencyRecord.model_validate_json(proof.record)
    delegated = targets.signed.delegations.roles[role_name(participant)].keyids
    mine = record.participant == participant and delegated == [key_of_identity(record.identity).keyid]
    return record if mine else None


def _last_root(chain: tuple[bytes, ...]) -> Any:
    """Walk the roots: each is signed by the one before and by itself, and is exactly one higher."""
    trusted: Any = Metadata.from_bytes(chain[0]).signed
    for raw in chain[1:]:
        following: Metadata[Any] = Metadata.from_bytes(raw)
        for judge in (trusted, following.signed):
            judge.verify_delegate("root", following.signed_bytes, following.signatures)
        if following.signed.version != trusted.version + 1:
            raise ValueError("a root is missing")
        trusted = following.signed
    return trusted
