"""A running adapter's alarms reach the machine's own log: the chore that carries them there."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from adapters.kit.running.chores import keep_alarms
from adapters.kit.store.alarms import Priority
from adapters.kit.store.store import Store
from tests.support.stations import KEY, POLICE, FakeClock


class _Enough(Exception):
    """The chore has gone round twice."""


async def test_an_alarm_is_written_into_the_log_once_and_goes_on_standing(tmp_path: Path) -> None:
    """Whoever watches the machine's log hears of an alarm without asking for it, and it still waits for a person."""
    rounds = 0

    async def sleep(_seconds: float) -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 2:
            raise _Enough
        await asyncio.sleep(0)

    async with Store.open(f"sqlite:///{tmp_path}/store", participant=POLICE, store_key=KEY, clock=FakeClock()) as store:
        async with store.transaction() as tx:
            await tx.alarm(
                "gap/testford-council/7", priority=Priority.P1, code="gap", refs={"peer": "testford-council"}
            )
        with capture_logs() as written, pytest.raises(_Enough):
            await keep_alarms(store, sleep=sleep)
        async with store.snapshot() as view:
            assert [alarm.alarm_id for alarm in await view.alarms()] == ["gap/testford-council/7"]
    told = [(line["log_level"], line["code"], line["reference"]) for line in written]
    assert told == [("error", "gap", "gap/testford-council/7")]
