"""One line an agency: what it owes and has let lapse, what waits in its queue, and when it was last heard of.

Pure. Age in the queue is told from the stubs: how long the oldest message has been on its way without a receipt. How
many wait, and whether anything reads, is what the broker says, and nothing is shown where it does not say.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from broker.page import words
from broker.page.board import Board
from broker.page.wall import is_overdue
from broker.watch.standing import Phase, Standing
from schemas.routing import Lane


@dataclass(frozen=True)
class Agency:
    """One member. Ages are words, empty where there is nothing; `waiting` is None where the broker does not say.

    `late`: breaches in all that the watch still knows, a month: overdue now, or answered after its time.
    """

    participant: str
    name: str
    telephone: str
    owed: int
    overdue: int
    late: int
    not_arrived: int
    not_opened: int
    next_due: str
    waiting: int | None
    queue_age: str
    unopened_age: str
    is_read: bool
    is_silent: bool
    heard: str

    @property
    def troubles(self) -> tuple[str, ...]:
        """Name what is wrong, in words."""
        named = (
            (self.overdue > 0, f"{self.overdue} overdue"),
            (self.not_arrived > 0, f"{self.not_arrived} not arrived"),
            (self.not_opened > 0, f"{self.not_opened} not opened"),
            (self.is_silent, "Silent"),
            (not self.is_read, "Nobody reads its queue"),
        )
        return tuple(word for holds, word in named if holds)


def agencies_of(board: Board) -> tuple[Agency, ...]:
    """Give every member, those in trouble first: most overdue, then by how many troubles, then by name."""
    asked: defaultdict[str, list[Standing]] = defaultdict(list)
    for one in board.view.standings:
        asked[one.responder].append(one)
    found = [_agency(board, name, asked[name]) for name in board.view.members()]
    return tuple(sorted(found, key=lambda one: (-one.overdue, -len(one.troubles), one.name)))


def _agency(board: Board, name: str, asked: list[Standing]) -> Agency:
    view, owed = board.view, [one for one in asked if not one.is_over]
    unheard, silent = view.heard.get(name), name in view.silent()
    soonest = min((one.due_at for one in owed), default=None)
    return Agency(
        participant=name,
        name=board.name(name),
        telephone=view.telephone(name),
        owed=len(owed),
        overdue=sum(is_overdue(one, view.now) for one in owed),
        late=sum(is_overdue(one, view.now) or one.phase is Phase.ANSWERED_LATE for one in asked),
        not_arrived=sum(Phase.UNDELIVERED in one.concerns for one in owed),
        not_opened=sum(Phase.UNREAD in one.concerns for one in owed),
        next_due=words.to_breach(soonest, view.now) if soonest else "",
        waiting=_waiting(board, name),
        queue_age=_age(min(_on_the_way(board, name, owed), default=None), view.now),
        unopened_age=_age(min((one.issued_at for one in owed if not one.seen_at), default=None), view.now),
        is_read=_is_read(board, name),
        is_silent=silent,
        heard=words.ago(unheard, view.now) if unheard else "never",
    )


def _on_the_way(board: Board, name: str, owed: list[Standing]) -> Iterator[datetime]:
    yield from (one.issued_at for one in owed if one.received_at is None and one.seen_at is None)
    yield from (one.since for one in board.view.unreceipted if one.recipient == name)


def _waiting(board: Board, name: str) -> int | None:
    figures = board.view.figures
    if figures is None:
        return None
    return sum(figures.waiting.get((name, lane), 0) for lane in Lane)


def _is_read(board: Board, name: str) -> bool:
    """Say whether every queue of an agency has a reader, as far as the broker says."""
    figures = board.view.figures
    return figures is None or all(figures.consumers.get((name, lane), 1) for lane in Lane)


def _age(since: datetime | None, now: datetime) -> str:
    return words.span(now - since) if since else ""
