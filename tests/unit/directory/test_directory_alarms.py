"""A running adapter tells its people what a refresh of the directory found; nobody reads an exit code there."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.kit.running.chores import keep_directory
from adapters.kit.running.partners import SignedPartners
from adapters.kit.store.store import Store
from tests.support.parties import NOW, Party
from tests.support.registry import Registry, members_of
from tests.support.stations import KEY, POLICE, FakeClock

REPLACED = {"cause": "identity_changed", "participant": "testford-police"}


async def after_refreshes(partners: SignedPartners, folder: Path, *, count: int = 1) -> list[tuple[str, str, object]]:
    """Let the chore refresh so many times within a day, and give the alarms that stand: priority, code, refs."""
    clock, left = FakeClock(NOW), count

    async def sleep(_seconds: float) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise asyncio.CancelledError

    async with Store.open(f"sqlite:///{folder}/store", participant=POLICE, store_key=KEY, clock=clock) as store:
        with pytest.raises(asyncio.CancelledError):
            await keep_directory(partners, clock=clock, store=store, sleep=sleep)
        async with store.snapshot() as view:
            return [(alarm.priority.value, alarm.code, alarm.refs) for alarm in await view.alarms()]


async def test_an_agency_whose_identity_was_replaced_is_named_to_every_partner_once_a_day(
    registry: Registry, police: Party, council: Party, tmp_path: Path
) -> None:
    """A registrar was deceived or bribed: 72 hours help only if somebody is told to use them (SPEC 7.5, 12.9)."""
    partners = SignedPartners(registry.client("reader"), source=registry.source)
    await partners.refresh(now=NOW)
    police.keyring.renew_identity(NOW + timedelta(seconds=1))
    registry.stage(members_of(police, council), now=NOW)
    registry.submit(police, council, now=NOW + timedelta(minutes=1))
    registry.publish(NOW + timedelta(minutes=1))
    assert await after_refreshes(partners, tmp_path, count=3) == [("P1", "directory-identity-changed", REPLACED)]


async def test_a_hub_that_rolls_the_directory_back_rings_at_every_reader(
    registry: Registry, police: Party, tmp_path: Path
) -> None:
    """M6: the old directory is not used, and the attempt is not a secret between the hub and its victim."""
    old = registry.copy("old")
    registry.submit(police, now=NOW + timedelta(minutes=1))
    registry.publish(NOW + timedelta(minutes=1))
    client = registry.client("reader")
    client.refresh(registry.source, now=NOW)
    partners = SignedPartners(client, source=old)
    assert [code for _, code, _ in await after_refreshes(partners, tmp_path)] == ["directory-rollback"]


async def test_a_hub_that_is_away_rings_when_the_directory_is_overdue_and_not_before(
    registry: Registry, tmp_path: Path
) -> None:
    """A quarter of an hour without the hub is no alarm; a directory by which sending is held is one."""
    client = registry.client("reader")
    client.refresh(registry.source, now=NOW)
    away = SignedPartners(client, source=str(tmp_path / "nowhere"))
    assert await after_refreshes(away, tmp_path) == []
    fresh_until = registry.repository.expiries()["timestamp"]
    late = SignedPartners(client, source=str(tmp_path / "nowhere"))
    await late.refresh(now=fresh_until)
    clock = FakeClock(fresh_until)
    async with Store.open(f"sqlite:///{tmp_path}/late", participant=POLICE, store_key=KEY, clock=clock) as store:

        async def sleep(_seconds: float) -> None:
            raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await keep_directory(late, clock=clock, store=store, sleep=sleep)
        async with store.snapshot() as view:
            assert [(one.priority.value, one.code) for one in await view.alarms()] == [("P2", "directory-overdue")]


async def test_a_sound_refresh_rings_nothing(registry: Registry, tmp_path: Path) -> None:
    """An alarm that always stands is none."""
    partners = SignedPartners(registry.client("reader"), source=registry.source)
    assert await after_refreshes(partners, tmp_path, count=2) == []


def test_a_reader_that_pins_another_registrars_root_keeps_nothing_of_the_first(
    registry: Registry, council: Party, police: Party, tmp_path: Path
) -> None:
    """After a change of registrar no file of the former chain is left to be mixed into proofs of the new one."""
    for _ in range(2):
        registry.stage_root(NOW)
        registry.sign("root", "root-1", "root-2")
        registry.publish(NOW)
    client = registry.client("reader")
    client.refresh(registry.source, now=NOW)
    (tmp_path / "second").mkdir()
    second = Registry(tmp_path / "second", now=NOW)
    second.enrol(council, police, now=NOW)
    pinned = (second.folder / "metadata" / "1.root.json").read_bytes()
    client.pin(pinned)
    assert client.refresh(second.source, now=NOW).alarms == ()
    kept = sorted((tmp_path / "reader" / "metadata" / "root_history").glob("*.root.json"))
    assert [file.read_bytes() for file in kept] == [pinned]
