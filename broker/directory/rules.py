"""What the partners' directory may do to a reader: decisions over what was published and what was known before.

python-tuf has verified signatures, thresholds, expiry and versions before anything comes here. These are our own rules:
a member never vanishes, one version has one content, and a new identity key is not believed for 72 hours.
Pure functions; the files are in `client` and `repository`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas import base64url
from schemas.directory import AgencyRecord, Directory, Past, PublicKey, Revocation, Seconds
from schemas.members import Member, Members
from schemas.routing import Lane

QUARANTINE: Final = int(timedelta(hours=72).total_seconds())
REMEMBERED: Final = int(timedelta(days=30).total_seconds())
DEGRADED: Final = timedelta(hours=24)


class NotMine(Exception):
    """A record does not belong to the member under whose name it was published."""


class Alarm(StrEnum):
    """What a reader tells people about a directory. `EQUIVOCATION` also stops all sending."""

    EQUIVOCATION = "equivocation"
    ROLLBACK = "rollback"
    VANISHED = "vanished"
    IDENTITY_CHANGED = "identity_changed"
    RECORD_MISSING = "record_missing"
    FORGED = "forged"
    FROZEN = "frozen"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Published:
    """One verified version: `records` holds those that verify under their own agency's key."""

    version: int
    members: Members
    records: Mapping[str, AgencyRecord]
    history: tuple[Past, ...]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Pending(_Closed):
    """A new identity key, and since when we have seen it."""

    identity: PublicKey
    since: Seconds


class Known(_Closed):
    """What a reader remembers: the last version, those before it, and whom it trusts under which record."""

    version: int = 0
    digest: str = ""
    history: tuple[Past, ...] = ()
    records: dict[str, AgencyRecord] = {}
    pending: dict[str, Pending] = {}


@dataclass(frozen=True)
class Raised:
    """An alarm about a participant, or about the directory as a whole (`about` is then empty)."""

    alarm: Alarm
    about: str = ""


@dataclass(frozen=True)
class Admission:
    """The directory to use, what to remember, and what to tell people. No directory: go on with the one before."""

    directory: Directory | None
    known: Known
    alarms: tuple[Raised, ...]


def record_of(raw: bytes, member: Member) -> AgencyRecord:
    """Read a record and hold it against its member's entry. Raises `NotMine`."""
    try:
        record = AgencyRecord.model_validate_json(raw)
    except ValidationError:
        raise NotMine(member.participant) from None
    if (record.participant, record.kind, record.identity) != (member.participant, member.kind, member.identity):
        raise NotMine(member.participant)
    return record


def directory_of(published: Published) -> Directory:
    """Give the directory exactly as published; its hash is what every reader must see."""
    members = published.members
    return Directory.build(
        published.version,
        [_closed(record, members.left.get(name)) for name, record in published.records.items()],
        members.pairs,
        suspended=members.suspended,
        history=published.history,
        hub_keys=members.hub_keys,
        left=members.left,
    )


def _closed(record: AgencyRecord, left_at: int | None) -> AgencyRecord:
    """Give the record of an agency that has left with every key of its revoked at that time (GOV-11)."""
    if left_at is None:
        return record
    keys = [key.kid for key in record.signing] + [key.id for role in record.roles for key in role.prekeys]
    revoked = tuple(Revocation(key=key, revoked_at=left_at) for key in keys)
    return record.model_copy(update={"revocations": (*record.revocations, *revoked)})


def admit(published: Published, *, known: Known, now: datetime) -> Admission:
    """Decide what to do with a verified version (SPEC 7.5)."""
    directory = directory_of(published)
    fatal = _fatal(published, directory=directory, known=known)
    if fatal:
        return Admission(None, known, fatal)
    moment = int(now.timestamp())
    pending = _pending(published, known=known, moment=moment)
    kept = {name: known.records[name] for name in pending if name in known.records}
    used = directory.holding(pending, earlier=kept)
    history = _history(published, known=known, moment=moment)
    alarms = [Raised(Alarm.IDENTITY_CHANGED, name) for name in pending]
    missing = {member.participant for member in published.members.members} - published.records.keys()
    alarms += [Raised(Alarm.RECORD_MISSING, name) for name in sorted(missing)]
    remembered = Known(
        version=published.version,
        digest=base64url.encode(directory.hash),
        history=history,
        records=dict(used.records) | {name: known.records[name] for name in missing if name in known.records},
        pending=pending,
    )
    return Admission(used.remembering(history), remembered, tuple(alarms))


def _fatal(published: Published, *, directory: Directory, known: Known) -> tuple[Raised, ...]:
    if published.version < known.version:
        return (Raised(Alarm.ROLLBACK),)
    shown = {past.version: past.digest for past in published.history}
    shown[published.version] = base64url.encode(directory.hash)
    seen = {past.version: past.digest for past in known.history} | {known.version: known.digest}
    if any(shown[version] != digest for version, digest in seen.items() if version in shown):
        return (Raised(Alarm.EQUIVOCATION),)
    names = {member.participant for member in published.members.members}
    return tuple(Raised(Alarm.VANISHED, name) for name in sorted(known.records.keys() - names))


def _pending(published: Published, *, known: Known, moment: int) -> dict[str, Pending]:
    """Give the identity keys that are not believed yet: changed, and seen for less than 72 hours."""
    pending: dict[str, Pending] = {}
    for name, record in published.records.items():
        trusted = known.records.get(name)
        if trusted is None or trusted.identity == record.identity:
            continue
        seen = known.pending.get(name)
        since = seen.since if seen is not None and seen.identity == record.identity else moment
        if moment < since + QUARANTINE:
            pending[name] = Pending(identity=record.identity, since=since)
    return pending


def _history(published: Published, *, known: Known, moment: int) -> tuple[Past, ...]:
    """Put together what the hub says it has shown and what we saw; where both speak they agree (see `_fatal`)."""
    past = {entry.version: entry for entry in (*published.history, *known.history)}
    if 0 < known.version < published.version and known.version not in past:
        past[known.version] = Past(version=known.version, digest=known.digest, superseded_at=moment)
    return tuple(past[version] for version in sorted(past) if past[version].superseded_at >= moment - REMEMBERED)


class Freshness(StrEnum):
    """How old the hub's timestamp is: alive, overdue by less than a day, or dead."""

    FRESH = "fresh"
    DEGRADED = "degraded"
    STALE = "stale"


def freshness(expires: datetime, now: datetime) -> Freshness:
    """Say how fresh a directory is whose timestamp expires then (M6)."""
    if now < expires:
        return Freshness.FRESH
    return Freshness.DEGRADED if now < expires + DEGRADED else Freshness.STALE


MAY_SEND: Final[Mapping[Freshness, frozenset[Lane]]] = {
    Freshness.FRESH: frozenset(Lane),
    Freshness.DEGRADED: frozenset({Lane.URGENT, Lane.RECEIPT}),
    Freshness.STALE: frozenset(),
}


def may_send(lane: Lane, state: Freshness) -> bool:
    """Say whether a lane may be sent in: fail closed for new sends, never for receiving."""
    return lane in MAY_SEND[state]
