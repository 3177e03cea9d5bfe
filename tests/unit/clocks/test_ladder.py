"""The rows of a request: who is called when, as shares of the time its clock runs on."""

from broker.calendar import MASH_CALENDAR
from broker.sla import Contact, Leg, TimerKind, advice_alert_due, timers_for
from schemas.rating import RagRating
from tests.unit.clocks.times import local, shown

RED, AMBER, GREEN, BLUE = RagRating
DAY = "2026-11-24 "


def test_an_amber_request_gets_its_rows_when_it_is_issued() -> None:
    """Half and four fifths are of office time: 4 and 6.4 of 8 hours; a quarter more is 10 (SLA-08)."""
    timers = timers_for(AMBER, local(DAY + "10:12"), local("2026-11-25 10:12"), calendar=MASH_CALENDAR)
    assert [(timer.key, shown(timer.due_at)) for timer in timers] == [
        ("human_ack.1", "2026-11-24 12:12"),
        ("phone_call.1", "2026-11-24 12:12"),
        ("nudge.1", "2026-11-24 14:12"),
        ("warning.1", "2026-11-24 16:36"),
        ("breach.1", "2026-11-25 10:12"),
        ("escalation.1", "2026-11-25 12:12"),
    ]


def test_a_red_request_has_rows_through_the_night() -> None:
    """Friday 15:40: nothing waits for Monday (SLA-06)."""
    timers = timers_for(RED, local("2026-11-27 15:40"), local("2026-11-27 19:40"), calendar=MASH_CALENDAR)
    assert [(timer.kind, shown(timer.due_at)[11:]) for timer in timers] == [
        (TimerKind.HUMAN_ACK, "16:10"),
        (TimerKind.PHONE_CALL, "16:10"),
        (TimerKind.NUDGE, "17:40"),
        (TimerKind.WARNING, "18:52"),
        (TimerKind.BREACH, "19:40"),
        (TimerKind.ESCALATION, "20:40"),
    ]


def test_a_green_request_needs_no_telephone_call() -> None:
    """SLA-02: exactly 24 office hours are not urgent."""
    timers = timers_for(GREEN, local(DAY + "10:12"), local("2026-11-27 10:12"), calendar=MASH_CALENDAR)
    assert TimerKind.PHONE_CALL not in {timer.kind for timer in timers}


def test_the_ladder_climbs_from_contact_officer_to_agency_lead() -> None:
    """SLA-08: contact officer, deputy, SPOC, agency lead, and the coordinator knows from the breach on."""
    timers = timers_for(AMBER, local(DAY + "10:12"), local("2026-11-25 10:12"), calendar=MASH_CALENDAR)
    calls = {timer.kind: timer.calls for timer in timers}
    assert calls[TimerKind.NUDGE] == (Contact.CONTACT_OFFICER,)
    assert calls[TimerKind.WARNING] == (Contact.CONTACT_OFFICER, Contact.DEPUTY)
    assert calls[TimerKind.BREACH] == (Contact.SPOC, Contact.COORDINATOR)
    assert calls[TimerKind.ESCALATION] == (Contact.AGENCY_LEAD, Contact.COORDINATOR)


def test_a_due_time_in_the_night_still_has_a_ladder_in_order() -> None:
    """Set by hand with no office time before it: shares are of elapsed time, and none is of nothing."""
    timers = timers_for(AMBER, local(DAY + "18:00"), local(DAY + "20:00"), calendar=MASH_CALENDAR)
    ladder = [shown(timer.due_at)[11:] for timer in timers if timer.kind in {TimerKind.NUDGE, TimerKind.BREACH}]
    assert ladder == ["19:00", "20:00"]


def test_asking_for_advice_stops_no_clock_and_is_missed_at_half_of_what_is_left() -> None:
    """LAW-28: asked at 12:12, six working hours before an AMBER is due: missed after three."""
    leg = Leg(AMBER, local(DAY + "10:12"), local("2026-11-25 10:12"))
    alert = advice_alert_due(leg, local(DAY + "12:12"), calendar=MASH_CALENDAR)
    assert shown(alert) == "2026-11-24 15:12"
    overdue = advice_alert_due(leg, local("2026-11-25 12:00"), calendar=MASH_CALENDAR)
    assert shown(overdue) == "2026-11-25 10:12"
