"""Alerts with their story: who was told by which way, who has seen them, and when they were over. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from broker.alerts import Urgency
from broker.alerts.acknowledging import Acknowledgement
from broker.alerts.listing import Listed, Told
from broker.page import words
from broker.page.board import Board, Raised

URGENCIES: Final[Mapping[Urgency, tuple[str, str]]] = {
    Urgency.NOW: ("▲", "Now"),
    Urgency.TODAY: ("◆", "Today"),
    Urgency.WEEK: ("●", "This week"),
}
WAYS: Final = {
    "mail": "email",
    "notify_email": "GOV.UK Notify email",
    "notify_text": "text message",
    "webhook": "webhook",
    "page": "desk page",
}
STATES: Final = {
    "waiting": "not sent yet",
    "accepted": "sent",
    "delivered": "delivered",
    "failed": "failed, will be tried again",
    "abandoned": "could not be delivered",
}


@dataclass(frozen=True)
class Story:
    """One alert in words. `number` is its row of the book, None while that is not known; `ring` is whose telephone."""

    number: int | None
    urgency: Urgency
    what: str
    act: str
    whom: str
    ring: str
    telephone: str
    reference: str
    since: str
    told: tuple[str, ...]
    seen: str
    over: str
    is_own: bool

    @property
    def mark(self) -> str:
        """Give the sign of the urgency."""
        return URGENCIES[self.urgency][0]

    @property
    def word(self) -> str:
        """Give the urgency in words."""
        return URGENCIES[self.urgency][1]

    @property
    def can_be_seen(self) -> bool:
        """Say whether there is something to acknowledge."""
        return self.number is not None and not self.seen and not self.over


def standing_stories(board: Board, *, desk: str | None = None) -> tuple[Story, ...]:
    """Give the alerts that stand, those that nobody has seen first; of one desk alone if one is named."""
    mine = [one for one in board.raised if desk is None or concerns(one, desk)]
    return tuple(story_of(board, one, desk=desk) for one in sorted(mine, key=lambda one: one.is_seen))


def past_stories(board: Board, recent: tuple[Listed, ...]) -> tuple[Story, ...]:
    """Give those of the last alerts that are over, youngest first."""
    over = (row for row in recent if row.entry.cleared_at is not None)
    return tuple(story_of(board, Raised(row.entry.alert, row)) for row in over)


def concerns(one: Raised, desk: str) -> bool:
    """Say whether an alert is a desk's: it is about it, or that desk was told."""
    told = one.row.told if one.row else ()
    return one.alert.participant == desk or any(telling.desk == desk for telling in told)


def story_of(board: Board, one: Raised, *, desk: str | None = None) -> Story:
    """Tell an alert's story; to the `desk` that it is about, in its own words and with the other end's number."""
    said, now, row = board.sentence(one.alert), board.view.now, one.row
    is_own = desk == one.alert.participant
    ring = one.alert.peer if is_own else one.alert.participant
    over = row.entry.cleared_at if row else None
    return Story(
        number=row.entry.number if row else None,
        urgency=one.alert.urgency,
        what=said.what,
        act=(said.own if is_own else "") or said.act,
        whom=board.name(one.alert.participant),
        ring=board.name(ring),
        telephone=board.view.telephone(ring),
        reference=one.alert.reference,
        since=words.local(one.since, now) if one.since else "just now",
        told=tuple(_told(board, row.told, now)) if row else (),
        seen=_seen(board, row.acknowledgement, now) if row else "",
        over=words.local(over, now) if over else "",
        is_own=is_own,
    )


def _told(board: Board, told: tuple[Told, ...], now: datetime) -> Iterator[str]:
    for one in told:
        at = f" {words.local(one.told_at, now)}" if one.told_at else ""
        way = WAYS.get(one.way, one.way)
        yield f"{board.name(one.desk)}, {one.post.replace('-', ' ')}, by {way}: {STATES.get(one.state, one.state)}{at}"


def _seen(board: Board, seen: Acknowledgement | None, now: datetime) -> str:
    if seen is None:
        return ""
    return f"Seen by {board.name(seen.desk)}, {seen.by.replace('-', ' ')}, {words.local(seen.at, now)}"
