"""Who takes part, with which public keys, and who may write to whom: the partner directory as a value.

An agency's *record* is published under its own identity key; members and pairs are the registrar's.
A directory is frozen: it has a version and a hash, which ride in every envelope, so that two partners
who were shown different directories find out. How it is fetched and authenticated is `broker.directory`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic import model_validator as validator

from schemas import base64url
from schemas.agency import AGENCY_KINDS, ParticipantId
from schemas.envelope import SUITE_XWING

PREKEY_LENGTH: Final = 1216  # ML-KEM-768 (1,184) and X25519 (32)
ANY_CLASS: Final = "*"
ROLE_NAME_PATTERN: Final = "[a-z][a-z0-9_]{1,46}"


def _sized(size: int) -> AfterValidator:
    def check(text: str) -> str:
        if base64url.decode(text, size=size) is None:
            raise ValueError(f"not base64url of {size} bytes")
        return text

    return AfterValidator(check)


def _known_kind(text: str) -> str:
    if text not in AGENCY_KINDS:
        raise ValueError("no such kind of agency")
    return text


Identifier = Annotated[str, _sized(16)]
PublicKey = Annotated[str, _sized(32)]
HybridKey = Annotated[str, _sized(PREKEY_LENGTH)]
Seconds = Annotated[int, Field(ge=0, le=2**53 - 1)]
RoleName = Annotated[str, Field(pattern=f"^{ROLE_NAME_PATTERN}$")]


class _Public(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Window(_Public):
    not_before: Seconds
    not_after: Seconds

    @validator(mode="after")
    def _is_a_window(self) -> Self:
        if self.not_before >= self.not_after:
            raise ValueError("a key that is never valid")
        return self

    def covers(self, moment: int, *, slack: int = 0) -> bool:
        """Say whether the key may be used at `moment` (Unix seconds), give or take `slack` seconds of clock."""
        return self.not_before - slack <= moment < self.not_after + slack


class SigningKey(_Window):
    """An Ed25519 key that signs envelopes for 90 days."""

    kid: Identifier
    public: PublicKey


class Prekey(_Window):
    """A hybrid key that sections are sealed to for a week (X-Wing: ML-KEM-768 then X25519)."""

    id: Identifier
    public: HybridKey


class Role(_Public):
    """An audience inside an agency: which sections it may open, and with which prekeys."""

    name: RoleName
    id: Identifier
    opens: tuple[Annotated[int, Field(ge=0, le=7)], ...]
    prekeys: tuple[Prekey, ...]


class Revocation(_Public):
    """A key, by its id, that is not to be trusted from `revoked_at` on."""

    key: Identifier
    revoked_at: Seconds


class AgencyRecord(_Public):
    """What one agency publishes about itself, under its own identity key. `author_roles` None: any well-formed role."""

    v: Literal[1] = 1
    participant: ParticipantId
    kind: Annotated[str, AfterValidator(_known_kind)]
    name: Annotated[str, Field(min_length=1, max_length=80)]
    identity: PublicKey
    min_suite: Annotated[int, Field(ge=SUITE_XWING, le=255)] = SUITE_XWING
    signing: tuple[SigningKey, ...]
    roles: tuple[Role, ...]
    revocations: tuple[Revocation, ...] = ()
    author_roles: tuple[RoleName, ...] | None = None
    duty_telephone: Annotated[str, Field(max_length=40)] | None = None

    def role(self, name: str) -> Role | None:
        """Find a role by name."""
        return next((role for role in self.roles if role.name == name), None)

    def roles_opening(self, section: int) -> tuple[Role, ...]:
        """Give the roles that section `section` is to be sealed to."""
        return tuple(role for role in self.roles if section in role.opens)

    def prekey_of(self, role: Role, moment: int) -> Prekey | None:
        """Give the youngest prekey of a role that may be sealed to at `moment` and is not revoked, or None."""
        usable = [prekey for prekey in role.prekeys if prekey.covers(moment) and self.revoked_at(prekey.id) is None]
        return max(usable, key=lambda prekey: prekey.not_before, default=None)

    def revoked_at(self, key: str) -> int | None:
        """Say since when the key with this id is revoked: the earliest entry counts."""
        return min((entry.revoked_at for entry in self.revocations if entry.key == key), default=None)


class Pair(_Public):
    """One direction of an agreement: `sender` may write to `recipient` in these service classes; none means none."""

    sender: ParticipantId
    recipient: ParticipantId
    classes: tuple[str, ...] = (ANY_CLASS,)


class Past(_Public):
    """An earlier version of the directory, its hash, and when the next one replaced it."""

    version: Annotated[int, Field(ge=1)]
    digest: PublicKey
    superseded_at: Seconds


@dataclass(frozen=True)
class Directory:
    """One version of the directory. Build it with `Directory.build`; everything absent from it is forbidden.

    `suspended` are participants whom the registrar has put out, `left` says since when (Unix seconds) one of them is
    no party any more; `hub_keys` sign what the hub itself says (SPEC 7.8). `held` are those whom this reader does not
    trust yet (a change of identity in quarantine); it is local and therefore not part of the hash.
    """

    version: int
    records: Mapping[str, AgencyRecord]
    pairs: Mapping[tuple[str, str], Pair]
    suspended: frozenset[str]
    hash: bytes
    history: tuple[Past, ...] = ()
    held: frozenset[str] = field(default=frozenset())
    hub_keys: tuple[SigningKey, ...] = ()
    left: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def build(
        cls,
        version: int,
        records: Iterable[AgencyRecord],
        pairs: Iterable[Pair | tuple[str, str]],
        *,
        suspended: Iterable[str] = (),
        history: Iterable[Past] = (),
        hub_keys: Iterable[SigningKey] = (),
        left: Mapping[str, int] = MappingProxyType({}),
    ) -> Self:
        """Make a directory and its hash out of what was published. Raises `ValueError` on two records of one name."""
        by_name: dict[str, AgencyRecord] = {}
        for record in records:
            if by_name.setdefault(record.participant, record) is not record:
                raise ValueError("two records of one participant")
        full = (pair if isinstance(pair, Pair) else Pair(sender=pair[0], recipient=pair[1]) for pair in pairs)
        by_ends = {(pair.sender, pair.recipient): pair for pair in full}
        out, keys, gone = frozenset(suspended) | left.keys(), tuple(hub_keys), MappingProxyType(dict(left))
        published = canonical_bytes(version, by_name, by_ends, out, hub_keys=keys, left=gone)
        frozen = (MappingProxyType(by_name), MappingProxyType(by_ends))
        return cls(version, *frozen, out, sha256(published).digest(), tuple(history), hub_keys=keys, left=gone)

    def participant(self, name: str) -> AgencyRecord | None:
        """Find a participant's record."""
        return self.records.get(name)

    def is_active(self, name: str) -> bool:
        """Say whether the participant is listed, not suspended and not held back by this reader."""
        return name in self.records and name not in self.suspended and name not in self.held

    def permits(self, sender: str, recipient: str, *, service_class: str | None = None) -> bool:
        """Say whether an agreement lets `sender` write to `recipient`, in that class if one is given (E07)."""
        pair = self.pairs.get((sender, recipient))
        if pair is None or not (self.is_active(sender) and self.is_active(recipient)):
            return False
        return bool(pair.classes) if service_class is None else not {service_class, ANY_CLASS}.isdisjoint(pair.classes)

    def signing_key(self, participant: str, kid: str) -> SigningKey | None:
        """Find a participant's signing key by its id; a key of somebody else's is not found (E08)."""
        return self._signing_keys.get((participant, kid))

    def past(self, version: int) -> Past | None:
        """Find an earlier version."""
        return next((past for past in self.history if past.version == version), None)

    def remembering(self, history: Iterable[Past]) -> Self:
        """Give the same directory with the versions before it."""
        return replace(self, history=tuple(history))

    def holding(self, names: Iterable[str], *, earlier: Mapping[str, AgencyRecord]) -> Self:
        """Give the directory as this reader will use it while `names` are in quarantine.

        Who has an `earlier` record is used with that one, who has none is held back. Version and hash stay as
        published, so that a quarantine here is no equivocation there.
        """
        kept = {name: earlier[name] for name in names if name in earlier}
        held = frozenset(name for name in names if name not in earlier)
        return replace(self, records=MappingProxyType({**self.records, **kept}), held=self.held | held)

    @cached_property
    def _signing_keys(self) -> Mapping[tuple[str, str], SigningKey]:
        return {(record.participant, key.kid): key for record in self.records.values() for key in record.signing}


def canonical_bytes(
    version: int,
    records: Mapping[str, AgencyRecord],
    pairs: Mapping[tuple[str, str], Pair],
    suspended: frozenset[str],
    *,
    hub_keys: Iterable[SigningKey] = (),
    left: Mapping[str, int] = MappingProxyType({}),
) -> bytes:
    """Write what is hashed: JSON with sorted keys, no spaces, participants and pairs in order (SPEC 7.2)."""
    plain: dict[str, Any] = {
        "version": version,
        "records": {name: record.model_dump(mode="json") for name, record in records.items()},
        "pairs": [pairs[ends].model_dump(mode="json") for ends in sorted(pairs)],
        "suspended": sorted(suspended),
    }
    rare = {"hub_keys": [key.model_dump(mode="json") for key in hub_keys], "left": dict(left)}
    plain |= {name: value for name, value in rare.items() if value}
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")
