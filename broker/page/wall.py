"""The wall: who owes what by when, soonest due first, each with the one thing to do about it.

Pure, from a board to rows. Only what is owed is here; the order is that of the watch, time to breach, and no rating or
alert changes it. Silence is never shown as an answer: a request without one stays until it is answered or closed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Final

from broker.page import words
from broker.page.board import Board
from broker.watch.standing import Phase, Standing, time_to_breach
from schemas.rating import RagRating

MOST_ROWS: Final = 100


class Level(StrEnum):
    """How a request stands, the first that is true in this order; each has a mark and a word, colour is extra."""

    NOW = "now"
    TODAY = "today"
    SOON = "soon"
    WELL = "well"


MARKS: Final[Mapping[Level, tuple[str, str]]] = {
    Level.NOW: ("▲", "Act now"),
    Level.TODAY: ("◆", "Act in office hours"),
    Level.SOON: ("◐", "Due soon"),
    Level.WELL: ("●", "In time"),
}
STATES: Final[Mapping[Phase, str]] = {
    Phase.ANSWERED: "Answered",
    Phase.ANSWERED_LATE: "Answered late",
    Phase.CLOSED: "Closed",
    Phase.PARTICIPANT_LEFT: "An agency has left",
    Phase.SENT_BACK: "Sent back with a question",
    Phase.BREACHED: "Answer overdue",
    Phase.UNDELIVERED: "Has not arrived",
    Phase.UNREAD: "Nobody has opened it",
    Phase.IN_PART: "Answered in part",
    Phase.READ: "A person has it",
    Phase.RECEIVED: "Arrived, not opened yet",
    Phase.CARRIED: "Sent, no receipt yet",
}


@dataclass(frozen=True)
class Row:
    """One request that is owed. `due` and `left` are words, `due_stamp` is ISO 8601."""

    reference: str
    owes: str
    owes_id: str
    asks: str
    rating: str
    urgent: bool
    level: Level
    left: str
    due: str
    due_stamp: str
    states: tuple[str, ...]
    telephone: str

    @property
    def mark(self) -> str:
        """Give the sign of the level, for eyes that do not tell colours apart."""
        return MARKS[self.level][0]

    @property
    def word(self) -> str:
        """Give the level in words."""
        return MARKS[self.level][1]


@dataclass(frozen=True)
class Wall:
    """What is owed: the first rows, how many there are besides, and the figures above them."""

    rows: tuple[Row, ...]
    owed: int
    overdue: int
    soon: int
    next_due: str

    @property
    def hidden(self) -> int:
        """Say how many rows are not shown."""
        return self.owed - len(self.rows)


def level_of(one: Standing) -> Level:
    """Say how a request stands: the same urgency that its alerts have."""
    if one.concerns:
        return Level.NOW if one.urgent or one.rating is RagRating.RED else Level.TODAY
    return Level.SOON if one.is_soon else Level.WELL


def wall_of(board: Board, *, most: int = MOST_ROWS, responder: str | None = None) -> Wall:
    """Make the wall, of one responder's requests alone if one is named."""
    owed = [one for one in board.view.standings if not one.is_over and responder in (None, one.responder)]
    now = board.view.now
    coming = (one.due_at for one in owed if one.due_at > now)
    return Wall(
        rows=tuple(_rows(board, islice(owed, most), now)),
        owed=len(owed),
        overdue=sum(is_overdue(one, now) for one in owed),
        soon=sum(level_of(one) is Level.SOON for one in owed),
        next_due=next((words.local(due, now) + f" ({words.ahead(due, now)})" for due in coming), ""),
    )


def is_overdue(one: Standing, now: datetime) -> bool:
    """Say whether an answer is owed and its time is over."""
    return not one.is_over and time_to_breach(one, now) <= timedelta(0)


def _rows(board: Board, owed: Iterator[Standing], now: datetime) -> Iterator[Row]:
    for one in owed:
        # A request that was sent back is its asker's to move: the wall names who has to act.
        owes, asks = (one.requester, one.responder) if one.phase is Phase.SENT_BACK else (one.responder, one.requester)
        yield Row(
            reference=one.reference,
            owes=board.name(owes),
            owes_id=owes,
            asks=board.name(asks),
            rating=one.rating.value,
            urgent=one.urgent,
            level=level_of(one),
            left=words.to_breach(one.due_at, now),
            due=words.local(one.due_at, now),
            due_stamp=words.stamp(one.due_at),
            states=tuple(_states(one)),
            telephone=board.view.telephone(owes),
        )


def _states(one: Standing) -> Iterator[str]:
    """Say the phase, and every concern besides it: overdue and never arrived are two things to ask about."""
    yield STATES[one.phase]
    yield from (STATES[concern] for concern in Phase if concern in one.concerns and concern is not one.phase)
