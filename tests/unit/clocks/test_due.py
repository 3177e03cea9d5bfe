"""Due times: the table of the service levels and the scenario's own figures."""

from collections.abc import Callable
from datetime import time, timedelta

import pytest

from broker.calendar import FRIDAY, MASH_CALENDAR, NaiveTimeError
from broker.sla import (
    EVERY_REFERRER_IN_A_DAY,
    RED_IN_WORKING_HOURS,
    Allowances,
    NobodyAskedError,
    ReasonMissingError,
    adapter_ack_due,
    correction_ack_due,
    decision_due,
    extended_due,
    human_ack_due,
    is_urgent,
    marac_minutes_due,
    onward_question_due,
    outcome_to_partners_due,
    phone_call_due,
    referrer_due,
    rerated_due,
    response_due,
    sub_request_due,
)
from schemas.rating import RagRating
from tests.unit.clocks.times import local, shown

RED, AMBER, GREEN, BLUE = RagRating


@pytest.mark.parametrize(
    ("issued", "red", "amber", "green"),
    [
        ("2026-11-24 10:12", "2026-11-24 14:12", "2026-11-25 10:12", "2026-11-27 10:12"),
        ("2026-11-27 15:40", "2026-11-27 19:40", "2026-11-30 15:40", "2026-12-02 15:40"),
        ("2026-12-31 12:00", "2026-12-31 16:00", "2027-01-04 12:00", "2027-01-06 12:00"),
    ],
)
def test_a_response_is_due_as_the_published_table_says(issued: str, red: str, amber: str, green: str) -> None:
    """SLA-01: RED 4 hours elapsed, AMBER 1 working day, GREEN 3."""
    for rating, due in ((RED, red), (AMBER, amber), (GREEN, green)):
        assert due == shown(response_due(rating, local(issued), calendar=MASH_CALENDAR))


def test_a_red_does_not_pause_when_the_office_closes() -> None:
    """SLA-06: issued on Christmas Eve after closing, due that night."""
    assert shown(response_due(RED, local("2026-12-24 18:30"), calendar=MASH_CALENDAR)) == "2026-12-24 22:30"


@pytest.mark.parametrize(
    ("issued", "due"), [("2027-03-27 23:00", "2027-03-28 04:00"), ("2026-10-24 23:00", "2026-10-25 02:00")]
)
def test_a_red_lasts_four_real_hours_over_a_clock_change(issued: str, due: str) -> None:
    """The wall clock gains or loses an hour in the night; the child's four hours do not."""
    moment = local(issued)
    assert due == shown(response_due(RED, moment, calendar=MASH_CALENDAR))
    assert timedelta(hours=4) == response_due(RED, moment, calendar=MASH_CALENDAR) - moment


def test_a_blue_enquiry_asks_nobody() -> None:
    """P2: there is no due time to compute, and saying one would hide the mistake."""
    with pytest.raises(NobodyAskedError):
        response_due(BLUE, local("2026-11-24 10:12"), calendar=MASH_CALENDAR)


def test_an_area_may_measure_red_in_working_hours() -> None:
    """Friday 15:40 is then Monday 11:40, which is why it is never the default (P3)."""
    due = response_due(RED, local("2026-11-27 15:40"), calendar=MASH_CALENDAR, allowances=RED_IN_WORKING_HOURS)
    assert shown(due) == "2026-11-30 11:40"


@pytest.mark.parametrize(("rating", "urgent"), [(RED, True), (AMBER, True), (GREEN, False)])
@pytest.mark.parametrize("issued", ["2026-11-24 10:12", "2026-11-27 15:40", "2026-12-31 12:00", "2026-11-24 20:00"])
def test_red_and_amber_are_urgent_and_green_is_exactly_not(rating: RagRating, urgent: bool, issued: str) -> None:
    """SLA-02: less than 24 hours of office time; GREEN has exactly 24."""
    due = response_due(rating, local(issued), calendar=MASH_CALENDAR)
    assert urgent is is_urgent(local(issued), due, calendar=MASH_CALENDAR)


def test_a_green_due_a_second_sooner_is_urgent() -> None:
    """The boundary of SLA-02 from its other side."""
    issued = local("2026-11-24 10:12")
    due = response_due(GREEN, issued, calendar=MASH_CALENDAR) - timedelta(seconds=1)
    assert is_urgent(issued, due, calendar=MASH_CALENDAR)


def test_a_green_over_an_early_friday_is_urgent() -> None:
    """24 working hours are literal: three days with a short Friday among them are 23."""
    short = MASH_CALENDAR.with_early_close(FRIDAY, time(16))
    issued = local("2026-11-24 10:12")
    wednesday = local("2026-11-25 10:12")
    assert not is_urgent(issued, response_due(GREEN, issued, calendar=short), calendar=short)
    assert is_urgent(wednesday, response_due(GREEN, wednesday, calendar=short), calendar=short)


@pytest.mark.parametrize(
    ("existing", "rerated", "rating", "due"),
    [
        ("2026-11-25 10:12", "2026-11-24 14:20", RED, "2026-11-24 18:20"),
        ("2026-11-25 10:12", "2026-11-25 09:00", RED, "2026-11-25 10:12"),
        ("2026-11-24 14:12", "2026-11-24 12:00", GREEN, "2026-11-24 14:12"),
        ("2026-11-24 14:12", "2026-11-24 16:00", AMBER, "2026-11-24 14:12"),
    ],
)
def test_a_rerating_never_lengthens_a_due_time(existing: str, rerated: str, rating: RagRating, due: str) -> None:
    """SLA-10: the sooner of the existing due time and the new allowance; rating down gains nobody time."""
    assert due == shown(rerated_due(local(existing), local(rerated), rating, calendar=MASH_CALENDAR))


def test_a_due_time_is_set_later_only_with_a_reason() -> None:
    """RFI-02: an extension without a word would be a silent one."""
    due, later, sooner = local("2026-11-25 10:12"), local("2026-11-26 10:12"), local("2026-11-25 09:00")
    for blank in ("", "  \n"):
        with pytest.raises(ReasonMissingError):
            extended_due(due, later, reason=blank)
    assert later == extended_due(due, later, reason="school closed by flood")
    assert sooner == extended_due(due, sooner, reason="")


@pytest.mark.parametrize(
    ("rating", "call", "ack", "onward"),
    [
        (RED, "2026-11-24 10:42", "2026-11-24 10:42", "2026-11-24 14:12"),
        (AMBER, "2026-11-24 12:12", "2026-11-24 12:12", "2026-11-25 10:12"),
        (GREEN, "2026-11-24 12:12", "2026-11-25 10:12", "2026-11-25 10:12"),
    ],
)
def test_calls_acknowledgements_and_onward_questions_follow_the_rating(
    rating: RagRating, call: str, ack: str, onward: str
) -> None:
    """SLA-02, FAN-07 and DIS-04, each by its row."""
    issued = local("2026-11-24 10:12")
    assert call == shown(phone_call_due(rating, issued, calendar=MASH_CALENDAR))
    assert ack == shown(human_ack_due(rating, issued, calendar=MASH_CALENDAR))
    assert onward == shown(onward_question_due(rating, issued, calendar=MASH_CALENDAR))


def test_an_adapter_acknowledges_within_a_minute_at_any_hour() -> None:
    """FAN-08: a machine keeps no office hours."""
    assert shown(adapter_ack_due(local("2026-12-25 23:59"), calendar=MASH_CALENDAR)) == "2026-12-26 00:00"


def test_the_outcome_of_the_scenario_is_due_as_written_there() -> None:
    """Decided Tuesday 18:40, which rolls to Wednesday 09:00: partners in 3 working days (SLA-03)."""
    assert shown(outcome_to_partners_due(local("2026-11-24 18:40"), calendar=MASH_CALENDAR)) == "2026-11-30 09:00"


def test_a_referrer_hears_in_one_day_below_the_threshold_and_in_three_otherwise() -> None:
    """SLA-04, SLA-05: the two rows of the service levels."""
    decided = local("2026-11-24 18:40")
    assert shown(referrer_due(decided, below_threshold=True, calendar=MASH_CALENDAR)) == "2026-11-26 09:00"
    assert shown(referrer_due(decided, below_threshold=False, calendar=MASH_CALENDAR)) == "2026-11-30 09:00"


def test_testfordshire_tells_every_referrer_in_one_day() -> None:
    """The scenario's decision is at level 4 and its referrer is due on Thursday: a setting of that area."""
    due = referrer_due(
        local("2026-11-24 18:40"), below_threshold=False, calendar=MASH_CALENDAR, allowances=EVERY_REFERRER_IN_A_DAY
    )
    assert shown(due) == "2026-11-26 09:00"


def test_decisions_corrections_and_minutes_have_their_working_days() -> None:
    """One working day, one, and three."""
    moment = local("2026-11-24 10:12")
    assert shown(decision_due(moment, calendar=MASH_CALENDAR)) == "2026-11-25 10:12"
    assert shown(correction_ack_due(moment, calendar=MASH_CALENDAR)) == "2026-11-25 10:12"
    assert shown(marac_minutes_due(moment, calendar=MASH_CALENDAR)) == "2026-11-27 10:12"


@pytest.mark.parametrize(
    ("asked", "minutes", "due"),
    [
        ("2026-11-24 14:20", 60, "2026-11-24 17:20"),
        ("2026-11-24 14:20", 0, "2026-11-24 18:20"),
        ("2026-11-24 17:20", 60, "2026-11-24 17:50"),  # an hour's margin of the hour left: half of it
        ("2026-11-24 18:20", 60, "2026-11-24 18:20"),
        ("2026-11-24 19:00", 60, "2026-11-24 18:20"),  # asked too late already: due when the request is
    ],
)
def test_a_source_answers_before_its_conduit_has_to(asked: str, minutes: int, due: str) -> None:
    """FAN-04: the request's due time less a margin, which never leaves the source less than half of what is left."""
    sub_due = sub_request_due(local("2026-11-24 18:20"), asked_at=local(asked), margin=timedelta(minutes=minutes))
    assert due == shown(sub_due)


def test_a_margin_is_not_negative() -> None:
    """A negative margin would let a source answer after its conduit's own due time."""
    with pytest.raises(ValueError, match="not negative"):
        sub_request_due(local("2026-11-24 18:20"), asked_at=local("2026-11-24 10:12"), margin=timedelta(minutes=-1))
    with pytest.raises(ValueError, match="not negative"):
        Allowances(sub_request_margin=timedelta(minutes=-1))


def test_no_due_time_is_computed_from_a_time_without_a_zone() -> None:
    """A naive time would be read in the machine's own zone: an hour off in summer, and nobody would see it."""
    naive = local("2026-11-24 10:12").replace(tzinfo=None)
    aware = local("2026-11-25 10:12")
    attempts: tuple[Callable[[], object], ...] = (
        lambda: response_due(RED, naive, calendar=MASH_CALENDAR),
        lambda: response_due(AMBER, naive, calendar=MASH_CALENDAR),
        lambda: rerated_due(naive, aware, RED, calendar=MASH_CALENDAR),
        lambda: is_urgent(naive, aware, calendar=MASH_CALENDAR),
        lambda: sub_request_due(aware, asked_at=naive),
    )
    for attempt in attempts:
        with pytest.raises(NaiveTimeError):
            attempt()
