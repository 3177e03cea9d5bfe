"""The words of alerts: what kinds there are, what one holds, and everything that they are decided on.

An alert is raised once, stands as long as its cause, and is cleared when that is over; its key says which cause.
It holds a reference, ratings, participant ids and the telephone of a duty desk, and has no place for anything else.
What should stand at a moment is `broker.alerts.rules`; what stands is written by `broker.alerts.book`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from broker.agreements import NO_AGREEMENTS, Agreements
from broker.calendars import Calendars
from broker.expiries import NO_CERTIFICATES, Ending, endings
from broker.manifest_book import Unreconciled
from broker.timers.keeper import Fired
from broker.watch.chains import ChainFault
from broker.watch.quarantine import Tally
from broker.watch.standing import Standing, Unreceipted
from schemas.directory import Directory
from schemas.routing import Lane

SILENT_AFTER: Final = timedelta(hours=26)
"""Adapters send a sign of life to every partner daily; two hours are for a late one."""
HUB: Final = "hub"
"""Whom an alert is about that is the hub's own affair; no participant can be called so."""


class AlertKind(StrEnum):
    """What an alert is about."""

    UNDELIVERED = "undelivered"
    UNREAD = "unread"
    UNRECEIPTED = "unreceipted"
    BREACHED = "breached"
    NUDGE = "nudge"
    WARNING = "warning"
    ESCALATED = "escalated"
    AWAITED = "awaited"
    INCIDENT = "incident"
    NOBODY_READING = "nobody_reading"
    SILENT = "silent"
    DEAD_LETTERED = "dead_lettered"
    EQUIVOCATION = "equivocation"
    GAP = "gap"
    FORK = "fork"
    UNRECONCILED = "unreconciled"
    REFUSED = "refused"
    NO_DUTY_CONTACT = "no_duty_contact"
    DUTY_FILE = "duty_file"
    NOT_TOLD = "not_told"
    NOBODY_TO_TELL = "nobody_to_tell"
    UNACKNOWLEDGED = "unacknowledged"
    CALENDAR = "calendar"
    FLOOD = "flood"
    WATCH_DEAF = "watch_deaf"
    HUB_UNREADABLE = "hub_unreadable"
    LEDGER_BROKEN = "ledger_broken"
    DIRECTORY = "directory"
    CLOCK = "clock"
    KEY_EXPIRY = "key_expiry"
    AGREEMENT = "agreement"
    RULE_FAILED = "rule_failed"


class Urgency(StrEnum):
    """How soon somebody has to act: at once at any hour, within the office day, or within the week."""

    NOW = "now"
    TODAY = "today"
    WEEK = "week"


@dataclass(frozen=True)
class Alert:
    """Something to tell people. `participant` is whose duty desk to ring; `peer` the other end, `code` what exactly."""

    kind: AlertKind
    participant: str
    urgency: Urgency
    peer: str = ""
    reference: str = ""
    code: str = ""
    telephone: str = ""
    count: int = 1

    @property
    def key(self) -> str:
        """Name the cause: the same cause has the same key for as long as it lasts."""
        return "/".join((self.kind, self.participant, self.peer, self.reference, self.code))


@dataclass(frozen=True)
class HubFigures:
    """What the hub itself reports: messages in the dead queue, consumers and messages by participant and lane.

    `certificates`: until when those are good that participants, and the watch itself, show the broker.
    """

    dead: int
    consumers: Mapping[tuple[str, Lane], int] = field(default_factory=dict)
    waiting: Mapping[tuple[str, Lane], int] = field(default_factory=dict)
    certificates: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Health:
    """What the watch knows about itself. `figures_failed`: the hub was asked for its figures and did not answer."""

    deaf: tuple[Lane, ...] = ()
    figures_failed: bool = False
    ledger_fault: str = ""
    directory_fault: str = ""
    clock_stepped: bool = False


@dataclass(frozen=True)
class Trouble:
    """What is wrong with telling people (`broker.alerts.troubles`). `desk` is whose duty desk it is about."""

    kind: AlertKind
    desk: str
    urgency: Urgency
    reference: str = ""
    code: str = ""


@dataclass(frozen=True)
class View:
    """Everything that alerts are decided on. `began_at`: since when the ledger is kept.

    `metadata`: when each part of the signed directory expires that the hub answers for.
    """

    now: datetime
    began_at: datetime
    directory: Directory
    calendars: Calendars
    standings: tuple[Standing, ...] = ()
    unreceipted: tuple[Unreceipted, ...] = ()
    chain_faults: tuple[ChainFault, ...] = ()
    tallies: tuple[Tally, ...] = ()
    heard: Mapping[str, datetime] = field(default_factory=dict)
    unfollowed: Mapping[str, int] = field(default_factory=dict)
    figures: HubFigures | None = None
    health: Health = Health()
    troubles: tuple[Trouble, ...] = ()
    desks: frozenset[str] | None = None  # who has a duty desk; None where no duty file is kept
    agreements: Agreements = NO_AGREEMENTS
    metadata: Mapping[str, datetime] = field(default_factory=dict)
    unreconciled: tuple[Unreconciled, ...] = ()
    fired: tuple[Fired, ...] = ()

    def telephone(self, participant: str) -> str:
        """Give the duty desk's number, or nothing."""
        record = self.directory.participant(participant)
        return (record.duty_telephone or "").strip() if record else ""

    def endings(self) -> tuple[Ending, ...]:
        """Give what comes to an end, soonest first."""
        shown = self.figures.certificates if self.figures else NO_CERTIFICATES
        return endings(
            self.directory, agreements=self.agreements, metadata=self.metadata, certificates=shown, now=self.now
        )

    def members(self) -> tuple[str, ...]:
        """Give the participants that are expected to work."""
        return tuple(name for name in sorted(self.directory.records) if self.directory.is_active(name))

    def silent(self) -> tuple[str, ...]:
        """Give the members of whom nothing has been heard for too long; who never spoke is silent since the start."""
        return tuple(name for name in self.members() if self.now - self.heard.get(name, self.began_at) >= SILENT_AFTER)


def news(standing_keys: Iterable[str], wanted: Iterable[Alert]) -> tuple[tuple[Alert, ...], frozenset[str]]:
    """Give what is to be raised, and the keys of what is over."""
    before, now = frozenset(standing_keys), {alert.key: alert for alert in wanted}
    return tuple(alert for key, alert in now.items() if key not in before), before - now.keys()
