"""The models of whole pages, each a function of one board. Two boards with one model need no new drawing. Pure."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from broker.alerts import Urgency
from broker.alerts.listing import Listed
from broker.page import words
from broker.page.agencies import Agency, agencies_of
from broker.page.board import Board
from broker.page.calls import ToDo, to_do
from broker.page.endings import Endings, endings_of
from broker.page.stories import Story, past_stories, standing_stories
from broker.page.wall import Wall, wall_of

STOPPED: Final = "The watch has stopped looking"
RESTART: Final = "Start it again, or ring whoever runs the hub."
NO_LEDGER: Final = "The ledger does not answer"


@dataclass(frozen=True)
class Trouble:
    """Why a page may be wrong, in a headline and a sentence."""

    what: str
    detail: str


@dataclass(frozen=True)
class Moment:
    """What every page says first: when it was true, and why it might not be."""

    at: str
    stamp: str
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True)
class WallPage:
    """The wall with all that stands around it. `title` fits a browser's tab."""

    title: str
    moment: Moment
    to_do: ToDo
    wall: Wall
    agencies: tuple[Agency, ...]
    endings: Endings


@dataclass(frozen=True)
class AlertsPage:
    """The alerts that stand, and the last ones that are over."""

    title: str
    moment: Moment
    standing: tuple[Story, ...]
    past: tuple[Story, ...]


@dataclass(frozen=True)
class DeskPage:
    """What one duty desk keeps open: its own alerts, and what it owes."""

    title: str
    moment: Moment
    participant: str
    name: str
    unseen: int
    stories: tuple[Story, ...]
    wall: Wall


Page = WallPage | AlertsPage | DeskPage


def moment_of(board: Board) -> Moment:
    """Say when a board was true. A page that shows the past must say so before it says anything else."""
    at, is_up = board.view.now, board.glance.ledgers.is_up
    named = (
        (board.is_stale, STOPPED, f"Nothing below is newer than {words.local(at, board.shown_at)}. {RESTART}"),
        (not is_up, NO_LEDGER, "What is below was true before, and nothing new is added until it answers."),
        (board.rows is None and is_up, NO_LEDGER, "Nobody can tell which alerts have been seen."),
    )
    troubles = tuple(Trouble(what, detail) for holds, what, detail in named if holds)
    return Moment(words.local(at, board.shown_at), words.stamp(at), troubles)


def wall_page(board: Board) -> WallPage:
    """Make the wall's page."""
    moment, what = moment_of(board), to_do(board)
    first = moment.troubles[0].what if moment.troubles else what.headline
    return WallPage(
        title=first,
        moment=moment,
        to_do=what,
        wall=wall_of(board),
        agencies=agencies_of(board),
        endings=endings_of(board),
    )


def alerts_page(board: Board, recent: tuple[Listed, ...] = ()) -> AlertsPage:
    """Make the alerts' page. Without `recent` it is good for telling whether anything has changed."""
    standing = standing_stories(board)
    unseen = sum(not story.seen for story in standing)
    title = f"{words.count(unseen, 'alert')} nobody has seen" if unseen else "Every alert has been seen"
    return AlertsPage(title, moment_of(board), standing, past_stories(board, recent))


def desk_page(board: Board, participant: str) -> DeskPage:
    """Make the page of one desk."""
    stories = standing_stories(board, desk=participant)
    unseen = sum(not story.seen for story in stories)
    name = board.name(participant)
    title = f"({unseen}) {words.count(unseen, 'new alert')} for {name}" if unseen else f"No new alert for {name}"
    wall = wall_of(board, responder=participant)
    return DeskPage(title, moment_of(board), participant, name, unseen, stories, wall)


def is_urgent(page: DeskPage) -> bool:
    """Say whether a desk has to act at any hour."""
    return any(story.urgency is Urgency.NOW and not story.seen for story in page.stories)


def digest(page: Page) -> str:
    """Give a short text that is the same for the same page."""
    return sha256(repr(page).encode()).hexdigest()[:16]
