"""The clocks of law and agreement: hours that never stop, calendar months, notice and reviews."""

from datetime import date

import pytest

from broker.calendar import MASH_CALENDAR
from broker.sla.governance import (
    DisagreementStage,
    GovernanceTimer,
    apd_kept_until,
    attestation_stale_on,
    attestation_timers,
    breach_due,
    breach_timers,
    disagreement_due,
    months_after,
    notice_effective,
    notice_timer,
    review_due,
    review_timers,
    subject_access_due,
    subject_access_timers,
)
from tests.unit.clocks.times import local, shown


def rows(timers: tuple[GovernanceTimer, ...]) -> list[tuple[str, str]]:
    """Write the rows as key and wall clock."""
    return [(timer.key, shown(timer.due_at)) for timer in timers]


def test_a_breach_clock_runs_through_the_weekend() -> None:
    """SLA-11: aware on Friday at 16:00, the Commissioner is told by Monday 16:00; alerts at 24, 48 and 60 hours."""
    aware = local("2026-11-27 16:00")
    assert shown(breach_due(aware)) == "2026-11-30 16:00"
    assert rows(breach_timers(aware)) == [
        ("breach_alert.24h", "2026-11-28 16:00"),
        ("breach_alert.48h", "2026-11-29 16:00"),
        ("breach_alert.60h", "2026-11-30 04:00"),
        ("breach_due", "2026-11-30 16:00"),
    ]


def test_a_breach_clock_gains_no_hour_when_the_clocks_go_back() -> None:
    """72 hours are 72 hours: over 25 October 2026 the wall clock shows one less."""
    assert shown(breach_due(local("2026-10-24 12:00"))) == "2026-10-27 11:00"


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2026, 12, 8), 1, date(2027, 1, 8)),
        (date(2027, 1, 31), 1, date(2027, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 12, 31), 12, date(2027, 12, 31)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 6, 15), 24, date(2028, 6, 15)),
    ],
)
def test_a_calendar_month_ends_on_the_same_day_or_the_last(start: date, months: int, end: date) -> None:
    """February has no 31st; the year turns."""
    assert months_after(start, months) == end


def test_the_subject_access_request_of_the_scenario_is_due_after_a_month() -> None:
    """8 December 2026: 8 January 2027, with warnings a fortnight and a week before (SLA-13)."""
    received = date(2026, 12, 8)
    assert subject_access_due(received, calendar=MASH_CALENDAR) == date(2027, 1, 8)
    assert rows(subject_access_timers(received, calendar=MASH_CALENDAR)) == [
        ("subject_access_warning.14d.2026-12-25", "2026-12-29 09:00"),
        ("subject_access_warning.7d.2027-01-01", "2027-01-04 09:00"),
        ("subject_access_due.2027-01-08", "2027-01-08 17:00"),
    ]


def test_a_subject_access_request_due_on_a_bank_holiday_is_due_on_the_next_working_day() -> None:
    """Received 25 November, the month ends on Christmas Day."""
    assert subject_access_due(date(2026, 11, 25), calendar=MASH_CALENDAR) == date(2026, 12, 29)


def test_an_agreement_is_reviewed_after_six_months_and_then_on_its_cycle() -> None:
    """GOV-08: PBO and SEF yearly, LON every two years."""
    assert review_due(date(2024, 7, 1), last_review=None, cycle_months=12) == date(2025, 1, 1)
    assert review_due(date(2024, 7, 1), last_review=date(2025, 1, 1), cycle_months=12) == date(2026, 1, 1)
    assert review_due(date(2021, 1, 1), last_review=date(2021, 7, 1), cycle_months=24) == date(2023, 7, 1)


def test_a_review_is_announced_sixty_and_thirty_days_before() -> None:
    """GOV-08; a warning for a Saturday rings on Monday."""
    assert rows(review_timers(date(2027, 1, 27), calendar=MASH_CALENDAR)) == [
        ("review_warning.60d.2026-11-28", "2026-11-30 09:00"),
        ("review_warning.30d.2026-12-28", "2026-12-29 09:00"),
        ("review_due.2027-01-27", "2027-01-27 09:00"),
    ]


def test_notice_ends_a_participation_at_midnight_after_28_calendar_days() -> None:
    """GOV-10: the first minute of the day, working or not; over a clock change in local time."""
    assert notice_effective(date(2026, 11, 24)) == date(2026, 12, 22)
    timer = notice_timer(date(2027, 3, 7), calendar=MASH_CALENDAR)
    assert shown(timer.due_at) == "2027-04-04 00:00"
    with pytest.raises(ValueError, match="backwards"):
        notice_effective(date(2026, 11, 24), days=-1)


def test_an_attestation_goes_stale_after_twelve_months() -> None:
    """GOV-15: a month's warning, then the day."""
    attested = date(2026, 2, 27)
    assert attestation_stale_on(attested) == date(2027, 2, 27)
    assert rows(attestation_timers(attested, calendar=MASH_CALENDAR)) == [
        ("attestation_warning.30d.2027-01-28", "2027-01-28 09:00"),
        ("attestation_stale.2027-02-27", "2027-03-01 09:00"),
    ]


def test_a_policy_document_is_kept_six_months_after_processing_ceased() -> None:
    """GOV-12."""
    assert apd_kept_until(date(2026, 8, 31)) == date(2027, 2, 28)


@pytest.mark.parametrize(
    ("stage", "due"),
    [
        (DisagreementStage.RISK_OF_HARM, "2026-11-28 15:40"),
        (DisagreementStage.PRACTITIONERS, "2026-12-01 15:40"),
        (DisagreementStage.MANAGERS, "2026-12-04 15:40"),
        (DisagreementStage.SENIOR, "2026-12-01 15:40"),
    ],
)
def test_a_disagreement_goes_up_when_its_stage_is_over(stage: DisagreementStage, due: str) -> None:
    """SLA-14: a risk of harm does not wait for Monday."""
    assert shown(disagreement_due(stage, local("2026-11-27 15:40"), calendar=MASH_CALENDAR)) == due
