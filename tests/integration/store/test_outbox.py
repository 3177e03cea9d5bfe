"""The outbox and its pump: on SQLite and on PostgreSQL alike."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.kit.delivery.outbox import OutboxRef
from adapters.kit.delivery.states import OutboxState
from adapters.kit.envelope.sealing import CannotSeal, NoCurrentKey, Outgoing
from adapters.kit.store.errors import TooLate
from adapters.kit.store.tables import envelope, outbox_rows, pair
from adapters.kit.store.transaction import Transaction
from broker.hub import Outcome
from schemas.routing import Lane
from schemas.stub import Event
from tests.integration.store.conftest import NewStore
from tests.support.fake_sealing import FakeEnvelopes, request_to
from tests.support.stations import COUNCIL, POLICE, START, FakeClock, Road, Station, settle, station

S = OutboxState


@pytest.fixture
async def council(new_store: NewStore, road: Road, clock: FakeClock) -> AsyncIterator[Station]:
    """The council's adapter, alone on the road."""
    async with station(COUNCIL, await new_store(), road=road, clock=clock) as one:
        yield one


async def _state(one: Station, ref: OutboxRef) -> OutboxState:
    return (await one.look(ref.ref)).state


async def test_numbers_and_links_of_a_pair_have_no_hole(council: Station) -> None:
    """Each envelope names the hash of the one before, whatever its lane."""
    lanes = (Lane.URGENT, Lane.ROUTINE, Lane.URGENT)
    refs = [await council.send(request_to(POLICE, lane=lane)) for lane in lanes]
    rows = {row["ref"]: row for row in await council.rows(outbox_rows)}
    assert [rows[ref.ref]["seq"] for ref in refs] == [1, 2, 3]
    (ends,) = await council.rows(pair)
    assert (ends["sent_seq"], ends["sent_hash"]) == (3, rows[refs[-1].ref]["stub_hash"])


async def test_a_sealing_that_fails_takes_no_number(council: Station) -> None:
    """C05: number, bytes and row are one transaction."""
    seals = council.receiver.envelopes
    assert isinstance(seals, FakeEnvelopes)
    seals.refuse_sealing = lambda outgoing: NoCurrentKey()
    with pytest.raises(CannotSeal):
        await council.send(request_to(POLICE))
    seals.refuse_sealing = lambda outgoing: None
    await council.send(request_to(POLICE))
    assert [row["seq"] for row in await council.rows(outbox_rows)] == [1]


async def test_the_same_idempotency_key_gives_the_same_message(council: Station, road: Road) -> None:
    """C02: the second press of the button sends nothing."""
    first = await council.send(request_to(POLICE), idempotency_key="rfi-1")
    await council.pump.run_once()
    again = await council.send(request_to(POLICE), idempotency_key="rfi-1")
    await council.pump.run_once()
    assert (again.ref, again.mid, len(road.log)) == (first.ref, first.mid, 1)


async def test_a_held_message_leaves_at_its_time_and_not_before(council: Station, road: Road, clock: FakeClock) -> None:
    """C03: released once, sealed only then."""
    ref = await council.send(request_to(POLICE), release_at=START + timedelta(minutes=2))
    await council.pump.run_once()
    assert (ref.state, ref.mid, road.log) == (S.HELD, None, [])
    clock.pass_(minutes=2)
    await council.pump.run_once()
    await council.pump.run_once()
    assert (await _state(council, ref), len(road.log)) == (S.CONFIRMED, 1)


async def test_a_recalled_message_is_never_published(council: Station, road: Road, clock: FakeClock) -> None:
    """C04: the wrong office was chosen, and nothing has left."""
    ref = await council.send(request_to(POLICE), release_at=START + timedelta(minutes=2))
    async with council.store.transaction() as tx:
        assert (await tx.recall(ref.ref)).state is S.CANCELLED
    clock.pass_(hours=1)
    await council.pump.run_once()
    assert road.log == []
    assert [row["draft"] for row in await council.rows(outbox_rows)] == [None]


async def _recall(tx: Transaction, ref: str) -> None:
    await tx.recall(ref)


async def test_what_has_been_released_cannot_be_recalled(council: Station, clock: FakeClock) -> None:
    """C04: exactly one of recall and release wins, and the loser is told."""
    ref = await council.send(request_to(POLICE), release_at=START + timedelta(minutes=2))
    clock.pass_(minutes=2)
    await council.pump.tend()
    async with council.store.transaction() as tx:
        for unknown in (ref.ref, "no such message"):
            with pytest.raises(TooLate):
                await tx.recall(unknown)


async def test_a_held_message_that_cannot_be_sealed_waits_and_alarms(
    council: Station, road: Road, clock: FakeClock
) -> None:
    """A recipient without keys: nobody waits unseen, and it goes when it can."""
    ref = await council.send(request_to(POLICE), release_at=START + timedelta(minutes=2))
    seals = council.receiver.envelopes
    assert isinstance(seals, FakeEnvelopes)
    seals.refuse_sealing = lambda outgoing: NoCurrentKey()
    clock.pass_(minutes=2)
    await council.pump.run_once()
    assert (await _state(council, ref), await council.alarm_codes()) == (S.HELD, ["cannot-seal"])
    seals.refuse_sealing = lambda outgoing: None
    clock.pass_(minutes=2)
    await council.pump.run_once()
    assert (await _state(council, ref), len(road.log)) == (S.CONFIRMED, 1)


async def test_a_retry_repeats_the_bytes_under_a_new_attempt_id(council: Station, road: Road, clock: FakeClock) -> None:
    """Unknown outcome: identical bytes, and an attempt id that no other attempt has (pitfalls 3)."""
    ref = await council.send(request_to(POLICE))
    road.outcome = lambda parcel: Outcome.UNKNOWN
    for _ in range(3):
        await council.pump.run_once()
        clock.pass_(minutes=6)
    assert len({parcel.body for parcel in road.log}) == 1
    assert [parcel.attempt_id for parcel in road.log] == [f"{ref.mid}.{number}" for number in (1, 2, 3)]
    assert await _state(council, ref) is S.SEALED


async def test_an_unroutable_message_is_returned_with_an_alarm(council: Station, road: Road) -> None:
    """The pair matrix has drifted: someone acts, nothing is retried blindly."""
    road.outcome = lambda parcel: Outcome.RETURNED
    ref = await council.send(request_to(POLICE))
    await council.pump.run_once()
    assert (await _state(council, ref), await council.alarm_codes()) == (S.RETURNED, ["unroutable"])


@pytest.mark.parametrize(("lane", "bound"), [(Lane.URGENT, 60), (Lane.ROUTINE, 900)])
async def test_silence_after_the_confirm_repeats_the_bytes_and_then_alarms(
    council: Station, road: Road, clock: FakeClock, lane: Lane, bound: int
) -> None:
    """A confirm is not delivery: only R1 stops the clock of the class (60 s, 15 min), an alarm comes after two."""
    await council.send(request_to(POLICE, lane=lane))
    counts = []
    for _ in range(3):
        await council.pump.run_once()
        clock.pass_(seconds=bound - 1)
        await council.pump.run_once()
        counts.append((len(road.log), await council.alarm_codes()))
        clock.pass_(seconds=1)
    assert counts == [(1, []), (2, []), (3, ["not-received"])]
    assert len({parcel.body for parcel in road.log}) == 1


async def test_a_message_whose_life_is_over_expires_with_an_alarm(
    council: Station, road: Road, clock: FakeClock
) -> None:
    """After fourteen days nobody would accept it; it is not sent again and not forgotten."""
    road.outcome = lambda parcel: Outcome.UNKNOWN
    ref = await council.send(request_to(POLICE))
    await council.pump.run_once()
    clock.pass_(days=15)
    await council.pump.run_once()
    assert (await _state(council, ref), len(road.log)) == (S.EXPIRED, 1)
    assert await council.alarm_codes() == ["expired"]


async def test_a_claim_of_a_dead_process_is_taken_back_at_the_start(
    new_store: NewStore, road: Road, clock: FakeClock
) -> None:
    """C07: the lease of the store says that nobody else can be sending it."""
    url = await new_store()
    async with station(COUNCIL, url, road=road, clock=clock) as before:
        ref = await before.send(request_to(POLICE))
        await before.pump._claim(Lane.ROUTINE)
        assert await _state(before, ref) is S.INFLIGHT
    async with station(COUNCIL, url, road=road, clock=clock) as after:
        await after.pump.run_once()
        assert (await _state(after, ref), [parcel.attempt_id for parcel in road.log]) == (S.CONFIRMED, [f"{ref.mid}.2"])


async def test_a_lease_that_ran_out_is_taken_back(council: Station, road: Road, clock: FakeClock) -> None:
    """C07: a publish that never came back does not hold its message for ever."""
    await council.pump.adopt()
    ref = await council.send(request_to(POLICE))
    await council.pump._claim(Lane.ROUTINE)
    await council.pump.run_once()
    assert road.log == []
    clock.pass_(seconds=61)
    await council.pump.run_once()
    assert (await _state(council, ref), len(road.log)) == (S.CONFIRMED, 1)


async def test_an_unknown_outcome_stops_what_stands_behind_it(council: Station, road: Road, clock: FakeClock) -> None:
    """Order within a lane and recipient is kept while the hub is away."""
    road.outcome = lambda parcel: Outcome.UNKNOWN
    refs = [await council.send(request_to(POLICE)) for _ in range(3)]
    await council.pump.run_once()
    assert [parcel.attempt_id for parcel in road.log] == [f"{refs[0].mid}.1"]
    road.outcome = lambda parcel: Outcome.CONFIRMED
    clock.pass_(minutes=1)
    await council.pump.run_once()
    assert [parcel.attempt_id for parcel in road.log[1:]] == [f"{ref.mid}.2" for ref in refs]


async def test_a_key_rejection_seals_once_more_under_a_new_mid(
    new_store: NewStore, road: Road, clock: FakeClock
) -> None:
    """C12: one successor with the same content; the second rejection is the last and alarms."""
    from adapters.kit.envelope.verification import Refusal

    async with (
        station(COUNCIL, await new_store(), road=road, clock=clock) as council,
        station(POLICE, await new_store(), road=road, clock=clock) as police,
    ):
        opens = police.worker.envelopes
        assert isinstance(opens, FakeEnvelopes)
        opens.refuse_opening = lambda stub: (
            Refusal("E16", "REJ-CRYPTO", "prekey") if stub.event is Event.REQUEST else None
        )
        ref = await council.send(request_to(POLICE))
        await settle(council, police)
        rows = await council.rows(outbox_rows)
        assert sorted((row["state"], row["supersedes"]) for row in rows if row["sort"] == "message") == [
            ("CLOSED", None),
            ("REFUSED", ref.ref),
        ]
        latest = await council.look(ref.ref)
        assert latest.mid not in (None, ref.mid)
        assert await council.alarm_codes() == ["refused"]
        assert police.applied == []


async def test_the_bytes_on_the_disk_are_those_that_left(council: Station, road: Road) -> None:
    """What is kept for a retry and as evidence is exactly what was published."""
    await council.send(request_to(POLICE))
    await council.pump.run_once()
    (kept,) = await council.rows(envelope)
    assert [parcel.body for parcel in road.log] == [kept["body"]]


async def test_several_recipients_do_not_wait_for_each_other(council: Station, road: Road) -> None:
    """A partner that cannot be reached holds nobody else up."""
    away = "testford-health"
    road.outcome = lambda parcel: Outcome.UNKNOWN if parcel.recipient == away else Outcome.CONFIRMED
    lost: Outgoing = request_to(away)
    refs = [await council.send(one) for one in (lost, request_to(POLICE), request_to("testford-school"))]
    await council.pump.run_once()
    assert [await _state(council, ref) for ref in refs] == [S.SEALED, S.CONFIRMED, S.CONFIRMED]
