"""When each thing is due, as pure functions of when it began (SLA-01 to SLA-07, SLA-10).

Every function takes aware times and gives UTC; the calendar is that of the area's MASH, not the recipient's (SLA-07):
a school's holidays change who is alerted, never when an answer is due.
No function lengthens a due time that somebody has been promised; `extended_due` does, and wants a reason.
"""

from datetime import datetime, timedelta

from broker.calendar import WorkingCalendar, as_utc
from broker.sla.allowances import DEFAULT_ALLOWANCES, Allowances
from schemas.rating import RagRating


class ReasonMissingError(ValueError):
    """A due time may be set later only with a reason (RFI-02): write down why."""


def response_due(
    rating: RagRating, issued_at: datetime, *, calendar: WorkingCalendar, allowances: Allowances = DEFAULT_ALLOWANCES
) -> datetime:
    """Give when the answer to a request is due (RFI-02, SLA-01). Raises `NobodyAskedError` for BLUE."""
    return allowances.response.of(rating).after(issued_at, calendar=calendar)


def rerated_due(
    existing_due: datetime,
    rerated_at: datetime,
    new_rating: RagRating,
    *,
    calendar: WorkingCalendar,
    allowances: Allowances = DEFAULT_ALLOWANCES,
) -> datetime:
    """Give the due time after a re-rating: the sooner of the existing one and a new allowance from now (SLA-10).

    Raises `NobodyAskedError` for BLUE: a request that is no longer wanted is withdrawn, not re-rated.
    """
    fresh = response_due(new_rating, rerated_at, calendar=calendar, allowances=allowances)
    return min(as_utc(existing_due), fresh)


def extended_due(existing_due: datetime, asked_due: datetime, *, reason: str) -> datetime:
    """Give a due time set by hand: sooner freely, later only with a reason (RFI-02). Raises `ReasonMissingError`."""
    existing_due, asked_due = as_utc(existing_due), as_utc(asked_due)
    if asked_due > existing_due and not reason.strip():
        raise ReasonMissingError
    return asked_due


def is_urgent(
    issued_at: datetime,
    due_at: datetime,
    *,
    calendar: WorkingCalendar,
    allowances: Allowances = DEFAULT_ALLOWANCES,
) -> bool:
    """Say whether less than 24 hours of office time lie between issue and due: then also telephone (SLA-02).

    Exactly 24 is not urgent (SEF §2.6).
    """
    return calendar.working_time_between(issued_at, due_at) < allowances.urgent_below


def phone_call_due(
    rating: RagRating, issued_at: datetime, *, calendar: WorkingCalendar, allowances: Allowances = DEFAULT_ALLOWANCES
) -> datetime:
    """Give by when an urgent request has to be telephoned too: RED in 30 minutes, else 2 working hours (SLA-02)."""
    return allowances.phone_call.of(rating).after(issued_at, calendar=calendar)


def adapter_ack_due(
    issued_at: datetime, *, calendar: WorkingCalendar, allowances: Allowances = DEFAULT_ALLOWANCES
) -> datetime:
    """Give by when the recipient's adapter has acknowledged by itself: 60 seconds, at any hour (FAN-08)."""
    return allowances.adapter_ack.after(issued_at, calendar=calendar)


def human_ack_due(
    rating: RagRating, issued_at: datetime, *, calendar: WorkingCalendar, allowances: Allowances = DEFAULT_ALLOWANCES
) -> datetime:
    """Give by when a person at the recipient has to have seen the request (FAN-07)."""
    return allowances.human_ack.of(rating).after(issued_at, calendar=calendar)


def onward_question_due(
    rating: RagRating, asked_at: datetime, *, calendar: WorkingCalendar, allowances: Allowances = DEFAULT_ALLOWANCES
) -> datetime:
    """Give by when an originator says whether its item may be passed on: RED 4 hours, else 1 working day (DIS-04)."""
    return allowances.onward_question.of(rating).after(asked_at, calendar=calendar)


def sub_request_due(
    rfi_due: datetime, *, asked_at: datetime, margin: timedelta = DEFAULT_ALLOWANCES.sub_request_margin
) -> datetime:
    """Give when a source answers its conduit: the request's own due time less `margin` (FAN-04).

    When the margin would leave the source less than half of the time that is left, it gets that half.
    """
    if margin < timedelta(0):
        raise ValueError("a margin is not negative")
    asked_at, rfi_due = as_utc(asked_at), as_utc(rfi_due)
    left = max(timedelta(0), rfi_due - asked_at)
    return rfi_due - min(margin, left / 2)


def decision_due(
    received_at: datetime, *, calendar: WorkingCalendar, allowances: Allowances = DEFAULT_ALLOWANCES
) -> datetime:
    """Give by when a referral is decided on: 1 working day from its receipt."""
    return allowances.decision.after(received_at, calendar=calendar)


def outcome_to_partners_due(
    decided_at: datetime, *, calendar: WorkingCalendar, allowances: Allowances = DEFAULT_ALLOWANCES
) -> datetime:
    """Give by when all responders know the outcome: 3 working days from the recorded decision (SLA-03)."""
    return allowances.outcome_to_partners.after(decided_at, calendar=calendar)


def referrer_due(
    decided_at: datetime,
    *,
    below_threshold: bool,
    calendar: WorkingCalendar,
    allowances: Allowances = DEFAULT_ALLOWANCES,
) -> datetime:
    """Give by when the referrer knows: 1 working day for a decision below the threshold, else 3 (SLA-04, SLA-05)."""
    allowance = allowances.referrer_below_threshold if below_threshold else allowances.referrer_other
    return allowance.after(decided_at, calendar=calendar)


def correction_ack_due(
    notified_at: datetime, *, calendar: WorkingCalendar, allowances: Allowances = DEFAULT_ALLOWANCES
) -> datetime:
    """Give by when each receiver of a corrected item acknowledges the correction: 1 working day (RSP-13)."""
    return allowances.correction_ack.after(notified_at, calendar=calendar)


def marac_minutes_due(
    met_at: datetime, *, calendar: WorkingCalendar, allowances: Allowances = DEFAULT_ALLOWANCES
) -> datetime:
    """Give by when the minutes of a MARAC are circulated: 3 working days (P22b)."""
    return allowances.marac_minutes.after(met_at, calendar=calendar)
