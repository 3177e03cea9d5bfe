"""How a message finds its way: three lanes, one ingress exchange a sender, one queue a recipient and lane.

These names are the whole of what the hub needs to carry a message.
Nothing about a person can be in them (SEC-02):
they are made of participant ids and lanes and of nothing else.
"""

from enum import StrEnum


class Lane(StrEnum):
    """A class of traffic with queues and connections of its own: urgent never waits behind routine."""

    URGENT = "urgent"
    ROUTINE = "routine"
    RECEIPT = "receipt"


def ingress_exchange(sender: str) -> str:
    """Name the one exchange that `sender` may write to; the broker thereby authenticates the sender (E05)."""
    return f"mash.in.{sender}"


def routing_key(recipient: str, lane: Lane) -> str:
    """Name the binding key that leads to `recipient`'s queue of `lane`."""
    return f"{recipient}.{lane.value}"


def queue_name(recipient: str, lane: Lane) -> str:
    """Name the queue that `recipient` reads for `lane`."""
    return f"mash.q.{recipient}.{lane.value}"
