"""The clock of one request: a pure function of what has happened to it and of now (SLA-07 to SLA-10).

It guarantees: the same events give the same clock at requester and hub, in whatever order they arrived and however
often; a due time is lengthened only by a reason on record; late answers count as answers (RSP-14), nil ones too
(RSP-17); silence stays silence.
It pauses in one case only, and only the responder's own clock: a request sent back once as incomplete waits for its
correction, then its allowance begins anew, while the enquiry's due time stands (RFI-15). A RED is never sent back.
It knows no agency, no person and no content.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from broker.calendar import WorkingCalendar, as_utc
from broker.sla.allowances import DEFAULT_ALLOWANCES, Allowances
from broker.sla.events import ClockEvent, Story, tell
from broker.sla.timers import Contact, Timer, TimerKind, timers_of_leg
from schemas.rating import RagRating


class ClockState(StrEnum):
    """How a request stands. WAITING: it was sent back, and the requester has to correct it."""

    RUNNING = "running"
    WAITING = "waiting"
    BREACHED = "breached"
    ANSWERED = "answered"
    ANSWERED_LATE = "answered_late"
    CLOSED = "closed"


@dataclass(frozen=True)
class RfiClock:
    """The clock of one request at one moment. All times are UTC.

    `due_at` is the responder's own, `enquiry_due_at` the enquiry's: they differ only after a correction.
    `timers` are the rows that belong in the store, fired or not; a row whose task is done is not among them.
    """

    state: ClockState
    rating: RagRating
    due_at: datetime
    enquiry_due_at: datetime
    timers: tuple[Timer, ...]
    next_timer: Timer | None
    in_part_at: datetime | None
    answered_at: datetime | None

    @classmethod
    def from_events(
        cls,
        events: Iterable[ClockEvent],
        *,
        now: datetime,
        calendar: WorkingCalendar,
        allowances: Allowances = DEFAULT_ALLOWANCES,
    ) -> "RfiClock":
        """Work the clock out. Events after `now` have not happened yet.

        Raises `NotIssuedError` without an issue among them, `NobodyAskedError` for one that was issued BLUE.
        """
        now = as_utc(now)
        story = tell((event for event in events if event.at <= now), calendar=calendar, allowances=allowances)
        timers = _timers(story, calendar, allowances)
        return cls(
            state=_state(story, now),
            rating=story.rating,
            due_at=story.leg.due_at,
            enquiry_due_at=story.enquiry_due,
            timers=timers,
            next_timer=next((timer for timer in timers if timer.due_at > now), None),
            in_part_at=story.in_part_at,
            answered_at=story.answered_at,
        )


def _state(story: Story, now: datetime) -> ClockState:
    """Read the state off; an answer at the very moment it is due is in time."""
    if story.answered_at is not None:
        return ClockState.ANSWERED if story.answered_at <= story.leg.due_at else ClockState.ANSWERED_LATE
    if story.closed_at is not None:
        return ClockState.CLOSED
    if story.waiting_since is not None:
        return ClockState.WAITING
    return ClockState.RUNNING if now < story.leg.due_at else ClockState.BREACHED


def _timers(story: Story, calendar: WorkingCalendar, allowances: Allowances) -> tuple[Timer, ...]:
    if story.over:
        return ()
    if story.waiting_since is not None:  # the ball is the requester's: only the enquiry's own due time still rings
        return (Timer(TimerKind.BREACH, story.enquiry_due, (Contact.COORDINATOR,), story.leg.number),)
    done = {TimerKind.HUMAN_ACK} if story.acknowledged else set()
    if story.phoned:
        done.add(TimerKind.PHONE_CALL)
    rows = timers_of_leg(story.leg, calendar=calendar, allowances=allowances)
    return tuple(row for row in rows if row.kind not in done)
