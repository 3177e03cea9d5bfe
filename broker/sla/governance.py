"""The clocks of governance: breaches, subject access, agreements, notices, attestations, disagreements (SLA-11 to 14).

The law counts some of these in hours that never stop, some in calendar months; none in office hours.
A month that has no such day ends on its last day.
Dates are local dates of the area; a timer set for a date rings at the first working moment of it or after it, except
the breach clock, which rings at any hour.
"""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from broker.calendar import WorkingCalendar, as_utc
from broker.sla.allowances import Allowance, elapsed, working_days

BREACH_HOURS: Final = 72  # UK GDPR article 33, LON §4.8
BREACH_ALERT_HOURS: Final = (24, 48, 60)
NOTICE_DAYS: Final = 28  # PBO §9
FIRST_REVIEW_MONTHS: Final = 6  # PBO §8
REVIEW_WARNING_DAYS: Final = (60, 30)  # GOV-08
ATTESTATION_MONTHS: Final = 12  # SWK, GOV-15
ATTESTATION_WARNING_DAYS: Final = (30,)
APD_RETENTION_MONTHS: Final = 6  # SEF A2, GOV-12
SUBJECT_ACCESS_WARNING_DAYS: Final = (14, 7)


class GovernanceTimerKind(StrEnum):
    """What a governance timer is about."""

    BREACH_ALERT = "breach_alert"
    BREACH_DUE = "breach_due"
    REVIEW_WARNING = "review_warning"
    REVIEW_DUE = "review_due"
    NOTICE_EFFECTIVE = "notice_effective"
    ATTESTATION_WARNING = "attestation_warning"
    ATTESTATION_STALE = "attestation_stale"
    SUBJECT_ACCESS_WARNING = "subject_access_warning"
    SUBJECT_ACCESS_DUE = "subject_access_due"
    DISAGREEMENT_DUE = "disagreement_due"
    MARAC_MINUTES_DUE = "marac_minutes_due"


@dataclass(frozen=True)
class GovernanceTimer:
    """One row: fires once at `due_at` (UTC); `key` names it among the rows of its subject."""

    kind: GovernanceTimerKind
    due_at: datetime
    key: str


class DisagreementStage(StrEnum):
    """Where a professional disagreement stands (SLA-14, P43)."""

    RISK_OF_HARM = "risk_of_harm"
    PRACTITIONERS = "practitioners"
    MANAGERS = "managers"
    SENIOR = "senior"


DISAGREEMENT: Final[dict[DisagreementStage, Allowance]] = {
    DisagreementStage.RISK_OF_HARM: elapsed(hours=24),
    DisagreementStage.PRACTITIONERS: working_days(2),
    DisagreementStage.MANAGERS: working_days(5),
    DisagreementStage.SENIOR: working_days(2),
}


def months_after(day: date, months: int) -> date:
    """Give the same day `months` calendar months on, or the last day of a month that has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def breach_due(aware_at: datetime) -> datetime:
    """Give by when the Information Commissioner is told: 72 hours from awareness (SLA-11), in UTC."""
    return as_utc(aware_at) + timedelta(hours=BREACH_HOURS)


def breach_timers(aware_at: datetime) -> tuple[GovernanceTimer, ...]:
    """Give the alerts at 24, 48 and 60 hours from awareness, and the due time (SLA-11)."""
    begun = as_utc(aware_at)
    alerts = [
        GovernanceTimer(GovernanceTimerKind.BREACH_ALERT, begun + timedelta(hours=hours), f"breach_alert.{hours}h")
        for hours in BREACH_ALERT_HOURS
    ]
    return (*alerts, GovernanceTimer(GovernanceTimerKind.BREACH_DUE, breach_due(aware_at), "breach_due"))


def subject_access_due(received_on: date, *, calendar: WorkingCalendar) -> date:
    """Give the last day for answering a subject access request: one calendar month, on to a working day (SLA-13)."""
    return _working_day_from(months_after(received_on, 1), calendar)


def subject_access_timers(received_on: date, *, calendar: WorkingCalendar) -> tuple[GovernanceTimer, ...]:
    """Give the warnings 14 and 7 days ahead and the closing of the office on the last day (SLA-13)."""
    due = subject_access_due(received_on, calendar=calendar)
    kind = GovernanceTimerKind.SUBJECT_ACCESS_WARNING
    last = GovernanceTimer(
        GovernanceTimerKind.SUBJECT_ACCESS_DUE, calendar.closing_of(due), f"subject_access_due.{due.isoformat()}"
    )
    return (*_warnings(kind, due, SUBJECT_ACCESS_WARNING_DAYS, calendar), last)


def review_due(in_force_from: date, *, last_review: date | None, cycle_months: int) -> date:
    """Give when an agreement is reviewed: 6 months in, then every `cycle_months` (PBO and SEF 12, LON 24; GOV-08)."""
    if last_review is None:
        return months_after(in_force_from, min(FIRST_REVIEW_MONTHS, cycle_months))
    return months_after(last_review, cycle_months)


def review_timers(due: date, *, calendar: WorkingCalendar) -> tuple[GovernanceTimer, ...]:
    """Give the warnings 60 and 30 days before a review and the day itself (GOV-08)."""
    return (
        *_warnings(GovernanceTimerKind.REVIEW_WARNING, due, REVIEW_WARNING_DAYS, calendar),
        _on(GovernanceTimerKind.REVIEW_DUE, due, calendar),
    )


def notice_effective(given_on: date, *, days: int = NOTICE_DAYS) -> date:
    """Give the day from which nothing is carried to or from a party that gave notice (GOV-10, PBO §9)."""
    if days < 0:
        raise ValueError("notice is not given backwards")
    return given_on + timedelta(days=days)


def notice_timer(given_on: date, *, calendar: WorkingCalendar, days: int = NOTICE_DAYS) -> GovernanceTimer:
    """Give the timer that ends a party's participation: the first minute of the day, working or not (GOV-10)."""
    day = notice_effective(given_on, days=days)
    start = datetime.combine(day, time(0), calendar.zone).astimezone(UTC)
    return GovernanceTimer(GovernanceTimerKind.NOTICE_EFFECTIVE, start, f"notice_effective.{day.isoformat()}")


def attestation_stale_on(attested_on: date, *, months: int = ATTESTATION_MONTHS) -> date:
    """Give the first day on which an attestation no longer counts: 12 months for training (GOV-15)."""
    return months_after(attested_on, months)


def attestation_timers(
    attested_on: date, *, calendar: WorkingCalendar, months: int = ATTESTATION_MONTHS
) -> tuple[GovernanceTimer, ...]:
    """Give the warning 30 days before an attestation goes stale, and that day (SLA-12)."""
    stale = attestation_stale_on(attested_on, months=months)
    return (
        *_warnings(GovernanceTimerKind.ATTESTATION_WARNING, stale, ATTESTATION_WARNING_DAYS, calendar),
        _on(GovernanceTimerKind.ATTESTATION_STALE, stale, calendar),
    )


def apd_kept_until(processing_ceased_on: date) -> date:
    """Give until when an appropriate policy document is kept: 6 months after processing ceased (GOV-12)."""
    return months_after(processing_ceased_on, APD_RETENTION_MONTHS)


def disagreement_due(stage: DisagreementStage, began_at: datetime, *, calendar: WorkingCalendar) -> datetime:
    """Give when a stage of a professional disagreement goes up to the next one (SLA-14), in UTC."""
    return DISAGREEMENT[stage].after(began_at, calendar=calendar)


def _warnings(
    kind: GovernanceTimerKind, due: date, days_before: Iterable[int], calendar: WorkingCalendar
) -> tuple[GovernanceTimer, ...]:
    return tuple(_on(kind, due - timedelta(days=days), calendar, suffix=f".{days}d") for days in days_before)


def _on(kind: GovernanceTimerKind, day: date, calendar: WorkingCalendar, *, suffix: str = "") -> GovernanceTimer:
    """Ring when the office first opens on `day` or after it; the key holds the day, so a moved date rings anew."""
    midnight = datetime.combine(day, time(0), calendar.zone)
    rings = calendar.next_working_moment(midnight)
    return GovernanceTimer(kind, rings, f"{kind.value}{suffix}.{day.isoformat()}")


def _working_day_from(day: date, calendar: WorkingCalendar) -> date:
    midnight = datetime.combine(day, time(0), calendar.zone)
    return calendar.next_working_moment(midnight).astimezone(calendar.zone).date()
