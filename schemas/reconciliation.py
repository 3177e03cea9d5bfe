"""What hub and agency tell each other once a day to find what was lost between them: the manifest and its answer.

A manifest says what the hub saw pass on one day from and to one agency; the agency compares it with its own books and
answers what differs. Both are references, numbers and hashes: no thread, no content, nobody but the two ends of a pair.
Each has one encoding, sorted keys without spaces, and is signed as those bytes (SPEC 7.8).
"""

import json
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.agency import ParticipantId
from schemas.directory import Identifier, PublicKey
from schemas.receipt import Moment
from schemas.stub import MAX_INTEGER

MANIFEST_TYPE: Final = "application/vnd.mash.manifest.v1+json"
ANSWER_TYPE: Final = "application/vnd.mash.reconciled.v1+json"
MOST_RANGES: Final = 100
MOST_NAMED: Final = 10_000
MOST_DIFFERENCES: Final = 100

Number = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
Count = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Hash = PublicKey
"""32 bytes as base64url."""


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    def to_bytes(self) -> bytes:
        """Write the one JSON encoding: sorted keys, no spaces, every field present; this is what is signed."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":")).encode("ascii")


class Half(_Closed):
    """What passed from one participant to another on the day.

    `sent` counts the numbers that were used, `passed` those that the hub saw: "sent 14, received 13". `missing` are
    inclusive ranges of the others between `first` and `last`, `twice` numbers that came with two contents; `messages`
    names those that passed by number and mid, as far as they fit. Of those that are receipted at all, `unreceipted` are
    the numbers whose recipient had not said by the manifest's time that it has them.
    """

    sender: ParticipantId
    recipient: ParticipantId
    first: Number
    last: Number
    sent: Count
    passed: Count
    missing: Annotated[tuple[tuple[Number, Number], ...], Field(max_length=MOST_RANGES)]
    twice: tuple[Number, ...]
    unreceipted: tuple[Number, ...]
    messages: Annotated[tuple[tuple[Number, Identifier], ...], Field(max_length=MOST_NAMED)]


class End(_Closed):
    """How far a pair had come by the manifest's time: the highest number that passed, and the hash of its stub."""

    sender: ParticipantId
    recipient: ParticipantId
    last: Number
    stub: Hash


class DailyManifest(_Closed):
    """One agency's day. The day is London's; `entries` and `ledger` say how long the hub's ledger was and its hash."""

    v: Literal[1] = 1
    participant: ParticipantId
    day: Annotated[date, Field(strict=False)]
    made_at: Moment
    entries: Count
    ledger: Hash
    halves: tuple[Half, ...]
    ends: tuple[End, ...]

    @property
    def is_whole(self) -> bool:
        """Say whether nothing is missing and nothing came twice."""
        return not any(half.missing or half.twice for half in self.halves)


class DifferenceKind(StrEnum):
    """What differs: dropped before the hub, dropped behind it, never seen by it, another content, or nobody's."""

    LOST_BEFORE_HUB = "lost_before_hub"
    LOST_AFTER_HUB = "lost_after_hub"
    UNSEEN_BY_HUB = "unseen_by_hub"
    OTHER_CONTENT = "other_content"
    NEVER_SENT = "never_sent"


class Difference(_Closed):
    """One message on which hub and agency differ; `mid` is None where neither side has a name for it."""

    kind: Annotated[DifferenceKind, Field(strict=False)]
    sender: ParticipantId
    recipient: ParticipantId
    seq: Number
    mid: Identifier | None


class Reconciled(_Closed):
    """An agency's answer to the manifest with this hash: how many differences it found, and the first of them."""

    v: Literal[1] = 1
    participant: ParticipantId
    day: Annotated[date, Field(strict=False)]
    manifest: Hash
    count: Count
    differences: Annotated[tuple[Difference, ...], Field(max_length=MOST_DIFFERENCES)]
    at: Moment

    @classmethod
    def of(cls, manifest: DailyManifest, *, digest: str, found: tuple[Difference, ...], at: Moment) -> Self:
        """Answer a manifest whose bytes have this hash."""
        return cls(
            participant=manifest.participant,
            day=manifest.day,
            manifest=digest,
            count=len(found),
            differences=found[:MOST_DIFFERENCES],
            at=at,
        )


Read = TypeVar("Read", bound=_Closed)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("duplicate field")
    return dict(pairs)


def read_exactly(model: type[Read], raw: bytes) -> Read | None:
    """Read a manifest or an answer strictly, or give None unless these bytes are its one encoding."""
    try:
        json.loads(raw, object_pairs_hook=_unique)
        read = model.model_validate_json(raw)
    except (ValidationError, ValueError, OverflowError, RecursionError):
        return None
    return read if read.to_bytes() == raw else None
