"""What can happen to a request, as far as its clock is concerned, and what the happenings add up to.

The fold is total: an event that the domain does not allow (a RED sent back, a due time set later without a reason)
changes nothing, because a promise stands until it is changed rightly, and one bad event must not stop a clock.
Refusing such an event to the person who makes it is the work of whoever records it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from broker.calendar import NaiveTimeError, WorkingCalendar, as_utc
from broker.sla.allowances import Allowances
from broker.sla.due import ReasonMissingError, extended_due, response_due
from broker.sla.timers import Leg
from schemas.rating import RagRating


class NotIssuedError(ValueError):
    """A clock was asked for a request of which no issue is recorded: its events are incomplete."""


class ClockEventKind(StrEnum):
    """The happenings; those of one moment count in this order."""

    ISSUED = "issued"
    SENT_BACK = "sent_back"
    CORRECTED = "corrected"
    RERATED = "rerated"
    DUE_SET = "due_set"
    ACKNOWLEDGED = "acknowledged"
    PHONED = "phoned"
    ANSWERED_IN_PART = "answered_in_part"
    ANSWERED = "answered"
    CLOSED = "closed"


ORDER: Final = {kind: place for place, kind in enumerate(ClockEventKind)}
URGENCY: Final = {RagRating.RED: 3, RagRating.AMBER: 2, RagRating.GREEN: 1, RagRating.BLUE: 0}


@dataclass(frozen=True)
class ClockEvent:
    """One happening and its moment.

    `rating` goes with ISSUED and RERATED; `due_at` with DUE_SET, and with ISSUED when it was set by hand;
    `reason` is true when a reason for a later due time is on record (its words are content and stay elsewhere).
    """

    kind: ClockEventKind
    at: datetime
    rating: RagRating | None = None
    due_at: datetime | None = None
    reason: bool = False

    def __post_init__(self) -> None:
        if self.at.utcoffset() is None or (self.due_at is not None and self.due_at.utcoffset() is None):
            raise NaiveTimeError
        if self.rating is None and self.kind in {ClockEventKind.ISSUED, ClockEventKind.RERATED}:
            raise ValueError("an issue and a re-rating say the rating")
        if self.due_at is None and self.kind is ClockEventKind.DUE_SET:
            raise ValueError("a due time that is set says when")


@dataclass(frozen=True)
class Story:
    """What the events so far add up to. Times in UTC; an answer or a closing ends it, except that answers still count.

    `leg` is the responder's promise, `enquiry_due` the enquiry's; `acknowledged` and `phoned` are about this leg.
    """

    rating: RagRating
    leg: Leg
    enquiry_due: datetime
    waiting_since: datetime | None = None
    was_sent_back: bool = False
    acknowledged: bool = False
    phoned: bool = False
    in_part_at: datetime | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def over(self) -> bool:
        """Say whether the request needs nothing more from anybody."""
        return self.answered_at is not None or self.closed_at is not None


@dataclass(frozen=True)
class _Area:
    calendar: WorkingCalendar
    allowances: Allowances

    def due(self, rating: RagRating, at: datetime) -> datetime:
        return response_due(rating, at, calendar=self.calendar, allowances=self.allowances)


def tell(events: Iterable[ClockEvent], *, calendar: WorkingCalendar, allowances: Allowances) -> Story:
    """Add up `events`, in any order and however often repeated. Raises `NotIssuedError`, `NobodyAskedError`.

    Clocks of two offices differ by a little: what is dated before the issue is taken to follow it.
    """
    ordered = sorted(set(events), key=_place)
    issued = next((event for event in ordered if event.kind is ClockEventKind.ISSUED), None)
    if issued is None:
        raise NotIssuedError
    area = _Area(calendar, allowances)
    story = _begin(issued, area)
    for event in ordered:
        story = HAPPENINGS.get(event.kind, _nothing)(story, event, area)
    return story


def _place(event: ClockEvent) -> tuple[datetime, int, str]:
    due = as_utc(event.due_at).isoformat() if event.due_at else ""
    return as_utc(event.at), ORDER[event.kind], f"{event.rating} {due} {event.reason}"


def _begin(issued: ClockEvent, area: _Area) -> Story:
    rating = issued.rating or RagRating.RED  # never None: the event refuses it; RED is the strictest reading
    at = as_utc(issued.at)
    computed = area.due(rating, at)
    due = _set_by_hand(computed, issued) if issued.due_at else computed
    return Story(rating, Leg(rating, at, due), due)


def _set_by_hand(existing: datetime, event: ClockEvent) -> datetime:
    """Give the due time that stands after one set by hand: a later one without a reason does not (RFI-02)."""
    try:
        return extended_due(existing, event.due_at or existing, reason="recorded" if event.reason else "")
    except ReasonMissingError:
        return existing


def _nothing(story: Story, event: ClockEvent, area: _Area) -> Story:
    return story


def _sent_back(story: Story, event: ClockEvent, area: _Area) -> Story:
    """RFI-15: once, and never a RED."""
    if story.over or story.was_sent_back or story.rating is RagRating.RED:
        return story
    return replace(story, waiting_since=as_utc(event.at), was_sent_back=True)


def _corrected(story: Story, event: ClockEvent, area: _Area) -> Story:
    """RFI-15: the responder's own clock begins anew; the enquiry's due time stands."""
    if story.over or story.waiting_since is None:
        return story
    return replace(_promise(story, area.due(story.leg.rating, event.at), event), waiting_since=None)


def _rerated(story: Story, event: ClockEvent, area: _Area) -> Story:
    """SLA-10. To BLUE: what was asked stays asked until it is closed. A RED does not wait for a correction."""
    rating = event.rating or story.rating
    if story.over:
        return story
    if rating is RagRating.BLUE:
        return replace(story, rating=rating)
    fresh = area.due(rating, event.at)
    rises = URGENCY[rating] > URGENCY[story.rating]
    due = min(story.leg.due_at, fresh)
    story = replace(story, rating=rating, enquiry_due=min(story.enquiry_due, fresh))
    if rating is RagRating.RED:
        story = replace(story, waiting_since=None)
    return _promise(story, due, event) if rises or due != story.leg.due_at else story


def _due_set(story: Story, event: ClockEvent, area: _Area) -> Story:
    due = _set_by_hand(story.leg.due_at, event)
    if story.over or due == story.leg.due_at:
        return story
    kept = story.acknowledged, story.phoned
    sooner = due < story.leg.due_at
    enquiry_due = due if event.reason else min(story.enquiry_due, due)
    story = replace(_promise(story, due, event), enquiry_due=enquiry_due)
    return story if sooner else replace(story, acknowledged=kept[0], phoned=kept[1])


def _promise(story: Story, due: datetime, event: ClockEvent) -> Story:
    """Begin the next leg: somebody has to see and hear of it again."""
    rating = story.rating if story.rating is not RagRating.BLUE else story.leg.rating
    leg = Leg(rating, as_utc(event.at), due, story.leg.number + 1)
    return replace(story, leg=leg, acknowledged=False, phoned=False)


def _acknowledged(story: Story, event: ClockEvent, area: _Area) -> Story:
    return replace(story, acknowledged=True)


def _phoned(story: Story, event: ClockEvent, area: _Area) -> Story:
    return replace(story, phoned=True)


def _in_part(story: Story, event: ClockEvent, area: _Area) -> Story:
    return replace(story, in_part_at=story.in_part_at or as_utc(event.at))


def _answered(story: Story, event: ClockEvent, area: _Area) -> Story:
    return replace(story, answered_at=story.answered_at or as_utc(event.at))


def _closed(story: Story, event: ClockEvent, area: _Area) -> Story:
    return replace(story, closed_at=story.closed_at or as_utc(event.at))


HAPPENINGS: Final[Mapping[ClockEventKind, Callable[[Story, ClockEvent, _Area], Story]]] = {
    ClockEventKind.SENT_BACK: _sent_back,
    ClockEventKind.CORRECTED: _corrected,
    ClockEventKind.RERATED: _rerated,
    ClockEventKind.DUE_SET: _due_set,
    ClockEventKind.ACKNOWLEDGED: _acknowledged,
    ClockEventKind.PHONED: _phoned,
    ClockEventKind.ANSWERED_IN_PART: _in_part,
    ClockEventKind.ANSWERED: _answered,
    ClockEventKind.CLOSED: _closed,
}
