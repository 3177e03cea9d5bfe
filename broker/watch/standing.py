"""Who owes what by when, worked out from stubs alone: the hub's own copy of every request's clock.

Pure: the same entries give the same standing, whether followed as they came or replayed after a restart.
The hub sees that a receipt came back and not what it says: a receipt that refuses counts as received here, and the
requester's own adapter raises that alarm. A due time set by hand is sealed too: the hub's is that of the rating.
Silence stays silence: no state here means that nothing is known about a child.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from broker.calendars import Calendars
from broker.sla import ClockEvent, ClockEventKind, ClockState, RfiClock, Timer, TimerKind
from broker.verify import MAX_LIFE
from broker.watch.threads import Conversation, Note
from schemas.rating import RagRating
from schemas.routing import Lane
from schemas.stub import Event

RECEIVED_WITHIN: Final[Mapping[Lane, timedelta]] = {
    Lane.URGENT: timedelta(seconds=60),
    Lane.ROUTINE: timedelta(minutes=15),
    Lane.RECEIPT: timedelta(minutes=15),
}
"""From the hub's confirm to the recipient's receipt (the sender's outbox keeps the same bound)."""
_NOT_AWAITED: Final = frozenset({Event.RECEIPT, Event.HEARTBEAT, Event.REQUEST})
"""What is never receipted, and requests, whose receipt their standing waits for."""

FROM_RESPONDER: Final[Mapping[Event, tuple[ClockEventKind, ...]]] = {
    Event.ACKNOWLEDGED: (ClockEventKind.ACKNOWLEDGED,),
    Event.QUESTION: (ClockEventKind.SENT_BACK,),
    Event.PART_ANSWER: (ClockEventKind.ACKNOWLEDGED, ClockEventKind.ANSWERED_IN_PART),
    Event.ANSWER: (ClockEventKind.ANSWERED,),
    Event.REFUSED: (ClockEventKind.ANSWERED,),
}
FROM_REQUESTER: Final[Mapping[Event, tuple[ClockEventKind, ...]]] = {
    Event.RERATED: (ClockEventKind.RERATED,),
    Event.RECALLED: (ClockEventKind.CLOSED,),
    Event.CLOSED: (ClockEventKind.CLOSED,),
}


class Phase(StrEnum):
    """How a request stands, the first that is true in this order."""

    ANSWERED = "answered"
    ANSWERED_LATE = "answered_late"
    CLOSED = "closed"
    PARTICIPANT_LEFT = "participant_left"
    SENT_BACK = "sent_back"
    BREACHED = "breached"
    UNDELIVERED = "undelivered"
    UNREAD = "unread"
    IN_PART = "in_part"
    READ = "read"
    RECEIVED = "received"
    CARRIED = "carried"


OVER: Final = frozenset({Phase.ANSWERED, Phase.ANSWERED_LATE, Phase.CLOSED, Phase.PARTICIPANT_LEFT})


@dataclass(frozen=True)
class Standing:
    """One request at one moment. Times are UTC.

    `concerns` are BREACHED, UNDELIVERED and UNREAD, as many as hold at once; `phase` shows the gravest alone.
    `is_soon`: four fifths of the allowance have run (SLA-08), and nobody has answered yet.
    """

    reference: str
    requester: str
    responder: str
    rating: RagRating
    urgent: bool
    phase: Phase
    concerns: frozenset[Phase]
    issued_at: datetime
    due_at: datetime
    is_soon: bool
    received_at: datetime | None
    seen_at: datetime | None
    in_part_at: datetime | None
    answered_at: datetime | None
    timers: tuple[Timer, ...] = ()

    @property
    def is_over(self) -> bool:
        """Say whether nobody owes anything here."""
        return self.phase in OVER


@dataclass(frozen=True)
class Unreceipted:
    """A message that is no request, and whose recipient has not said in time that it has it."""

    reference: str
    sender: str
    recipient: str
    lane: Lane
    since: datetime


def time_to_breach(standing: Standing, now: datetime) -> timedelta:
    """Say how long is left until an answer is due; negative when it is overdue."""
    return standing.due_at - now


def by_time_to_breach(standings: Iterable[Standing]) -> tuple[Standing, ...]:
    """Sort: what is owed first, soonest due at the top; what is over after it."""
    return tuple(sorted(standings, key=lambda one: (one.is_over, one.due_at, one.reference, one.responder)))


def standings_in(conversation: Conversation, *, now: datetime, calendars: Calendars) -> Iterator[Standing]:
    """Work out every request of a conversation."""
    notes = [note for note in conversation.notes if note.received_at <= now]
    for requester, _ in conversation.requesters():
        own = [note for note in notes if note.event is Event.REQUEST and note.sender == requester]
        if own:
            yield _standing(conversation.reference, notes, own, now=now, calendars=calendars)


def awaiting_receipt(conversation: Conversation, *, now: datetime) -> tuple[Note, ...]:
    """Give the messages other than requests whose recipient has not said yet that it has them."""
    notes = [note for note in conversation.notes if note.received_at <= now]
    receipted = {(note.recipient, note.irt) for note in notes if note.event is Event.RECEIPT}
    return tuple(note for note in notes if note.event not in _NOT_AWAITED and (note.sender, note.mid) not in receipted)


def unreceipted_in(conversation: Conversation, *, now: datetime) -> Iterator[Unreceipted]:
    """Give those whose receipt is overdue, as long as they can still be delivered."""
    for note in awaiting_receipt(conversation, now=now):
        if RECEIVED_WITHIN[note.lane] <= now - note.received_at < timedelta(seconds=MAX_LIFE):
            yield Unreceipted(conversation.reference, note.sender, note.recipient, note.lane, note.received_at)


def holds_until(notes: Iterable[Note], standings: Iterable[Standing], *, now: datetime) -> datetime:
    """Give the first moment after `now` at which a conversation stands otherwise although nothing more is said."""
    moments = [moment for note in notes for moment in _turns(note)]
    moments += [timer.due_at for one in standings for timer in one.timers]  # the due time is one of them
    return min((moment for moment in moments if moment > now), default=datetime.max.replace(tzinfo=UTC))


def _turns(note: Note) -> tuple[datetime, datetime, datetime]:
    """Give when a note is seen, when its receipt is overdue, and when it cannot be delivered any more."""
    came = note.received_at
    return came, came + RECEIVED_WITHIN[note.lane], came + timedelta(seconds=MAX_LIFE)


def _standing(
    reference: str, notes: Sequence[Note], requests: Sequence[Note], *, now: datetime, calendars: Calendars
) -> Standing:
    first, last = requests[0], requests[-1]
    responder = first.recipient
    clock = RfiClock.from_events(
        clock_events(notes, first),
        now=now,
        calendar=calendars.area,
        allowances=calendars.allowances_of(responder),
    )
    seen = [note.at for note in notes if note.sender == responder and _by_a_person(note)]
    receipts = [note.received_at for note in notes if _is_receipt_of(note, last)]
    received_at = min(receipts, default=None)
    # Whatever the responder says in the thread after the request proves that it has it, should its receipt be lost.
    replied = any(note.sender == responder and note.event in FROM_RESPONDER and note.at >= last.at for note in notes)
    concerns = frozenset(_concerns(clock, last, now=now, has_it=bool(receipts) or replied))
    return Standing(
        reference=reference,
        requester=first.sender,
        responder=responder,
        rating=clock.rating,
        urgent=last.lane is Lane.URGENT,
        phase=_phase(clock, concerns, received=received_at is not None, seen=bool(seen)),
        concerns=concerns,
        issued_at=first.at,
        due_at=clock.enquiry_due_at if clock.state is ClockState.WAITING else clock.due_at,
        is_soon=_has_come(clock, TimerKind.WARNING, now=now),
        received_at=received_at,
        seen_at=min(seen, default=None),
        in_part_at=clock.in_part_at,
        answered_at=clock.answered_at,
        timers=clock.timers,
    )


def clock_events(notes: Sequence[Note], first: Note) -> Iterator[ClockEvent]:
    """Tell the clock what happened between the two ends of `first`, in the words of `broker.sla`."""
    issued_as = RagRating.RED if first.rating is RagRating.BLUE else first.rating  # nobody is asked under BLUE
    yield ClockEvent(ClockEventKind.ISSUED, first.at, rating=issued_as)
    for note in notes:
        if note.event is Event.REQUEST and note.sender == first.sender and note is not first:
            yield ClockEvent(ClockEventKind.CORRECTED, note.at)
        table = FROM_REQUESTER if note.sender == first.sender else FROM_RESPONDER
        for kind in table.get(note.event, ()):
            yield ClockEvent(kind, note.at, rating=note.rating if kind is ClockEventKind.RERATED else None)


def _by_a_person(note: Note) -> bool:
    """Say whether a responder's message proves that a person has the request before them: a bounce is a machine's."""
    return bool({ClockEventKind.ACKNOWLEDGED, ClockEventKind.ANSWERED} & set(FROM_RESPONDER.get(note.event, ())))


def _is_receipt_of(note: Note, request: Note) -> bool:
    return note.event is Event.RECEIPT and note.sender == request.recipient and note.irt == request.mid


def _concerns(clock: RfiClock, request: Note, *, now: datetime, has_it: bool) -> Iterator[Phase]:
    if clock.state in (ClockState.ANSWERED, ClockState.ANSWERED_LATE, ClockState.CLOSED):
        return
    overdue = clock.state is ClockState.WAITING and now >= clock.enquiry_due_at
    if clock.state is ClockState.BREACHED or overdue:
        yield Phase.BREACHED
    if not has_it and now - request.received_at >= RECEIVED_WITHIN[request.lane]:
        yield Phase.UNDELIVERED
    if _has_come(clock, TimerKind.HUMAN_ACK, now=now):
        yield Phase.UNREAD


def _has_come(clock: RfiClock, kind: TimerKind, *, now: datetime) -> bool:
    return any(timer.kind is kind and timer.due_at <= now for timer in clock.timers)


def _phase(clock: RfiClock, concerns: frozenset[Phase], *, received: bool, seen: bool) -> Phase:
    holds = {
        Phase.ANSWERED: clock.state is ClockState.ANSWERED,
        Phase.ANSWERED_LATE: clock.state is ClockState.ANSWERED_LATE,
        Phase.CLOSED: clock.state is ClockState.CLOSED,
        Phase.SENT_BACK: clock.state is ClockState.WAITING,
        Phase.IN_PART: clock.in_part_at is not None,
        Phase.READ: seen,
        Phase.RECEIVED: received,
        Phase.CARRIED: True,
    }
    return next(phase for phase in Phase if phase in concerns or holds.get(phase, False))
