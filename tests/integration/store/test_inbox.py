"""What arrives: stored once, chained, refused or set aside; on SQLite and on PostgreSQL alike."""

from dataclasses import replace

import pytest

from adapters.kit.delivery.states import InboxState, OutboxState
from adapters.kit.envelope.sealing import Chain
from adapters.kit.store.tables import arrival_attempt, envelope, inbox_rows, outbox_rows, quarantine
from broker.hub import Delivery
from schemas.routing import Lane
from schemas.stub import Event
from tests.integration.store.conftest import Both, NewStore
from tests.support.fake_sealing import FakeEnvelopes, request_to
from tests.support.stations import COUNCIL, POLICE, FakeClock, Road, Station, delivery_of, settle, station

S = OutboxState


def forged(body: bytes, *, sender: str = COUNCIL, lane: Lane = Lane.ROUTINE) -> Delivery:
    """A delivery that a test makes itself."""
    return Delivery(sender, lane, body, has_cc=False, redelivered=False)


async def sent_by_hand(police: Station, *, seq: int, prev: bytes, **changes: object) -> tuple[Delivery, bytes]:
    """Seal an envelope at any place of the chain, as a sender with a damaged store would."""
    outgoing = replace(request_to(POLICE), **changes)  # type: ignore[arg-type]  # a test says what it changes
    sealed = FakeEnvelopes(COUNCIL).seal(outgoing, chain=Chain(seq, prev), now=police.store.clock())
    return forged(sealed.body, lane=outgoing.lane), sealed.stub_hash


async def test_a_message_is_received_opened_and_receipted(pair_of_stations: Both) -> None:
    """The whole way of one message, with R1 and R2 back at its sender."""
    council, police = pair_of_stations
    ref = await council.send(request_to(POLICE, b"the question"))
    await settle(council, police)
    (received,) = police.applied
    assert list(received.opened.sections.values()) == [b"the question"]
    assert (received.original.peer, received.original.mid) == (COUNCIL, ref.mid)
    assert (await council.look(ref.ref)).state is S.OPENED
    (kept,) = [row for row in await council.rows(outbox_rows) if row["sort"] == "message"]
    assert kept["draft"] is None
    assert (await council.alarm_codes(), await police.alarm_codes()) == ([], [])


async def test_a_duplicate_has_no_second_effect_and_repeats_the_receipt(pair_of_stations: Both, road: Road) -> None:
    """E11, M2: replayed a hundred times, applied once; the receipt's own bytes come again."""
    council, police = pair_of_stations
    await council.send(request_to(POLICE))
    await settle(council, police)
    original, *_ = road.log
    first = [parcel.body for parcel in road.log if parcel.sender == POLICE]
    for _ in range(5):
        await police.receiver.handle(delivery_of(original, redelivered=True))
    await police.work()
    await police.pump.run_once()
    repeated = [parcel.body for parcel in road.log if parcel.sender == POLICE][len(first) :]
    assert len(police.applied) == 1
    assert repeated == first
    assert len(await police.rows(inbox_rows)) == 1


async def test_two_envelopes_of_one_mid_are_a_conflict(pair_of_stations: Both) -> None:
    """E12: both are kept, someone is called, the sender is told, and the second has no effect."""
    council, police = pair_of_stations
    await council.send(request_to(POLICE))
    await council.pump.run_once()
    (parcel,) = police.road.take(POLICE)
    await police.receiver.handle(delivery_of(parcel))
    twin = bytearray(parcel.body)
    core_end = twin.index(b"}}") + 2
    twin[core_end + 2 + 8] ^= 1  # another hash in the signed table: another stub with the same mid
    await police.receiver.handle(forged(bytes(twin)))
    await police.receiver.handle(forged(bytes(twin)))
    await police.work()
    assert len(police.applied) == 1
    assert await police.alarm_codes() == ["conflict"]
    assert len([row for row in await police.rows(envelope) if row["way"] == "in"]) == 2
    await police.pump.run_once()
    await council.fetch()
    assert "receipt-of-another-stub" in await council.alarm_codes()


async def test_a_gap_is_accepted_and_alarmed_if_it_stays(pair_of_stations: Both, clock: FakeClock) -> None:
    """E13, M4: the hub dropped a message; the recipient knows it from the numbers."""
    council, police = pair_of_stations
    for _ in range(3):
        await council.send(request_to(POLICE))
    await council.pump.run_once()
    first, _, third = police.road.take(POLICE)
    for parcel in (first, third):
        await police.receiver.handle(delivery_of(parcel))
    await police.work()
    assert (len(police.applied), await police.alarm_codes()) == (2, [])
    clock.pass_(minutes=16)
    await police.work()
    assert await police.alarm_codes() == ["messages-missing"]


async def test_a_gap_that_was_filled_raises_nothing(pair_of_stations: Both, clock: FakeClock) -> None:
    """E13: late is not lost."""
    council, police = pair_of_stations
    for _ in range(3):
        await council.send(request_to(POLICE))
    await council.pump.run_once()
    for parcel in reversed(police.road.take(POLICE)):
        await police.receiver.handle(delivery_of(parcel))
    clock.pass_(minutes=16)
    await police.work()
    assert (len(police.applied), await police.alarm_codes()) == (3, [])


async def test_a_second_history_is_refused(pair_of_stations: Both) -> None:
    """E13, M8: two envelopes with number one; the second is kept, refused and alarmed, and has no effect."""
    council, police = pair_of_stations
    for _ in range(2):
        delivery, _ = await sent_by_hand(police, seq=1, prev=bytes(32))
        await police.receiver.handle(delivery)
    await police.work()
    states = sorted((row["state"], row["code"]) for row in await police.rows(inbox_rows))
    assert (states, len(police.applied)) == ([("APPLIED", None), ("QUARANTINED", "E13")], 1)
    assert await police.alarm_codes() == ["chain-fork"]
    await police.pump.run_once()
    assert len(council.road.take(COUNCIL)) == 3


async def test_an_expired_message_is_refused_and_its_sender_told(pair_of_stations: Both, clock: FakeClock) -> None:
    """E10: authentic but late; a row, a REJ-TIME, no effect."""
    council, police = pair_of_stations
    ref = await council.send(request_to(POLICE))
    await council.pump.run_once()
    clock.pass_(days=15)
    await settle(council, police)
    assert next((row["state"], row["code"]) for row in await police.rows(inbox_rows)) == ("QUARANTINED", "E10")
    assert police.applied == []
    assert (await council.look(ref.ref)).state is S.REFUSED


async def test_a_duplicate_that_comes_after_its_life_is_still_a_duplicate(
    pair_of_stations: Both, road: Road, clock: FakeClock
) -> None:
    """The attack: hold a copy back for two weeks to turn an accepted message into a rejected one."""
    council, police = pair_of_stations
    ref = await council.send(request_to(POLICE))
    await settle(council, police)
    clock.pass_(days=15)
    await police.receiver.handle(delivery_of(road.log[0]))
    await settle(council, police)
    assert (await council.look(ref.ref)).state is S.OPENED
    assert [row["state"] for row in await police.rows(inbox_rows)] == ["APPLIED"]


@pytest.mark.parametrize(
    ("sender", "body", "code"),
    [(COUNCIL, b"junk", "E01"), (COUNCIL, b"", "E01"), ("testford-health", None, "E05")],
)
async def test_unauthenticated_input_gets_no_answer(
    pair_of_stations: Both, sender: str, body: bytes | None, code: str
) -> None:
    """E00 to E09: kept aside, unanswered; a forged sender alarms."""
    _, police = pair_of_stations
    delivery, _ = await sent_by_hand(police, seq=1, prev=bytes(32))
    await police.receiver.handle(forged(delivery.body if body is None else body, sender=sender))
    await police.pump.run_once()
    assert [row["code"] for row in await police.rows(quarantine)] == [code]
    assert (await police.rows(inbox_rows), await police.rows(outbox_rows)) == ([], [])
    assert await police.alarm_codes() == (["quarantined"] if code == "E05" else [])


async def test_junk_cannot_fill_the_disk(new_store: NewStore, road: Road, clock: FakeClock) -> None:
    """M16: the ring keeps the newest rows within both of its bounds."""
    from adapters.kit.delivery.policy import DeliveryPolicy

    policy = DeliveryPolicy(ring_rows=3, ring_bytes=100)
    async with station(POLICE, await new_store(), road=road, clock=clock, policy=policy) as police:
        for number in range(6):
            await police.receiver.handle(forged(b"junk%d" % number))
        assert sorted(row["body"] for row in await police.rows(quarantine)) == [b"junk3", b"junk4", b"junk5"]
        await police.receiver.handle(forged(b"x" * 99))
        assert [row["size"] for row in await police.rows(quarantine)] == [99]
        assert await police.rows(arrival_attempt) == []


async def test_a_message_that_kills_the_process_is_set_aside_unparsed(
    pair_of_stations: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C30: after three attempts it is quarantined without being looked at, and its neighbour passes."""
    council, police = pair_of_stations
    for _ in range(2):
        await council.send(request_to(POLICE))
    await council.pump.run_once()
    poison, neighbour = police.road.take(POLICE)
    parsed: list[bytes] = []
    real = police.receiver.envelopes.check

    def dies(delivery: Delivery, *, now: object) -> object:
        parsed.append(delivery.body)
        if delivery.body == poison.body:
            raise KeyboardInterrupt
        return real(delivery, now=now)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(police.receiver.envelopes, "check", dies)
    for attempt in range(3):
        with pytest.raises(KeyboardInterrupt):
            await police.receiver.handle(delivery_of(poison, redelivered=attempt > 0))
    await police.receiver.handle(delivery_of(poison, redelivered=True))
    await police.receiver.handle(delivery_of(neighbour))
    await police.work()
    assert (len(parsed), len(police.applied)) == (4, 1)
    assert [row["code"] for row in await police.rows(quarantine)] == ["POISON"]
    assert "quarantined" in await police.alarm_codes()


async def test_a_heartbeat_is_noted_and_not_answered(pair_of_stations: Both) -> None:
    """Silence is told from absence by it; it moves the chain and nothing else."""
    council, police = pair_of_stations
    ref = await council.send(replace(request_to(POLICE), event=Event.HEARTBEAT, sections={}))
    await settle(council, police)
    assert (await council.look(ref.ref)).state is S.CLOSED
    assert [row["state"] for row in await police.rows(inbox_rows)] == [InboxState.APPLIED.value]
    assert (police.applied, await police.rows(outbox_rows)) == ([], [])


async def test_a_parcel_for_another_participant_alarms(pair_of_stations: Both, road: Road) -> None:
    """E04: the hub misrouted; nothing is answered and someone looks."""
    council, police = pair_of_stations
    await council.send(request_to("testford-health"))
    await council.pump.run_once()
    (parcel,) = road.take("testford-health")
    await police.receiver.handle(delivery_of(parcel))
    assert [row["code"] for row in await police.rows(quarantine)] == ["E04"]
