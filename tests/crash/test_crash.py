"""kill -9 at every applicable point of the delivery design, in a real process, on both databases.

A victim lives, dies at its failpoint, and its next life is armed with the next point: it checks the invariants before
it does anything, goes on with what the dead one left, and dies in turn. The partner lives in this process throughout.
At the end an unarmed life finishes everything, and the two stores are counted against each other (I8).
MASH_CRASH_KILLS says how often each point is used: once where it is not set, five times in `make test`. Many rounds are
a series of six each, with stores of its own: every life looks through the whole store, which would grow beyond what the
kills have to do with.
"""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from itertools import count, islice
from pathlib import Path

import pytest
from sqlalchemy import select

from adapters.kit.failpoints import POINTS, VARIABLE
from adapters.kit.store import invariants
from adapters.kit.store.store import Store
from adapters.kit.store.tables import inbox_rows, outbox_rows, quarantine
from schemas.routing import Lane
from tests.crash.nursery import lived
from tests.crash.partner import partner, sending
from tests.crash.victim import (
    CANARY,
    COUNCIL,
    HEALTH,
    POLICE,
    Settings,
    keyring,
    together_in,
    unfinished,
    wall_clock,
)
from tests.integration.store.conftest import NewStore, new_store
from tests.support.parties import make_party

__all__ = ["new_store"]

KILLS = int(os.environ.get("MASH_CRASH_KILLS", "1"))
LIFE_SECONDS = 1800  # a life that stands still ends itself much sooner
SENDING = (
    *("C43", "C01", "C02", "C03", "C04", "C05", "C06", "C07", "C08", "C09", "C10", "C11", "C12", "C31", "C32"),
    *("C39", "C40", "C41", "C42"),
)
MOST_LIVES = 6  # lives for one kill
SERIES = 6  # rounds on one pair of stores; even, as every other round is of another kind
ALL_SERIES = [range(first, min(first + SERIES, KILLS)) for first in range(0, KILLS, SERIES)]
in_series = pytest.mark.parametrize("rounds", ALL_SERIES, ids=lambda rounds: f"round-{rounds.start}")
RECEIVING = ("C21", "C22", "C23", "C24", "C25", "C26", "C27", "C28", "C29")
TOGETHER = ("C21", "C22", "C23", "C24")
More = Callable[[int], AbstractAsyncContextManager[None]]
ELSEWHERE = {
    "C30": "test_a_message_that_kills_is_set_aside, below",
    "C33": "the order of two receipts: tests/integration/store/test_receipts.py and the state machine",
    "C34": "tests/unit/keys/test_key_crashes.py",
    "C35": "tests/unit/keys/test_key_crashes.py",
    "C36": "tests/unit/keys/test_key_crashes.py",
    "C37": "the files of the directory: tests/crash/test_directory_crashes.py",
    "C38": "the files of the directory: tests/crash/test_directory_crashes.py",
    "C44": "a restore: tests/integration/store/test_recovery.py",
}


def test_every_failpoint_is_killed_here_or_named_elsewhere() -> None:
    """A point that nobody kills would be a promise."""
    assert sorted([*SENDING, *RECEIVING, *ELSEWHERE]) == sorted(POINTS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Keys of three participants, and room for the hub."""
    for name in (COUNCIL, POLICE, HEALTH):
        make_party(name, now=wall_clock(), folder=tmp_path / f"keys-{name}", weeks=1)
    return tmp_path


async def life(
    name: str, url: str, folder: Path, *, number: int, armed: str | None, kind: str = "round", passages: int = 1
) -> int:
    """Run one life of the victim to its end; returns its exit code (-9 when it was killed).

    A receiver that is armed is fed; an unarmed one takes in what there is.
    """
    fed = kind == "receive" and armed is not None
    settings = Settings(name=name, url=url, folder=str(folder), life=number, kind=kind, passages=passages, fed=fed)
    ended = await lived(settings, armed=armed, seconds=LIFE_SECONDS)
    assert ended.code in (0, -9), f"{armed}: {ended.code} {ended.complaint}"
    return ended.code


async def life_of_a_program(name: str, url: str, folder: Path, *, number: int, armed: str) -> int:
    """Run one life as a program of its own, armed by the environment as an operator's test would."""
    told = json.dumps({"name": name, "url": url, "folder": str(folder), "life": number, "kind": "receive"})
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.crash.victim", told),
        env={**os.environ, VARIABLE: armed},
        cwd=Path(__file__).parents[2],
    )
    async with asyncio.timeout(LIFE_SECONDS):
        return await process.wait()


async def _rows(store: Store) -> tuple[list[dict[str, object]], Counter[str], list[str]]:
    """Return a store's messages, its effects by mid, and what does not hold in it."""
    async with store.snapshot() as view:
        messages = select(outbox_rows).where(outbox_rows.c.sort == "message")
        sent = await view.select(outbox_rows, messages)
        effects = Counter(document.key for document in await view.list("effect"))
        return sent, effects, await invariants.violations(view)


async def check(victim: tuple[str, str], partner_store: Store, folder: Path) -> None:
    """I1 to I5 at both ends, I2 and I8 between them."""
    name, url = victim
    opening = Store.open(url, participant=name, store_key=keyring(folder, name).store_key(), clock=wall_clock)
    async with opening as store:
        ends = [await _rows(store), await _rows(partner_store)]
        async with store.snapshot() as view:
            assert "parked" not in {alarm.code for alarm in await view.alarms()}
    for (sent, _, found), (_, effects, _) in (ends, reversed(ends)):
        assert found == []
        # A message whose keys were refused once lives on as its successor: the first is closed and had no effect.
        replaced = {row["supersedes"] for row in sent}
        arrived = Counter(str(row["mid"]) for row in sent if row["state"] in ("OPENED", "CLOSED"))
        arrived -= Counter(str(row["mid"]) for row in sent if row["ref"] in replaced)
        assert effects == arrived
        assert {row["state"] for row in sent if row["recipient"] == HEALTH} <= {"RETURNED"}
        assert {row["state"] for row in sent if row["recipient"] != HEALTH} <= {"OPENED", "CLOSED", "CANCELLED"}


def _no_canary(folder: Path) -> None:
    """I6: nothing readable in any file that either adapter wrote."""
    for file in folder.rglob("*"):
        assert not file.is_file() or CANARY not in file.read_bytes(), file.name


async def _killed(victim: tuple[str, str], folder: Path, *, armed: str, numbers: Iterator[int], more: More) -> int:
    """Live until a life dies at its failpoint, which is the first as a rule; returns that life's number.

    A sender makes its passages itself, one after the other; a receiver is fed until there have been enough.
    """
    kind, passages = ("round", int(armed.partition(":")[2] or "1")) if victim[0] == COUNCIL else ("receive", 1)
    for number in islice(numbers, MOST_LIVES):
        async with more(number):
            died = await life(*victim, folder, number=number, armed=armed, kind=kind, passages=passages)
        if died == -9:
            return number
    raise AssertionError(f"{armed} was not reached")


@asynccontextmanager
async def _no_more(number: int) -> AsyncIterator[None]:
    """Give nothing: a life of a sender makes work of its own."""
    yield


@in_series
@pytest.mark.timeout(0)  # every life has a bound of its own
async def test_a_sender_killed_anywhere_loses_nothing_and_sends_nothing_twice(
    new_store: NewStore, folder: Path, rounds: range
) -> None:
    """C01 to C12, C31, C32, C39 to C43."""
    victim, numbers = (COUNCIL, await new_store()), count()
    async with partner(POLICE, await new_store(), folder) as police:
        for round_ in rounds:
            for point in SENDING[1:] if round_ > rounds[0] else SENDING:  # a store is migrated once
                armed = point if point == "C43" else f"{point}:{round_ % 3 + 1}"
                await _killed(victim, folder, armed=armed, numbers=numbers, more=_no_more)
        assert await life(*victim, folder, number=next(numbers), armed=None) == 0
        await check(victim, police.store, folder)
    _no_canary(folder)


@in_series
@pytest.mark.timeout(0)  # every life has a bound of its own
async def test_a_receiver_killed_anywhere_applies_everything_once(
    new_store: NewStore, folder: Path, rounds: range
) -> None:
    """C21 to C29: the partner keeps sending, junk comes too, and each life dies over what it is given.

    In every other round a life finds only what never came before, and dies over several messages at once (C21 to C24);
    in the others it begins with what the dead ones left, which is taken in alone.
    """
    victim, numbers = (POLICE, await new_store()), count()
    async with partner(COUNCIL, await new_store(), folder) as council:
        for round_ in rounds:
            for point in RECEIVING:
                if round_ % 2 == 0:
                    assert await life(*victim, folder, number=next(numbers), armed=None, kind="receive") == 0
                armed = f"{point}:{1 if point == 'C29' else round_ % 3 + 1}"
                died = await _killed(victim, folder, armed=armed, numbers=numbers, more=partial(sending, council))
                must = round_ == rounds[0] and point in TOGETHER
                assert not must or together_in(folder, died).exists(), f"{point} alone"
        await _live_until_settled(council.store, victim, folder, numbers=numbers)
        await check(victim, council.store, folder)
    _no_canary(folder)


async def _live_until_settled(store: Store, victim: tuple[str, str], folder: Path, *, numbers: Iterator[int]) -> None:
    """Live on until the partner has heard of everything: what it repeats late is for a life that still comes."""
    async with asyncio.timeout(LIFE_SECONDS):
        while True:
            assert await life(*victim, folder, number=next(numbers), armed=None, kind="receive") == 0
            if not await unfinished(store):
                return
            await asyncio.sleep(1)


@pytest.mark.timeout(600)
async def test_a_message_that_kills_is_set_aside(new_store: NewStore, folder: Path) -> None:
    """C30: three lives are lost to it, the fourth puts it away unparsed, and its neighbour passes."""
    victim = (POLICE, await new_store())
    async with partner(COUNCIL, await new_store(), folder) as council:
        await council.connection.publish(b"poison", recipient=POLICE, lane=Lane.ROUTINE, attempt_id="poison.1")
        lives = [await life_of_a_program(*victim, folder, number=n, armed="C30") for n in range(4)]
    assert lives == [-9, -9, -9, 0]
    key = keyring(folder, POLICE).store_key()
    async with (
        Store.open(victim[1], participant=POLICE, store_key=key, clock=wall_clock) as store,
        store.snapshot() as view,
    ):
        assert [row["code"] for row in await view.select(quarantine, select(quarantine))] == ["POISON"]
        assert await view.select(inbox_rows, select(inbox_rows)) == []
