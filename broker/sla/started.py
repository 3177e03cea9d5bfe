"""The clocks that somebody starts by hand, because nothing that passes the hub begins them (SLA-11, SLA-13, SLA-14).

A breach of personal data, a subject access request, a stage of a professional disagreement, the minutes of a MARAC: a
person becomes aware, starts the clock with that moment, and stops it when the thing is done. A table of kinds, each a
pure function from the beginning to rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from broker.calendar import WorkingCalendar
from broker.sla.due import marac_minutes_due
from broker.sla.governance import (
    DisagreementStage,
    GovernanceTimer,
    GovernanceTimerKind,
    breach_timers,
    disagreement_due,
    subject_access_timers,
)

SUBJECT: Final = "clock/"
"""How the subject of a row of such a clock begins; no reference of a request holds a stroke."""


class StartedKind(StrEnum):
    """What kind of clock was started."""

    BREACH = "breach"
    SUBJECT_ACCESS = "subject_access"
    RISK_OF_HARM = "disagreement_risk"
    PRACTITIONERS = "disagreement"
    MANAGERS = "disagreement_managers"
    SENIOR = "disagreement_senior"
    MARAC_MINUTES = "marac_minutes"

    @property
    def cannot_wait(self) -> bool:
        """Say whether its alerts are for now, at any hour."""
        return self in {StartedKind.BREACH, StartedKind.RISK_OF_HARM}


@dataclass(frozen=True)
class Started:
    """One clock: its name in the book, what it is, whose it is (a participant, or nothing for the hub), since when."""

    name: str
    kind: StartedKind
    whose: str
    began_at: datetime
    stopped_at: datetime | None = None

    @property
    def subject(self) -> str:
        """Name it among the subjects of timer rows."""
        return f"{SUBJECT}{self.name}/{self.kind}/{self.whose}"


class Read(NamedTuple):
    """What the subject of a row says."""

    name: str
    kind: StartedKind
    whose: str


def read_subject(subject: str) -> Read:
    """Read a subject of `Started.subject`."""
    name, kind, whose = subject.removeprefix(SUBJECT).split("/")
    return Read(name, StartedKind(kind), whose)


def timers_of(started: Started, *, calendar: WorkingCalendar) -> tuple[GovernanceTimer, ...]:
    """Give the rows of a clock, soonest first."""
    return tuple(sorted(TIMERS[started.kind](started.began_at, calendar), key=lambda row: row.due_at))


def _breach(began_at: datetime, _: WorkingCalendar) -> tuple[GovernanceTimer, ...]:
    return breach_timers(began_at)


def _subject_access(began_at: datetime, calendar: WorkingCalendar) -> tuple[GovernanceTimer, ...]:
    return subject_access_timers(began_at.astimezone(calendar.zone).date(), calendar=calendar)


def _disagreement(stage: DisagreementStage) -> Callable[[datetime, WorkingCalendar], tuple[GovernanceTimer, ...]]:
    def rows(began_at: datetime, calendar: WorkingCalendar) -> tuple[GovernanceTimer, ...]:
        due = disagreement_due(stage, began_at, calendar=calendar)
        return (GovernanceTimer(GovernanceTimerKind.DISAGREEMENT_DUE, due, "disagreement_due"),)

    return rows


def _marac_minutes(began_at: datetime, calendar: WorkingCalendar) -> tuple[GovernanceTimer, ...]:
    due = marac_minutes_due(began_at, calendar=calendar)
    return (GovernanceTimer(GovernanceTimerKind.MARAC_MINUTES_DUE, due, "marac_minutes_due"),)


TIMERS: Final[Mapping[StartedKind, Callable[[datetime, WorkingCalendar], tuple[GovernanceTimer, ...]]]] = {
    StartedKind.BREACH: _breach,
    StartedKind.SUBJECT_ACCESS: _subject_access,
    StartedKind.RISK_OF_HARM: _disagreement(DisagreementStage.RISK_OF_HARM),
    StartedKind.PRACTITIONERS: _disagreement(DisagreementStage.PRACTITIONERS),
    StartedKind.MANAGERS: _disagreement(DisagreementStage.MANAGERS),
    StartedKind.SENIOR: _disagreement(DisagreementStage.SENIOR),
    StartedKind.MARAC_MINUTES: _marac_minutes,
}
