"""What an agency does with what comes through the hub's own exchange: the refusals H01 to H08, each by its attack."""

import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.kit.keys.in_use import SenderKeys
from adapters.kit.running.manifest_shelf import read_shelf
from adapters.kit.running.manifests import GRACE, Manifests
from adapters.kit.store.alarms import Priority
from adapters.kit.store.store import Store
from adapters.kit.store.tables import quarantine
from broker import hub_word
from broker.directory.tuf import Signer
from broker.hub import Delivery
from broker.manifests import manifest
from broker.topology import HUB, HUB_LANE
from schemas.reconciliation import ANSWER_TYPE, MANIFEST_TYPE, DailyManifest
from tests.integration.watch.reconciling import MORNING, hub_signer, with_hub_key
from tests.support.fake_sealing import FakeEnvelopes
from tests.support.stations import KEY, FakeClock
from tests.unit.watch.traffic import LA, POLICE, parties

DAY = date(2026, 11, 24)


@dataclass
class Desk:
    """An agency's end with an empty store, and a hub's key."""

    manifests: Manifests
    store: Store
    clock: FakeClock
    signer: Signer
    folder: Path

    async def take(self, body: bytes, *, has_cc: bool = False) -> None:
        """Deliver what the hub says."""
        await self.manifests.take(Delivery(HUB, HUB_LANE, body, has_cc=has_cc, redelivered=False))

    async def days(self) -> list[str]:
        """Give the days that were taken in."""
        async with self.store.snapshot() as view:
            shelf, _ = await read_shelf(view)
        return sorted(shelf.days)

    async def refused(self) -> list[str]:
        """Give the codes of what was refused."""
        async with self.store.snapshot() as view:
            return [row["code"] for row in await view.select(quarantine, quarantine.select())]

    async def alarms(self) -> dict[str, Priority]:
        """Give the codes of the alarms that stand, and how soon somebody acts."""
        async with self.store.snapshot() as view:
            return {alarm.code: alarm.priority for alarm in await view.alarms()}

    def say(self, made: DailyManifest, *, signer: Signer | None = None, payload_type: str = MANIFEST_TYPE) -> bytes:
        """Sign a manifest."""
        return hub_word.say(made.to_bytes(), payload_type=payload_type, signer=signer or self.signer)


def made(day: date = DAY, *, now: datetime = MORNING, participant: str = LA, entries: int = 0) -> DailyManifest:
    return manifest([], participant=participant, day=day, now=now, ledger=(entries, bytes(32)))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """The council's end."""
    signer, clock = hub_signer(tmp_path), FakeClock(MORNING + timedelta(minutes=1))
    opening = Store.open(
        f"sqlite:///{tmp_path}/la.sqlite", participant=LA, store_key=KEY, clock=clock, envelopes=FakeEnvelopes(LA)
    )
    directory = with_hub_key(signer)

    def keys(now: datetime) -> SenderKeys:
        return parties()[LA].sender(now)

    async with opening as store:
        yield Desk(Manifests(LA, store, lambda: directory, keys), store, clock, signer, tmp_path)


def changed(body: bytes, **fields: Any) -> bytes:
    return json.dumps(json.loads(body) | fields, sort_keys=True, separators=(",", ":")).encode()


async def test_a_manifest_of_the_hub_is_taken_in(desk: Desk) -> None:
    """The way in."""
    await desk.take(desk.say(made()))
    assert (await desk.days(), await desk.refused()) == (["2026-11-24"], [])


async def test_a_forged_manifest_is_refused(desk: Desk) -> None:
    """The attack: whoever holds the monitor's account at the broker signs with a key of his own (H02)."""
    await desk.take(desk.say(made(), signer=hub_signer(desk.folder, "another")))
    assert (await desk.days(), await desk.refused()) == ([], ["H02"])
    assert await desk.alarms() == {"manifest-refused": Priority.P1}


async def test_a_manifest_that_was_changed_on_its_way_is_refused(desk: Desk) -> None:
    """The attack: one number less in what was signed (H02)."""
    body = desk.say(made(entries=9))
    payload = b64decode(json.loads(body)["payload"]).replace(b'"entries":9', b'"entries":8')
    await desk.take(changed(body, payload=b64encode(payload).decode()))
    assert (await desk.days(), await desk.refused()) == ([], ["H02"])


async def test_a_manifest_with_the_kid_of_the_hub_and_another_signature_is_refused(desk: Desk) -> None:
    """The attack: the right name on the wrong signature (H02)."""
    body = desk.say(made(), signer=hub_signer(desk.folder, "another"))
    own = json.loads(desk.say(made()))["signatures"][0]["keyid"]
    (one,) = json.loads(body)["signatures"]
    await desk.take(changed(body, signatures=[{**one, "keyid": own}]))
    assert await desk.refused() == ["H02"]


async def test_a_word_of_the_hub_of_another_type_is_no_manifest(desk: Desk) -> None:
    """The attack: something else that the hub's key signed, shown as a manifest (H02)."""
    await desk.take(desk.say(made(), payload_type=ANSWER_TYPE))
    assert await desk.refused() == ["H02"]


async def test_a_replayed_manifest_is_not_compared_twice(desk: Desk) -> None:
    """The attack: the same bytes again, before and after the comparison; the second time is no news and no alarm."""
    body = desk.say(made())
    await desk.take(body)
    await desk.take(body)
    desk.clock.now += GRACE
    assert await desk.manifests.compare_due() == 1
    await desk.take(body)
    desk.clock.now += GRACE
    assert await desk.manifests.compare_due() == 0
    assert (await desk.refused(), await desk.alarms()) == ([], {})


async def test_an_old_manifest_that_was_held_back_is_refused(desk: Desk) -> None:
    """The attack: yesterday's, kept until today's has come, to hide what is missing today (H07)."""
    desk.clock.now += timedelta(days=1)
    await desk.take(desk.say(made(DAY + timedelta(days=1), now=desk.clock.now)))
    await desk.take(desk.say(made()))
    assert (await desk.days(), await desk.refused()) == (["2026-11-25"], ["H07"])


async def test_a_manifest_older_than_any_message_lives_is_refused(desk: Desk) -> None:
    """The attack: a manifest of last month replayed to a store that knows none yet (H06)."""
    body = desk.say(made())
    desk.clock.now += timedelta(days=15)
    await desk.take(body)
    assert (await desk.days(), await desk.refused()) == ([], ["H06"])


@pytest.mark.parametrize(
    "manifest",
    [made(now=MORNING + timedelta(hours=1)), made(MORNING.date(), now=MORNING), made(date(2027, 1, 1), now=MORNING)],
    ids=["made-later-than-now", "of-a-day-that-is-not-over", "of-a-day-to-come"],
)
async def test_a_manifest_from_the_future_is_refused(desk: Desk, manifest: DailyManifest) -> None:
    """The attack: a day far ahead would make every honest one older than the last (H06)."""
    await desk.take(desk.say(manifest))
    assert (await desk.days(), await desk.refused()) == ([], ["H06"])


async def test_another_agencys_manifest_is_refused(desk: Desk) -> None:
    """The attack: misrouted, and it would name who writes to whom elsewhere (H04)."""
    await desk.take(desk.say(made(participant=POLICE)))
    assert (await desk.days(), await desk.refused()) == ([], ["H04"])


async def test_two_manifests_for_one_day_are_told_at_once(desk: Desk) -> None:
    """The attack: the hub says one thing, and then another; the first stands (H08)."""
    await desk.take(desk.say(made(entries=5)))
    await desk.take(desk.say(made(entries=6)))
    assert (await desk.days(), await desk.refused()) == (["2026-11-24"], ["H08"])
    assert await desk.alarms() == {"manifest-refused": Priority.P1}


async def test_a_manifest_under_a_key_that_was_not_valid_then_is_refused(desk: Desk) -> None:
    """The attack: a key of the hub's that was retired years ago and found on an old disk (H05)."""
    desk.clock.now += timedelta(days=400)
    await desk.take(desk.say(made(desk.clock.now.date() - timedelta(days=1), now=desk.clock.now)))
    assert (await desk.days(), await desk.refused()) == ([], ["H05"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"MSE1",
        b'{"payload":1}',
        b"{" * 100_000,
        b"{" + b" " * 2**21,
    ],
    ids=["empty", "cut", "a-list", "an-envelope", "no-signature", "nested", "oversized"],
)
async def test_what_is_no_signed_word_is_refused(desk: Desk, body: bytes) -> None:
    """Oversized, malformed, nested without end: refused before anything is verified (H01)."""
    await desk.take(body)
    assert (await desk.days(), await desk.refused()) == ([], ["H01"])


async def test_a_manifest_with_a_stuffed_header_is_refused(desk: Desk) -> None:
    """The attack: a CC header beside it (H01)."""
    await desk.take(desk.say(made()), has_cc=True)
    assert await desk.refused() == ["H01"]


async def test_a_manifest_in_another_spelling_is_refused(desk: Desk) -> None:
    """Signed by the hub, but with spaces: one text has one encoding (H03)."""
    payload = json.dumps(json.loads(made().to_bytes())).encode()
    await desk.take(hub_word.say(payload, payload_type=MANIFEST_TYPE, signer=desk.signer))
    assert await desk.refused() == ["H03"]


async def test_a_hub_without_a_key_in_the_directory_is_believed_nothing(tmp_path: Path, desk: Desk) -> None:
    """An empty list of keys means no."""
    unknowing = Manifests(LA, desk.store, with_hub_key, desk.manifests.keys)
    await unknowing.take(Delivery(HUB, HUB_LANE, desk.say(made()), has_cc=False, redelivered=False))
    assert (await desk.days(), await desk.refused()) == ([], ["H02"])


async def test_a_hub_whose_ledger_became_shorter_is_told_at_once(desk: Desk) -> None:
    """The attack: the hub puts its ledger back and makes the day anew (M1)."""
    await desk.take(desk.say(made(entries=100)))
    desk.clock.now += timedelta(days=1)
    await desk.take(desk.say(made(DAY + timedelta(days=1), now=desk.clock.now, entries=99)))
    desk.clock.now += GRACE
    await desk.manifests.compare_due()
    assert await desk.alarms() == {"hub-ledger-shorter": Priority.P1}


async def test_refused_manifests_fill_no_disk(desk: Desk) -> None:
    """Bounded: the ring of the inbox's own quarantine, and one alarm a code and day."""
    policy = desk.store.policy
    for number in range(20):
        await desk.take(b"junk %d" % number)
    async with desk.store.snapshot() as view:
        assert len(await view.alarms()) == 1
    assert policy.ring_rows >= len(await desk.refused()) == 20


def test_the_test_day_is_over_at_the_test_morning() -> None:
    """The fixtures' own sense."""
    assert MORNING.astimezone(UTC).date() > DAY
