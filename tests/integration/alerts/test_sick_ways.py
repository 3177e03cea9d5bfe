"""A way that refuses, drops, hangs, bounces or was revoked costs an alert no time, and is an alert itself."""

import asyncio
from dataclasses import replace

from broker.alerts import AlertKind
from tests.integration.alerts.office import DEPUTY, HOOK, OFFICER, PLACES, POLICE, TEXT, URGENT, Office
from tests.integration.alerts.servers import Mood
from tests.unit.alerts.rota import desk


async def test_a_mail_server_that_refuses_costs_the_alert_no_time(hub: Office) -> None:
    """The next rung is told at once, the failure is an alert, and the mail goes out when the server is well again."""
    hub.mail.mood = Mood.REFUSES
    courier = hub.courier()
    await hub.raise_(URGENT)
    await hub.turn(courier, rounds=2)
    assert await hub.rungs() == ["contact_officer", "deputy"]
    assert len(hub.notify.sent) == 1
    assert (AlertKind.NOT_TOLD, POLICE, "refused.mail.contact_officer") in await hub.troubles(courier)
    hub.mail.mood = Mood.TAKES
    await hub.turn(courier, minutes=1)
    assert len(hub.mail.mails) == 1
    assert await hub.troubles(courier) == set()


async def test_a_mail_server_that_accepts_and_drops_is_seen_by_the_silence(hub: Office) -> None:
    """Bad input of issue 7: nothing failed, and nobody acknowledged."""
    hub.mail.mood = Mood.DROPS
    courier = hub.courier()
    await hub.raise_(URGENT)
    await hub.turn(courier)
    assert await hub.troubles(courier) == set()
    await hub.turn(courier, minutes=30)
    assert await hub.troubles(courier) == {(AlertKind.UNACKNOWLEDGED, POLICE, "undelivered")}
    assert await hub.rungs() == ["contact_officer", "deputy"]


async def test_a_mail_server_that_hangs_holds_up_no_text_message(hub: Office) -> None:
    """Each way has room of its own; the round does not wait."""
    hub.mail.mood = Mood.HANGS
    other = replace(desk(replace(OFFICER, routes=(TEXT,))), name="testford-health")
    hub.desks = (*hub.desks, other)
    courier = hub.courier()
    await hub.raise_(*(replace(URGENT, reference=f"AAAAA-AAAA{letter}") for letter in "ABCDEFGH"))
    await courier.round()
    await hub.raise_(replace(URGENT, participant="testford-health"))
    async with asyncio.timeout(30):  # half of what the mail server's silence may last
        await courier.round()
        while not hub.notify.sent:  # noqa: ASYNC110 - another server's list has no event
            await asyncio.sleep(0.01)
    assert hub.mail.mails == []
    await courier.let_go()


async def test_a_revoked_key_is_found_before_anybody_has_to_be_told(hub: Office) -> None:
    """Bad input of issue 7: a way that is broken at ten in the morning is not found out at two at night."""
    hub.notify.revoked = True
    courier = hub.courier()
    await hub.turn(courier)
    assert await hub.troubles(courier) == {
        (AlertKind.NOT_TOLD, POLICE, "key.notify_text.deputy"),
        (AlertKind.NOT_TOLD, POLICE, "key.notify_email.spoc"),
    }
    hub.notify.revoked = False
    await hub.turn(hub.courier())
    assert await hub.troubles(courier) == set()


async def test_a_webhook_that_answers_500_is_its_own_alert_and_is_tried_again(hub: Office) -> None:
    """With growing pauses, until it is well."""
    hub.receiver.answer = 500
    hub.desks = (desk(replace(OFFICER, routes=(HOOK,)), out_of_hours=()),)
    courier = hub.courier()
    await hub.raise_(URGENT)
    await hub.turn(courier)
    before = len(hub.receiver.requests)
    await hub.turn(courier, seconds=1)
    assert len(hub.receiver.requests) == before
    assert await hub.troubles(courier) == {
        (AlertKind.NOT_TOLD, POLICE, "busy.webhook.contact_officer"),
        (AlertKind.NOBODY_TO_TELL, POLICE, "all_ways_fail"),
    }
    hub.receiver.answer = 204
    await hub.turn(courier, seconds=30)
    assert len(hub.receiver.alerts()) == 1
    assert await hub.troubles(courier) == set()


async def test_a_text_message_that_bounces_is_not_waited_for(hub: Office) -> None:
    """Accepted by Notify is not delivered: a number that is no longer in use."""
    hub.notify.status = "permanent-failure"
    hub.desks = (desk(replace(OFFICER, routes=(TEXT,)), replace(DEPUTY, routes=(HOOK,))),)
    courier = hub.courier()
    await hub.raise_(URGENT)
    await hub.turn(courier, rounds=2)
    await hub.turn(courier, seconds=1)
    assert await hub.rungs() == ["contact_officer", "deputy"]
    assert (AlertKind.NOT_TOLD, POLICE, "bounced.notify_text.contact_officer") in await hub.troubles(courier)
    await hub.turn(hub.courier())
    assert (AlertKind.NOT_TOLD, POLICE, "bounced.notify_text.contact_officer") in await hub.troubles(courier)


async def test_a_storm_that_fails_is_tried_again_as_one(hub: Office) -> None:
    """One connection to a sick mail server, not sixty."""
    hub.mail.mood = Mood.IS_BUSY
    hub.desks = (desk(OFFICER, out_of_hours=()),)
    courier = hub.courier(probe_every=1e9)
    await hub.turn(courier)
    before = len(hub.mail.recipients)
    await hub.raise_(*(replace(URGENT, reference=f"AAAAA-AA{one}AA") for one in PLACES))
    await hub.turn(courier)
    assert len(hub.mail.recipients) == before + 1
    hub.mail.mood = Mood.TAKES
    await hub.turn(courier, seconds=30)
    assert len(hub.mail.mails) == 1
    assert await hub.troubles(courier) == set()
