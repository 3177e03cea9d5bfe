"""The directory of a running adapter: signed, fresh or held, stopped by an equivocation; and the chores around it."""

import asyncio
from collections.abc import Awaitable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from adapters.kit.envelope.verification import Refusal
from adapters.kit.running.chores import HubSilent, keep_directory, notice_silence
from adapters.kit.running.partners import FixedPartners, HeldConnection, SignedPartners, partners_of
from adapters.kit.running.sandbox_directory import NotASandbox, write_unsigned_directory
from adapters.kit.running.settings import AdapterFile, AdapterSettings, Answers
from broker.directory.client import NoDirectory
from broker.hub import Handler, Outcome
from schemas.routing import Lane
from tests.support.parties import NOW, make_directory, make_party
from tests.support.registry import Registry

EQUIVOCATION = Refusal("E06", None, "EQUIVOCATION")


class Recording:
    """A connection that remembers what was published and is alive or not."""

    def __init__(self, *, alive: bool = True) -> None:
        self.published: list[Lane] = []
        self.is_alive = alive

    async def publish(self, body: bytes, *, recipient: str, lane: Lane, attempt_id: str) -> Outcome:
        self.published.append(lane)
        return Outcome.CONFIRMED

    async def consume(self, lane: Lane, handler: Handler) -> None: ...

    def alive(self, lane: Lane) -> bool:
        return self.is_alive

    async def close(self) -> None: ...


def _signed(tmp_path: Path) -> tuple[Registry, SignedPartners]:
    registry = Registry(tmp_path, now=NOW)
    registry.enrol(make_party("testford-police", kind="police"), make_party("testford-council"), now=NOW)
    return registry, SignedPartners(registry.client("reader"), source=registry.source)


async def _publish(held: HeldConnection, lane: Lane) -> Outcome:
    return await held.publish(b"sealed", recipient="testford-police", lane=lane, attempt_id="m.1")


async def test_an_adapter_uses_the_signed_directory_once_it_is_refreshed(tmp_path: Path) -> None:
    """Before the first refresh there is none; afterwards it is the published one."""
    _, partners = _signed(tmp_path)
    with pytest.raises(NoDirectory):
        partners.current()
    assert await partners.refresh(now=NOW)
    assert partners.current().permits("testford-police", "testford-council")
    assert not await partners.refresh(now=NOW)


async def test_an_equivocation_stops_all_sending_and_receiving_goes_on(tmp_path: Path) -> None:
    """Somebody was shown another directory at our version: nothing leaves until two people have cleared it (M5)."""
    _, partners = _signed(tmp_path)
    await partners.refresh(now=NOW)
    connection = Recording()
    held = HeldConnection(connection, partners, lambda: NOW)
    assert await _publish(held, Lane.URGENT) is Outcome.CONFIRMED
    partners.noticed(EQUIVOCATION)
    assert {await _publish(held, lane) for lane in Lane} == {Outcome.UNKNOWN}
    assert connection.published == [Lane.URGENT]


async def test_another_refusal_stops_nothing(tmp_path: Path) -> None:
    """Junk from the network must not be able to silence an agency."""
    _, partners = _signed(tmp_path)
    await partners.refresh(now=NOW)
    for refusal in (Refusal("E06", None, "old directory"), Refusal("E09", None, "EQUIVOCATION")):
        partners.noticed(refusal)
    assert partners.may_send(Lane.ROUTINE, now=NOW)


async def test_a_stale_directory_holds_routine_before_urgent_and_then_both(tmp_path: Path) -> None:
    """A frozen directory: degraded for a day, then nothing is sent by it (M6)."""
    _, partners = _signed(tmp_path)
    await partners.refresh(now=NOW)
    allowed = {
        hours: {
            lane for lane in (Lane.URGENT, Lane.ROUTINE) if partners.may_send(lane, now=NOW + timedelta(hours=hours))
        }
        for hours in (1, 60, 96)
    }
    assert allowed == {1: {Lane.URGENT, Lane.ROUTINE}, 60: {Lane.URGENT}, 96: set()}


def test_an_unsigned_directory_on_a_real_hub_is_refused(tmp_path: Path) -> None:
    """The sandbox's file must not become the way round the signatures."""
    write_unsigned_directory(tmp_path / "directory.json", make_directory(make_party("testford-police")))
    answers = Answers(contact="desk", telephone="0113 496 0110")
    for hub in ("amqps://hub.example:5671/mash", "amqp://127.0.0.1/mash"):
        file = AdapterFile(
            participant="testford-police", kind="police", hub=hub, directory="directory.json", answers=answers
        )
        with pytest.raises(NotASandbox):
            partners_of(AdapterSettings(tmp_path, file))


class _Clock:
    """A clock that moves as it is slept on, and ends the chore after so many sleeps."""

    def __init__(self, *, sleeps: int) -> None:
        self.at = 0.0
        self.left = sleeps

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        self.left -= 1
        if self.left <= 0:
            raise asyncio.CancelledError


async def _cancelled(chore: Awaitable[None]) -> None:
    with pytest.raises(asyncio.CancelledError):
        await chore


async def test_a_connection_that_is_deaf_for_ten_minutes_ends_the_adapter() -> None:
    """A consumer that is connected and deaf went unnoticed for days elsewhere; here the service manager is told."""
    clock = _Clock(sleeps=1000)
    with pytest.raises(HubSilent):
        await notice_silence(Recording(alive=False), now=clock.now, sleep=clock.sleep)
    assert 600 < clock.at <= 630
    alive = _Clock(sleeps=100)
    await _cancelled(notice_silence(Recording(alive=True), now=alive.now, sleep=alive.sleep))


async def test_a_refresh_that_fails_is_tried_again_and_never_ends_the_adapter() -> None:
    """The directory's host is down: the last good one stays in use."""

    class Failing(FixedPartners):
        """Counts its attempts, each of which fails."""

        async def refresh(self, *, now: datetime) -> bool:
            attempts.append(now)
            raise OSError("no route")

    attempts: list[datetime] = []
    clock = _Clock(sleeps=3)
    failing = Failing(make_directory(make_party("testford-police")))
    await _cancelled(keep_directory(failing, clock=lambda: NOW, sleep=clock.sleep))
    assert len(attempts) == 3
