"""What an agency makes of manifests that do not come: a hub that is silenced, or leaves a day out."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from adapters.kit.keys.in_use import SenderKeys
from adapters.kit.running.chores import SILENCE_LIMIT, keep_reconciled
from adapters.kit.running.manifests import Manifests
from adapters.kit.running.manifests_owed import LISTENED_FOR, LOOKED_BACK, are_owed, missing
from adapters.kit.store.alarms import Alarm, Priority
from adapters.kit.store.store import Store
from broker import hub_word
from broker.directory.tuf import Signer
from broker.hub import Delivery
from broker.manifest_post import CATCH_UP, days_due
from broker.manifests import manifest
from broker.topology import HUB, HUB_LANE
from schemas.directory import Directory
from schemas.reconciliation import MANIFEST_TYPE
from tests.integration.watch.reconciling import hub_signer, with_hub_key
from tests.support.fake_sealing import FakeEnvelopes
from tests.support.stations import KEY, FakeClock, Road, RoadConnection
from tests.unit.watch.traffic import LA, parties

TUESDAY = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
"""When the agency first knew that it is owed manifests; the first whole day after it is Wednesday."""
WEDNESDAY, THURSDAY = date(2026, 11, 25), date(2026, 11, 26)


def morning(day: date, hour: int = 9, minute: int = 0) -> datetime:
    """Give a time of the day after `day`; London keeps UTC in November."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) + timedelta(days=1)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (TUESDAY, ()),
        (morning(date(2026, 11, 24)), ()),
        (morning(WEDNESDAY, 6, 59), ()),
        (morning(WEDNESDAY, 7), (WEDNESDAY,)),
        (morning(THURSDAY, 6, 59), (WEDNESDAY,)),
        (morning(THURSDAY, 7), (WEDNESDAY, THURSDAY)),
    ],
    ids=["at-once", "no-whole-day-yet", "not-late-yet", "late", "the-next-not-late-yet", "two-late"],
)
def test_a_day_is_missed_when_it_is_late_and_never_before_the_first_whole_day(
    now: datetime, expected: tuple[date, ...]
) -> None:
    """Nothing is owed for the day on which it began, and nothing is late before seven in the morning."""
    assert missing(set(), owed_since=TUESDAY, now=now) == expected


def test_a_day_that_is_here_is_not_missed_and_one_left_out_is() -> None:
    """The attack: Thursday's manifest comes and Wednesday's never did."""
    assert missing({THURSDAY}, owed_since=TUESDAY, now=morning(THURSDAY)) == (WEDNESDAY,)
    assert missing({WEDNESDAY, THURSDAY}, owed_since=TUESDAY, now=morning(THURSDAY)) == ()


def test_the_day_is_londons_when_summer_time_ends() -> None:
    """On 25 October 2026 seven in the morning is 07:00 UTC, the day before it was 06:00."""
    long_ago = datetime(2026, 10, 22, 12, tzinfo=UTC)
    friday, saturday = date(2026, 10, 23), date(2026, 10, 24)
    assert missing({friday}, owed_since=long_ago, now=datetime(2026, 10, 25, 6, 59, tzinfo=UTC)) == ()
    assert missing({friday}, owed_since=long_ago, now=datetime(2026, 10, 25, 7, tzinfo=UTC)) == (saturday,)
    assert missing(set(), owed_since=long_ago, now=datetime(2026, 10, 24, 6, tzinfo=UTC)) == (friday,)


def test_every_day_that_an_honest_hub_still_sends_is_looked_back_to_and_no_more() -> None:
    """After a month of silence there are eight alarms and not thirty."""
    now = morning(THURSDAY)
    missed = missing(set(), owed_since=now - timedelta(days=40), now=now)
    assert (len(missed), missed[-1], CATCH_UP.days < LOOKED_BACK) == (LOOKED_BACK, THURSDAY, True)
    assert set(days_due(now, began_at=now - timedelta(days=40))) <= set(missed)


def test_an_adapter_that_starts_anew_at_every_silence_still_has_time_to_miss_a_manifest() -> None:
    """The attack: a hub that lets nothing through makes the adapter stop after ten minutes, again and again."""
    assert LISTENED_FOR < SILENCE_LIMIT


def test_nothing_is_owed_by_a_hub_without_a_key_or_to_somebody_without_a_partner(tmp_path: Path) -> None:
    """The signed directory says it: no key of the hub's, no pair, or suspended."""
    directory = with_hub_key(hub_signer(tmp_path))
    assert are_owed(directory, participant=LA)
    assert not are_owed(with_hub_key(), participant=LA)
    assert not are_owed(directory, participant="testford-nobody")
    assert not are_owed(replace(directory, suspended=frozenset({LA})), participant=LA)


@dataclass
class Desk:
    """An agency's end, its clock, and a directory that a test may change."""

    manifests: Manifests
    store: Store
    clock: FakeClock
    signer: Signer
    directory: Directory

    async def look(self, now: datetime) -> int:
        """Look for what is missing at `now`."""
        self.clock.now = now
        return await self.manifests.notice_missing()

    async def take(self, day: date) -> None:
        """Let the hub's manifest of a day arrive, made on the next morning."""
        made = manifest([], participant=LA, day=day, now=self.clock.now, ledger=(1, bytes(32)))
        body = hub_word.say(made.to_bytes(), payload_type=MANIFEST_TYPE, signer=self.signer)
        await self.manifests.take(Delivery(HUB, HUB_LANE, body, has_cc=False, redelivered=False))

    async def missed(self) -> list[Alarm]:
        """Give the alarms that stand."""
        async with self.store.snapshot() as view:
            return await view.alarms()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """The council's end, opened on Tuesday; a hub's key is in the directory."""
    signer, clock = hub_signer(tmp_path), FakeClock(TUESDAY)
    url = f"sqlite:///{tmp_path}/la.sqlite"

    def keys(now: datetime) -> SenderKeys:
        return parties()[LA].sender(now)

    async with Store.open(url, participant=LA, store_key=KEY, clock=clock, envelopes=FakeEnvelopes(LA)) as store:
        here = Desk(Manifests(LA, store, lambda: here.directory, keys), store, clock, signer, with_hub_key(signer))
        await here.look(TUESDAY)
        yield here


async def test_a_hub_that_is_silenced_is_noticed_by_the_agency_itself(desk: Desk) -> None:
    """The attack: nothing of the hub's arrives at all, and no gap shows; one alarm a day names the day."""
    assert [await desk.look(morning(WEDNESDAY, hour)) for hour in (6, 8, 12)] == [0, 1, 0]
    assert await desk.look(morning(THURSDAY)) == 1
    told = [(alarm.code, alarm.priority, alarm.refs["day"]) for alarm in await desk.missed()]
    assert told == [("manifest-missing", Priority.P2, "2026-11-25"), ("manifest-missing", Priority.P2, "2026-11-26")]


async def test_a_hub_that_leaves_one_day_out_is_noticed_although_the_next_one_comes(desk: Desk) -> None:
    """The attack: the day on which something was dropped has no manifest; older than the next, it can never come."""
    desk.clock.now = morning(THURSDAY, 1)
    await desk.take(THURSDAY)
    assert await desk.look(morning(THURSDAY)) == 1
    (alarm,) = await desk.missed()
    assert alarm.refs == {"day": "2026-11-25", "last": "2026-11-26"}


async def test_a_manifest_that_comes_late_ends_its_alarm(desk: Desk) -> None:
    """A hub that was down catches up, and nobody has to clear anything."""
    await desk.look(morning(WEDNESDAY, 8))
    assert len(await desk.missed()) == 1
    await desk.take(WEDNESDAY)
    assert (await desk.look(morning(WEDNESDAY, 10)), await desk.missed()) == (0, [])


async def test_an_honest_hub_makes_no_alarm(desk: Desk) -> None:
    """A week of manifests, each at its time."""
    for number in range(7):
        desk.clock.now = morning(WEDNESDAY + timedelta(days=number), 1)
        await desk.take(WEDNESDAY + timedelta(days=number))
        assert await desk.look(morning(WEDNESDAY + timedelta(days=number))) == 0
    assert await desk.missed() == []


async def test_an_adapter_that_was_off_takes_in_what_waited_before_it_misses_anything(
    desk: Desk, tmp_path: Path
) -> None:
    """A start on Friday is no alarm about Wednesday and Thursday until the lanes have been listened to."""
    await desk.manifests.notice_missing()
    desk.store.opened_at = morning(THURSDAY)
    assert await desk.look(morning(THURSDAY)) == 0
    assert await desk.look(morning(THURSDAY) + LISTENED_FOR) == 2


async def test_an_agency_that_was_suspended_misses_nothing_of_that_time(desk: Desk) -> None:
    """What was not owed is not missed, and the count begins anew with the first whole day after it is back."""
    listed, desk.directory = desk.directory, replace(desk.directory, suspended=frozenset({LA}))
    assert await desk.look(morning(THURSDAY)) == 0
    desk.directory = listed
    back = morning(THURSDAY) + timedelta(days=10)
    assert [await desk.look(back), await desk.look(back + timedelta(days=1))] == [0, 0]
    assert await desk.look(back + timedelta(days=2)) == 1


class _Enough(Exception):
    """The chore has gone round."""


async def test_a_running_adapter_looks_for_what_is_missing(desk: Desk) -> None:
    """The chore that compares and answers is the one that misses, also while the hub confirms nothing."""

    async def sleep(_seconds: float) -> None:
        raise _Enough

    desk.clock.now = morning(WEDNESDAY)
    with pytest.raises(_Enough):
        await keep_reconciled(desk.manifests, RoadConnection(Road(), LA), sleep=sleep)
    assert [alarm.code for alarm in await desk.missed()] == ["manifest-missing"]


async def test_the_day_of_a_refused_manifest_is_still_missed(desk: Desk, tmp_path: Path) -> None:
    """The attack: a forged manifest in the place of the real one."""
    desk.clock.now = morning(WEDNESDAY, 1)
    desk.signer = hub_signer(tmp_path, "another")
    await desk.take(WEDNESDAY)
    await desk.look(morning(WEDNESDAY))
    assert sorted(alarm.code for alarm in await desk.missed()) == ["manifest-missing", "manifest-refused"]
