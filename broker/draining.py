"""Empties the queue of somebody who has left into the dead letters, and deletes it then (GOV-11).

Guarantees: no message is taken out before the broker has confirmed it in `mash.q.dead`, so a crash in between leaves it
in both places and never in none; a queue is deleted only when the broker itself counts nothing in it, taken or waiting.
Called when the owner's account, its connections and every way to the queue are gone: nobody else writes or reads there.
Refuses to know: what is in a message. `mash-hub dead` shows and judges what lies there then.
"""

import asyncio
import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from broker.errors import HubError
from broker.topology import DEAD_QUEUE

if TYPE_CHECKING:  # it calls this one
    from broker.management import Management

AT_ONCE: Final = 50
STUFFED: Final = "x-mash-had-cc"
"""Marks a dead letter whose sender had stuffed a CC header: the header itself would route it again."""
_CC_HEADERS: Final = frozenset({"CC", "BCC"})
_COUNT_SECONDS: Final = 20


class NotEmpty(HubError):
    """A queue of somebody who has left still holds messages in somebody's hands; it was left, run apply again."""


async def drain(management: "Management", queue: str) -> int:
    """Move every message of `queue` to the dead letters, then delete it; gives how many were moved.

    Raises `NotEmpty`, `ManagementRefused` and `Unreachable`: then the queue is still there, and nothing is lost.
    """
    moved = 0
    for _ in range(_COUNT_SECONDS):
        while batch := await _take(management, queue, count=AT_ONCE, leave=True):
            moved += await _move(management, queue, batch)
        if await _count(management, queue) == 0:
            await management.delete(f"queues/{_part(management.vhost)}/{_part(queue)}")
            return moved
        await asyncio.sleep(1)  # a closed connection gives back what it held, and counts lag by a moment
    raise NotEmpty(f"({queue})")


async def _move(management: "Management", queue: str, batch: Sequence[Mapping[str, Any]]) -> int:
    for row in batch:
        await _bury(management, row)
    buried = Counter(_digest(row) for row in batch)
    for row in await _take(management, queue, count=len(batch), leave=False):
        if buried[_digest(row)]:
            buried[_digest(row)] -= 1
        else:  # another order than a moment ago: what was taken out unseen is buried as well
            await _bury(management, row)
    return len(batch)


async def _bury(management: "Management", row: Mapping[str, Any]) -> None:
    answer = await management.ask(
        f"exchanges/{_part(management.vhost)}/amq.default/publish",
        {
            "properties": _properties(row),
            "routing_key": DEAD_QUEUE,
            "payload": row["payload"],
            "payload_encoding": "base64",
        },
    )
    if answer.get("routed") is not True:
        raise NotEmpty(f"({DEAD_QUEUE} is not there)")


def _properties(row: Mapping[str, Any]) -> dict[str, Any]:
    """Keep none of the sender's headers: in the default exchange a CC header would reach any queue at all."""
    given = row.get("properties")  # an empty list where there are none
    headers = given.get("headers", {}) if isinstance(given, dict) else {}
    stuffed = {STUFFED: True} if _CC_HEADERS & set(headers) else {}
    return {"delivery_mode": 2, "headers": stuffed}


async def _take(management: "Management", queue: str, *, count: int, leave: bool) -> Sequence[Mapping[str, Any]]:
    mode = "ack_requeue_true" if leave else "ack_requeue_false"
    rows: Sequence[Mapping[str, Any]] = await management.ask(
        f"queues/{_part(management.vhost)}/{_part(queue)}/get",
        {"count": count, "ackmode": mode, "encoding": "base64"},
    )
    return rows


async def _count(management: "Management", queue: str) -> int | None:
    """Ask how many messages there are, waiting and taken; None if the broker does not say."""
    rows = await management.get(f"queues/{_part(management.vhost)}?disable_stats=true&enable_queue_totals=true")
    found = [row.get("messages") for row in rows if row["name"] == queue]
    return found[0] if found else 0


def _digest(row: Mapping[str, Any]) -> str:
    return sha256(base64.b64decode(row["payload"])).hexdigest()


def _part(text: str) -> str:
    return quote(text, safe="")
