"""Notices by mail, to real mail servers that take, refuse, hang, drop, and pretend to have no TLS."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from broker.alerts.desks import Route, Way
from broker.alerts.kinds import Urgency
from broker.alerts.mail import MailCarrier
from broker.alerts.notice import Notice
from broker.alerts.routing import NotTold, WayFault, bounded
from broker.alerts.secrets import Secret
from broker.alerts.settings import MailSettings
from deploy.rabbitmq.certificates import Authority
from tests.integration.alerts.servers import Mood, mail_server, nobodys_port, silent_server
from tests.support.parties import NOW

DUTY = Route(Way.MAIL, "duty@police.example.org")
LINK = "https://hub.example.org/a/" + "x" * 40
NOTICE = Notice("ABCDE-FGHIJ", Urgency.NOW, LINK, "01632 960000")
OURS = ("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted")
HEADERS = sorted((*OURS, "MIME-Version", "Content-Type", "Content-Transfer-Encoding"))
SENDER = "mash-alerts@hub.example.org"


def carrier(port: int, *, password: str = "", **changes: Any) -> MailCarrier:
    plain: dict[str, Any] = {"host": "localhost", "port": port, "tls": "none", "sender": SENDER, "timeout": 20}
    settings = MailSettings.model_validate(plain | changes)
    return MailCarrier(settings, password=Secret(password) if password else None, clock=lambda: NOW)


async def fault_of(sender: MailCarrier) -> WayFault:
    with pytest.raises(NotTold) as failed:
        await bounded(lambda: sender.tell(DUTY, NOTICE, telling=7), limit=sender.limit)
    assert failed.value.__cause__ is None
    assert "tilly" not in str(failed.value)
    return failed.value.fault


@pytest.fixture
def certified(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """The partnership's authority, and a server's side of TLS certified by it for localhost."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    authority = Authority.create(tmp_path, now=yesterday)
    certificate, key = authority.certify_hub(["localhost"], now=yesterday)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return authority.certificate_path, context


async def test_a_mail_says_the_four_fields_and_nothing_of_this_machine() -> None:
    """No host name in the greeting or the id, no program's name, no answer wanted from holiday notices."""
    async with mail_server() as server:
        await carrier(server.port).tell(DUTY, NOTICE, telling=7)
    (mail,) = server.mails
    assert server.greetings == ["hub.example.org"]
    assert server.texts() == [NOTICE.text]
    assert sorted(mail.keys()) == HEADERS
    assert (mail["From"], mail["To"], mail["Subject"]) == (SENDER, DUTY.address, NOTICE.headline)
    assert mail["Message-ID"].endswith("@hub.example.org>")
    assert mail["Auto-Submitted"] == "auto-generated"


async def test_a_mail_goes_out_after_starttls_and_a_login(certified: tuple[Path, ssl.SSLContext]) -> None:
    """The password travels inside TLS, to a server whose name was checked."""
    authority, context = certified
    async with mail_server(starttls=context, wants_password=True) as server:
        changes = {"tls": "starttls", "authority": authority, "user": "mash"}
        await carrier(server.port, password="sesame", **changes).tell(DUTY, NOTICE, telling=7)
        assert await fault_of(carrier(server.port, password="wrong", **changes)) is WayFault.KEY
    assert server.secured == [True]


async def test_a_mail_goes_out_over_tls_from_the_first_byte(certified: tuple[Path, ssl.SSLContext]) -> None:
    """RFC 8314: submission over implicit TLS."""
    authority, context = certified
    async with mail_server(tls=context) as server:
        await carrier(server.port, tls="tls", authority=authority).tell(DUTY, NOTICE, telling=7)
    assert len(server.mails) == 1


async def test_a_server_without_starttls_is_not_spoken_to_in_the_open() -> None:
    """Attack: somebody on the line takes STARTTLS out of the server's offer."""
    async with mail_server() as server:
        assert await fault_of(carrier(server.port, tls="starttls")) is WayFault.UNTRUSTED
    assert (server.mails, server.recipients) == ([], [])


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_server_with_a_certificate_of_nobodys_is_not_spoken_to(
    certified: tuple[Path, ssl.SSLContext], tls: str
) -> None:
    """Attack: somebody answers in the mail server's place."""
    _, context = certified
    sides = {"starttls": mail_server(starttls=context), "tls": mail_server(tls=context)}
    async with sides[tls] as server:
        assert await fault_of(carrier(server.port, tls=tls)) is WayFault.UNTRUSTED
    assert server.recipients == []


@pytest.mark.parametrize(
    ("mood", "fault"),
    [(Mood.REFUSES, WayFault.REFUSED), (Mood.IS_BUSY, WayFault.BUSY), (Mood.HANGS, WayFault.TIMEOUT)],
)
async def test_a_mail_server_that_does_not_take_a_mail_is_named_by_its_fault(mood: Mood, fault: WayFault) -> None:
    """Each its own fault; what the server said about the recipient goes no further."""
    async with mail_server() as server:
        server.mood = mood
        patience = 1 if fault is WayFault.TIMEOUT else 20
        assert await fault_of(carrier(server.port, timeout=patience)) is fault
    assert server.mails == []


async def test_a_mail_server_that_is_silent_or_away_is_named_by_its_fault() -> None:
    """Every wait is bounded."""
    async with silent_server() as port:
        assert await fault_of(carrier(port, timeout=0.5)) is WayFault.TIMEOUT
    assert await fault_of(carrier(nobodys_port())) is WayFault.UNREACHABLE


async def test_a_mail_that_was_taken_counts_though_the_server_hangs_at_the_goodbye() -> None:
    """Else it would be sent again and again."""
    async with mail_server() as server:
        server.mood = Mood.HANGS_AT_GOODBYE
        await bounded(lambda: carrier(server.port).tell(DUTY, NOTICE, telling=7), limit=20)
    assert len(server.mails) == 1


async def test_a_probe_finds_a_refused_recipient_and_sends_no_mail() -> None:
    """A way that is broken is found before it is needed."""
    async with mail_server() as server:
        await carrier(server.port).probe(DUTY)
        server.mood = Mood.REFUSES
        with pytest.raises(NotTold):
            await carrier(server.port).probe(DUTY)
    assert server.recipients == [DUTY.address] * 2
    assert server.mails == []
