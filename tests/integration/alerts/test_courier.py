"""An alert's way to a human being, over real servers and both databases."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta

import pytest

from broker.alerts import AlertKind, Urgency
from broker.alerts.acknowledging import Acknowledgement, acknowledge, acknowledge_by_token
from broker.alerts.claiming import claim, write_steps
from broker.alerts.desks import Route, Way
from broker.alerts.escalation import Tell
from broker.alerts.listing import listed_recent
from broker.alerts.notice import Notice
from broker.alerts.routing import Accepted, Fate
from broker.alerts.tellings import open_cases
from broker.calendar import Span
from broker.ledger.ledger import Ledger
from tests.integration.alerts.office import DEPUTY, HOOK, LINK, OFFICER, TEXT, TOKENS, URGENT, Office, office
from tests.integration.alerts.servers import Mood
from tests.support.parties import NOW
from tests.unit.alerts.rota import desk, local

POLICE = "testford-police"
PLACES = "ABCDEFGH"


@pytest.fixture
async def hub(ledger_url: str) -> AsyncIterator[Office]:
    async with office(ledger_url) as opened:
        yield opened


def token_in(text: str) -> str:
    found = re.search(re.escape(LINK) + r"/a/([A-Za-z0-9_-]+)", text)
    assert found
    return found[1]


async def test_an_alert_reaches_a_human_who_acknowledges_and_nobody_else_is_told(hub: Office) -> None:
    """The whole way: row, rung, mail, link, confirmation, silence."""
    courier = hub.courier()
    await hub.raise_(URGENT)
    await hub.turn(courier)
    (text,) = hub.mail.texts()
    assert "ABCDE-FGHIJ" in text
    assert "01632 960000" in text
    done = await acknowledge_by_token(hub.ledger, token_in(text), tokens=TOKENS, now=hub.now)
    assert isinstance(done, Acknowledgement)
    assert (done.desk, done.by) == (POLICE, "officer")
    await hub.turn(courier, hours=5)
    assert await hub.rungs() == ["contact_officer"]
    assert (len(hub.mail.mails), hub.notify.sent, hub.receiver.alerts()) == (1, [], [])
    assert await hub.troubles(courier) == set()


async def test_an_alert_that_nobody_acknowledges_climbs_the_ladder_by_every_way(hub: Office) -> None:
    """SLA-08: contact officer by mail, deputy by text, SPOC by email, agency lead by webhook and on the page."""
    courier = hub.courier()
    await hub.raise_(URGENT)
    for _ in range(6):
        await hub.turn(courier, minutes=30)
    assert await hub.rungs() == ["contact_officer", "deputy", "spoc", "agency_lead", "out_of_hours"]
    assert len(hub.mail.mails) == 1
    assert [one["path"] for one in hub.notify.sent] == ["/v2/notifications/sms", "/v2/notifications/email"]
    assert len(hub.receiver.alerts()) == 2
    assert await hub.troubles(courier) == {(AlertKind.UNACKNOWLEDGED, POLICE, "undelivered")}
    (page,) = [one for one in await hub.told() if one.way == "page"]
    assert (page.desk, page.state) == (POLICE, "delivered")


async def test_the_courier_goes_on_after_a_restart_and_tells_no_rung_twice(hub: Office) -> None:
    """The clock of an escalation is rows: it survives a restart and a sleep of two days."""
    await hub.raise_(URGENT)
    await hub.turn(hub.courier())
    await hub.turn(hub.courier(), minutes=29)
    assert await hub.rungs() == ["contact_officer"]
    await hub.turn(hub.courier(), days=2)
    assert await hub.rungs() == ["contact_officer", "deputy"]
    await hub.turn(hub.courier())
    assert (len(hub.mail.mails), len(hub.notify.sent)) == (1, 1)


async def test_two_couriers_on_one_ledger_tell_once(hub: Office) -> None:
    """Two watches agree, and a person gets one mail."""
    one, other = hub.courier(), hub.courier()
    await hub.raise_(URGENT)
    await asyncio.gather(*(courier.round() for courier in (one, other, one, other)))
    await asyncio.gather(one.settled(), other.settled())
    assert len(hub.mail.mails) == 1
    assert len(await hub.told()) == 1


async def test_a_telling_that_a_dead_process_had_in_hand_is_told_by_the_next(hub: Office) -> None:
    """Told once more, never never."""
    hub.mail.mood = Mood.HANGS
    await hub.raise_(URGENT)
    dying = hub.courier()
    await dying.round()
    await dying.let_go()
    hub.mail.mood = Mood.TAKES
    heir = hub.courier()
    await hub.turn(heir, seconds=30)
    assert hub.mail.mails == []
    await hub.turn(heir, seconds=70)
    assert len(hub.mail.mails) == 1


class LosesCancellations:
    """A carrier in the hands of a library that loses its first cancellation, and goes on as if nothing had been."""

    limit = 60.0

    def __init__(self) -> None:
        self.underway = asyncio.Event()
        self.lost = 0

    async def tell(self, route: Route, notice: Notice, *, telling: int) -> Accepted:
        self.underway.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        self.lost += 1
        await asyncio.Event().wait()
        return Accepted()

    async def probe(self, route: Route) -> None:
        """Every way works."""

    async def fate(self, receipt: str) -> Fate:
        return Fate.DELIVERED


async def test_a_courier_that_is_stopped_waits_out_no_server_whose_library_lost_the_cancellation(hub: Office) -> None:
    """`asyncio.wait_for` returns a result that comes together with a cancellation, and the cancellation is gone."""
    stubborn = LosesCancellations()
    hub.carriers[Way.MAIL] = stubborn
    await hub.raise_(URGENT)
    courier = hub.courier(cancel_again=0.05)
    await courier.round()
    await stubborn.underway.wait()
    await courier.let_go()
    assert stubborn.lost == 1
    hub.carriers[Way.MAIL] = stubborn = LosesCancellations()
    async with hub.courier(cancel_again=0.05).running():
        hub.now += timedelta(seconds=100)
        await stubborn.underway.wait()
    assert stubborn.lost == 1


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


async def test_a_storm_of_alerts_is_one_mail_about_the_most_urgent_and_all_of_them_are_told(hub: Office) -> None:
    """Sixty requests wait at one desk: nobody reads sixty mails, and the sixty-first must not be the urgent one."""
    courier = hub.courier()
    calm = [
        replace(URGENT, urgency=Urgency.TODAY, reference=f"AAAAA-AA{one}{two}A") for one in PLACES for two in PLACES
    ]
    await hub.raise_(*calm, URGENT)
    await hub.turn(courier)
    (text,) = hub.mail.texts()
    assert text.startswith("MASH alert, act now: ABCDE-FGHIJ\n")
    told = [one for listed in await listed_recent(hub.ledger) for one in listed.told]
    assert len(told) == len(calm) + 1
    assert {one.state for one in told} == {"delivered"}
    await hub.turn(courier, hours=2)
    assert len(hub.notify.sent) == 1


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


async def test_the_ledger_holds_no_address_no_number_and_no_token(hub: Office) -> None:
    """What is kept of a telling is posts and ways."""
    await hub.raise_(URGENT)
    courier = hub.courier()
    for _ in range(4):
        await hub.turn(courier, minutes=30)
    kept = repr(await listed_recent(hub.ledger))
    for secret in ("example.org", "07700", token_in(hub.mail.texts()[0])):
        assert secret not in kept


async def test_a_courier_runs_by_itself_survives_faults_and_says_when_it_stands_still(
    ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round that fails is not the last one; one that never ends is a trouble."""
    async with office(ledger_url) as hub:
        await hub.raise_(URGENT)
        writing, failures = Ledger.writing, [OSError(), LookupError()]

        def stumbles(self: Ledger) -> object:
            if failures:
                raise failures.pop()
            return writing(self)

        monkeypatch.setattr(Ledger, "writing", stumbles)
        async with hub.courier().running() as courier, asyncio.timeout(20):
            while not hub.mail.mails:  # noqa: ASYNC110 - another server's list has no event
                await asyncio.sleep(0.02)
            assert await hub.troubles(courier) == set()
        still = hub.courier(stalled_after=0.0)
        assert (AlertKind.NOT_TOLD, "hub", "courier.stalled") in await hub.troubles(still)
        assert hub.now == NOW
