"""Opens everything by which people are told: duty file, secrets, carriers, courier; and closes it again.

It guarantees: a duty file that is not understood, or a secret that is missing, is found when the watch starts and not
by the first urgent alert; a file that changes is taken up while the watch runs (`broker.alerts.duty_keeper`).
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from broker.alerts.canary import CANARY_PASSWORD, MailCanary
from broker.alerts.carrying import Wording
from broker.alerts.courier import Courier
from broker.alerts.desks import Way
from broker.alerts.duty_file import DutySettings, understand
from broker.alerts.duty_keeper import LOOK_EVERY, Arranged, DutyKeeper
from broker.alerts.mail import PASSWORD, MailCarrier
from broker.alerts.notify import KEY, NotifyCarrier
from broker.alerts.routing import Carrier
from broker.alerts.secrets import Secrets
from broker.alerts.tokens import Tokens
from broker.alerts.webhook import WebhookCarrier, secret_of
from broker.calendars import Calendars
from broker.ledger.ledger import Ledger

ACKNOWLEDGE: Final = "acknowledge.key"


@asynccontextmanager
async def courier_at(
    path: Path,
    *,
    ledger: Ledger,
    calendars: Calendars,
    clock: Callable[[], datetime],
    secrets: Secrets,
    look_every: float = LOOK_EVERY,
) -> AsyncIterator[Courier]:
    """Run the courier of the duty file at `path`, also when it changes: it is looked at every `look_every` seconds.

    Raises `DutyFileUnreadable` and `SecretMissing` where it cannot start.
    """
    arrange = partial(arranged, path=path, calendars=calendars, clock=clock, secrets=secrets)
    with ExitStack() as closing:  # outside of what still tells somebody by older settings
        keeper = DutyKeeper(path, lambda text, before: _closed_by(closing, arrange(text, before)))
        first = keeper.read()
        wording = Wording(first.base, Tokens(secrets.signing_keys(ACKNOWLEDGE)))
        courier = Courier(ledger, first.duty, first.carriers, wording=wording, clock=clock, canary=first.canary)
        async with courier.running(), keeper.keeping(courier, every=look_every):
            yield courier


def arranged(
    text: bytes,
    before: Arranged | None,
    *,
    path: Path,
    calendars: Calendars,
    clock: Callable[[], datetime],
    secrets: Secrets,
) -> Arranged:
    """Make of a duty file what it arranges; carriers `before` it are kept where nothing was said of their servers.

    Raises `DutyFileUnreadable` and `SecretMissing`.
    """
    found = understand(text, path=path, calendars=calendars)
    settings = found.settings
    if before is not None and _servers(settings) == _servers(before.settings):
        return Arranged(settings, found.duty, before.carriers, before.canary)
    carriers = carriers_of(settings, secrets=secrets, clock=clock)
    return Arranged(settings, found.duty, carriers, canary_of(settings, carriers, secrets=secrets))


def _servers(settings: DutySettings) -> tuple[object, ...]:
    return (settings.mail, settings.notify, settings.webhooks)


def _closed_by(closing: ExitStack, made: Arranged) -> Arranged:
    """Have the threads of Notify ended when everything ends: what is underway by older settings still needs them."""
    for carrier in made.carriers.values():
        if isinstance(carrier, NotifyCarrier):
            closing.callback(carrier.close)
    return made


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
