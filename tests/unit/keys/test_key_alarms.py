"""A running adapter tells its people about its own keys: by alarm, and not only when somebody runs `mash keys show`."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.kit.running.chores import keep_keys
from adapters.kit.running.key_alarms import tell_key_alarms
from adapters.kit.running.partners import FixedPartners
from adapters.kit.store.store import Store
from schemas.directory import Directory
from tests.support.parties import NOW, Party, make_directory, make_party
from tests.support.stations import KEY, FakeClock


@pytest.fixture
def police(tmp_path: Path) -> Party:
    return make_party("testford-police", kind="police", folder=tmp_path / "keys", weeks=0)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    place = f"sqlite:///{tmp_path}/store"
    async with Store.open(place, participant="testford-police", store_key=KEY, clock=FakeClock(NOW)) as opened:
        yield opened


async def standing(store: Store) -> list[tuple[str, str]]:
    async with store.snapshot() as view:
        return sorted((alarm.priority.value, alarm.code) for alarm in await view.alarms())


async def test_keys_that_partners_have_and_that_last_ring_nothing(store: Store, police: Party) -> None:
    """An alarm that always stands is none."""
    assert await tell_key_alarms(store, police.keyring, seen=police.record, now=NOW) == 0
    assert await standing(store) == []


async def test_new_keys_that_nobody_handed_in_ring_once_a_day(store: Store, police: Party) -> None:
    """First somebody looks today; from the last day on that partners can seal to us, somebody acts now."""
    seen = police.record
    for days, expected in ((5, "P2"), (6, "P1"), (7, "P1")):
        now = NOW + timedelta(days=days)
        police.keyring.rotate(now)
        if days == 5:
            police.keyring.add_role("duty_team", opens=[1], now=now)
        assert await tell_key_alarms(store, police.keyring, seen=seen, now=now) == 1
        assert await tell_key_alarms(store, police.keyring, seen=seen, now=now) == 0
        assert (expected, "record-not-published") in await standing(store)
    assert await standing(store) == [("P1", "record-not-published")] * 2 + [("P2", "record-not-published")]


async def test_an_agency_that_is_in_no_directory_is_told_so(store: Store, police: Party) -> None:
    """Nobody can write to it, and nobody believes it."""
    assert await tell_key_alarms(store, police.keyring, seen=None, now=NOW) == 1
    assert await standing(store) == [("P1", "record-not-published")]


async def test_a_key_that_runs_out_is_named_by_its_use_and_role(store: Store, police: Party) -> None:
    """The identity is the one that no program renews: two people have to compare the next one."""
    later = NOW + timedelta(days=700)
    police.keyring.rotate(later)
    await tell_key_alarms(store, police.keyring, seen=police.record, now=later)
    async with store.snapshot() as view:
        (alarm,) = await view.alarms()
    assert (alarm.priority.value, alarm.code, alarm.refs) == ("P2", "key-runs-out", {"use": "identity", "role": ""})


async def test_the_daily_work_on_keys_rings(store: Store, police: Party) -> None:
    """The chore of a running adapter, with the directory that it holds."""
    other = make_party("testford-la", weeks=0)
    partners = FixedPartners(Directory.build(1, [other.record], []))

    async def sleep(_seconds: float) -> None:
        raise asyncio.CancelledError

    for known, expected in ((partners, 1), (FixedPartners(make_directory(other, police)), 1)):
        with pytest.raises(asyncio.CancelledError):
            await keep_keys(police.keyring, clock=lambda: NOW, store=store, partners=known, sleep=sleep)
        assert len(await standing(store)) == expected
