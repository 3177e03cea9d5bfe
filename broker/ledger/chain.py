"""The chain of the ledger as pure decisions: what a link covers, and what is wrong with an entry (L1 to L7).

Every entry's hash covers its number, when it came, by whose exchange, the directory it was verified by, all bytes of
the stub and the hash before it. Every stub is verified again by the signature of the agency that sent it: the hub can
leave an entry out and make the chain anew, but it cannot make an entry up, and a pair's own chain (`seq`, `prev`) and
the agencies' manifests show what is left out.
What is not proved here: that the directory kept beside an entry is the one the registrar signed. Its digest is part of
the report, to be compared.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

from broker.ledger.tables import microseconds
from broker.verify import Circumstances, VerifiedStub, check_envelope
from schemas.directory import AgencyRecord, Directory, Pair, canonical_bytes
from schemas.routing import Lane
from schemas.signing import pae
from schemas.stub import DirectoryReference, Event, Stub

GENESIS: Final = bytes(32)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Passage:
    """One verified stub that passed the hub: the entry as clocks and manifests read it."""

    number: int
    received_at: datetime
    stub: Stub
    stub_hash: bytes = field(repr=False)


@dataclass(frozen=True)
class Fault:
    """The first entry that is not as it was written, and what is wrong with it; never its content."""

    number: int
    code: str
    reason: str


@dataclass(frozen=True)
class Link:
    """The place before an entry: its number must be the next, and its `previous` this hash."""

    number: int = 0
    hash: bytes = GENESIS


def link_hash(row: Row) -> bytes:
    """Hash an entry together with the one before it."""
    numbers = (str(row["number"]), str(microseconds(row["received_at"])), row["ingress_owner"])
    texts = (text.encode() for text in numbers)
    return sha256(pae("hub-ledger", row["previous"], *texts, row["checked_with"], row["stub"])).digest()


def columns_of(stub: Stub) -> dict[str, Any]:
    """Give the columns that repeat what the stub says."""
    return {
        "mid": stub.mid,
        "thread": stub.thread,
        "sender": stub.from_,
        "recipient": stub.to,
        "kid": stub.kid,
        "seq": stub.seq,
        "prev": stub.prev,
        "irt": stub.irt,
        "lane": stub.lane.value,
        "service_class": stub.service_class,
        "event": stub.event.value,
        "t": stub.t,
        "exp": stub.exp,
        "directory_version": stub.directory.version,
        "directory_digest": stub.directory.digest,
    }


def passage_of(row: Row) -> Passage:
    """Read an entry back from its columns."""
    stub = Stub(
        mid=row["mid"],
        thread=row["thread"],
        from_=row["sender"],
        to=row["recipient"],
        kid=row["kid"],
        seq=row["seq"],
        prev=row["prev"],
        irt=row["irt"],
        lane=Lane(row["lane"]),
        service_class=row["service_class"],
        event=Event(row["event"]),
        t=row["t"],
        exp=row["exp"],
        directory=DirectoryReference(row["directory_version"], row["directory_digest"]),
    )
    return Passage(row["number"], row["received_at"], stub, row["stub_hash"])


@dataclass(frozen=True)
class KeptDirectory:
    """A directory as it is kept for verifying again: keys that sign and pairs, without the keys that are sealed to."""

    version: int
    body: bytes = field(repr=False)

    @cached_property
    def digest(self) -> bytes:
        """Name it."""
        return sha256(self.body).digest()


def keep(directory: Directory) -> KeptDirectory:
    """Give what is kept of a directory: a hundredth of its size, because sealing keys verify nothing."""
    slim = {name: record.model_copy(update={"roles": ()}) for name, record in directory.records.items()}
    out = directory.suspended | directory.held
    return KeptDirectory(directory.version, canonical_bytes(directory.version, slim, directory.pairs, out))


def read_kept(body: bytes) -> Directory:
    """Read a kept directory. Raises `ValueError` for bytes that are none."""
    plain = json.loads(body)
    records = [AgencyRecord.model_validate_json(json.dumps(each)) for each in plain["records"].values()]
    pairs = [Pair.model_validate_json(json.dumps(each)) for each in plain["pairs"]]
    return Directory.build(plain["version"], records, pairs, suspended=plain["suspended"])


def fault_of(row: Row, *, after: Link, directory: Directory | None) -> Fault | None:
    """Say what is wrong with an entry, or None.

    `directory` is the kept one that the entry names, None when there is none whose bytes have that digest.
    """
    number = after.number + 1
    if row["number"] != number:
        return Fault(number, "L1", "missing, or inserted before it")
    if row["previous"] != after.hash:
        return Fault(number, "L2", "does not follow the entry before it")
    if row["hash"] != link_hash(row):
        return Fault(number, "L3", "changed since it was written")
    if directory is None:
        return Fault(number, "L4", "the directory that it was verified by is gone or changed")
    return _stub_fault(row, directory)


def _stub_fault(row: Row, directory: Directory) -> Fault | None:
    verified = verify_again(row, directory)
    if verified is None:
        return Fault(row["number"], "L5", "the stub's signature no longer verifies")
    if verified.stub_hash != row["stub_hash"]:
        return Fault(row["number"], "L6", "the stub is not the one named")
    told = columns_of(verified.stub)
    if any(row[name] != value for name, value in told.items()):
        return Fault(row["number"], "L7", "a column says something else than the stub")
    return None


def verify_again(row: Row, directory: Directory) -> VerifiedStub | None:
    """Run the checks of arrival on a kept stub, as of when it arrived.

    Which directory the sender named was judged on arrival, with a history that is not kept: here it is believed.
    """
    believed = replace(directory, version=row["directory_version"], hash=row["directory_digest"])
    around = Circumstances(
        ingress_owner=row["ingress_owner"], lane=None, has_cc=False, directory=believed, now=row["received_at"]
    )
    verdict = check_envelope(row["stub"], around, stub_only=True)
    return verdict if isinstance(verdict, VerifiedStub) else None
