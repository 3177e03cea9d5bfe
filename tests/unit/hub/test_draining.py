"""Emptying the queue of somebody who has left: nothing is taken out unburied or deleted unseen (GOV-11)."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import unquote

import pytest

from broker import draining
from broker.draining import AT_ONCE, NotEmpty, drain
from broker.management import Management
from broker.topology import DEAD_QUEUE

QUEUE = "mash.q.testford-left.routine"


@dataclass
class Broker:
    """A broker of one queue, as its management interface shows it. `in_hands`: taken by a consumer, not acknowledged.

    `given_back_after`: how often it is counted before the consumer's connection is gone; `shuffles`: hands them out in
    another order each time, as a queue does whose messages were returned.
    """

    waiting: list[str] = field(default_factory=list)
    in_hands: list[str] = field(default_factory=list)
    given_back_after: int = 1_000_000
    shuffles: bool = False
    has_dead_queue: bool = True
    buried: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    is_deleted: bool = False
    vhost: str = "mash"

    async def ask(self, path: str, body: Mapping[str, Any]) -> Any:
        if path.endswith("/publish"):
            assert body["routing_key"] == DEAD_QUEUE
            if self.has_dead_queue:
                self.buried.append(base64.b64decode(body["payload"]).decode())
            return {"routed": self.has_dead_queue}
        return [
            {"payload": base64.b64encode(text.encode()).decode(), "properties": []} for text in self._hand_out(body)
        ]

    def _hand_out(self, body: Mapping[str, Any]) -> list[str]:
        assert (body["encoding"], body["count"] <= AT_ONCE) == ("base64", True)
        if self.shuffles:
            self.waiting.reverse()
        chosen = self.waiting[: body["count"]]
        if body["ackmode"] == "ack_requeue_false":
            self.taken += chosen
            self.waiting = self.waiting[body["count"] :]
        return chosen

    async def get(self, path: str) -> Any:
        self.given_back_after -= 1
        count = len(self.waiting) + len(self.in_hands)
        if self.given_back_after < 0:
            self.waiting, self.in_hands = [*self.waiting, *self.in_hands], []
        return [{"name": QUEUE, "messages": count}]

    async def delete(self, path: str) -> None:
        assert unquote(path) == f"queues/mash/{QUEUE}"
        assert not self.waiting, "deleted with a message in it"
        assert not self.in_hands, "deleted with a message in somebody's hands"
        self.is_deleted = True


async def drained(broker: Broker) -> int:
    return await drain(cast(Management, broker), QUEUE)


@pytest.fixture(autouse=True)
def _counted_three_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Production counts for twenty seconds."""
    monkeypatch.setattr(draining, "_COUNT_SECONDS", 3)


async def test_a_queue_is_deleted_when_everything_in_it_is_buried() -> None:
    """More than one handful."""
    texts = [f"message {number}" for number in range(2 * AT_ONCE + 1)]
    broker = Broker(waiting=list(texts))
    assert await drained(broker) == len(texts)
    assert (broker.buried, broker.taken, broker.is_deleted) == (texts, texts, True)


async def test_what_a_consumer_still_holds_is_waited_for_and_buried_when_it_comes_back() -> None:
    """A connection that was just closed gives back what it held a moment later."""
    broker = Broker(waiting=["one"], in_hands=["two"], given_back_after=1)
    assert await drained(broker) == 2
    assert (broker.buried, broker.is_deleted) == (["one", "two"], True)


async def test_a_queue_of_which_somebody_still_holds_a_message_is_never_deleted() -> None:
    """The attack on GOV-11: it looks empty to whoever reads it, and the message would be gone with it."""
    broker = Broker(in_hands=["held"])
    with pytest.raises(NotEmpty):
        await drained(broker)
    assert (broker.is_deleted, broker.in_hands) == (False, ["held"])


async def test_nothing_is_taken_out_that_could_not_be_buried() -> None:
    """Without the dead queue a publish is accepted and goes nowhere."""
    broker = Broker(waiting=["one"], has_dead_queue=False)
    with pytest.raises(NotEmpty):
        await drained(broker)
    assert (broker.waiting, broker.taken, broker.is_deleted) == (["one"], [], False)


async def test_what_was_taken_out_in_another_order_than_it_was_seen_in_is_buried_as_well() -> None:
    """Returned messages go to the front: what comes out need not be what was looked at a moment ago."""
    texts = [f"message {number}" for number in range(AT_ONCE + 10)]
    broker = Broker(waiting=list(texts), shuffles=True)
    await drained(broker)
    assert broker.is_deleted
    assert set(broker.taken) == set(broker.buried) == set(texts)
