"""A mail to ourselves, over a real mail server and a mailbox: what is accepted and dropped is found out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from broker.alerts import HUB, AlertKind
from broker.alerts.canary import HEADER, MailCanary
from broker.alerts.mail import MailCarrier
from broker.alerts.routing import NotTold, WayFault
from broker.alerts.secrets import Secret
from broker.alerts.settings import CanarySettings, MailSettings
from tests.integration.alerts.imap import Mailbox, mailbox_of
from tests.integration.alerts.office import Office
from tests.integration.alerts.servers import MailServer, Mood, mail_server, nobodys_port

ADDRESS = "mash-canary@hub.example.org"


@dataclass
class Aviary:
    """A mail server, the mailbox behind it, and canaries through both."""

    server: MailServer
    mailbox: Mailbox

    def canary(self, *, password: str | None = None, **changes: Any) -> MailCanary:
        plain: dict[str, Any] = {
            "address": ADDRESS,
            "imap": "localhost",
            "port": self.mailbox.port,
            "tls": "none",
            "user": "mash-canary",
            "within": 20,
            "look_every": 0.05,
            "timeout": 20,
        }
        sender = "mash-alerts@hub.example.org"
        mail = MailSettings(host="localhost", port=self.server.port, tls="none", sender=sender, timeout=20)
        return MailCanary(
            CanarySettings.model_validate(plain | changes), MailCarrier(mail), Secret(password or self.mailbox.password)
        )

    async def fault(self, **changes: Any) -> WayFault:
        with pytest.raises(NotTold) as failed:
            await self.canary(**changes).fly()
        return failed.value.fault


@asynccontextmanager
async def aviary() -> AsyncIterator[Aviary]:
    async with mail_server() as server, mailbox_of(server, ADDRESS) as mailbox:
        yield Aviary(server, mailbox)


async def test_a_canary_that_arrives_is_found_by_its_word_and_taken_away_with_its_elders() -> None:
    """The mailbox does not fill up; nobody else's mail is touched."""
    async with aviary() as birds:
        with pytest.raises(NotTold):
            await birds.canary(port=nobodys_port()).fly()
        await birds.canary().fly()
        assert birds.server.mails == []
        assert len(birds.mailbox.searched[0]) == 32


async def test_a_mail_server_that_accepts_and_drops_is_found_out() -> None:
    """Bad input of issue 7, without an alert and without a human."""
    async with aviary() as birds:
        birds.server.mood = Mood.DROPS
        assert await birds.fault(within=0.5) is WayFault.DROPPED


async def test_somebody_elses_canary_is_not_taken_for_ours() -> None:
    """Attack: whoever drops our mail puts one of its own into the mailbox."""
    async with aviary() as birds:
        await birds.canary().mail.send_plain(ADDRESS, {HEADER: "0" * 32})
        birds.server.mood = Mood.DROPS
        assert await birds.fault(within=0.5) is WayFault.DROPPED


async def test_a_canary_whose_mailbox_cannot_be_read_is_named_by_its_fault() -> None:
    """That we cannot look is not that it was dropped."""
    async with aviary() as birds:
        assert await birds.fault(password="wrong") is WayFault.KEY
        assert await birds.fault(port=nobodys_port()) is WayFault.UNREACHABLE
        birds.mailbox.hangs = True
        assert await birds.fault(timeout=0.5) is WayFault.TIMEOUT


async def test_a_canary_whose_mail_is_refused_is_named_by_that() -> None:
    """The fault of the mail server, not of the mailbox."""
    async with aviary() as birds:
        birds.server.mood = Mood.REFUSES
        assert await birds.fault() is WayFault.REFUSED


async def test_dropped_mail_is_an_alert_of_the_hubs_until_a_canary_arrives(hub: Office) -> None:
    """Nothing else mends it: the server goes on accepting."""
    dropped = (AlertKind.NOT_TOLD, HUB, "dropped.mail.canary")
    async with mailbox_of(hub.mail, ADDRESS) as mailbox:
        birds = Aviary(hub.mail, mailbox)
        hub.mail.mood = Mood.DROPS
        first = hub.courier(canary=birds.canary(within=0.5))
        await hub.turn(first)
        assert dropped in await hub.troubles(first)
        hub.mail.mood = Mood.TAKES
        second = hub.courier(canary=birds.canary())
        await hub.turn(second)
        assert dropped not in await hub.troubles(second)


async def test_a_canary_that_is_no_longer_wanted_is_not_complained_about(hub: Office) -> None:
    """The duty file as it stands decides."""
    async with mailbox_of(hub.mail, ADDRESS) as mailbox:
        hub.mail.mood = Mood.DROPS
        await hub.turn(hub.courier(canary=Aviary(hub.mail, mailbox).canary(within=0.2)))
    assert await hub.troubles(hub.courier()) == set()
