"""A hub's office under test: a ledger, a rota, real servers for every way, and a courier at a test's pace."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from broker.alerts import Alert, AlertKind, Urgency, book
from broker.alerts.canary import MailCanary
from broker.alerts.carrying import Wording
from broker.alerts.courier import Courier, CourierSettings
from broker.alerts.desks import Desk, Duty, Post, Route, Way
from broker.alerts.kinds import HUB
from broker.alerts.listing import Listed, Told, listed_recent
from broker.alerts.mail import MailCarrier
from broker.alerts.notify import NotifyCarrier
from broker.alerts.routing import Carrier
from broker.alerts.secrets import Secret
from broker.alerts.settings import MailSettings, NotifySettings, WebhookSettings
from broker.alerts.tokens import Tokens
from broker.alerts.webhook import WebhookCarrier
from broker.ledger.ledger import Ledger
from broker.settings import Backoff
from broker.sla import Contact
from tests.integration.alerts.servers import (
    EMAIL_TEMPLATE,
    NOTIFY_KEY,
    TEXT_TEMPLATE,
    MailServer,
    Notify,
    Receiver,
    http_server,
    mail_server,
)
from tests.support.parties import NOW
from tests.unit.alerts.rota import desk

POLICE = "testford-police"
PLACES = "ABCDEFGH"
"""Letters of which a test makes references, when it needs many."""
TOKENS = Tokens([b"0123456789abcdef"])
LINK = "https://hub.example.org"
EAGER = CourierSettings(
    round=0.02, probe_every=3600.0, follow_every=0.0, sight_every=0.0, backoff=Backoff(base=20.0, cap=20.0)
)
"""Production's behaviour; pauses are in the test's own time."""
MAIL = Route(Way.MAIL, "duty@police.example.org")
EMAIL = Route(Way.NOTIFY_EMAIL, "duty@police.example.org")
TEXT = Route(Way.NOTIFY_TEXT, "07700 900123")
HOOK = Route(Way.WEBHOOK, "control-room")
PAGE = Route(Way.PAGE)
OFFICER = Post("officer", Contact.CONTACT_OFFICER, (MAIL,))
DEPUTY = Post("deputy", Contact.DEPUTY, (TEXT,))
SPOC = Post("sharing-lead", Contact.SPOC, (EMAIL,))
LEAD = Post("safeguarding-lead", Contact.AGENCY_LEAD, (HOOK, PAGE))
OPERATOR = Post("operator", Contact.CONTACT_OFFICER, (PAGE,), round_the_clock=True)
URGENT = Alert(AlertKind.UNDELIVERED, POLICE, Urgency.NOW, peer="testford-la", reference="ABCDE-FGHIJ", code="RED")


@dataclass
class Office:
    """What a test sets and reads. `now` is Tuesday 24 November 2026, 10:12 in London."""

    ledger: Ledger
    mail: MailServer
    notify: Notify
    receiver: Receiver
    carriers: dict[Way, Carrier]
    now: datetime = NOW
    desks: tuple[Desk, ...] = field(default_factory=lambda: (desk(OFFICER, DEPUTY, SPOC, LEAD, out_of_hours=(HOOK,)),))
    standing: list[Alert] = field(default_factory=list)

    def courier(self, *, canary: MailCanary | None = None, **settings: Any) -> Courier:
        desks = {one.name: one for one in (Desk(HUB, (OPERATOR,)), *self.desks)}
        return Courier(
            self.ledger,
            Duty(desks, telephone="01632 960000", has_canary=canary is not None),
            self.carriers,
            wording=Wording(LINK, TOKENS),
            clock=lambda: self.now,
            canary=canary,
            settings=replace(EAGER, **settings),
        )

    async def raise_(self, *alerts: Alert) -> None:
        self.standing += alerts
        await book.write(self.ledger, self.standing, now=self.now)

    async def clear(self) -> None:
        self.standing = []
        await book.write(self.ledger, [], now=self.now)

    async def turn(self, courier: Courier, *, rounds: int = 1, **later: float) -> None:
        """Let time pass, and the courier do everything that is due."""
        self.now += timedelta(**later)
        self.receiver.now = self.now
        for _ in range(rounds):
            await courier.round()
            await courier.settled()

    async def listed(self) -> Listed:
        (one,) = await listed_recent(self.ledger)
        return one

    async def told(self) -> list[Told]:
        return list((await self.listed()).told)

    async def rungs(self) -> list[str]:
        """The rungs that were told, in order."""
        return list(dict.fromkeys(one.rung for one in await self.told()))

    async def troubles(self, courier: Courier) -> set[tuple[AlertKind, str, str]]:
        return {(one.kind, one.desk, one.code) for one in (await courier.sight(self.now)).troubles}


@asynccontextmanager
async def office(ledger_url: str) -> AsyncIterator[Office]:
    """Open a ledger and every server."""
    notify, receiver = Notify(), Receiver()
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(Ledger.opened(ledger_url, now=NOW))
        mail = await stack.enter_async_context(mail_server())
        notify_url = await stack.enter_async_context(http_server(notify.app()))
        hook_url = await stack.enter_async_context(http_server(receiver.app()))
        by_notify = NotifyCarrier(
            NotifySettings(email_template=EMAIL_TEMPLATE, text_template=TEXT_TEMPLATE, base_url=notify_url, timeout=20),
            key=Secret(NOTIFY_KEY),
        )
        stack.callback(by_notify.close)
        made = Office(ledger, mail, notify, receiver, {})
        hooks = {"control-room": WebhookSettings(url=f"{hook_url}/mash", timeout=20)}
        sender = "mash-alerts@hub.example.org"
        mail_settings = MailSettings(host="localhost", port=mail.port, tls="none", sender=sender, timeout=60)
        made.carriers |= {
            Way.MAIL: MailCarrier(mail_settings, clock=lambda: made.now),
            Way.NOTIFY_EMAIL: by_notify,
            Way.NOTIFY_TEXT: by_notify,
            Way.WEBHOOK: WebhookCarrier(hooks, keys={"control-room": [receiver.key]}, clock=lambda: made.now),
        }
        receiver.now = made.now
        yield made


def token_in(text: str) -> str:
    """Find the token of the acknowledging link in a mail."""
    found = re.search(re.escape(LINK) + r"/a/([A-Za-z0-9_-]+)", text)
    assert found
    return found[1]
