"""Opens everything by which people are told: duty file, secrets, carriers, courier; and closes it again.

It guarantees: a duty file that is not understood, or a secret that is missing, is found when the watch starts and not
by the first urgent alert.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from broker.alerts.canary import CANARY_PASSWORD, MailCanary
from broker.alerts.carrying import Wording
from broker.alerts.courier import Courier
from broker.alerts.desks import Way
from broker.alerts.duty_file import DutySettings, read_duty_file
from broker.alerts.mail import PASSWORD, MailCarrier
from broker.alerts.notify import KEY, NotifyCarrier
from broker.alerts.routing import Carrier
from broker.alerts.secrets import Secrets
from broker.alerts.tokens import Tokens
from broker.alerts.webhook import WebhookCarrier, secret_of
from broker.calendars import Calendars
from broker.ledger import Ledger

ACKNOWLEDGE: Final = "acknowledge.key"


@asynccontextmanager
async def courier_at(
    path: Path, *, ledger: Ledger, calendars: Calendars, clock: Callable[[], datetime], secrets: Secrets
) -> AsyncIterator[Courier]:
    """Run the courier of the duty file at `path`. Raises `DutyFileUnreadable` and `SecretMissing`."""
    found = read_duty_file(path, calendars=calendars)
    wording = Wording(found.settings.page.link, Tokens(secrets.signing_keys(ACKNOWLEDGE)))
    carriers = carriers_of(found.settings, secrets=secrets, clock=clock)
    canary = canary_of(found.settings, carriers, secrets=secrets)
    courier = Courier(ledger, found.duty, carriers, wording=wording, clock=clock, canary=canary)
    try:
        async with courier.running():
            yield courier
    finally:
        for carrier in carriers.values():
            if isinstance(carrier, NotifyCarrier):
                carrier.close()


def carriers_of(settings: DutySettings, *, secrets: Secrets, clock: Callable[[], datetime]) -> dict[Way, Carrier]:
    """Make a carrier for every way that is set up. Raises `SecretMissing`."""
    carriers: dict[Way, Carrier] = {}
    if settings.mail is not None:
        password = secrets.read(PASSWORD) if settings.mail.user else None
        carriers[Way.MAIL] = MailCarrier(settings.mail, password=password, clock=clock)
    if settings.notify is not None:
        notify = NotifyCarrier(settings.notify, key=secrets.read(KEY))
        carriers |= {Way.NOTIFY_EMAIL: notify, Way.NOTIFY_TEXT: notify}
    if settings.webhooks:
        keys = {name: secrets.signing_keys(secret_of(name)) for name in settings.webhooks}
        carriers[Way.WEBHOOK] = WebhookCarrier(settings.webhooks, keys=keys, clock=clock)
    return carriers


def canary_of(settings: DutySettings, carriers: Mapping[Way, Carrier], *, secrets: Secrets) -> MailCanary | None:
    """Make the canary, if one is set up. Raises `SecretMissing`."""
    mail = carriers.get(Way.MAIL)
    if settings.mail is None or settings.mail.canary is None or not isinstance(mail, MailCarrier):
        return None
    return MailCanary(settings.mail.canary, mail, secrets.read(CANARY_PASSWORD))
