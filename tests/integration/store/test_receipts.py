"""Receipts, in whatever order they come: only the recipient's own move a message; on both databases."""

import pytest

from adapters.kit.delivery.receipt_flow import Original, Verdict
from adapters.kit.delivery.states import OutboxState
from adapters.kit.envelope.verification import Refusal
from adapters.kit.store.tables import inbox_rows, outbox_rows
from schemas.receipt import Outcome, ReceiptKind
from schemas.routing import Lane
from tests.integration.store.conftest import Both, NewStore
from tests.support.fake_sealing import FakeEnvelopes, request_to
from tests.support.stations import COUNCIL, POLICE, FakeClock, Road, delivery_of, settle, station

S = OutboxState


async def test_received_is_told_before_the_message_is_opened(pair_of_stations: Both) -> None:
    """R1 comes from the transaction that stored the bytes; R2 only after the effect."""
    council, police = pair_of_stations
    ref = await council.send(request_to(POLICE))
    await council.pump.run_once()
    await police.fetch()
    await police.pump.run_once()
    await council.fetch()
    assert ((await council.look(ref.ref)).state, police.applied) == (S.RECEIVED, [])


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
    assert await council.pump._pump(Lane.ROUTINE) == 1
    await police.fetch()
    await police.pump.run_once()
    await council.fetch()
    assert (await council.look(ref.ref)).state is S.RECEIVED
    await council.pump._settle(Lane.ROUTINE)
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
