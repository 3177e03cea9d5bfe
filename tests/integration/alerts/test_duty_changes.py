"""The duty file changes while the watch runs: who is told next, and what a bad file does not stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from structlog.testing import capture_logs

from broker.alerts import Alert, AlertKind, Urgency, book
from broker.alerts.courier import Courier
from broker.alerts.desks import Desk, Duty, Post, Way
from broker.alerts.kinds import HUB
from broker.alerts.opening import courier_at
from broker.alerts.secrets import Secrets
from broker.alerts.tellings import State
from broker.calendars import Calendars
from broker.ledger.ledger import Ledger
from broker.sla import Contact
from tests.integration.alerts.office import OPERATOR, TEXT, URGENT, office
from tests.integration.alerts.servers import MailServer, mail_server
from tests.support.parties import NOW
from tests.unit.alerts.rota import desk

DUTY = """
[page]
link = "https://hub.example.org"
[mail]
host = "127.0.0.1"
port = {port}
tls = "none"
sender = "mash-alerts@hub.example.org"
[hub]
telephone = "01632 960000"
[[hub.posts]]
post = "operator"
rung = "contact_officer"
ways = ["mail:operations@hub.example.org"]
round_the_clock = true
[[desks.testford-police.posts]]
post = "sergeant"
rung = "contact_officer"
ways = ["mail:{to}"]
round_the_clock = true
"""


@dataclass
class Night:
    """A courier that keeps its duty file, and a mail server."""

    ledger: Ledger
    courier: Courier
    mail: MailServer
    path: Path

    def arrange(self, to: str) -> None:
        """Save another duty file."""
        self.path.write_text(DUTY.format(port=self.mail.port, to=to))

    async def raise_(self, *references: str) -> None:
        """Let these alerts stand, and no others."""
        alerts = [Alert(AlertKind.UNREAD, "testford-police", Urgency.NOW, reference=one) for one in references]
        await book.write(self.ledger, alerts, now=NOW)

    async def until_told(self, to: str) -> None:
        """Wait for a mail to this address."""
        async with asyncio.timeout(60):
            while to not in [mail["To"] for mail in self.mail.mails]:  # noqa: ASYNC110 - another server's list
                await asyncio.sleep(0.05)

    async def until_tried(self, to: str) -> None:
        """Wait until the way to this address has been tried: the file that names it is in use."""
        async with asyncio.timeout(60):
            while to not in self.mail.recipients:  # noqa: ASYNC110 - another server's list has no event
                await asyncio.sleep(0.05)

    async def until_fault(self, fault: str) -> None:
        """Wait until the courier says so of its file."""
        async with asyncio.timeout(60):
            while self.courier.duty_fault != fault:  # noqa: ASYNC110 - the courier's word has no event
                await asyncio.sleep(0.02)


@asynccontextmanager
async def night(ledger_url: str, folder: Path) -> AsyncIterator[Night]:
    """Run a courier over a duty file that names the first sergeant."""
    path, secrets = folder / "duty.toml", Secrets(environment={"MASH_SECRET_ACKNOWLEDGE_KEY": "0123456789abcdef"})
    async with mail_server() as mail, Ledger.opened(ledger_url, now=NOW) as ledger:
        path.write_text(DUTY.format(port=mail.port, to="first@police.example.org"))
        running = courier_at(
            path, ledger=ledger, calendars=Calendars(), clock=lambda: NOW, secrets=secrets, look_every=0.02
        )
        async with running as courier:
            yield Night(ledger, courier, mail, path)


async def test_who_is_named_in_a_changed_duty_file_is_told_without_a_restart(ledger_url: str, tmp_path: Path) -> None:
    """The next alert goes to the new address; the one before it is not told again."""
    async with night(ledger_url, tmp_path) as here:
        await here.raise_("AAAAA-AAAAA")
        await here.until_told("first@police.example.org")
        here.arrange("second@police.example.org")
        await here.until_tried("second@police.example.org")
        await here.raise_("AAAAA-AAAAA", "BBBBB-BBBBB")
        await here.until_told("second@police.example.org")
        assert len(here.mail.mails) == 2


async def test_a_bad_duty_file_is_an_alert_of_its_own_and_everybody_is_still_told_by_the_last_good_one(
    ledger_url: str, tmp_path: Path
) -> None:
    """The attack, or the slip: a file cut off in the middle; a good one ends the alert."""
    async with night(ledger_url, tmp_path) as here:
        here.path.write_text("[page")
        await here.until_fault("refused")
        sight = await here.courier.sight(NOW)
        assert [(one.kind, one.desk, one.code) for one in sight.troubles] == [(AlertKind.DUTY_FILE, HUB, "refused")]
        await here.raise_("AAAAA-AAAAA")
        await here.until_told("first@police.example.org")
        here.arrange("second@police.example.org")
        await here.until_fault("")
        assert (await here.courier.sight(NOW)).troubles == ()


async def test_a_duty_file_that_is_gone_stops_nobody_from_being_told(ledger_url: str, tmp_path: Path) -> None:
    """Renamed by an editor, unmounted, deleted."""
    async with night(ledger_url, tmp_path) as here:
        here.path.unlink()
        await here.until_fault("unreadable")
        await here.raise_("AAAAA-AAAAA")
        await here.until_told("first@police.example.org")


async def test_what_a_way_took_that_is_no_longer_in_the_duty_file_is_asked_after_no_more(ledger_url: str) -> None:
    """Notify accepted it, and the next file has no Notify: nobody is left to ask, and the courier meets no fault."""
    deputy = Post("deputy", Contact.CONTACT_OFFICER, (TEXT,), round_the_clock=True)
    async with office(ledger_url) as here:
        here.desks = (desk(deputy),)
        courier = here.courier(follow_every=60.0)
        await here.raise_(URGENT)
        await here.turn(courier)
        without = {Way(way): one for way, one in here.carriers.items() if way is Way.MAIL}
        courier.rearrange(Duty({HUB: Desk(HUB, (OPERATOR,))}), without, base="https://hub.example.org")
        with capture_logs() as written:
            await here.turn(courier, minutes=2)
            await here.turn(courier, minutes=2)
        assert [line for line in written if line["log_level"] == "error"] == []
        (told,) = await here.told()
        assert told.state == State.ACCEPTED.value
