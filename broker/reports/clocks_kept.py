"""Every clock of one request as the stubs show it: when each was due, when it was met, and what that comes to. Pure.

The clocks are those of the last due time that was promised. The telephone call is in the requester's own books and
nowhere in the ledger; the outcome's own clock starts at a decision that is sealed: of both the hub says what it saw.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from broker.calendars import Calendars
from broker.reports.from_ledger import Traced
from broker.reports.sample_file import ClockKept
from broker.sla import ClockEventKind, Timer, TimerKind
from broker.sla.events import tell
from broker.sla.timers import timers_of_leg
from broker.watch.standing import FROM_RESPONDER, RECEIVED_WITHIN, Standing
from broker.watch.threads import Note
from schemas.stub import Event

MET: Final = "met"
LATE: Final = "late"
MISSED: Final = "missed"
OPEN: Final = "not due yet"
REACHED: Final = "reached"
NOT_REACHED: Final = "not reached"
NOT_KNOWN: Final = "known to the requester"
NOT_SEEN: Final = "not seen"
NAMES: Final[Mapping[TimerKind, str]] = {
    TimerKind.HUMAN_ACK: "seen by a person",
    TimerKind.PHONE_CALL: "telephone call",
    TimerKind.NUDGE: "half of the time gone",
    TimerKind.WARNING: "four fifths gone",
    TimerKind.ESCALATION: "a quarter over time",
}
_A_PERSON: Final = frozenset({ClockEventKind.ACKNOWLEDGED, ClockEventKind.ANSWERED})


@dataclass(frozen=True)
class _Course:
    """One request's way: who asked whom, what was said, and up to when."""

    standing: Standing
    notes: Sequence[Note]
    now: datetime


def clocks_of(one: Traced, standing: Standing, *, now: datetime, calendars: Calendars) -> tuple[ClockKept, ...]:
    """Give the clocks of a request as they stood at `now`."""
    area, allowances = calendars.area, calendars.allowances_of(standing.responder)
    story = tell((event for event in one.history.events if event.at <= now), calendar=area, allowances=allowances)
    course = _Course(standing, one.conversation.notes, now)
    rows = timers_of_leg(story.leg, calendar=area, allowances=allowances)
    kept = (_row(row, course, began_at=story.leg.began_at) for row in rows if row.kind is not TimerKind.BREACH)
    answer = _kept("answer", standing.due_at, standing.answered_at, now=now)
    return (_receipt(course), *kept, answer, _outcome(course))


def _receipt(course: _Course) -> ClockKept:
    standing = course.standing
    asked = [note for note in course.notes if note.event is Event.REQUEST and note.sender == standing.requester]
    due = asked[-1].received_at + RECEIVED_WITHIN[asked[-1].lane]
    return _kept("receipt", due, standing.received_at, now=course.now)


def _row(row: Timer, course: _Course, *, began_at: datetime) -> ClockKept:
    name = NAMES[row.kind]
    if row.kind is TimerKind.HUMAN_ACK:
        return _kept(name, row.due_at, _seen_at(course, since=began_at), now=course.now)
    if row.kind is TimerKind.PHONE_CALL:
        return ClockKept(clock=name, due_at=row.due_at, met_at=None, verdict=NOT_KNOWN)
    over = course.standing.answered_at or course.now
    verdict = REACHED if row.due_at <= over else OPEN if course.standing.answered_at is None else NOT_REACHED
    return ClockKept(clock=name, due_at=row.due_at, met_at=None, verdict=verdict)


def _seen_at(course: _Course, *, since: datetime) -> datetime | None:
    said = (note for note in course.notes if note.sender == course.standing.responder and note.at >= since)
    return min((note.at for note in said if _A_PERSON & set(FROM_RESPONDER.get(note.event, ()))), default=None)


def _outcome(course: _Course) -> ClockKept:
    """Say when the requester first sent a notice: the outcome, as far as the outside of an envelope tells."""
    sent: Iterator[datetime] = (
        note.at for note in course.notes if (note.event, note.sender) == (Event.NOTICE, course.standing.requester)
    )
    told = min(sent, default=None)
    return ClockKept(clock="notice to the agency", due_at=None, met_at=told, verdict=MET if told else NOT_SEEN)


def _kept(name: str, due_at: datetime, met_at: datetime | None, *, now: datetime) -> ClockKept:
    unmet = MISSED if now >= due_at else OPEN
    verdict = unmet if met_at is None else MET if met_at <= due_at else LATE
    return ClockKept(clock=name, due_at=due_at, met_at=met_at, verdict=verdict)
