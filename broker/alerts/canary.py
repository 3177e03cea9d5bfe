"""A mail to ourselves: sent as an alert is sent, and looked for in a mailbox of ours (IMAP, RFC 3501).

It guarantees: a mail server that accepts and drops is found out without an alert and without a human; what is looked
for is a random word that nobody else knows; canaries that were found are taken away again; every wait is bounded.
It refuses to read anything else: mails are sought by the canary's own header and no mail is opened.
"""

import asyncio
import imaplib
import ssl
from dataclasses import dataclass
from secrets import token_hex
from time import monotonic
from typing import Final

from broker.alerts.mail import MailCarrier
from broker.alerts.routing import NotTold, WayFault
from broker.alerts.secrets import Secret
from broker.alerts.settings import CanarySettings

CANARY_PASSWORD: Final = "canary.password"  # noqa: S105 - the name of the secret
HEADER: Final = "Mash-Canary"


@dataclass(frozen=True)
class MailCanary:
    """Sends canaries through `mail` and looks for them."""

    settings: CanarySettings
    mail: MailCarrier
    password: Secret

    @property
    def limit(self) -> float:
        """Seconds that one round trip may take in all."""
        return self.mail.limit + self.settings.within + 2 * self.settings.timeout

    async def fly(self) -> None:
        """Send a canary and wait for it. Raises `NotTold`: `DROPPED` if it was accepted and never came."""
        word = token_hex(16)
        await self.mail.send_plain(self.settings.address, {HEADER: word})
        until = monotonic() + self.settings.within
        while not await asyncio.to_thread(self._taken, word):
            if monotonic() >= until:
                raise NotTold(WayFault.DROPPED)
            await asyncio.sleep(self.settings.look_every)

    def _taken(self, word: str) -> bool:
        """Look for the canary; if it is there, take it and its elders away."""
        try:
            with self._mailbox() as mailbox:
                _answer(mailbox.login(self.settings.user, self.password.reveal()), WayFault.KEY)
                _answer(mailbox.select(self.settings.folder), WayFault.REFUSED)
                if not _found(mailbox, word):
                    return False
                for uid in _found(mailbox, ""):
                    mailbox.uid("STORE", uid, "+FLAGS", r"(\Deleted)")
                mailbox.expunge()
                return True
        except imaplib.IMAP4.abort:
            raise NotTold(WayFault.UNREACHABLE) from None
        except imaplib.IMAP4.error:
            raise NotTold(WayFault.KEY) from None
        except TimeoutError:
            raise NotTold(WayFault.TIMEOUT) from None
        except ssl.SSLError:
            raise NotTold(WayFault.UNTRUSTED) from None
        except OSError:
            raise NotTold(WayFault.UNREACHABLE) from None

    def _mailbox(self) -> imaplib.IMAP4:
        settings = self.settings
        if settings.tls == "none":
            return imaplib.IMAP4(settings.imap, settings.port, timeout=settings.timeout)
        context = ssl.create_default_context(cafile=settings.authority)
        return imaplib.IMAP4_SSL(settings.imap, settings.port, ssl_context=context, timeout=settings.timeout)


def _found(mailbox: imaplib.IMAP4, word: str) -> list[str]:
    _, answers = mailbox.uid("SEARCH", "HEADER", HEADER, f'"{word}"')
    return [uid for answer in answers if answer for uid in answer.decode("ascii").split()]


def _answer(answer: tuple[str, object], fault: WayFault) -> None:
    if answer[0] != "OK":
        raise NotTold(fault)
