"""What comes to an end: keys, certificates, the directory's own signatures, agreements, attestations (SLA-12, SEC-11).

Pure over the directory, the agreements, what the broker says of certificates, and the time. Adapters renew their keys
well before the times below, so an ending that is near means that a renewal has not happened: somebody has to ask why
before traffic stops.
A key that was never published, or was revoked without a successor, has ended: absent means no.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from broker.agreements import Agreements
from broker.calendar import LONDON
from broker.sla.governance import attestation_stale_on, notice_effective, review_due
from broker.topology import MONITOR
from schemas.directory import AgencyRecord, Directory, Prekey, SigningKey

HUB_OWN: Final = "hub"
NO_CERTIFICATES: Final[Mapping[str, datetime]] = MappingProxyType({})


class EndingKind(StrEnum):
    """What ends. The first four stop traffic when they do; the others are for people to meet about."""

    SIGNING_KEY = "signing_key"
    SEALING_KEY = "sealing_key"
    CERTIFICATE = "certificate"
    DIRECTORY = "directory"
    REVIEW = "review"
    AGREEMENT_END = "agreement_end"
    NOTICE = "notice"
    ATTESTATION = "attestation"


STOPS_TRAFFIC: Final = frozenset(
    {EndingKind.SIGNING_KEY, EndingKind.SEALING_KEY, EndingKind.CERTIFICATE, EndingKind.DIRECTORY}
)


class Nearness(StrEnum):
    """How near an ending is: far, near enough to act in the week, in the day, or past."""

    FAR = "far"
    WEEK = "week"
    TODAY = "today"
    OVER = "over"


_DAY: Final = timedelta(days=1)
WARNED: Final[Mapping[EndingKind, tuple[timedelta, timedelta]]] = {
    EndingKind.SIGNING_KEY: (10 * _DAY, 3 * _DAY),  # its successor is made 14 days ahead
    EndingKind.SEALING_KEY: (_DAY, _DAY / 2),  # lives a week, its successor is made 2 days ahead
    EndingKind.CERTIFICATE: (30 * _DAY, 7 * _DAY),
    EndingKind.DIRECTORY: (30 * _DAY, 7 * _DAY),
    EndingKind.REVIEW: (60 * _DAY, 30 * _DAY),  # GOV-08: said once, and once more
    EndingKind.AGREEMENT_END: (60 * _DAY, 7 * _DAY),
    EndingKind.NOTICE: (28 * _DAY, _DAY),  # GOV-10
    EndingKind.ATTESTATION: (30 * _DAY, timedelta(0)),  # GOV-15
}
SHORT_LIVED: Final[Mapping[str, tuple[timedelta, timedelta]]] = {
    "timestamp": (_DAY, _DAY / 2),  # lives 48 hours, and nobody sends routine messages without it (M6)
    "snapshot": (2 * _DAY, _DAY),
}
"""Parts of the directory that the hub itself renews, within days."""


@dataclass(frozen=True)
class Ending:
    """One thing that ends. `whose` is a participant or `hub`, `what` a role, a part or a name; `at` None: never was."""

    kind: EndingKind
    whose: str
    what: str
    at: datetime | None
    nearness: Nearness


def endings(
    directory: Directory,
    *,
    agreements: Agreements,
    metadata: Mapping[str, datetime],
    certificates: Mapping[str, datetime] = NO_CERTIFICATES,
    now: datetime,
) -> tuple[Ending, ...]:
    """Give everything that ends, soonest first; what has no key at all comes before everything.

    `certificates`: until when those in use at the broker are good, by account.
    """
    found = [*_of_keys(directory), *_of_certificates(directory, certificates), *_of_agreements(agreements)]
    found += [(EndingKind.DIRECTORY, HUB_OWN, part, at) for part, at in metadata.items()]
    found.sort(key=lambda one: (one[3] is not None, one[3] or now, *one[:3]))
    return tuple(Ending(kind, whose, what, at, nearness(kind, what, at, now)) for kind, whose, what, at in found)


def nearness(kind: EndingKind, what: str, at: datetime | None, now: datetime) -> Nearness:
    """Say how near an ending is."""
    if at is None or at <= now:
        return Nearness.OVER
    week, today = SHORT_LIVED.get(what, WARNED[kind]) if kind is EndingKind.DIRECTORY else WARNED[kind]
    if at - now <= today:
        return Nearness.TODAY
    return Nearness.WEEK if at - now <= week else Nearness.FAR


_Found = tuple[EndingKind, str, str, datetime | None]


def _of_keys(directory: Directory) -> Iterator[_Found]:
    for name, record in sorted(directory.records.items()):
        if not directory.is_active(name):
            continue
        yield EndingKind.SIGNING_KEY, name, "", _last(record, ((key.kid, key) for key in record.signing))
        for role in record.roles:
            yield EndingKind.SEALING_KEY, name, role.name, _last(record, ((key.id, key) for key in role.prekeys))


def _of_certificates(directory: Directory, certificates: Mapping[str, datetime]) -> Iterator[_Found]:
    for name, at in certificates.items():
        if name == MONITOR:
            yield EndingKind.CERTIFICATE, HUB_OWN, MONITOR, at
        elif directory.is_active(name):
            yield EndingKind.CERTIFICATE, name, "", at


def _last(record: AgencyRecord, keys: Iterable[tuple[str, SigningKey | Prekey]]) -> datetime | None:
    """Say until when there is a key, counting published successors and no revoked one."""
    ends = [key.not_after for key_id, key in keys if record.revoked_at(key_id) is None]
    return datetime.fromtimestamp(max(ends), UTC) if ends else None


def _of_agreements(held: Agreements) -> Iterator[_Found]:
    for one in held.agreements:
        due = review_due(one.in_force_from, last_review=one.last_review, cycle_months=one.cycle_months)
        yield EndingKind.REVIEW, HUB_OWN, one.id, _start_of(due)
        if one.ends_on is not None:
            yield EndingKind.AGREEMENT_END, HUB_OWN, one.id, _start_of(one.ends_on)
    for notice in held.notices:
        yield EndingKind.NOTICE, notice.participant, "", _start_of(notice_effective(notice.given_on, days=notice.days))
    for attested in held.attestations:
        stale = attestation_stale_on(attested.attested_on, months=attested.months)
        yield EndingKind.ATTESTATION, attested.participant, attested.subject, _start_of(stale)


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(0), LONDON).astimezone(UTC)
