"""Troubles with telling people become alerts at the hub's desk; a member without a desk is an alert too."""

from dataclasses import replace
from datetime import timedelta

from broker.alerts import HUB, AlertKind, Urgency, View
from broker.alerts.book import Entry
from broker.alerts.desk_rules import undesked
from broker.alerts.desks import Desk, Way
from broker.alerts.escalation import Why
from broker.alerts.kinds import Alert, Trouble
from broker.alerts.routing import WayFault
from broker.alerts.rules import judge
from broker.alerts.tellings import OpenCase, State, Telling
from broker.alerts.troubles import KINDS, troubles
from broker.alerts.ways import FailingWay, WayName
from broker.calendar import MASH_CALENDAR
from broker.calendars import Calendars
from tests.unit.alerts.rota import MONDAY, POLICE, desk, duty
from tests.unit.watch.traffic import HEALTH, LA, TELEPHONES, directory

URGENT = Alert(AlertKind.UNDELIVERED, POLICE, Urgency.NOW, peer=LA, reference="ABCDE-FGHIJ")
VIEW = View(MONDAY, MONDAY, directory(), Calendars())
TOLD = Telling(1, 17, POLICE, "contact_officer", "officer", Way.MAIL, 0, MONDAY, State.DELIVERED, 1, "", "")


def case(alert: Alert = URGENT, *told: Telling) -> OpenCase:
    return OpenCase(Entry(17, alert, MONDAY, None), told)


def test_a_trouble_is_an_alert_of_the_hubs_with_the_desk_as_its_other_end() -> None:
    """Whoever runs the hub mends the way, and reads whom to ring."""
    trouble = Trouble(AlertKind.NOT_TOLD, POLICE, Urgency.TODAY, code="refused.mail.deputy")
    (alert,) = judge(replace(VIEW, troubles=(trouble,)))
    assert (alert.kind, alert.participant, alert.peer, alert.code) == (
        AlertKind.NOT_TOLD,
        HUB,
        POLICE,
        "refused.mail.deputy",
    )
    assert alert.telephone == TELEPHONES[POLICE]


def test_members_without_a_duty_desk_are_told_where_there_is_a_duty_file() -> None:
    """GOV-05; bad input of issue 7: an agency without duty contacts."""
    assert list(undesked(VIEW)) == []
    found = judge(replace(VIEW, desks=frozenset({HUB, POLICE})))
    assert {(one.kind, one.participant, one.code) for one in found} == {
        (AlertKind.NO_DUTY_CONTACT, HEALTH, "desk"),
        (AlertKind.NO_DUTY_CONTACT, LA, "desk"),
    }


def test_every_failing_way_of_the_duty_file_is_one_trouble_and_others_are_none() -> None:
    """A way that was taken out of the file is no longer complained about."""
    named = WayName(POLICE, "deputy", "deputy", Way.NOTIFY_TEXT, 0)
    ways = [
        FailingWay(named, WayFault.KEY, MONDAY),
        FailingWay(replace(named, place=1), WayFault.KEY, MONDAY),
        FailingWay(replace(named, post="former-deputy"), WayFault.REFUSED, MONDAY),
    ]
    expected = Trouble(AlertKind.NOT_TOLD, POLICE, Urgency.TODAY, code="key.notify_text.deputy")
    assert troubles([], ways, duty=duty(), now=MONDAY) == (expected,)


def test_a_failing_way_of_the_hubs_own_desk_is_for_now() -> None:
    """Whatever else goes wrong would reach nobody."""
    way = FailingWay(WayName(HUB, "contact_officer", "operator", Way.MAIL, 0), WayFault.TIMEOUT, MONDAY)
    (trouble,) = troubles([], [way], duty=duty(), now=MONDAY)
    assert (trouble.desk, trouble.urgency, trouble.code) == (HUB, Urgency.NOW, "timeout.mail.contact_officer")


def test_every_code_of_a_trouble_fits_its_place() -> None:
    """The book keeps 40 characters; a longer code would be refused by PostgreSQL at night."""
    rungs = ("contact_officer", "out_of_hours", "agency_lead")
    codes = [".".join((fault.value, way.value, rung)) for fault in WayFault for way in Way for rung in rungs]
    assert max(map(len, codes)) <= 40
    assert max(len(kind.value) for kind in AlertKind) <= 24
    assert max(len(state.value) for state in State) <= 12
    assert max(len(fault.value) for fault in WayFault) <= 16


def test_an_alert_that_nobody_can_be_told_and_one_that_nobody_acknowledged_are_troubles() -> None:
    """Each with the urgency and the reference of the alert."""
    empty = replace(URGENT, participant=HEALTH)
    whole = duty(desk(), Desk(HEALTH))
    late = MONDAY + timedelta(minutes=30)
    found = troubles([case(URGENT, TOLD), case(empty)], [], duty=whole, now=late)
    assert {(one.kind, one.desk, one.code) for one in found} == {
        (AlertKind.UNACKNOWLEDGED, POLICE, "undelivered"),
        (AlertKind.NOBODY_TO_TELL, HEALTH, Why.NO_CONTACTS.value),
    }
    assert {(one.urgency, one.reference) for one in found} == {(Urgency.NOW, "ABCDE-FGHIJ")}


def test_troubles_make_no_further_troubles() -> None:
    """Attack without malice: the hub's own mail server is down, and each alert about it raises another."""
    nobody = replace(duty(), desks={HUB: Desk(HUB)})
    about = [case(Alert(kind, HUB, Urgency.NOW, peer=POLICE)) for kind in KINDS]
    assert troubles(about, [], duty=nobody, now=MONDAY) == ()


def test_a_case_that_cannot_be_decided_is_a_trouble_and_hides_no_other() -> None:
    """Bad input: an area whose office never opens, by which what can wait would be measured."""
    never = replace(MASH_CALENDAR, terms=())
    rota = duty(desk(calendar=never, out_of_hours=()), Desk(HEALTH))
    closed = replace(rota, desks={**rota.desks, HUB: Desk(HUB, calendar=never)})
    waiting = replace(URGENT, urgency=Urgency.TODAY)
    told = replace(TOLD, rung="deputy", post="deputy")
    found = troubles([case(waiting, told), case(replace(URGENT, participant=HEALTH))], [], duty=closed, now=MONDAY)
    assert {(one.desk, one.code) for one in found} == {(POLICE, "undecidable"), (HEALTH, "no_contacts")}


def test_a_page_that_nobody_looks_at_does_not_make_a_rung_reached() -> None:
    """The mail failed; that the alert also stands on a page must not cost thirty minutes."""
    failed = replace(TOLD, state=State.WAITING, fault="refused")
    page = replace(TOLD, way=Way.PAGE, state=State.DELIVERED)
    assert [step.is_vain for step in case(URGENT, failed, page).steps()] == [True]
    assert [step.is_vain for step in case(URGENT, page).steps()] == [False]
    assert [step.is_vain for step in case(URGENT, failed, TOLD).steps()] == [False]
    assert [step.is_vain for step in case(URGENT, replace(failed, fault="")).steps()] == [False]
