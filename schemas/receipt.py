"""Receipts: received, opened or rejected, decided. Each names the stub it answers and says nothing about a person.

A receipt proves what a recipient did with an envelope, and a sender's timer stops for nothing else:
the hub's confirm means carried, not received. Receipts are never receipted (SPEC 8).
"""

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError
from pydantic import model_validator as validator

from schemas import base64url
from schemas.signing import HASH_LENGTH

MAX_RECEIPT: Final = 1024


def _digest(value: object) -> object:
    raw = base64url.decode(value, size=HASH_LENGTH) if isinstance(value, str) else value
    if not isinstance(raw, bytes) or len(raw) != HASH_LENGTH:
        raise ValueError("not the hash of a stub")
    return raw


def _whole_seconds(value: object) -> object:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise ValueError("not an aware time")
    return moment.replace(microsecond=0).astimezone(UTC)


Digest = Annotated[bytes, BeforeValidator(_digest), PlainSerializer(base64url.encode, return_type=str)]
Moment = Annotated[AwareDatetime, BeforeValidator(_whole_seconds)]


class ReceiptKind(StrEnum):
    """How far an envelope has come: stored, opened, decided by a person."""

    RECEIVED = "R1"
    OPENED = "R2"
    DECIDED = "R3"


class Outcome(StrEnum):
    """What became of it. A silent withhold is `NOTHING_TO_SHARE`, as is an honest search without result."""

    RECEIVED = "received"
    OPENED = "opened"
    REJECTED = "rejected"
    SHARED = "shared"
    PART_SHARED = "part_shared"
    NOTHING_TO_SHARE = "nothing_to_share"
    REFUSED = "refused"


OUTCOMES_OF_KIND: Final = {
    ReceiptKind.RECEIVED: frozenset({Outcome.RECEIVED, Outcome.REJECTED}),
    ReceiptKind.OPENED: frozenset({Outcome.OPENED, Outcome.REJECTED}),
    ReceiptKind.DECIDED: frozenset(
        {Outcome.SHARED, Outcome.PART_SHARED, Outcome.NOTHING_TO_SHARE, Outcome.REFUSED},
    ),
}


class Receipt(BaseModel):
    """One receipt. `code` is a stable reason such as `REJ-TIME`; `seq_seen` the highest number seen from the sender."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    kind: Annotated[ReceiptKind, Field(strict=False)]
    outcome: Annotated[Outcome, Field(strict=False)]
    code: Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9_-]{1,31}$")] | None = None
    original_stub_hash: Digest
    seq_seen: Annotated[int, Field(ge=0, le=2**53 - 1)]
    at: Moment

    @validator(mode="after")
    def _outcome_fits_the_kind(self) -> Self:
        if self.outcome not in OUTCOMES_OF_KIND[self.kind]:
            raise ValueError("no such outcome for this kind of receipt")
        if self.outcome is Outcome.REJECTED and self.code is None:
            raise ValueError("a rejection without its code")
        return self

    def to_bytes(self) -> bytes:
        """Write the one JSON encoding: sorted keys, no spaces, every field present."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":")).encode()


def _closed(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("duplicate field")
    return dict(pairs)


def parse_receipt(raw: bytes) -> Receipt | None:
    """Read a receipt strictly, or give None (E23)."""
    if len(raw) > MAX_RECEIPT:
        return None
    try:
        receipt = Receipt.model_validate(json.loads(raw, object_pairs_hook=_closed))
    except (ValidationError, ValueError, OverflowError, RecursionError):
        return None
    return receipt if receipt.to_bytes() == raw else None
