"""What was stored is worked on: applied once, in order, and never lost when it fails; on both databases."""

from datetime import timedelta

from sqlalchemy import insert, text

from adapters.kit.delivery.inbox_worker import BATCH, InboxWorker, stored
from adapters.kit.delivery.states import InboxState, OutboxState
from adapters.kit.envelope.verification import Refusal
from adapters.kit.store.tables import inbox_rows, outbox_rows
from adapters.kit.store.working_set import names_of
from schemas.routing import Lane
from tests.integration.store.conftest import Both
from tests.support.fake_sealing import request_to
from tests.support.stations import COUNCIL, POLICE, START, FakeClock, delivery_of, settle

S = OutboxState


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
    for words in (b"first", b"second"):
        await council.send(request_to(POLICE, words, thread=thread))
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


async def test_time_of_receipt_is_the_receivers(pair_of_stations: Both, clock: FakeClock) -> None:
    """A supplement counts from when it came, not from when its sender says it was written."""
    council, police = pair_of_stations
    await council.send(request_to(POLICE))
    await council.pump.run_once()
    clock.pass_(hours=1)
    await police.fetch()
    await police.work()
    assert [one.received_at for one in police.applied] == [START + timedelta(hours=1)]


async def test_many_that_have_to_wait_hide_nobody_behind_them(pair_of_stations: Both, clock: FakeClock) -> None:
    """The attack: a thread that fails and goes on and on, so that whoever looks at the oldest sees nothing else."""
    council, police = pair_of_stations
    thread = request_to(POLICE).thread
    for _ in range(4 * BATCH):
        await council.send(request_to(POLICE, b"of a thread that fails", thread=thread))
    await council.send(request_to(POLICE, b"of another"))
    police.answer = lambda received: LookupError() if received.original.thread == thread else None
    await settle(council, police)
    assert [list(one.opened.sections.values()) for one in police.applied] == [[b"of another"]]


async def test_what_is_to_be_applied_is_found_without_reading_what_was_applied(
    pair_of_stations: Both, clock: FakeClock
) -> None:
    """Stubs and receipts are kept for years: a look that reads them all would slow down day by day."""
    _, police = pair_of_stations
    rows = [
        {**dict.fromkeys(names_of(inbox_rows), "x"), "mid": f"m{number}", "seq": number, "state": "APPLIED"}
        | {"prev": b"", "stub_hash": b"", "guard": b"", "on_chain": 1, "opens": 0, "failures": 0}
        | {"due_at": None, "received_at": clock.now, "applied_at": clock.now}
        for number in range(3000)
    ]
    async with police.store._engine.begin() as connection:
        await connection.execute(insert(inbox_rows), rows)
        sqlite = connection.dialect.name == "sqlite"
        await connection.execute(text("ANALYZE" if sqlite else "ANALYZE inbox"))
        asked = stored().limit(1).compile(connection.sync_connection, compile_kwargs={"literal_binds": True})
        plan = await connection.execute(text(f"EXPLAIN {'QUERY PLAN ' * sqlite}{asked}"))
        assert any("ix_inbox_due_at" in str(step) for step in plan)
