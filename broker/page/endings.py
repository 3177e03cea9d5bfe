"""Keys and agreements as the pages show them: what is near its end first, and how far away the rest is. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from broker.expiries import HUB_OWN, STOPS_TRAFFIC, Ending, EndingKind, Nearness
from broker.page import words
from broker.page.board import Board
from broker.page.sentences import spoken

NEARNESS: Final = {
    Nearness.OVER: ("▲", "Has ended"),
    Nearness.TODAY: ("▲", "Act today"),
    Nearness.WEEK: ("◆", "Act this week"),
    Nearness.FAR: ("●", "Far away"),
}
FARTHEST_SHOWN: Final = 1


@dataclass(frozen=True)
class Line:
    """One ending in words."""

    what: str
    whose: str
    when: str
    left: str
    nearness: Nearness

    @property
    def mark(self) -> str:
        """Give the sign of the nearness."""
        return NEARNESS[self.nearness][0]

    @property
    def word(self) -> str:
        """Give the nearness in words."""
        return NEARNESS[self.nearness][1]


@dataclass(frozen=True)
class Endings:
    """Keys and agreements apart: each with what is near, or else the few that end next, and how many are far."""

    keys: tuple[Line, ...]
    agreements: tuple[Line, ...]
    keys_far: int
    agreements_far: int


def endings_of(board: Board) -> Endings:
    """Give what comes to an end, soonest first."""
    found = board.view.endings()
    keys = _together(one for one in found if one.kind in STOPS_TRAFFIC)
    papers = [one for one in found if one.kind not in STOPS_TRAFFIC]
    shown_keys, shown_papers = _shown(keys), _shown(papers)
    return Endings(
        keys=tuple(_line(board, one) for one in shown_keys),
        agreements=tuple(_line(board, one) for one in shown_papers),
        keys_far=len(keys) - len(shown_keys),
        agreements_far=len(papers) - len(shown_papers),
    )


def _together(found: Iterable[Ending]) -> list[Ending]:
    """Make one line of an agency's keys that end at one moment, as they do when nobody renews them."""
    lines: dict[tuple[str, str, datetime | None], Ending] = {}
    for one in found:
        line = lines.get((one.kind, one.whose, one.at))
        what = f"{line.what}, {one.what}" if line else one.what
        lines[one.kind, one.whose, one.at] = replace(one, what=what)
    return list(lines.values())


def _shown(found: list[Ending]) -> list[Ending]:
    near = [one for one in found if one.nearness is not Nearness.FAR]
    return near or found[:FARTHEST_SHOWN]


def _line(board: Board, one: Ending) -> Line:
    now = board.view.now
    return Line(
        what=spoken(f"{one.kind}:{one.what}".rstrip(":")),
        whose="The partnership" if one.whose == HUB_OWN and one.kind in _PARTNERSHIP else board.name(one.whose),
        when=words.local_day_or_moment(one.at, now) if one.at else "none was published",
        left=words.ahead(one.at, now) if one.at else "",
        nearness=one.nearness,
    )


_PARTNERSHIP: Final = frozenset({EndingKind.REVIEW, EndingKind.AGREEMENT_END})
