"""The inbox, its worker and the receipts: on SQLite and on PostgreSQL alike."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.kit.delivery.inbox_worker import InboxWorker
from adapters.kit.delivery.receipt_flow import Original, Verdict
from adapters.kit.delivery.states import InboxState, OutboxState
from adapters.kit.envelope.sealing import Chain
from adapters.kit.envelope.verification import Refusal
from adapters.kit.store.tables import arrival_attempt, envelope, inbox_rows, outbox_rows, quarantine
from broker.hub import Delivery
from schemas.receipt import Outcome, ReceiptKind
from schemas.routing import Lane
from schemas.stub import Event
from tests.integration.store.conftest import NewStore
from tests.support.fake_sealing import FakeEnvelopes, request_to
from tests.support.stations import (
    COUNCIL,
    POLICE,
    START,
    FakeClock,
    Road,
    Station,
    delivery_of,
    settle,
    station,
)

S = OutboxState


@pytest.fixture
async def pair_of_stations(new_store: NewStore, road: Road, clock: FakeClock) -> AsyncIterator[tuple[Station, Station]]:
    """The council and the police, on one road."""
    async with (
        station(COUNCIL, await new_store(), road=road, clock=clock) as council,
        station(POLICE, await new_store(), road=road, clock=clock) as police,
    ):
        yield council, police


Both = tuple[Station, Station]


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


async def test_received_is_told_before_the_message_is_opened(pair_of_stations: Both) -> None:
    """R1 comes from the transaction that stored the bytes; R2 only after the effect."""
    council, police = pair_of_stations
    ref = await council.send(request_to(POLICE))
    await council.pump.run_once()
    await police.fetch()
    await police.pump.run_once()
    await council.fetch()
    assert ((await council.look(ref.ref)).state, police.applied) == (S.RECEIVED, [])


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


async def test_two_workers_that_took_the_same_message_apply_it_once(pair_of_stations: Both) -> None:
    """I2: the state is looked at again in the transaction of the effect; who comes second does nothing."""
    council, police = pair_of_stations
    await council.send(request_to(POLICE))
    await council.pump.run_once()
    await police.fetch()
    second = InboxWorker(police.store, police.worker.envelopes)
    taken = [await worker._take() for worker in (police.worker, second)]
    for worker, (task,) in zip((police.worker, second), taken, strict=True):
        assert await worker._work(task, police.apply)
    assert len(police.applied) == 1
    assert [row["failures"] for row in await police.rows(inbox_rows)] == [0]


async def test_an_effect_that_fails_is_tried_again_and_happens_once(pair_of_stations: Both, clock: FakeClock) -> None:
    """I2: the half-done effect is gone with its transaction."""
    council, police = pair_of_stations
    ref = await council.send(request_to(POLICE))
    failing = [OSError(), OSError()]
    police.answer = lambda received: failing.pop() if failing else None
    await settle(council, police)
    for _ in range(3):
        clock.pass_(minutes=6)
        await settle(council, police)
    assert (len(police.applied), (await council.look(ref.ref)).state) == (1, S.OPENED)


async def test_an_effect_that_keeps_failing_is_parked_where_it_is_seen(
    pair_of_stations: Both, clock: FakeClock
) -> None:
    """Never lost: an alarm, a parking place, and it works once the cause is gone."""
    council, police = pair_of_stations
    ref = await council.send(request_to(POLICE))
    police.answer = lambda received: LookupError()
    for _ in range(8):
        await settle(council, police)
        clock.pass_(minutes=6)
    assert [row["state"] for row in await police.rows(inbox_rows)] == [InboxState.PARKED.value]
    assert await police.alarm_codes() == ["parked"]
    police.answer = lambda received: None
    async with police.store.transaction() as tx:
        assert ref.mid is not None
        assert await tx.unpark(COUNCIL, ref.mid)
        assert await tx.unpark(COUNCIL, "unknown") is False
    await settle(council, police)
    assert (len(police.applied), (await council.look(ref.ref)).state) == (1, S.OPENED)


async def test_what_the_domain_refuses_is_undone_and_told(pair_of_stations: Both) -> None:
    """E23 to E27: a value, not an exception; no half-done effect, the code goes back, the sender sees REFUSED."""
    council, police = pair_of_stations
    police.answer = lambda received: Refusal("E24", "REJ-POLICY", "no agreement for this purpose")
    ref = await council.send(request_to(POLICE))
    await settle(council, police)
    assert (await council.look(ref.ref)).state is S.REFUSED
    assert [row["code"] for row in await council.rows(outbox_rows) if row["sort"] == "message"] == ["REJ-POLICY"]
    async with police.store.snapshot() as view:
        assert await view.list("effect") == []
    assert await council.alarm_codes() == ["refused"]


async def test_within_a_thread_nothing_overtakes_what_failed(pair_of_stations: Both, clock: FakeClock) -> None:
    """Order within a thread is causal; another thread does not wait."""
    council, police = pair_of_stations
    thread = request_to(POLICE).thread
    for text in (b"first", b"second"):
        await council.send(request_to(POLICE, text, thread=thread))
    await council.send(request_to(POLICE, b"other"))
    failing: list[Exception] = [LookupError()]
    police.answer = lambda received: failing.pop() if failing else None
    await settle(council, police)
    assert [list(one.opened.sections.values()) for one in police.applied] == [[b"other"]]
    clock.pass_(minutes=6)
    await settle(council, police)
    assert [next(iter(one.opened.sections.values())) for one in police.applied] == [b"other", b"first", b"second"]


async def test_a_supplement_waits_for_what_it_supplements(pair_of_stations: Both, clock: FakeClock) -> None:
    """M3: the hub reorders; the effect follows the cause, and after a while comes all the same."""
    council, police = pair_of_stations
    request = await council.send(request_to(POLICE, b"request", lane=Lane.ROUTINE))
    for cause in (request.mid, "A" * 22):
        await council.send(request_to(POLICE, b"about it", lane=Lane.URGENT, in_reply_to=cause))
    await council.pump.run_once()
    parcels = sorted(police.road.take(POLICE), key=lambda parcel: parcel.lane.value, reverse=True)
    for parcel in parcels[:2]:
        await police.receiver.handle(delivery_of(parcel))
    await police.work()
    assert police.applied == []
    await police.receiver.handle(delivery_of(parcels[2]))
    for _ in range(2):
        clock.pass_(seconds=3)
        await police.work()
    assert len(police.applied) == 2
    clock.pass_(minutes=6)
    await police.work()
    assert len(police.applied) == 3


async def test_r2_before_r1_is_legal(pair_of_stations: Both) -> None:
    """C33: receipts are delivered in the wrong order."""
    council, police = pair_of_stations
    ref = await council.send(request_to(POLICE))
    await council.pump.run_once()
    await police.fetch()
    await police.work()
    await police.pump.run_once()
    receipts = council.road.take(COUNCIL)
    for parcel in reversed(receipts):
        await council.receiver.handle(delivery_of(parcel))
    assert (len(receipts), (await council.look(ref.ref)).state) == (2, S.OPENED)


async def test_r1_before_the_confirm_is_legal(pair_of_stations: Both, road: Road) -> None:
    """C31: the state jumps forward, and the late outcome does not pull it back."""
    council, police = pair_of_stations
    ref = await council.send(request_to(POLICE))
    await council.pump.adopt()
    (claimed,) = await council.pump._claim(Lane.ROUTINE)
    attempts = await council.pump._send_in_order([claimed])
    await police.fetch()
    await police.pump.run_once()
    await council.fetch()
    assert (await council.look(ref.ref)).state is S.RECEIVED
    await council.pump._settle(attempts)
    assert (await council.look(ref.ref)).state is S.RECEIVED


async def test_a_message_received_but_not_opened_alarms(pair_of_stations: Both, clock: FakeClock) -> None:
    """Stored is not read: reports lay unopened in inboxes nobody knew of."""
    council, police = pair_of_stations
    await council.send(request_to(POLICE, lane=Lane.URGENT))
    await council.pump.run_once()
    await police.fetch()
    await police.pump.run_once()
    await council.fetch()
    clock.pass_(minutes=11)
    await council.pump.run_once()
    assert await council.alarm_codes() == ["not-opened"]


async def test_a_lost_opened_receipt_is_brought_back_by_the_bytes_sent_again(
    pair_of_stations: Both, clock: FakeClock
) -> None:
    """R1 came and R2 was lost: the duplicate has no effect but its receipts, and the sender learns the truth."""
    council, police = pair_of_stations
    ref = await council.send(request_to(POLICE, lane=Lane.URGENT))
    await council.pump.run_once()
    await police.fetch()
    await police.pump.run_once()
    await council.fetch()
    await police.work()
    await police.pump.run_once()
    assert len(council.road.take(COUNCIL)) == 1
    clock.pass_(minutes=11)
    await settle(council, police)
    assert ((await council.look(ref.ref)).state, len(police.applied)) == (S.OPENED, 1)


async def test_r3_closes_with_its_outcome(pair_of_stations: Both) -> None:
    """DECIDED is the domain's own word, once."""
    council, police = pair_of_stations
    ref = await council.send(request_to(POLICE))
    await settle(council, police)
    verdict = Verdict(ReceiptKind.DECIDED, Outcome.NOTHING_TO_SHARE)
    for _ in range(2):
        async with police.store.transaction() as tx:
            await tx.emit_receipt(police.applied[0].original, verdict)
    await settle(council, police)
    assert (await council.look(ref.ref)).state is S.CLOSED
    assert len([row for row in await police.rows(outbox_rows) if row["sort"] == "note"]) == 3


@pytest.mark.parametrize("wrong", ["mid", "stub"])
async def test_a_receipt_that_does_not_match_its_original_moves_nothing(pair_of_stations: Both, wrong: str) -> None:
    """I4: a partner cannot receipt what it was not sent, or another envelope than it was sent."""
    council, police = pair_of_stations
    ref = await council.send(request_to(POLICE))
    await council.pump.run_once()
    assert ref.mid is not None
    (row,) = await council.rows(outbox_rows)
    mid = ref.mid if wrong == "stub" else "A" * 22
    stub_hash = bytes(32) if wrong == "stub" else row["stub_hash"]
    async with police.store.transaction() as tx:
        original = Original(COUNCIL, mid, row["thread"], stub_hash)
        await tx.emit_receipt(original, Verdict(ReceiptKind.RECEIVED, Outcome.RECEIVED))
    await police.pump.run_once()
    await council.fetch()
    assert (await council.look(ref.ref)).state is S.CONFIRMED
    assert await council.alarm_codes() == [f"receipt-{'of-another-stub' if wrong == 'stub' else 'for-nothing'}"]


async def test_a_receipt_from_someone_else_moves_nothing(new_store: NewStore, road: Road, clock: FakeClock) -> None:
    """I4: only the recipient can say that it has received."""
    async with (
        station(COUNCIL, await new_store(), road=road, clock=clock) as council,
        station("testford-health", await new_store(), road=road, clock=clock) as health,
    ):
        ref = await council.send(request_to(POLICE))
        await council.pump.run_once()
        (row,) = await council.rows(outbox_rows)
        async with health.store.transaction() as tx:
            original = Original(COUNCIL, row["mid"], row["thread"], row["stub_hash"])
            await tx.emit_receipt(original, Verdict(ReceiptKind.RECEIVED, Outcome.RECEIVED))
        await health.pump.run_once()
        await council.fetch()
        assert (await council.look(ref.ref)).state is S.CONFIRMED
        assert await council.alarm_codes() == ["receipt-for-nothing"]


async def test_an_unreadable_receipt_is_kept_and_alarmed(pair_of_stations: Both) -> None:
    """A receipt lost in silence would leave its message waiting for ever."""
    council, police = pair_of_stations
    await council.send(request_to(POLICE))
    opens = council.receiver.envelopes
    assert isinstance(opens, FakeEnvelopes)
    opens.refuse_opening = lambda stub: Refusal("E19", "REJ-CRYPTO", "section")
    await settle(council, police)
    assert {(row["state"], row["code"]) for row in await council.rows(inbox_rows)} == {("QUARANTINED", "E19")}
    assert set(await council.alarm_codes()) == {"receipt-unreadable"}


async def test_a_receipt_is_stored_even_when_it_cannot_be_sealed_yet(pair_of_stations: Both, clock: FakeClock) -> None:
    """RECEIVED comes from the same transaction: without keys for its sender it waits as a draft."""
    council, police = pair_of_stations
    ref = await council.send(request_to(POLICE))
    await council.pump.run_once()
    seals = police.receiver.envelopes
    assert isinstance(seals, FakeEnvelopes)
    from adapters.kit.envelope.sealing import NoCurrentKey

    seals.refuse_sealing = lambda outgoing: NoCurrentKey()
    await police.fetch()
    assert [row["state"] for row in await police.rows(outbox_rows)] == [S.DRAFT.value]
    seals.refuse_sealing = lambda outgoing: None
    clock.pass_(minutes=2)
    await settle(council, police)
    assert (await council.look(ref.ref)).state is S.OPENED


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


async def test_time_of_receipt_is_the_receivers(pair_of_stations: Both, clock: FakeClock) -> None:
    """A supplement counts from when it came, not from when its sender says it was written."""
    council, police = pair_of_stations
    await council.send(request_to(POLICE))
    await council.pump.run_once()
    clock.pass_(hours=1)
    await police.fetch()
    await police.work()
    assert [one.received_at for one in police.applied] == [START + timedelta(hours=1)]
