"""Notices by mail: SMTP with STARTTLS or TLS (RFC 5321, RFC 3207, RFC 8314), one connection a mail.

It guarantees: nothing goes out before the connection is secured and the server's name checked, and a server that does
not offer STARTTLS is not spoken to in the open; a mail counts as taken when the server has said so, whatever happens to
the connection afterwards; every wait is bounded.
It says of a mail what the four fields say and nothing of this machine: no host name, no user, no program.
A server that accepts and then drops cannot be told from an honest one here: see `broker.alerts.canary`.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from secrets import token_hex
from typing import Final

import aiosmtplib

from broker.alerts.desks import Route
from broker.alerts.notice import Notice
from broker.alerts.routing import Accepted, Fate, NotTold, WayFault
from broker.alerts.secrets import Secret
from broker.alerts.settings import MailSettings

PASSWORD: Final = "mail.password"  # noqa: S105 - the name of the secret
_POLITE: Final = 2.0
"""Seconds for a goodbye: what was said before it counts."""
_STARTTLS: Final = {"starttls": True, "tls": False, "none": False}


class MailCarrier:
    """Carries notices to one mail server. `clock` dates the mails."""

    def __init__(
        self,
        settings: MailSettings,
        *,
        password: Secret | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.limit = settings.timeout
        self._settings, self._password, self._clock = settings, password, clock
        self._domain = settings.sender.partition("@")[2]
        secured = settings.tls != "none"
        self._tls = ssl.create_default_context(cafile=settings.authority) if secured else None

    async def tell(self, route: Route, notice: Notice, *, telling: int) -> Accepted:
        """Send the mail."""
        message = self._message(route.address, str(telling), subject=notice.headline, text=notice.text)
        await self._send(route.address, message)
        return Accepted()

    async def send_plain(self, address: str, headers: Mapping[str, str]) -> None:
        """Send a mail that says nothing but its headers, to ourselves (`broker.alerts.canary`)."""
        message = self._message(address, "canary", subject="MASH canary", text="This mail is for a program.\n")
        for name, value in headers.items():
            message[name] = value
        await self._send(address, message)

    async def probe(self, route: Route) -> None:
        """Go as far as the recipient's address, and send no mail."""
        async with self._server() as server:
            await server.mail(self._settings.sender)
            await server.rcpt(route.address)
            await server.rset()

    async def fate(self, receipt: str) -> Fate:
        """Say what is known: the server has it."""
        return Fate.DELIVERED

    @asynccontextmanager
    async def _server(self) -> AsyncIterator[aiosmtplib.SMTP]:
        settings = self._settings
        server = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            local_hostname=self._domain,
            timeout=settings.timeout,
            use_tls=settings.tls == "tls",
            start_tls=_STARTTLS[settings.tls],
            tls_context=self._tls,
        )
        try:
            with _named_faults():
                await server.connect()
                if settings.user and self._password is not None:
                    await server.login(settings.user, self._password.reveal())
                yield server
        finally:
            await _goodbye(server)

    async def _send(self, address: str, message: EmailMessage) -> None:
        async with self._server() as server:
            await server.sendmail(self._settings.sender, [address], message.as_bytes(policy=WIRE))

    def _message(self, address: str, name: str, *, subject: str, text: str) -> EmailMessage:
        message = EmailMessage(policy=WIRE)
        message["From"] = self._settings.sender
        message["To"] = address
        message["Subject"] = subject
        message["Date"] = format_datetime(self._clock())
        # A mail that is sent again after a crash has an id of its own; some servers drop what they have seen.
        message["Message-ID"] = f"<{name}.{token_hex(8)}@{self._domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer from somebody's holiday notice
        message.set_content(text, cte="7bit")
        return message


async def _goodbye(server: aiosmtplib.SMTP) -> None:
    """Take leave; a server that does not answer is left without."""
    with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        async with asyncio.timeout(_POLITE):
            await server.quit()
    server.close()


@contextmanager
def _named_faults() -> Iterator[None]:
    try:
        yield
    except (aiosmtplib.SMTPException, OSError) as fault:
        raise NotTold(_fault_of(fault)) from None


def _fault_of(fault: Exception) -> WayFault:
    """Name a fault; 4xx is a server that asks to be tried again, 5xx one that says no (RFC 5321 §4.2.1)."""
    if isinstance(fault, aiosmtplib.SMTPRecipientsRefused):
        fault = fault.recipients[0]
    if isinstance(fault, aiosmtplib.SMTPResponseException):
        if 400 <= fault.code < 500:
            return WayFault.BUSY
        return WayFault.KEY if isinstance(fault, aiosmtplib.SMTPAuthenticationError) else WayFault.REFUSED
    if isinstance(fault, TimeoutError):
        return WayFault.TIMEOUT
    if isinstance(fault, ssl.SSLError) or isinstance(fault.__cause__, ssl.SSLError):
        return WayFault.UNTRUSTED
    # What is left of the library's own complaints is about STARTTLS or AUTH that the server does not offer.
    return WayFault.UNREACHABLE if isinstance(fault, OSError) else WayFault.UNTRUSTED
