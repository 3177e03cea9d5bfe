"""Commands that wait together share a transaction, and nothing of one is ever another's: both stores."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

import pytest
from sqlalchemy import Table

from adapters.kit.store import hot_path
from adapters.kit.store.errors import CommitUnknown, NestedTransaction, StoreUnavailable
from adapters.kit.store.group_commit import MOST
from adapters.kit.store.store import Store
from adapters.kit.store.transaction import Transaction
from tests.integration.store.conftest import NewStore
from tests.support.stations import COUNCIL, KEY, FakeClock

Work = Callable[[Transaction], Awaitable[bytes]]


@pytest.fixture
async def store(new_store: NewStore, clock: FakeClock) -> AsyncIterator[Store]:
    """An empty store."""
    async with Store.open(await new_store(), participant=COUNCIL, store_key=KEY, clock=clock) as opened:
        yield opened


def filing(name: str) -> Work:
    """A command that files a document and answers with its name."""

    async def work(tx: Transaction) -> bytes:
        await tx.put("note", name, b"text", expect_version=None)
        return name.encode()

    return work


def failing(name: str) -> Work:
    """A command that files a document and then fails."""

    async def work(tx: Transaction) -> bytes:
        await filing(name)(tx)
        raise LookupError(name)

    return work


async def given_together(store: Store, works: dict[str, Work]) -> list[bytes | BaseException]:
    """Give commands while the writer is busy, so that they wait together; returns their answers in order."""
    async with store.transaction():
        given = [asyncio.create_task(store.command(name, request=b"", work=work)) for name, work in works.items()]
        await asyncio.sleep(0)
    return await asyncio.gather(*given, return_exceptions=True)


def commits(store: Store) -> list[None]:
    """Count the commits of a store from now on."""
    seen: list[None] = []
    store.on_commit(lambda: seen.append(None))
    return seen


async def notes(store: Store) -> list[str]:
    async with store.snapshot() as view:
        return [document.key for document in await view.list("note")]


async def test_commands_that_wait_together_are_one_commit(store: Store) -> None:
    """Each gets its own answer, and everything is stored."""
    names = [f"n{number}" for number in range(5)]
    seen = commits(store)
    answers = await given_together(store, {name: filing(name) for name in names})
    assert (answers, await notes(store)) == ([name.encode() for name in names], names)
    assert len(seen) == 2  # the one that kept the writer busy, and theirs


async def test_what_a_group_will_ask_for_is_read_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers and keys of earlier commands are looked up for all together, and for each only once."""
    asked: list[str] = []
    look, among = hot_path.find, hot_path.find_among

    async def one(driver: hot_path.Driver, table: Table, equal: Mapping[str, object]) -> list[hot_path.Row]:
        asked.append(f"{table.name} alone")
        return await look(driver, table, equal)

    async def several(
        driver: hot_path.Driver, table: Table, equal: Mapping[str, object], name: str, among_: Sequence[object]
    ) -> list[hot_path.Row]:
        asked.append(table.name)
        return await among(driver, table, equal, name, among_)

    monkeypatch.setattr(hot_path, "find", one)
    monkeypatch.setattr(hot_path, "find_among", several)

    async def answering(tx: Transaction) -> bytes:
        return b"done"

    assert await given_together(store, dict.fromkeys("abcde", answering)) == [b"done"] * 5
    assert asked == ["command", "record_key"]


async def test_those_who_come_late_wait_for_no_more_than_a_groups_work(store: Store) -> None:
    """A flood of commands is parted, so that the writer is free in between."""
    seen = commits(store)
    answers = await given_together(store, {f"n{number:02}": filing(f"n{number:02}") for number in range(MOST + 1)})
    assert len(answers) == len(await notes(store)) == MOST + 1
    assert len(seen) == 3


async def test_commands_that_come_faster_than_they_are_committed_gather(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has to wait all the same waits a moment longer, and the next commit is for him and for who comes then."""
    monkeypatch.setattr("adapters.kit.store.group_commit.COMPANY", 1.0)
    seen, begun, go = commits(store), asyncio.Event(), asyncio.Event()

    async def slow(tx: Transaction) -> bytes:
        begun.set()
        await go.wait()
        return await filing("a")(tx)

    first = asyncio.create_task(store.command("a", request=b"", work=slow))
    await begun.wait()
    second = asyncio.create_task(store.command("b", request=b"", work=filing("b")))
    await asyncio.sleep(0)
    go.set()
    await first
    await asyncio.sleep(0.01)
    await asyncio.gather(second, store.command("c", request=b"", work=filing("c")))
    assert (await notes(store), len(seen)) == (["a", "b", "c"], 2)


async def test_a_full_group_waits_for_nobody(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting would bring nothing more into it: a flood is worked off at once."""
    monkeypatch.setattr("adapters.kit.store.group_commit.COMPANY", 30.0)
    async with asyncio.timeout(20):
        await given_together(store, {f"n{number:02}": filing(f"n{number:02}") for number in range(2 * MOST)})
    assert len(await notes(store)) == 2 * MOST


async def test_one_who_gives_a_command_after_another_waits_for_nobody(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that does one thing after the other is not made slow for company that will not come."""
    monkeypatch.setattr("adapters.kit.store.group_commit.COMPANY", 30.0)
    async with asyncio.timeout(20):
        for name in "abc":
            await store.command(name, request=b"", work=filing(name))
    assert await notes(store) == ["a", "b", "c"]


async def test_one_that_fails_takes_nothing_of_the_others_with_it(store: Store) -> None:
    """Its own effect is gone, the fault is its own caller's, and the others are stored."""
    answers = await given_together(store, {"a": filing("a"), "bad": failing("bad"), "b": filing("b")})
    assert (answers[0], type(answers[1]), answers[2]) == (b"a", LookupError, b"b")
    assert await notes(store) == ["a", "b"]


async def test_two_for_one_document_are_told_apart(store: Store) -> None:
    """The second finds what the first wrote, as if it had come a second later, and is refused."""
    first, second = await given_together(store, {"one": filing("same"), "two": filing("same")})
    assert first == b"same"
    assert isinstance(second, Exception)
    assert await notes(store) == ["same"]


async def test_the_same_client_key_twice_in_a_group_works_once(store: Store) -> None:
    """C02: a button pressed twice within a moment."""
    async with store.transaction():
        given = [asyncio.create_task(store.command("key", request=b"", work=filing("once"))) for _ in range(2)]
        await asyncio.sleep(0)
    assert await asyncio.gather(*given) == [b"once", b"once"]


async def test_an_unknown_outcome_is_the_answer_to_all_and_nothing_is_repeated(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection broke during the commit: whoever knows his client key may ask again, nobody does it for him."""
    tried: list[None] = []

    async def breaks(connection: object) -> None:
        tried.append(None)
        raise CommitUnknown

    with monkeypatch.context() as patched:
        patched.setattr("adapters.kit.store.store._commit", breaks)
        answers = await asyncio.gather(
            *(store.command(name, request=b"", work=filing(name)) for name in ("a", "b")), return_exceptions=True
        )
    assert [type(answer) for answer in answers] == [CommitUnknown] * 2
    assert (len(tried), await notes(store)) == (1, [])


async def test_a_store_that_cannot_be_written_is_the_answer_to_all_that_wait(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is tried one by one against a database that is away: that would keep the last one waiting for minutes."""
    tried: list[None] = []

    async def away(connection: object) -> None:
        tried.append(None)
        raise StoreUnavailable("gone")

    monkeypatch.setattr(store, "_begin", away)
    answers = await asyncio.gather(
        *(store.command(name, request=b"", work=filing(name)) for name in ("a", "b")), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 2
    assert len(tried) == 1


async def test_a_caller_who_gives_up_before_his_turn_has_done_nothing(store: Store) -> None:
    """What has not begun is taken back; the others are not touched."""
    async with store.transaction():
        gone = asyncio.create_task(store.command("gone", request=b"", work=filing("gone")))
        stays = asyncio.create_task(store.command("stays", request=b"", work=filing("stays")))
        await asyncio.sleep(0)
        gone.cancel()
    assert await stays == b"stays"
    assert await notes(store) == ["stays"]


async def test_a_caller_who_gives_up_during_his_turn_leaves_the_others_theirs(store: Store) -> None:
    """The transaction is everybody's, so it is brought to its end."""
    begun = asyncio.Event()

    async def slow(tx: Transaction) -> bytes:
        begun.set()
        await asyncio.sleep(0.01)
        return await filing("slow")(tx)

    async with store.transaction():
        first = asyncio.create_task(store.command("slow", request=b"", work=slow))
        second = asyncio.create_task(store.command("second", request=b"", work=filing("second")))
        await asyncio.sleep(0)
    await begun.wait()
    first.cancel()
    assert await second == b"second"
    assert await notes(store) == ["second", "slow"]


async def test_a_command_inside_a_command_is_refused_and_does_not_wait_for_itself(store: Store) -> None:
    """The attack on oneself: it would never end."""

    async def nested(tx: Transaction) -> bytes:
        return await store.command("inner", request=b"", work=filing("inner"))

    with pytest.raises(NestedTransaction):
        await store.command("outer", request=b"", work=nested)
    async with store.transaction():
        with pytest.raises(NestedTransaction):
            await store.command("inner", request=b"", work=filing("inner"))
    assert await notes(store) == []


async def test_a_store_is_not_closed_over_a_command_that_has_begun(new_store: NewStore, clock: FakeClock) -> None:
    """Whoever closes the store waits for it; the next opening finds it stored."""
    url = await new_store()
    async with Store.open(url, participant=COUNCIL, store_key=KEY, clock=clock) as one:
        given = asyncio.create_task(one.command("key", request=b"", work=filing("last")))
        await asyncio.sleep(0)
    assert await given == b"last"
    async with Store.open(url, participant=COUNCIL, store_key=KEY, clock=clock) as again:
        assert await notes(again) == ["last"]
