"""Several stubs entered at once: one chain, nothing twice, and what is refused takes nothing with it."""

from collections.abc import AsyncIterator

import pytest

from adapters.kit.envelope.sealing import Event
from broker.hub import Delivery
from broker.ledger.ledger import Ledger, Seen
from broker.watch import quarantine
from schemas.routing import Lane
from tests.integration.watch.watching import Watching, World, watching
from tests.support.parties import NOW
from tests.unit.watch.traffic import LA, POLICE, Post


@pytest.fixture
async def open_watch(ledger_url: str) -> AsyncIterator[Watching]:
    async with watching(ledger_url, World()) as opened:
        yield opened


async def test_stubs_that_are_entered_together_make_one_chain_and_each_one_entry(ledger_url: str) -> None:
    """SEC-09, REC-03: a stub that comes twice among them, or came before, has no second entry; the chain verifies."""
    post = Post()
    first, second, third = (post.verified(LA, POLICE, Event.REQUEST, thread=f"t-{number}") for number in range(3))
    async with Ledger.opened(ledger_url, now=NOW) as ledger:
        assert await ledger.append(first, ingress_owner=LA, directory=post.directory, received_at=NOW) == 1
        seen = [Seen(stub, LA, NOW) for stub in (second, first, second, third)]
        assert await ledger.append_all(seen, directory=post.directory) == [2, None, None, 3]
        assert await ledger.append_all(seen, directory=post.directory) == [None] * 4
        check = await ledger.verify()
    assert (check.entries, check.fault) == (3, None)


async def test_a_refused_delivery_among_several_is_set_aside_and_the_rest_is_entered(open_watch: Watching) -> None:
    """M16: junk in the middle of a crowd costs nobody a stub."""
    post = Post(open_watch.world.directory)
    junk = Delivery(LA, Lane.URGENT, b"junk", has_cc=False, redelivered=False)
    crowd = [post.write(LA, POLICE, Event.REQUEST), junk, post.write(POLICE, LA, Event.HEARTBEAT)]
    await open_watch.watch.intake.take(crowd)
    assert (await open_watch.ledger.head()).entries == 2
    assert [held.code for held in await quarantine.held(open_watch.ledger)] == ["E01"]


async def test_a_fault_of_ours_over_several_leaves_each_to_be_taken_alone(
    open_watch: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E99: what nobody foresaw is counted, and every healthy stub is entered all the same."""
    post = Post(open_watch.world.directory)

    async def chokes(*_: object, **__: object) -> list[int | None]:
        raise LookupError

    append_all = open_watch.ledger.append_all
    calls: list[int] = []

    async def chokes_on_crowds(seen, **arguments):  # type: ignore[no-untyped-def]  # stands in for one call
        calls.append(len(seen))
        return await (append_all if len(seen) == 1 else chokes)(seen, **arguments)

    monkeypatch.setattr(open_watch.ledger, "append_all", chokes_on_crowds)
    await open_watch.watch.intake.take([post.write(LA, POLICE, Event.REQUEST), post.write(POLICE, LA, Event.HEARTBEAT)])
    assert calls == [2, 1, 1]
    assert (await open_watch.ledger.head()).entries == 2
