"""Several messages in one transaction: what one of them does costs the others nothing, and nothing is given up."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import update

from adapters.kit.delivery.outbox_pump import OutboxPump
from adapters.kit.delivery.states import InboxState, OutboxState
from adapters.kit.envelope.verification import Refusal
from adapters.kit.store import invariants
from adapters.kit.store.errors import LostUpdate, StoreDamaged
from adapters.kit.store.tables import arrival_attempt, inbox_rows, outbox_rows, timer
from broker.hub import Delivery, Outcome
from schemas.routing import Lane
from tests.integration.store.conftest import Both, NewStore
from tests.support.fake_sealing import FakeEnvelopes, request_to
from tests.support.stations import COUNCIL, POLICE, START, FakeClock, Road, RoadConnection, Station, delivery_of
from tests.support.stations import station as open_station


@pytest.fixture
async def pair_of_stations(new_store: NewStore, road: Road, clock: FakeClock) -> AsyncIterator[Both]:
    """The council and the police, on one road; what arrives now came in this life of both stores."""
    async with (
        open_station(COUNCIL, await new_store(), road=road, clock=clock) as council,
        open_station(POLICE, await new_store(), road=road, clock=clock) as police,
    ):
        clock.pass_(seconds=1)
        yield council, police


async def waiting(council: Station, police: Station, *, count: int, thread: str | None = None) -> list[Delivery]:
    """Send requests and give them as the hub would hand them over."""
    for _ in range(count):
        await council.send(request_to(POLICE, thread=thread))
    await council.pump.run_once()
    return [delivery_of(parcel) for parcel in police.road.take(POLICE)]


def commits(one: Station) -> list[None]:
    """Count the commits of a store from now on."""
    seen: list[None] = []
    one.store.on_commit(lambda: seen.append(None))
    return seen


async def sound(*stations: Station) -> bool:
    """Whether I1 to I5 hold at every station."""
    found = []
    for one in stations:
        async with one.store.snapshot() as view:
            found += await invariants.violations(view)
    return found == []


async def test_what_waits_together_is_stored_in_one_transaction_with_a_receipt_each(pair_of_stations: Both) -> None:
    """Acknowledged after the commit that covers them; each message has its own signed RECEIVED from that commit."""
    council, police = pair_of_stations
    deliveries = await waiting(council, police, count=5)
    seen = commits(police)
    await police.receiver.take(deliveries)
    rows = await police.rows(outbox_rows)
    assert len(seen) == 1
    assert sorted(row["in_reply_to"] for row in rows) == sorted(row["mid"] for row in await police.rows(inbox_rows))
    assert [len(rows), sorted(row["seq"] for row in rows)] == [5, [1, 2, 3, 4, 5]]
    assert await sound(council, police)


async def test_a_duplicate_among_several_is_stored_once(pair_of_stations: Both) -> None:
    """E11 within one transaction: the second sight of an envelope is a duplicate of the first, not a conflict."""
    council, police = pair_of_stations
    first, second = await waiting(council, police, count=2)
    await police.receiver.take([first, second, first, first])
    assert len(await police.rows(inbox_rows)) == 2
    assert len(await police.rows(outbox_rows)) == 2
    assert await sound(police)


async def test_a_gap_between_several_is_seen_and_filled(pair_of_stations: Both, clock: FakeClock) -> None:
    """E13: neighbours of one transaction judge each other as if each had come alone."""
    council, police = pair_of_stations
    one, two, three = await waiting(council, police, count=3)
    await police.receiver.take([three, one, two])
    clock.pass_(minutes=16)
    await police.work()
    assert (await police.alarm_codes(), len(await police.rows(inbox_rows))) == ([], 3)


async def test_one_arrival_that_cannot_be_stored_costs_its_neighbours_nothing(pair_of_stations: Both) -> None:
    """The attack: one envelope that makes the transaction fail, among many that wait."""
    council, police = pair_of_stations
    deliveries = await waiting(council, police, count=4)
    poison = deliveries[2].body
    seals = police.receiver.envelopes
    assert isinstance(seals, FakeEnvelopes)
    thread = (seals.check(deliveries[2], now=START)).stub.thread  # type: ignore[union-attr]  # it is an arrival

    def fails(outgoing: object) -> None:
        if outgoing.thread == thread:  # type: ignore[attr-defined]  # an Outgoing
            raise LookupError

    seals.refuse_sealing = fails
    with pytest.raises(LookupError):
        await police.receiver.take(deliveries)
    assert len(await police.rows(inbox_rows)) == 2
    for delivery in deliveries[3:]:
        await police.receiver.handle(delivery)
    assert poison not in [delivery.body for delivery in deliveries[3:]]
    assert len(await police.rows(inbox_rows)) == 3


async def test_what_came_before_is_taken_alone_and_counted(pair_of_stations: Both) -> None:
    """C30: a message that killed the process before must not take its neighbours' attempts with it."""
    council, police = pair_of_stations
    one, two, three, four = await waiting(council, police, count=4)
    again = [replace(delivery, redelivered=True) for delivery in (two, three)]
    seen = commits(police)
    await police.receiver.take([one, *again, four])
    assert len(seen) == 6  # one; twice the count and then the message; four
    assert (len(await police.rows(inbox_rows)), await police.rows(arrival_attempt)) == (4, [])


async def test_junk_among_several_is_set_aside_and_the_rest_is_stored(pair_of_stations: Both) -> None:
    """E01: unauthenticated input takes nothing with it."""
    council, police = pair_of_stations
    first, second = await waiting(council, police, count=2)
    junk = Delivery(COUNCIL, Lane.ROUTINE, b"junk", has_cc=False, redelivered=False)
    await police.receiver.take([first, junk, second])
    assert len(await police.rows(inbox_rows)) == 2
    assert await sound(police)


async def test_what_waits_together_is_applied_in_one_transaction(pair_of_stations: Both) -> None:
    """One effect, one OPENED and one ledger entry a message; one commit for all."""
    council, police = pair_of_stations
    await police.receiver.take(await waiting(council, police, count=5))
    seen = commits(police)
    assert await police.work() == 5
    assert (len(seen), len(police.applied)) == (1, 5)
    receipts = Counter(row["in_reply_to"] for row in await police.rows(outbox_rows))
    assert set(receipts.values()) == {2}
    assert await sound(police)


async def test_a_refusal_among_several_undoes_its_own_effect_alone(pair_of_stations: Both) -> None:
    """E23 to E27: the others are applied once, the refused one is told to its sender."""
    council, police = pair_of_stations
    await police.receiver.take(await waiting(council, police, count=3))
    second = sorted(await police.rows(inbox_rows), key=lambda row: row["seq"])[1]["mid"]
    police.answer = lambda received: (
        Refusal("E24", "REJ-POLICY", "purpose") if received.original.mid == second else None
    )
    await police.work()
    states = {row["mid"]: row["state"] for row in await police.rows(inbox_rows)}
    assert Counter(states.values()) == {"APPLIED": 2, "QUARANTINED": 1}
    assert states[second] == InboxState.QUARANTINED.value
    async with police.store.snapshot() as view:
        assert len(await view.list("effect")) == 2
    assert sorted(one.original.mid for one in police.applied) == sorted(mid for mid in states if mid != second)
    assert await sound(police)


async def test_a_failure_among_several_holds_back_its_own_thread_alone(
    pair_of_stations: Both, clock: FakeClock
) -> None:
    """Order within a thread: what stands behind the failed one waits; every other message is applied once, now."""
    council, police = pair_of_stations
    thread = request_to(POLICE).thread
    deliveries = await waiting(council, police, count=2, thread=thread)
    deliveries += await waiting(council, police, count=2)
    await police.receiver.take(deliveries)
    failing: list[Exception] = [LookupError()]
    police.answer = lambda received: failing.pop() if failing and received.original.thread == thread else None
    await police.work()
    assert thread not in [one.original.thread for one in police.applied]
    assert len(police.applied) == 2
    clock.pass_(minutes=6)
    await police.work()
    assert len(police.applied) == 4
    assert await sound(police)


@dataclass
class SlowRoad(RoadConnection):
    """Takes its time over every parcel, and notes what is under way at the same time."""

    under_way: Counter[str] = field(default_factory=Counter)
    most: int = 0
    twice: bool = False
    unknown: set[str] = field(default_factory=set)

    async def publish(self, body: bytes, *, recipient: str, lane: Lane, attempt_id: str) -> Outcome:
        thread = THREADS[attempt_id.partition(".")[0]]
        self.under_way[thread] += 1
        self.most = max(self.most, sum(self.under_way.values()))
        self.twice |= self.under_way[thread] > 1
        await asyncio.sleep(0.01)
        self.under_way[thread] -= 1
        if thread in self.unknown:
            return Outcome.UNKNOWN
        return await super().publish(body, recipient=recipient, lane=lane, attempt_id=attempt_id)


THREADS: dict[str, str] = {}


async def _send_in_threads(council: Station, *threads: str) -> list[str]:
    mids = []
    for thread in threads:
        ref = await council.send(request_to(POLICE, thread=thread))
        assert ref.mid is not None
        THREADS[ref.mid] = thread
        mids.append(ref.mid)
    return mids


async def test_confirms_are_outstanding_together_but_never_two_of_a_thread(pair_of_stations: Both, road: Road) -> None:
    """Order within a thread is causal: the second of a thread leaves when the hub has answered for the first."""
    council, _ = pair_of_stations
    slow = SlowRoad(road, COUNCIL)
    one, two, three = (request_to(POLICE).thread for _ in range(3))
    await _send_in_threads(council, one, one, two, three, one, two)
    await OutboxPump(council.store, slow).run_once()
    assert not slow.twice
    assert slow.most > 1
    assert len(road.parcels) == 6


async def test_an_unknown_outcome_of_a_thread_stops_what_follows_in_it(pair_of_stations: Both, road: Road) -> None:
    """A request may be lost; its re-rating must not arrive without it."""
    council, _ = pair_of_stations
    slow = SlowRoad(road, COUNCIL)
    first, lost = (request_to(POLICE).thread for _ in range(2))
    mids = await _send_in_threads(council, first, lost, lost, lost)
    slow.unknown = {lost}
    await OutboxPump(council.store, slow).run_once()
    assert [parcel.attempt_id for parcel in road.log] == [f"{mids[0]}.1"]
    states = Counter(row["state"] for row in await council.rows(outbox_rows))
    assert states == {OutboxState.CONFIRMED.value: 1, OutboxState.SEALED.value: 3}


async def test_a_flipped_bit_is_found_in_rows_that_are_read_together(pair_of_stations: Both) -> None:
    """A row read ahead is verified like any other before anything is done with it."""
    council, police = pair_of_stations
    await police.receiver.take(await waiting(council, police, count=3))
    async with police.store.transaction() as tx:
        await tx.connection.execute(update(inbox_rows).values(thread="A" * 22))
    with pytest.raises(StoreDamaged):
        await police.work()
    with pytest.raises(StoreDamaged):
        await police.receiver.take(await waiting(council, police, count=2))


async def test_a_transaction_sees_what_it_wrote_before_it_is_on_the_disk(pair_of_stations: Both) -> None:
    """Writes wait for the commit; nobody who reads in the transaction can tell."""
    council, _ = pair_of_stations
    async with council.store.transaction() as tx:
        assert await tx.find(timer, kind="sla", ref="E-1") is None
        await tx.add_timer("sla", "E-1", START)
        found = await tx.find(timer, kind="sla", ref="E-1")
        assert found is not None
        assert [one.ref for one in await tx.due_timers()] == ["E-1"]
        moved = await tx.change(timer, found, fired_at=START)
        with pytest.raises(LostUpdate):
            await tx.change(timer, found, due_at=START)
        assert await tx.find(timer, timer.c.fired_at.is_(None), kind="sla", ref="E-1") is None
        assert await tx.find(timer, kind="sla", ref="E-1") == moved


async def _edit_under_the_hand(council: Station) -> None:
    async with council.store.transaction() as tx:
        found = await tx.find(timer, kind="sla", ref="E-1")
        assert found is not None
        await tx.connection.execute(update(timer).values(guard=b"forged"))
        await tx.change(timer, found, fired_at=START)


async def test_a_row_changed_behind_the_transaction_is_not_overwritten(pair_of_stations: Both) -> None:
    """The attack: somebody edits the database while a transaction has the row in hand; the commit refuses."""
    council, _ = pair_of_stations
    async with council.store.transaction() as tx:
        await tx.add_timer("sla", "E-1", START)
    with pytest.raises(LostUpdate):
        await _edit_under_the_hand(council)
