"""The embedded hub's own ways, beyond the contract that `test_conformance` holds."""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from broker.embedded import EmbeddedHub
from broker.embedded_store import QueueStore
from broker.errors import NotAParticipant
from broker.hub import Delivery, Outcome
from broker.topology import DEAD_QUEUE, Topology
from schemas.routing import Lane, queue_name
from tests.support.hubs import FAST, until, until_depth
from tests.support.trio import HEALTH, LA, POLICE, TOPOLOGY, Inbox, send, two
from tests.unit.hub.test_many import Several

QUEUE = queue_name(POLICE, Lane.ROUTINE)


async def test_a_hub_in_memory_carries_without_a_file() -> None:
    """The sandbox needs no folder."""
    inbox = Inbox()
    async with EmbeddedHub(TOPOLOGY, settings=FAST) as hub, two(hub) as (la, police):
        await police.consume(Lane.ROUTINE, inbox)
        assert await send(la, "one") is Outcome.CONFIRMED
        await inbox.until(1)
        await asyncio.sleep(0)
        assert police.alive(Lane.ROUTINE)


async def test_a_stranger_gets_no_connection() -> None:
    """Whoever is not in the table does not exist."""
    async with EmbeddedHub(TOPOLOGY) as hub:
        for name in ("testford-nobody", "", "hub"):
            with pytest.raises(NotAParticipant):
                await hub.connect(name)


async def test_a_suspended_participant_can_send_nothing() -> None:
    """REC-06, as on RabbitMQ: not even an outcome that says where the way ends."""
    topology = Topology.build([LA, POLICE, HEALTH], [(LA, POLICE)], monitor=False, suspended=[LA])
    async with EmbeddedHub(topology) as hub:
        la = await hub.connect(LA)
        assert await send(la, "one") is Outcome.UNKNOWN
        assert await hub.depth(QUEUE) == 0


async def test_a_file_that_another_process_holds_makes_an_outcome_unknown_and_the_lane_goes_on(tmp_path: Path) -> None:
    """A lock held too long is the world's fault: retried, never raised into the adapter."""
    path, inbox, settings = tmp_path / "hub.sqlite", Inbox(), replace(FAST, publish_timeout=0.05)
    async with EmbeddedHub(TOPOLOGY, path, settings=settings) as hub, two(hub) as (la, police):
        assert await send(la, "before") is Outcome.CONFIRMED
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await police.consume(Lane.ROUTINE, inbox)
        assert await send(la, "during") is Outcome.UNKNOWN
        other.execute("ROLLBACK")
        other.close()
        assert await send(la, "after") is Outcome.CONFIRMED
        await inbox.until(2)
        assert inbox.bodies == [b"before", b"after"]


async def test_a_row_that_was_taken_too_often_goes_to_the_dead_queue_without_a_senders_name() -> None:
    """As on RabbitMQ, where a dead letter comes by another exchange."""
    store = QueueStore(None, delivery_limit=2, dead_queue=DEAD_QUEUE)
    await store.append([QUEUE], body=b"poison", ingress_owner=LA)
    for _ in range(2):
        (row,) = await store.take(QUEUE, holder="1")
        await store.settle([row], done=False)
    assert await store.take(QUEUE, holder="1") == ()
    (dead,) = await store.take(DEAD_QUEUE, holder="1")
    assert (dead.body, dead.ingress_owner) == (b"poison", "")
    await store.close()


async def test_what_a_connection_took_is_free_again_when_it_closes() -> None:
    """Even when it closes between taking and handing over."""
    store = QueueStore(None, delivery_limit=9, dead_queue=DEAD_QUEUE)
    await store.append([QUEUE], body=b"one", ingress_owner=LA)
    assert await store.take(QUEUE, holder="1")
    assert await store.take(QUEUE, holder="2") == ()
    await store.release("1")
    assert await store.take(QUEUE, holder="2")
    await store.close()


async def test_a_body_is_in_no_representation() -> None:
    """Logs show reprs."""
    inbox = Inbox()
    async with EmbeddedHub(TOPOLOGY) as hub, two(hub) as (la, police):
        await police.consume(Lane.ROUTINE, inbox)
        await send(la, "canary-word")
        await until(lambda: bool(inbox.taken))
        assert "canary-word" not in repr(inbox.taken)


async def test_what_waits_is_handed_over_together_to_whoever_takes_several() -> None:
    """As over RabbitMQ: in order, at most as many as the handler takes, and all acknowledged when it returns."""
    handler = Several()
    async with EmbeddedHub(TOPOLOGY, settings=FAST) as hub, two(hub) as (la, police):
        for number in range(6):
            await send(la, f"{number}")
        await police.consume(Lane.ROUTINE, handler)
        await until_depth(hub, QUEUE, depth=0)
    assert handler.groups == [[b"0", b"1", b"2", b"3"], [b"4", b"5"]]


async def test_after_a_failure_over_several_they_come_again_one_at_a_time() -> None:
    """The attack: one message that fails its whole group for ever. It uses up its own deliveries and dies alone."""
    handler = Several(poison=frozenset({b"1"}))
    async with EmbeddedHub(TOPOLOGY, settings=FAST) as hub, two(hub) as (la, police):
        for number in range(3):
            await send(la, f"{number}")
        await police.consume(Lane.ROUTINE, handler)
        await until_depth(hub, DEAD_QUEUE, depth=1)
        await until_depth(hub, QUEUE, depth=0)
    assert handler.groups[:3] == [[b"0", b"1", b"2"], [b"0"], [b"1", b"2"]]
    assert [group for group in handler.groups if b"1" not in group] == [[b"0"], [b"2"]]


class SlowHandler(Several):
    """Has time for two messages within the limit, and for the others none."""

    async def take(self, deliveries: Sequence[Delivery]) -> None:
        await super().take(deliveries)
        if len(deliveries) > 2:
            raise TimeoutError


async def test_a_handler_too_slow_for_a_whole_group_is_not_given_one_again_after_every_success() -> None:
    """The danger: one of a group succeeds, the next whole group fails, and a backlog grows faster than it shrinks."""
    handler = SlowHandler()
    async with EmbeddedHub(TOPOLOGY, settings=FAST) as hub, two(hub) as (la, police):
        for number in range(9):
            await send(la, f"{number}")
        await police.consume(Lane.ROUTINE, handler)
        await until_depth(hub, QUEUE, depth=0)
    assert [len(group) for group in handler.groups] == [4, 1, 2, 4, 1, 2, 3, 1, 2]


class StumblingConnection(sqlite3.Connection):
    """A database whose next commit fails, as it does over a reader's lock or a constraint that was deferred."""

    stumbles = False

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        if self.stumbles and statement == "COMMIT":
            self.stumbles = False
            raise sqlite3.OperationalError("database is locked")
        return super().execute(statement, *values)


async def test_a_commit_that_fails_leaves_nothing_behind_and_the_next_transaction_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is stored of what was not confirmed, and the queues go on: SQLite leaves such a transaction open."""
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=StumblingConnection))
    store = QueueStore(None, delivery_limit=9, dead_queue=DEAD_QUEUE)
    assert await store.depth(QUEUE) == 0
    assert isinstance(store._database, StumblingConnection)
    store._database.stumbles = True
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        await store.append([QUEUE], body=b"one", ingress_owner=LA)
    await store.append([QUEUE], body=b"two", ingress_owner=LA)
    (row,) = await store.take(QUEUE, holder="1", at_most=2)
    assert row.body == b"two"
    await store.close()
