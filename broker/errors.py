"""What can go wrong at the hub, sorted by whose fault it is.

The world's faults (`Unreachable`) are retried; ours (`Misuse` and its kin) stop the work that made them. A partner's
fault is never an exception: it is a value with a reason, and lives with the check that found it.
The docstring of an exception is what the operator reads; no exception carries the content of a message.
"""


class HubError(Exception):
    """Something went wrong at the hub."""

    def __init__(self, detail: str = "") -> None:
        headline = (type(self).__doc__ or "").splitlines()[0]
        super().__init__(f"{headline} {detail}".strip())


class Unreachable(HubError):
    """The hub cannot be reached, or cut the connection; it is tried again with growing pauses."""


class Misuse(HubError):
    """This program asked the hub for something that it must not ask for."""


class MessageTooLarge(Misuse):
    """The sealed message is larger than the hub carries (2 MiB); nothing was sent."""


class ConnectionClosed(Misuse):
    """This participant's connection to the hub was closed by its own program."""


class NotAParticipant(Misuse):
    """No participant of that name is in the hub's table."""


class ManagementRefused(HubError):
    """The broker's management interface refused a request; check the operator's account and the broker's version."""
