"""What to do now: one call a desk, gravest first, with every reason for it under one telephone number.

Pure. A reason that somebody has said to have seen asks for no second call; it is listed as being dealt with. What only
the office can mend is kept out of the night. Half of the time gone is no reason to ring: the desk has been reminded;
and of an overdue answer it is the desk that owes it which is rung, not the one that waits.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from broker.alerts import HUB, AlertKind, Urgency
from broker.page import words
from broker.page.board import Board, Raised

MOST_REASONS: Final = 4
REMINDERS: Final = frozenset({AlertKind.NUDGE, AlertKind.AWAITED})
QUIET: Final = "Nothing to do now"


@dataclass(frozen=True)
class Reason:
    """Why to ring: what is the matter, what to ask, since when (words), reference, number in the book."""

    what: str
    act: str
    since: str
    reference: str
    number: int | None


@dataclass(frozen=True)
class Call:
    """One call. `whom` is an organisation's name; for the hub's own affairs there is nobody to ring."""

    participant: str
    whom: str
    telephone: str
    reasons: tuple[Reason, ...]
    more: int

    @property
    def is_own(self) -> bool:
        """Say whether this is for whoever runs the hub."""
        return self.participant == HUB

    @property
    def numbers(self) -> tuple[int, ...]:
        """Give the book's numbers of the reasons shown: whoever has rung has seen these, and no other."""
        return tuple(reason.number for reason in self.reasons if reason.number is not None)


@dataclass(frozen=True)
class ToDo:
    """What to do: now, in the office, and what is with somebody already. `headline` says it in one line."""

    headline: str
    now: tuple[Call, ...]
    later: tuple[Call, ...]
    seen: int

    @property
    def is_quiet(self) -> bool:
        """Say whether nothing has to be done now."""
        return not self.now


def to_do(board: Board) -> ToDo:
    """Sort the standing alerts into calls."""
    unseen = [one for one in board.raised if not one.is_seen and one.alert.kind not in REMINDERS]
    now = calls(board, (one for one in unseen if one.alert.urgency is Urgency.NOW))
    later = calls(board, (one for one in unseen if one.alert.urgency is not Urgency.NOW))
    return ToDo(headline(now), now, later, seen=sum(one.is_seen for one in board.raised))


def calls(board: Board, raised: Iterable[Raised]) -> tuple[Call, ...]:
    """Group alerts by whose desk to ring; the order is that of each desk's gravest alert."""
    desks: dict[str, list[Raised]] = {}
    for one in raised:
        desks.setdefault(one.alert.participant, []).append(one)
    return tuple(_call(board, participant, some) for participant, some in desks.items())


def headline(now: tuple[Call, ...]) -> str:
    """Say in one line what to do."""
    desks = [call for call in now if not call.is_own]
    ring = {0: "", 1: f"Ring {desks[0].whom} now" if desks else ""}.get(len(desks), f"Ring {len(desks)} desks now")
    look = "look at the hub" if ring else "Look at the hub now"
    own = any(call.is_own for call in now)
    return " and ".join([part for part in (ring, look if own else "") if part]) or QUIET


def _call(board: Board, participant: str, some: list[Raised]) -> Call:
    return Call(
        participant=participant,
        whom=board.name(participant),
        telephone=board.view.telephone(participant),
        reasons=tuple(reason(board, one) for one in some[:MOST_REASONS]),
        more=max(len(some) - MOST_REASONS, 0),
    )


def reason(board: Board, one: Raised) -> Reason:
    """Put an alert into a reason."""
    said = board.sentence(one.alert)
    since = f"since {words.local(one.since, board.view.now)}" if one.since else ""
    return Reason(said.what, said.act, since, one.alert.reference, one.row.entry.number if one.row else None)
