"""An area comes to rest although the hub lost something: what nothing is heard of is looked after when that is due."""

import asyncio

import pytest

from broker.embedded_store import QueueStore
from deploy.demo import area as demo
from deploy.demo.agencies import MANAGER
from deploy.demo.area import Area, NotSettled
from schemas.routing import Lane
from tests.integration.commands.office import ENQUIRY, POLICE, issued, opened

# What the hub loses, by the number of the message: the request, its RECEIVED, its OPENED.
LOST = (1, 2, 3)


class Loses:
    """A hub that confirms a message and loses it: the one of the given number."""

    def __init__(self, number: int) -> None:
        self._number, self._append = number, QueueStore.append

    async def append(self, store: QueueStore, *rest: object, **named: object) -> None:
        """Stand in for `QueueStore.append`."""
        self._number -= 1
        if self._number:
            await self._append(store, *rest, **named)  # type: ignore[arg-type]  # handed on as it came


@pytest.mark.parametrize("number", LOST)
async def test_what_the_hub_has_lost_is_sent_again(area: Area, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A confirm is not delivery: only the receipts are, and who hears none repeats the same bytes."""
    monkeypatch.setattr(demo, "PATIENCE", 0.2)
    loses = Loses(number)
    monkeypatch.setattr(QueueStore, "append", lambda store, *rest, **named: loses.append(store, *rest, **named))
    await issued(area, POLICE)
    assert [file.rfi.enquiry for file in await area.adapters[POLICE].desk.list()] == [ENQUIRY]


async def test_who_does_not_come_to_rest_says_what_is_left_and_who_does_not_hear(
    area: Area, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A consumer that has died is named, and so is the message that waits for it."""
    monkeypatch.setattr(demo, "SETTLE_WITHIN", 1.0)
    link = next(link for link in area._links if link.store.participant == POLICE)
    await link.connection.close()
    await opened(area, POLICE)
    await area.console.coordinator.issue(ENQUIRY, user=MANAGER)
    with pytest.raises(NotSettled, match="REQ to testford-police is CONFIRMED"):
        await area.settle()
    assert not link.connection.alive(Lane.ROUTINE)


@pytest.mark.parametrize("fault", [RuntimeError, asyncio.CancelledError])
@pytest.mark.parametrize("step", ["take", "settle"])
async def test_no_fault_makes_a_consumer_deaf(
    area: Area, step: str, fault: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attack on oneself: a fault nobody foresaw ends the task that listens, and nobody hears that it has ended."""
    sound, faults = getattr(QueueStore, step), iter([fault])

    async def fails_once(store: QueueStore, *rest: object, **named: object) -> object:
        if (now := next(faults, None)) is not None:
            raise now
        return await sound(store, *rest, **named)

    monkeypatch.setattr(demo, "PATIENCE", 0.2)
    monkeypatch.setattr(QueueStore, step, fails_once)
    await issued(area, POLICE)
    assert all(link.connection.alive(lane) for link in area._links for lane in Lane)
