"""Whom a courier tells and whom no more: office hours, leave, what is over, and the duty file as it stands."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from broker.alerts import AlertKind, Urgency
from broker.alerts.acknowledging import acknowledge
from broker.alerts.claiming import claim, write_steps
from broker.alerts.desks import Route, Way
from broker.alerts.escalation import Tell
from broker.alerts.tellings import open_cases
from broker.calendar import Span
from tests.integration.alerts.office import DEPUTY, HOOK, OFFICER, POLICE, URGENT, Office
from tests.integration.alerts.servers import Mood
from tests.unit.alerts.rota import desk, local


async def test_nobody_is_woken_for_what_can_wait(hub: Office) -> None:
    """An alert for the office day that is raised at night is told at nine."""
    hub.now = local("2026-11-24T22:00")
    courier = hub.courier()
    await hub.raise_(replace(URGENT, urgency=Urgency.TODAY))
    await hub.turn(courier, hours=10)
    assert await hub.told() == []
    assert await hub.troubles(courier) == set()
    await hub.turn(courier, hours=1)
    assert await hub.rungs() == ["contact_officer"]


async def test_at_night_only_the_out_of_hours_route_is_used(hub: Office) -> None:
    """Never to a person outside hours."""
    hub.now = local("2026-11-24T22:00")
    courier = hub.courier()
    await hub.raise_(URGENT)
    await hub.turn(courier)
    assert await hub.rungs() == ["out_of_hours"]
    assert len(hub.receiver.alerts()) == 1
    assert (hub.mail.mails, hub.notify.sent) == ([], [])


async def test_a_mail_that_failed_in_the_afternoon_is_not_tried_again_in_the_evening(hub: Office) -> None:
    """Decided in office hours, and the officer went home: the out-of-hours route is told, and the officer at nine."""
    hub.now = local("2026-11-24T16:59")
    hub.desks = (desk(OFFICER, out_of_hours=(HOOK,)),)
    hub.mail.mood = Mood.IS_BUSY
    await hub.raise_(URGENT)
    await hub.turn(hub.courier())
    hub.mail.mood = Mood.TAKES
    courier = hub.courier()
    await hub.turn(courier, minutes=5, rounds=2)
    assert hub.mail.mails == []
    assert await hub.rungs() == ["contact_officer", "out_of_hours"]
    assert len(hub.receiver.alerts()) == 1
    assert (AlertKind.NOT_TOLD, POLICE, "off_duty.mail.contact_officer") not in await hub.troubles(courier)
    hub.now = local("2026-11-25T09:00")
    await hub.turn(courier)
    assert len(hub.mail.mails) == 1


async def test_an_agency_that_is_all_on_leave_is_an_alert_of_its_own(hub: Office) -> None:
    """Nobody can be told: somebody else has to ring."""
    away = (Span(date(2026, 11, 20), date(2026, 12, 20)),)
    hub.desks = (desk(replace(OFFICER, leave=away), replace(DEPUTY, leave=away), out_of_hours=()),)
    courier = hub.courier()
    await hub.raise_(URGENT, replace(URGENT, participant="testford-health"))
    await hub.turn(courier)
    assert await hub.troubles(courier) == {
        (AlertKind.NOBODY_TO_TELL, POLICE, "nobody_on_duty"),
        (AlertKind.NOBODY_TO_TELL, "testford-health", "no_contacts"),
    }


async def test_what_is_over_before_it_could_be_told_is_told_no_more(hub: Office) -> None:
    """A mail about something that has been mended wakes somebody for nothing."""
    hub.mail.mood = Mood.IS_BUSY
    courier = hub.courier()
    await hub.raise_(URGENT)
    await hub.turn(courier)
    await hub.clear()
    hub.mail.mood = Mood.TAKES
    await hub.turn(courier, hours=1)
    assert hub.mail.mails == []
    assert {one.state for one in await hub.told() if one.way == "mail"} == {"abandoned"}


@pytest.mark.parametrize("how", ["acknowledged", "over"])
async def test_what_a_human_saw_a_moment_ago_is_not_taken_by_a_carrier(hub: Office, how: str) -> None:
    """Between the decision and the carrying somebody presses the button, or the cause goes away."""
    await hub.raise_(URGENT)
    (case,) = await open_cases(hub.ledger)
    await write_steps(hub.ledger, [(case.entry, hub.desks[0], Tell("contact_officer", (OFFICER,)))], now=hub.now)
    if how == "acknowledged":
        await acknowledge(hub.ledger, case.entry.number, by="operator", now=hub.now)
    else:
        await hub.clear()
    assert await claim(hub.ledger, now=hub.now, lease=timedelta(seconds=60), room={Way.MAIL: 16}) == ()
    assert await open_cases(hub.ledger) == ()


async def test_a_rung_that_was_decided_twice_has_its_rows_once(hub: Office) -> None:
    """Two watches decide at the same moment, and in between another deputy has come on duty."""
    await hub.raise_(URGENT)
    (case,) = await open_cases(hub.ledger)
    for post in (DEPUTY, DEPUTY, replace(DEPUTY, name="other-deputy")):
        await write_steps(hub.ledger, [(case.entry, hub.desks[0], Tell("deputy", (post,)))], now=hub.now)
    assert [one.post for one in await hub.told()] == ["deputy"]


async def test_a_post_that_left_the_duty_file_is_told_no_more_and_its_successor_is(hub: Office) -> None:
    """The file as it stands now decides where a telling leads."""
    hub.mail.mood = Mood.IS_BUSY
    hub.desks = (desk(OFFICER, out_of_hours=()),)
    await hub.raise_(URGENT)
    await hub.turn(hub.courier())
    hub.mail.mood = Mood.TAKES
    successor = replace(OFFICER, name="new-officer", routes=(Route(Way.MAIL, "new@police.example.org"),))
    hub.desks = (desk(successor, out_of_hours=()),)
    await hub.turn(hub.courier(), hours=1, rounds=2)
    assert [mail["To"] for mail in hub.mail.mails] == ["new@police.example.org"]
    assert [(one.post, one.state) for one in await hub.told()] == [
        ("officer", "abandoned"),
        ("new-officer", "delivered"),
    ]
