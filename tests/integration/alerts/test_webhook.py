"""Notices by webhook, to a receiver that verifies signatures and refuses replays."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from broker.alerts.desks import Route, Way
from broker.alerts.kinds import Urgency
from broker.alerts.notice import Notice
from broker.alerts.routing import NotTold, WayFault, bounded
from broker.alerts.settings import WebhookSettings
from broker.alerts.webhook import DELIVERY, REPLAY_WINDOW, SIGNATURE, TIMESTAMP, NotOurs, WebhookCarrier, sign, verify
from deploy.rabbitmq.certificates import Authority
from tests.integration.alerts.servers import Receiver, http_server, nobodys_port, silent_server
from tests.support.parties import NOW

ROUTE = Route(Way.WEBHOOK, "control-room")
NOTICE = Notice("ABCDE-FGHIJ", Urgency.NOW, "https://hub.example.org/a/" + "x" * 40, "01632 960000")
KEY, OLD_KEY = Receiver().key, b"fedcba9876543210fedcba9876543210"


def carrier(url: str, *, keys: Mapping[str, list[bytes]] | None = None, **changes: Any) -> WebhookCarrier:
    settings = WebhookSettings.model_validate({"url": f"{url}/mash", "timeout": 20} | changes)
    return WebhookCarrier({"control-room": settings}, keys={"control-room": [KEY]} if keys is None else keys)


async def fault_of(made: WebhookCarrier, route: Route = ROUTE) -> WayFault:
    with pytest.raises(NotTold) as failed:
        await bounded(lambda: made.tell(route, NOTICE, telling=7), limit=made.limit)
    return failed.value.fault


async def test_a_webhook_carries_the_four_fields_under_a_signature() -> None:
    """A receiver with the secret believes it; the same telling tried again has the same number."""
    receiver = Receiver()
    async with http_server(receiver.app()) as url:
        for _ in range(2):
            await carrier(url).tell(ROUTE, NOTICE, telling=7)
        await carrier(url).probe(ROUTE)
    assert receiver.alerts() == [{"event": "alert", **NOTICE.plain()}]
    assert [one["event"] for one in receiver.taken] == ["alert", "probe"]
    assert receiver.refused == []


async def test_a_receiver_with_another_secret_is_named_by_its_fault() -> None:
    """401 and 403 are about the key."""
    receiver = Receiver(key=OLD_KEY)
    async with http_server(receiver.app()) as url:
        assert await fault_of(carrier(url)) is WayFault.KEY
    assert receiver.refused == ["forged"]


@pytest.mark.parametrize(
    ("answer", "fault"),
    [(500, WayFault.BUSY), (429, WayFault.BUSY), (404, WayFault.REFUSED), (307, WayFault.REFUSED), (403, WayFault.KEY)],
)
async def test_a_receiver_that_does_not_say_yes_is_named_by_its_fault(answer: int, fault: WayFault) -> None:
    """A redirect is not followed: the alert would go where nobody agreed to."""
    receiver = Receiver(answer=answer)
    async with http_server(receiver.app()) as url:
        assert await fault_of(carrier(url)) is fault
    assert len(receiver.requests) == 1


async def test_a_receiver_that_hangs_or_is_away_is_named_by_its_fault() -> None:
    """Every wait is bounded."""
    async with silent_server() as port:
        assert await fault_of(carrier(f"http://localhost:{port}", timeout=0.5)) is WayFault.TIMEOUT
    assert await fault_of(carrier(f"http://localhost:{nobodys_port()}")) is WayFault.UNREACHABLE


async def test_a_receiver_with_a_certificate_of_nobodys_is_not_spoken_to(tmp_path: Path) -> None:
    """Attack: somebody answers in the control room's place."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    authority = Authority.create(tmp_path, now=yesterday)
    certificate, key = authority.certify_hub(["localhost"], now=yesterday)
    receiver = Receiver()
    async with http_server(receiver.app(), certificate=(str(certificate), str(key))) as url:
        assert await fault_of(carrier(url)) is WayFault.UNTRUSTED
        await carrier(url, authority=authority.certificate_path).tell(ROUTE, NOTICE, telling=7)
    assert len(receiver.taken) == 1


@pytest.mark.parametrize("keys", [{}, {"control-room": []}])
async def test_nothing_unsigned_is_sent(keys: dict[str, list[bytes]]) -> None:
    """A webhook without a secret is no way at all."""
    receiver = Receiver()
    async with http_server(receiver.app()) as url:
        assert await fault_of(carrier(url, keys=keys)) is WayFault.NO_SUCH_WAY
        assert await fault_of(carrier(url), Route(Way.WEBHOOK, "elsewhere")) is WayFault.NO_SUCH_WAY
    assert receiver.requests == []


def signed(body: bytes = b"{}", *, at: datetime = NOW, key: bytes = KEY, delivery: str = "7") -> dict[str, str]:
    timestamp = str(int(at.timestamp()))
    return {
        DELIVERY: delivery,
        TIMESTAMP: timestamp,
        SIGNATURE: sign(body, key=key, delivery=delivery, timestamp=timestamp),
    }


def test_a_receiver_accepts_within_the_replay_window_and_while_a_secret_changes() -> None:
    """300 seconds either way; the old secret is accepted while it is kept."""
    for headers in (signed(), signed(at=NOW - REPLAY_WINDOW), signed(at=NOW + REPLAY_WINDOW), signed(key=OLD_KEY)):
        assert verify(b"{}", headers, keys=[KEY, OLD_KEY], now=NOW) is None


@pytest.mark.parametrize(
    ("headers", "body", "why"),
    [
        (signed(at=NOW - REPLAY_WINDOW - timedelta(seconds=1)), b"{}", NotOurs.STALE),
        (signed(at=NOW + REPLAY_WINDOW + timedelta(seconds=1)), b"{}", NotOurs.STALE),
        (signed() | {TIMESTAMP: str(int(NOW.timestamp()) + 1)}, b"{}", NotOurs.FORGED),
        (signed() | {DELIVERY: "8"}, b"{}", NotOurs.FORGED),
        (signed(), b'{"urgency":"week"}', NotOurs.FORGED),
        (signed(key=OLD_KEY), b"{}", NotOurs.FORGED),
        (signed() | {SIGNATURE: ""}, b"{}", NotOurs.INCOMPLETE),
        (signed() | {SIGNATURE: "v1=é"}, b"{}", NotOurs.FORGED),
        (signed() | {TIMESTAMP: "9" * 40}, b"{}", NotOurs.INCOMPLETE),
        (signed() | {TIMESTAMP: "٣"}, b"{}", NotOurs.INCOMPLETE),
        ({}, b"{}", NotOurs.INCOMPLETE),
    ],
)
def test_a_receiver_refuses_what_was_replayed_changed_or_signed_by_another(
    headers: dict[str, str], body: bytes, why: NotOurs
) -> None:
    """Attacks: an old alert played again, its number or its body changed, a signature left out."""
    assert verify(body, headers, keys=[KEY], now=NOW) is why


def test_a_receiver_without_a_secret_believes_nobody() -> None:
    """Empty means no."""
    assert verify(b"{}", signed(), keys=[], now=NOW) is NotOurs.FORGED
