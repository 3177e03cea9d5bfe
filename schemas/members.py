"""The registrar's part of the directory: who takes part, under which identity key, and who may write to whom.

A member is entered only after two people have compared the fingerprint of its identity key with the agency by
telephone or in person, each for themselves; who they were is written down as references, not as names.
A member is never taken out: one that leaves is suspended, so that a vanished entry is always an attack.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic import model_validator as validator

from schemas.agency import AGENCY_KINDS, ParticipantId, is_participant_id
from schemas.directory import Pair, PublicKey, Seconds, SigningKey
from schemas.fingerprint import fingerprint

Checker = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$")]


def _enrollable(name: str) -> str:
    if not is_participant_id(name):
        raise ValueError("a name that the hub keeps for itself")
    return name


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Member(_Closed):
    """One participant as the registrar knows it.

    `suspended_at` is set while it is put out; `left_at` when it is no party any more, and its keys are revoked then.
    """

    participant: Annotated[ParticipantId, AfterValidator(_enrollable)]
    kind: str
    name: Annotated[str, Field(min_length=1, max_length=80)]
    identity: PublicKey
    fingerprint: str
    checked_by: tuple[Checker, ...]
    suspended_at: Seconds | None = None
    left_at: Seconds | None = None

    @validator(mode="after")
    def _checked_out_of_band(self) -> Self:
        if self.kind not in AGENCY_KINDS:
            raise ValueError("no such kind of agency")
        if self.fingerprint != fingerprint(self.identity):
            raise ValueError("the fingerprint that was read out is not that of the identity key")
        if len(set(self.checked_by)) < 2:
            raise ValueError("two people have to compare the fingerprint, each for themselves")
        return self


class Members(_Closed):
    """All members and all pairs. A pair names members only; `hub_keys` sign what the hub itself says (SPEC 7.8)."""

    v: Literal[1] = 1
    members: tuple[Member, ...]
    pairs: tuple[Pair, ...] = ()
    hub_keys: tuple[SigningKey, ...] = ()

    @validator(mode="after")
    def _pairs_are_between_members(self) -> Self:
        names = [member.participant for member in self.members]
        ends = [(pair.sender, pair.recipient) for pair in self.pairs]
        if len(set(names)) != len(names) or len(set(ends)) != len(ends):
            raise ValueError("a member or a pair given twice")
        if any(one == other or not {one, other} <= set(names) for one, other in ends):
            raise ValueError("a pair with itself, or with somebody who is no member")
        if not {end for pair in ends for end in pair}.isdisjoint(self.left):
            raise ValueError("a pair with somebody who has left")
        return self

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read from TOML or JSON. Raises `pydantic.ValidationError`."""
        return cls.model_validate_json(json.dumps(plain))

    def to_bytes(self) -> bytes:
        """Write the one JSON encoding: sorted keys, no spaces."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":")).encode()

    @property
    def suspended(self) -> frozenset[str]:
        """Give those who are put out, or have left."""
        out = frozenset(member.participant for member in self.members if member.suspended_at is not None)
        return out | self.left.keys()

    @property
    def left(self) -> Mapping[str, int]:
        """Give those who have left, and since when (Unix seconds)."""
        return {member.participant: member.left_at for member in self.members if member.left_at is not None}
