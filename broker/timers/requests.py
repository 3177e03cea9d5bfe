"""Which timer rows the requests that are open give, and what a fired row is about. Pure.

The telephone call has no row here: that it was made is in the requester's own books, and a row that nobody at the hub
can complete would ring for nothing.
"""

from typing import Final, NamedTuple

from broker.sla import TimerKind
from broker.timers.rows import TimerRow
from broker.watch.standing import Standing

NOT_AT_THE_HUB: Final = frozenset({TimerKind.PHONE_CALL})


class Subject(NamedTuple):
    """One request among all: its reference, who asked, who was asked."""

    reference: str
    requester: str
    responder: str

    @classmethod
    def of(cls, standing: Standing) -> "Subject":
        """Name the request of a standing."""
        return cls(standing.reference, standing.requester, standing.responder)

    def __str__(self) -> str:
        return "/".join(self)


def rows_of(standing: Standing) -> tuple[TimerRow, ...]:
    """Give the rows of one request that belong in the store."""
    subject = str(Subject.of(standing))
    return tuple(
        TimerRow(f"{subject}/{timer.key}", subject, timer.kind.value, timer.due_at)
        for timer in standing.timers
        if timer.kind not in NOT_AT_THE_HUB
    )
