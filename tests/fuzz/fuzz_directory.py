"""Fuzzes the directory's own files: records and members are read strictly or refused with the one exception."""

import json
from contextlib import suppress

from pydantic import ValidationError

from broker.directory.rules import NotMine, record_of
from schemas.directory import AgencyRecord, Directory
from schemas.fingerprint import fingerprint
from schemas.members import Member, Members
from tests.fuzz.harness import run
from tests.vectors.world import RECIPIENT, directory_of_the_vectors

RECORD = directory_of_the_vectors().records[RECIPIENT]
MEMBER = Member(
    participant=RECIPIENT,
    kind=RECORD.kind,
    name=RECORD.name,
    identity=RECORD.identity,
    fingerprint=fingerprint(RECORD.identity),
    checked_by=("registrar-1", "registrar-2"),
)


def target(raw: bytes) -> None:
    """Read the bytes as a record, which a directory can then be built from, and as the registrar's members."""
    with suppress(NotMine):
        Directory.build(1, [record_of(raw, MEMBER)], [])
    with suppress(ValidationError, ValueError, TypeError, RecursionError):
        Members.from_plain(json.loads(raw))


def _seeds() -> list[bytes]:
    small = RECORD.model_copy(update={"roles": ()})
    whole = Members(members=(MEMBER,), pairs=()).to_bytes()
    return [AgencyRecord.model_dump_json(RECORD).encode(), small.model_dump_json().encode(), whole]


if __name__ == "__main__":
    run(target, iter(_seeds()))
