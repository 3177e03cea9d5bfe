"""The states of a message on its way out and on its way in, as two tables; a move that is not written here is illegal.

The tables are the whole truth: the code asks `next_outbox` and `next_inbox` and branches on nothing else, and
STATES.md beside this file is drawn from them. Nothing here does I/O or knows the time.

What the tables guarantee: only HELD and DRAFT can be recalled (C04); every receipt may come before the confirm, or
R2 before R1 (C31, C33); bytes go back to SEALED, never to DRAFT, so a retry repeats them; and nothing leaves a
terminal state except that stored bytes may be sent again: a receipt for a duplicate (E11), a message for a partner
whose store was restored (C44).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeVar


class OutboxState(StrEnum):
    """Where an outgoing envelope is."""

    DRAFT = "DRAFT"
    HELD = "HELD"
    SEALED = "SEALED"
    INFLIGHT = "INFLIGHT"
    CONFIRMED = "CONFIRMED"
    RECEIVED = "RECEIVED"
    OPENED = "OPENED"
    CLOSED = "CLOSED"
    RETURNED = "RETURNED"
    REFUSED = "REFUSED"
    EXPIRED = "EXPIRED"
    RESEAL = "RESEAL"
    CANCELLED = "CANCELLED"


class OutboxEvent(StrEnum):
    """What can happen to an outgoing envelope."""

    HOLD = "hold"
    SEAL = "seal"
    RECALL = "recall"
    CLAIM = "claim"
    ACK = "ack"
    FINAL_ACK = "final ack"
    RETURN = "return"
    UNKNOWN = "unknown outcome"
    LEASE_LOST = "lease lost"
    SILENCE = "silence"
    R1 = "R1"
    R2 = "R2"
    R3 = "R3"
    REJECT = "rejection"
    REJECT_KEY = "key rejection"
    SUPERSEDE = "supersede"
    CLOSE = "close"
    EXPIRE = "expire"
    RETRY = "retry"
    REEMIT = "re-emit"
    SEND_AGAIN = "send again"


class InboxState(StrEnum):
    """Where an authenticated incoming envelope is."""

    STORED = "STORED"
    APPLIED = "APPLIED"
    QUARANTINED = "QUARANTINED"
    PARKED = "PARKED"


class InboxEvent(StrEnum):
    """What can happen to a stored incoming envelope."""

    APPLY = "apply"
    FAIL = "fail"
    REFUSE = "refuse"
    PARK = "park"
    RETRY = "retry"


class IllegalMove(Exception):
    """A delivery state was asked to make a move that its table does not have; nothing was changed."""


_S, _E, _I, _J = OutboxState, OutboxEvent, InboxState, InboxEvent

_RECEIPTS: Final = {
    _E.R1: _S.RECEIVED,
    _E.R2: _S.OPENED,
    _E.R3: _S.CLOSED,
    _E.REJECT: _S.REFUSED,
    _E.REJECT_KEY: _S.RESEAL,
}
_LATE_OUTCOMES: Final = (_E.ACK, _E.FINAL_ACK, _E.RETURN, _E.UNKNOWN, _E.LEASE_LOST, _E.SILENCE, _E.EXPIRE)

OUTBOX: Final[Mapping[OutboxState, Mapping[OutboxEvent, OutboxState]]] = {
    _S.DRAFT: {_E.HOLD: _S.HELD, _E.SEAL: _S.SEALED, _E.RECALL: _S.CANCELLED},
    _S.HELD: {_E.SEAL: _S.SEALED, _E.RECALL: _S.CANCELLED},
    _S.SEALED: {_E.CLAIM: _S.INFLIGHT, _E.EXPIRE: _S.EXPIRED, **_RECEIPTS},
    _S.INFLIGHT: {
        _E.ACK: _S.CONFIRMED,
        _E.FINAL_ACK: _S.CLOSED,
        _E.RETURN: _S.RETURNED,
        _E.UNKNOWN: _S.SEALED,
        _E.LEASE_LOST: _S.SEALED,
        _E.EXPIRE: _S.EXPIRED,
        **_RECEIPTS,
    },
    _S.CONFIRMED: {_E.SILENCE: _S.SEALED, _E.EXPIRE: _S.EXPIRED, **_RECEIPTS},
    _S.RECEIVED: {
        **dict.fromkeys(_LATE_OUTCOMES, _S.RECEIVED),
        **_RECEIPTS,
        _E.CLOSE: _S.CLOSED,
        _E.SEND_AGAIN: _S.SEALED,
    },
    _S.OPENED: {
        **dict.fromkeys((_E.R1, _E.R2, *_LATE_OUTCOMES), _S.OPENED),
        _E.R3: _S.CLOSED,
        _E.CLOSE: _S.CLOSED,
        _E.SEND_AGAIN: _S.SEALED,
    },
    _S.CLOSED: {
        **dict.fromkeys((_E.R1, _E.R2, _E.R3, _E.CLOSE, *_LATE_OUTCOMES), _S.CLOSED),
        _E.REEMIT: _S.SEALED,
        _E.SEND_AGAIN: _S.SEALED,
    },
    _S.RETURNED: {_E.RETRY: _S.SEALED, _E.EXPIRE: _S.EXPIRED, **_RECEIPTS},
    _S.REFUSED: dict.fromkeys((_E.R1, _E.REJECT, _E.REJECT_KEY, *_LATE_OUTCOMES), _S.REFUSED),
    _S.EXPIRED: {_E.EXPIRE: _S.EXPIRED, **_RECEIPTS},
    _S.RESEAL: {
        **dict.fromkeys((_E.R1, _E.REJECT_KEY, *_LATE_OUTCOMES), _S.RESEAL),
        _E.SUPERSEDE: _S.CLOSED,
        _E.REJECT: _S.REFUSED,
    },
    _S.CANCELLED: {},
}

INBOX: Final[Mapping[InboxState, Mapping[InboxEvent, InboxState]]] = {
    _I.STORED: {_J.APPLY: _I.APPLIED, _J.FAIL: _I.STORED, _J.REFUSE: _I.QUARANTINED, _J.PARK: _I.PARKED},
    _I.PARKED: {_J.RETRY: _I.STORED},
    _I.APPLIED: {},
    _I.QUARANTINED: {},
}

# I1: a state outside this set must have a time at which something will happen by itself.
OUTBOX_AT_REST: Final = frozenset(
    {_S.OPENED, _S.CLOSED, _S.RETURNED, _S.REFUSED, _S.EXPIRED, _S.CANCELLED},
)
# Nothing unconfirmed is ever deleted: only these say that the other side, or a person here, has settled the matter.
OUTBOX_SETTLED: Final = frozenset({_S.OPENED, _S.CLOSED, _S.REFUSED, _S.CANCELLED})


def next_outbox(state: OutboxState, event: OutboxEvent) -> OutboxState:
    """Return where `event` takes an outgoing envelope that is in `state`; raises IllegalMove when nowhere."""
    try:
        return OUTBOX[state][event]
    except KeyError:
        raise IllegalMove(f"outbox: {state.value} has no move for {event.value}") from None


def next_inbox(state: InboxState, event: InboxEvent) -> InboxState:
    """Return where `event` takes an incoming envelope that is in `state`; raises IllegalMove when nowhere."""
    try:
        return INBOX[state][event]
    except KeyError:
        raise IllegalMove(f"inbox: {state.value} has no move for {event.value}") from None


_State = TypeVar("_State", bound=StrEnum)
_Event = TypeVar("_Event", bound=StrEnum)


def _moves(table: Mapping[_State, Mapping[_Event, _State]]) -> list[tuple[str, str, str]]:
    return [(state.value, event.value, after.value) for state, row in table.items() for event, after in row.items()]


def _page(title: str, moves: list[tuple[str, str, str]]) -> list[str]:
    arrows = [f"    {state} --> {after}: {event}" for state, event, after in moves if after != state]
    rows = [f"| {state} | {event} | {after} |" for state, event, after in moves]
    head = ["| state | event | next state |", "|---|---|---|"]
    return [f"## {title}", "", "```mermaid", "stateDiagram-v2", *arrows, "```", "", *head, *rows, ""]


def as_markdown() -> str:
    """Draw both tables as a Markdown page; STATES.md must equal it."""
    lines = [
        "# States of delivery",
        "",
        "Drawn from `adapters/kit/delivery/states.py`.",
        "Renew it with `python -m adapters.kit.delivery.states > adapters/kit/delivery/STATES.md`.",
        "",
        *_page("Outbox", _moves(OUTBOX)),
        *_page("Inbox", _moves(INBOX)),
    ]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(as_markdown())
