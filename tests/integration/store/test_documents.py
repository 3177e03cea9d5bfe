"""Documents, the ledger, commands, timers and alarms: on SQLite and on PostgreSQL alike."""

import asyncio
import sqlite3
from datetime import timedelta

import asyncpg  # type: ignore[import-untyped]  # ships no types
import pytest
from sqlalchemy import delete, insert, update

from adapters.kit.store.alarms import Priority
from adapters.kit.store.errors import (
    CommandConflict,
    LostUpdate,
    NestedTransaction,
    NoNamedUser,
    StoreDamaged,
)
from adapters.kit.store.ledger import LedgerCheck
from adapters.kit.store.store import Store
from adapters.kit.store.tables import document, ledger, timer
from adapters.kit.store.transaction import NoEnvelopes, Transaction
from tests.integration.store.conftest import NewStore
from tests.support.fake_sealing import request_to
from tests.support.stations import COUNCIL, KEY, POLICE, START, FakeClock


@pytest.fixture
async def store(new_store: NewStore, clock: FakeClock):  # type: ignore[no-untyped-def]  # an async generator fixture
    async with Store.open(await new_store(), participant=COUNCIL, store_key=KEY, clock=clock) as opened:
        yield opened


async def _put(store: Store, text: bytes, *, seen: int | None) -> int:
    async with store.transaction() as tx:
        return await tx.put("enquiry", "E-1", text, expect_version=seen)


async def test_a_document_is_read_back_with_its_version(store: Store) -> None:
    """The round trip, and versions that count up."""
    assert [await _put(store, b"first", seen=None), await _put(store, b"second", seen=1)] == [1, 2]
    async with store.snapshot() as view:
        found = await view.get("enquiry", "E-1")
        assert found is not None
        assert (found.plain, found.version) == (b"second", 2)
        assert [one.key for one in await view.list("enquiry")] == ["E-1"]
        assert await view.get("enquiry", "E-2") is None


@pytest.mark.parametrize("seen", [None, 1, 3])
async def test_a_lost_update_is_refused(store: Store, seen: int | None) -> None:
    """Two coordinators change one enquiry: the second must look again, not overwrite."""
    await _put(store, b"first", seen=None)
    await _put(store, b"second", seen=1)
    with pytest.raises(LostUpdate):
        await _put(store, b"third", seen=seen)


async def test_what_fails_leaves_nothing_behind(store: Store) -> None:
    """One transaction: a document, a ledger entry and a timer go together or not at all."""

    async def fails(tx: Transaction) -> bytes:
        await tx.put("enquiry", "E-1", b"text", expect_version=None)
        await tx.record("enquiry.opened", refs={"key": "E-1"})
        await tx.add_timer("sla", "E-1", START)
        raise LookupError

    with pytest.raises(LookupError):
        await store.command("key-1", request=b"", work=fails)
    async with store.snapshot() as view:
        assert (await view.get("enquiry", "E-1"), await view.ledger_entries(), await view.due_timers()) == (
            None,
            [],
            [],
        )
    assert await store.verify_ledger() == LedgerCheck(0, None)


async def test_opening_is_in_the_ledger_before_the_content_is_given(store: Store) -> None:
    """REC-05: who, what and when, also when there was nothing to see."""
    await _put(store, b"text", seen=None)
    shown = await store.open_document("enquiry", "E-1", user="user-7")
    assert shown is not None
    assert shown.plain == b"text"
    assert await store.open_document("enquiry", "E-9", user="user-7") is None
    async with store.snapshot() as view:
        told = [(entry.event, entry.refs["user"], entry.refs["found"]) for entry in await view.ledger_entries()]
    assert told == [("content.opened", "user-7", "yes"), ("content.opened", "user-7", "no")]


async def test_content_is_not_opened_when_the_access_cannot_be_logged(store: Store) -> None:
    """REC-05 BLOCK: the entry's place is taken, so the log cannot be written, so nothing is shown."""
    await _put(store, b"text", seen=None)
    squatter = {"number": 1, "at": START, "event": "x", "refs": "{}", "epoch": 0, "detail": b""}
    async with store.transaction() as tx:
        await tx.connection.execute(insert(ledger).values(previous=b"", hash=b"", **squatter))
    with pytest.raises((sqlite3.IntegrityError, asyncpg.UniqueViolationError)):
        await store.open_document("enquiry", "E-1", user="user-7")


@pytest.mark.parametrize("user", ["", "  "])
async def test_nobody_opens_content(store: Store, user: str) -> None:
    """Opening is the act of a named user; an empty name means no."""
    await _put(store, b"text", seen=None)
    with pytest.raises(NoNamedUser):
        await store.open_document("enquiry", "E-1", user=user)


async def test_a_sealed_document_moved_to_another_row_does_not_open(store: Store) -> None:
    """The attack on the database: put one child's content under another child's reference."""
    await _put(store, b"text", seen=None)
    async with store.transaction() as tx:
        await tx.put("enquiry", "E-2", b"other", expect_version=None, group="document/enquiry/E-1")
        other = await tx.find(document, document.c.key == "E-2")
        assert other is not None
        where = update(document).where(document.c.key == "E-1")
        await tx.connection.execute(where.values(content=other["content"]))
    async with store.snapshot() as view:
        with pytest.raises(StoreDamaged):
            await view.get("enquiry", "E-1")


async def _three_entries(store: Store) -> None:
    for number in range(3):
        async with store.transaction() as tx:
            await tx.record("shared", refs={"item": str(number)}, detail=b"to whom and why")


async def test_an_unbroken_ledger_verifies(store: Store) -> None:
    """REC-03, and the detail opens to whoever has the key."""
    await _three_entries(store)
    assert await store.verify_ledger() == LedgerCheck(3, None)
    async with store.snapshot() as view:
        assert await view.ledger_detail(2) == b"to whom and why"
        assert await view.ledger_detail(9) is None


@pytest.mark.parametrize(
    ("attack", "broken_at"),
    [
        (update(ledger).where(ledger.c.number == 2).values(refs='{"item":"9"}'), 2),
        (update(ledger).where(ledger.c.number == 2).values(detail=b"\x00"), 2),
        (delete(ledger).where(ledger.c.number == 2), 2),
        (delete(ledger).where(ledger.c.number == 3), 3),
        (delete(ledger), 1),
    ],
    ids=["references changed", "detail changed", "entry removed", "end cut off", "emptied"],
)
async def test_a_ledger_that_was_touched_does_not_verify(store: Store, attack: object, broken_at: int) -> None:
    """REC-03: whoever edits the ledger with the database's own tools is found out, and where."""
    await _three_entries(store)
    async with store.transaction() as tx:
        await tx.connection.execute(attack)  # type: ignore[call-overload]  # an update or a delete
    check = await store.verify_ledger()
    assert check.broken_at == broken_at


async def test_the_same_client_key_gives_the_same_answer_and_works_once(store: Store) -> None:
    """C02: a button pressed twice, a reply that was lost."""
    done: list[int] = []

    async def work(tx: Transaction) -> bytes:
        done.append(1)
        await tx.put("enquiry", "E-1", b"text", expect_version=None)
        return b"answer"

    answers = [await store.command("key-1", request=b"open", work=work) for _ in range(3)]
    assert (answers, len(done)) == ([b"answer"] * 3, 1)
    with pytest.raises(CommandConflict):
        await store.command("key-1", request=b"another", work=work)


async def test_a_command_that_failed_can_be_given_again(store: Store) -> None:
    """Nothing is stored for a command that was not done."""

    async def fails(tx: Transaction) -> bytes:
        await tx.put("enquiry", "E-1", b"text", expect_version=None)
        raise LookupError

    async def works(tx: Transaction) -> bytes:
        return b"%d" % await tx.put("enquiry", "E-1", b"text", expect_version=None)

    with pytest.raises(LookupError):
        await store.command("key-1", request=b"open", work=fails)
    assert await store.command("key-1", request=b"open", work=works) == b"1"


async def test_a_timer_fires_once_however_late(store: Store, clock: FakeClock) -> None:
    """C40: due at the start after a long sleep, taken by one, and not again."""
    async with store.transaction() as tx:
        await tx.add_timer("sla", "E-1", START + timedelta(hours=4))
        assert await tx.due_timers() == []
    clock.pass_(days=3)
    async with store.transaction() as tx:
        (timer,) = await tx.due_timers()
        assert [await tx.fire_timer(timer), await tx.fire_timer(timer)] == [True, False]
    async with store.transaction() as tx:
        assert await tx.due_timers() == []
        await tx.add_timer("sla", "E-1", START + timedelta(days=9))
        assert await tx.cancel_timer("sla", "E-1") is False


async def test_a_timer_whose_effect_failed_fires_again(store: Store) -> None:
    """C40: firing and effect are one."""
    async with store.transaction() as tx:
        await tx.add_timer("sla", "E-1", START)

    async def fails(tx: Transaction) -> bytes:
        (timer,) = await tx.due_timers()
        assert await tx.fire_timer(timer)
        raise LookupError

    with pytest.raises(LookupError):
        await store.command("key-1", request=b"", work=fails)
    async with store.transaction() as tx:
        assert [one.ref for one in await tx.due_timers()] == ["E-1"]


async def test_a_timer_can_be_moved_and_stopped(store: Store) -> None:
    """A re-rated enquiry gets its new due time; a cancelled one none."""
    async with store.transaction() as tx:
        await tx.add_timer("sla", "E-1", START)
        await tx.add_timer("sla", "E-1", START + timedelta(days=1))
        await tx.add_timer("sla", "E-2", START)
        assert await tx.cancel_timer("sla", "E-2")
        assert await tx.due_timers() == []


async def test_an_alarm_is_raised_once_for_its_cause(store: Store) -> None:
    """C41: what repeats after a crash does not alarm twice."""
    async with store.transaction() as tx:
        raised = [await tx.alarm("a-1", priority=Priority.P1, code="silent", refs={"ref": "1"}) for _ in range(2)]
        assert raised == [True, False]
    async with store.transaction() as tx:
        await tx.mark_alarm("a-1")
        assert [alarm.code for alarm in await tx.alarms()] == ["silent"]
        assert await tx.unsent_alarms() == []
        await tx.mark_alarm("a-1", cleared=True)
        assert await tx.alarms() == []


async def test_a_transaction_within_a_transaction_is_an_error_and_not_a_hang(store: Store) -> None:
    """One writer: the mistake is said at once."""
    async with store.transaction():
        with pytest.raises(NestedTransaction):
            async with store.transaction():
                pass


async def test_transactions_of_several_tasks_take_turns(store: Store) -> None:
    """Twenty tasks count one document up; none is lost and none fails."""

    async def count_up() -> None:
        async with store.transaction() as tx:
            seen = await tx.get("counter", "1")
            number = int(seen.plain) if seen else 0
            await tx.put("counter", "1", b"%d" % (number + 1), expect_version=seen.version if seen else None)

    await asyncio.gather(*(count_up() for _ in range(20)))
    async with store.snapshot() as view:
        found = await view.get("counter", "1")
        assert found is not None
        assert found.plain == b"20"


async def test_a_store_without_keys_to_seal_takes_no_messages(store: Store) -> None:
    """A command-line tool that opened the store for reading cannot send."""
    with pytest.raises(NoEnvelopes):
        async with store.transaction() as tx:
            await tx.enqueue(request_to(POLICE))


async def test_a_guarded_row_is_changed_only_as_it_was_read(store: Store) -> None:
    """A stale row written back would leave a guard that fits nothing: it is refused, and the row stays sound."""
    async with store.transaction() as tx:
        await tx.add_timer("sla", "E-1", START)
        stale = await tx.find(timer, timer.c.ref == "E-1")
        assert stale is not None
        await tx.change(timer, stale, due_at=START + timedelta(days=1))
        with pytest.raises(LostUpdate):
            await tx.change(timer, stale, fired_at=START)
        assert await tx.due_timers() == []
