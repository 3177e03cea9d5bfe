"""One command under a client key, on both databases: all of it once, or nothing, and the same answer again (C02)."""

from collections.abc import AsyncIterator

import pytest

from adapters.kit.store.errors import CommandConflict
from adapters.kit.store.once import CommandStore, HalfRefused
from tests.integration.store.conftest import NewStore
from tests.support.fake_sealing import FakeEnvelopes, request_to
from tests.support.stations import COUNCIL, KEY, POLICE, FakeClock


@pytest.fixture
async def store(new_store: NewStore, clock: FakeClock) -> AsyncIterator[CommandStore]:
    """A store opened for one command after the other."""
    opening = CommandStore.open(
        await new_store(), participant=COUNCIL, store_key=KEY, clock=clock, envelopes=FakeEnvelopes(COUNCIL)
    )
    async with opening as opened:
        yield opened


class Work:
    """A command of two transactions, with a look between them."""

    def __init__(self, store: CommandStore, *, fails: bool = False, passed_over: bool = False) -> None:
        self.store, self.fails, self.passed_over, self.done = store, fails, passed_over, 0

    async def __call__(self) -> bytes:
        self.done += 1
        async with self.store.transaction() as tx:
            await tx.put("enquiry", "E-1", b"text", expect_version=None)
        async with self.store.snapshot() as view:
            assert [document.key for document in await view.list("enquiry")] == ["E-1"]
        try:
            await self._second()
        except LookupError:
            if not self.passed_over:
                raise
        return b"answer %d" % self.done

    async def _second(self) -> None:
        async with self.store.transaction() as tx:
            await tx.enqueue(request_to(POLICE))
            if self.fails:
                raise LookupError


async def kept(store: CommandStore) -> tuple[int, int]:
    """Count the documents and the ledger's entries."""
    async with store.snapshot() as view:
        return len(await view.list("enquiry")), (await view.verify_ledger()).entries


async def test_the_same_key_gives_the_same_answer_and_the_work_is_done_once(store: CommandStore) -> None:
    """Whoever heard no answer asks again: across transactions, and for another caller with a key of its own."""
    work = Work(store)
    answers = [await store.once("key-1", request=b"one", work=work) for _ in range(3)]
    assert (answers, work.done, await kept(store)) == ([b"answer 1"] * 3, 1, (1, 3))
    async with store.snapshot() as view:
        assert [entry.event for entry in await view.ledger_entries()][1:] == ["answer given again"] * 2
    with pytest.raises(CommandConflict):
        await store.once("key-1", request=b"another", work=work)
    assert work.done == 1


async def test_a_command_that_fails_half_way_leaves_nothing_and_may_be_asked_again(store: CommandStore) -> None:
    """What its first transaction stored goes with the rest; the key is free."""
    with pytest.raises(LookupError):
        await store.once("key-1", request=b"one", work=Work(store, fails=True))
    assert await kept(store) == (0, 0)
    assert await store.once("key-1", request=b"one", work=Work(store)) == b"answer 1"


async def test_a_failure_that_the_command_passed_over_undoes_it_rather_than_being_stored(store: CommandStore) -> None:
    """The danger: joined transactions cannot be undone by halves, and half of a refused one would be committed."""
    with pytest.raises(HalfRefused):
        await store.once("key-1", request=b"one", work=Work(store, fails=True, passed_over=True))
    assert await kept(store) == (0, 0)


async def test_outside_a_command_it_is_a_store_like_any_other(store: CommandStore) -> None:
    """Nothing stays joined after a command, however it ended."""
    with pytest.raises(LookupError):
        await store.once("key-1", request=b"one", work=Work(store, fails=True))
    await Work(store)()
    assert await kept(store) == (1, 1)
