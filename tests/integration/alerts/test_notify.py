"""Notices by GOV.UK Notify, through its own client, to a server that checks tokens and answers as Notify does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from notifications_python_client.authentication import create_jwt_token

from broker.alerts.desks import Route, Way
from broker.alerts.kinds import Urgency
from broker.alerts.notice import Notice
from broker.alerts.notify import NotifyCarrier
from broker.alerts.routing import Fate, NotTold, WayFault, bounded
from broker.alerts.secrets import Secret
from broker.alerts.settings import NotifySettings
from tests.integration.alerts.servers import (
    EMAIL_TEMPLATE,
    NOTIFY_KEY,
    TEXT_TEMPLATE,
    Notify,
    http_server,
    nobodys_port,
)

EMAIL, TEXT = Route(Way.NOTIFY_EMAIL, "duty@police.example.org"), Route(Way.NOTIFY_TEXT, "07700 900123")
NOTICE = Notice("ABCDE-FGHIJ", Urgency.NOW, "https://hub.example.org/a/" + "x" * 40, "01632 960000")


@asynccontextmanager
async def carrier(url: str, *, key: str = NOTIFY_KEY, **changes: Any) -> AsyncIterator[NotifyCarrier]:
    plain = {"email_template": EMAIL_TEMPLATE, "text_template": TEXT_TEMPLATE, "base_url": url, "timeout": 20}
    made = NotifyCarrier(NotifySettings.model_validate(plain | changes), key=Secret(key))
    try:
        yield made
    finally:
        made.close()


async def fault_of(made: NotifyCarrier) -> WayFault:
    with pytest.raises(NotTold) as failed:
        await bounded(lambda: made.tell(TEXT, NOTICE, telling=7), limit=made.limit)
    return failed.value.fault


async def test_notify_is_given_the_four_fields_for_an_email_and_for_a_text_message() -> None:
    """Personalisation, address and our own reference of the telling, and nothing else."""
    notify = Notify()
    async with http_server(notify.app()) as url, carrier(url) as made:
        receipts = [await made.tell(route, NOTICE, telling=7) for route in (EMAIL, TEXT)]
        assert [await made.fate(one.receipt) for one in receipts] == [Fate.DELIVERED] * 2
    email, text = notify.sent
    assert (email["email_address"], email["template_id"]) == (EMAIL.address, EMAIL_TEMPLATE)
    assert (text["phone_number"], text["template_id"]) == (TEXT.address, TEXT_TEMPLATE)
    for sent in notify.sent:
        assert sent["personalisation"] == NOTICE.plain()
        assert sent["reference"] == "mash-7"
        assert len(sent) == 6


async def test_a_revoked_key_is_named_and_found_by_a_probe() -> None:
    """Bad input of issue 7; and 403 for a key of somebody else's."""
    notify = Notify()
    async with http_server(notify.app()) as url:
        async with carrier(url) as made:
            await made.probe(TEXT)
            notify.revoked = True
            assert await fault_of(made) is WayFault.KEY
            with pytest.raises(NotTold):
                await made.probe(EMAIL)
        async with carrier(url, key=f"other-{uuid4()}-{uuid4()}") as other:
            assert await fault_of(other) is WayFault.KEY
    assert notify.sent == []


@pytest.mark.parametrize(
    ("trouble", "fault"), [(400, WayFault.REFUSED), (429, WayFault.BUSY), (500, WayFault.BUSY), (503, WayFault.BUSY)]
)
async def test_notify_in_trouble_is_named_by_its_fault(trouble: int, fault: WayFault) -> None:
    """Each its own."""
    async with http_server(Notify(trouble=trouble).app()) as url, carrier(url) as made:
        assert await fault_of(made) is fault


async def test_a_clock_that_notify_does_not_believe_is_told_from_a_revoked_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine's clock that was moved makes tokens of another time."""
    make_token: Any = create_jwt_token

    def stale(secret: str, client_id: str) -> str:
        with monkeypatch.context() as moved:
            moved.setattr("notifications_python_client.authentication.epoch_seconds", lambda: 1_600_000_000)
            return str(make_token(secret, client_id))

    monkeypatch.setattr("notifications_python_client.base.create_jwt_token", stale)
    async with http_server(Notify().app()) as url, carrier(url) as made:
        assert await fault_of(made) is WayFault.CLOCK


async def test_notify_that_hangs_or_is_away_is_named_by_its_fault() -> None:
    """Every wait is bounded."""
    notify = Notify(stalls=True)
    async with http_server(notify.app()) as url, carrier(url, timeout=0.5) as made:
        assert await fault_of(made) in (WayFault.TIMEOUT, WayFault.UNREACHABLE)
    async with carrier(f"http://localhost:{nobodys_port()}") as made:
        assert await fault_of(made) is WayFault.UNREACHABLE


@pytest.mark.parametrize("status", ["permanent-failure", "temporary-failure", "technical-failure"])
async def test_what_notify_accepted_and_could_not_deliver_is_found_out(status: str) -> None:
    """Accepted is not delivered: a number that is no longer in use."""
    notify = Notify(status=status)
    async with http_server(notify.app()) as url, carrier(url) as made:
        receipt = (await made.tell(TEXT, NOTICE, telling=7)).receipt
        with pytest.raises(NotTold) as failed:
            await made.fate(receipt)
        assert failed.value.fault is WayFault.BOUNCED
        notify.status = "sending"
        assert await made.fate(receipt) is Fate.UNDERWAY


async def test_a_template_that_is_gone_is_found_by_a_probe() -> None:
    """Somebody tidied up in Notify's pages."""
    async with http_server(Notify().app()) as url, carrier(url, text_template=str(uuid4())) as made:
        await made.probe(EMAIL)
        with pytest.raises(NotTold) as failed:
            await made.probe(TEXT)
        assert failed.value.fault is WayFault.REFUSED
