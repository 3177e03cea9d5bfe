"""An alert's way to a human being, over real servers and both databases: told by every way, once, whoever restarts."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from broker.alerts import AlertKind, Urgency
from broker.alerts.acknowledging import Acknowledgement, acknowledge_by_token
from broker.alerts.desks import Route, Way
from broker.alerts.listing import listed_recent
from broker.alerts.notice import Notice
from broker.alerts.routing import Accepted, Fate
from broker.ledger.ledger import Ledger
from tests.integration.alerts.office import PLACES, POLICE, TOKENS, URGENT, Office, office, token_in
from tests.integration.alerts.servers import Mood
from tests.support.parties import NOW


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
