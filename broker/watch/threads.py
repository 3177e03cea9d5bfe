"""What has passed in each thread between two participants, as short notes: all that the hub's clocks are made of.

A conversation is a thread *and* its two ends: what a third participant sends under the same thread id is another
conversation, and stops nobody's clock.
Notes may come in any order, because lanes overtake one another; the same notes make the same conversation.
What is over is forgotten after a month, by the ledger's own time and not by the clock on the wall, so that a replay
forgets the same.
"""

from base64 import b32encode
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple

from broker.ledger.chain import Passage
from schemas.rating import RagRating
from schemas.routing import Lane
from schemas.signing import pae
from schemas.stub import Event

FORGOTTEN_AFTER: Final = timedelta(days=31)
RATINGS: Final[Mapping[str, RagRating]] = {rating.value.lower(): rating for rating in RagRating}
MAX_NOTES: Final = 1000
MAX_CONVERSATIONS: Final = 20_000
"""What one participant can make the watch remember: of one thread, and of threads that it began (M16)."""
_ENDED_BY_RESPONDER: Final = frozenset({Event.ANSWER, Event.REFUSED})
_ENDED_BY_REQUESTER: Final = frozenset({Event.CLOSED, Event.RECALLED})


class Ends(NamedTuple):
    """A thread and its two ends, in the order of the alphabet."""

    thread: str
    one: str
    other: str


class Note(NamedTuple):
    """One stub, as far as a clock asks. `at` is the sender's word, but never later than the hub saw it."""

    at: datetime
    received_at: datetime
    sender: str
    recipient: str
    event: Event
    lane: Lane
    rating: RagRating
    mid: str
    irt: str | None


def note_of(passage: Passage) -> Note:
    """Note a stub. A class that is no rating is read as RED, the strictest: an unknown value must not slow a clock."""
    stub = passage.stub
    rating = RATINGS.get(stub.service_class, RagRating.RED)
    at = min(stub.sent_at, passage.received_at)
    return Note(at, passage.received_at, stub.from_, stub.to, stub.event, stub.lane, rating, stub.mid, stub.irt)


def ends_of(passage: Passage) -> Ends:
    """Name the conversation that a stub belongs to."""
    one, other = sorted((passage.stub.from_, passage.stub.to))
    return Ends(passage.stub.thread, one, other)


def reference_of(thread: str) -> str:
    """Give the reference under which a thread is spoken of: ten letters and digits that no ear confuses.

    Not the thread id itself: a careless sender could have spelt a name with it.
    """
    text = b32encode(sha256(pae("reference", thread.encode())).digest()).decode()
    return f"{text[:5]}-{text[5:10]}"


class Conversation:
    """The notes of one thread between two ends. Who says too much is not heard further, and the other end still is."""

    def __init__(self, ends: Ends) -> None:
        self.ends = ends
        self.reference = reference_of(ends.thread)
        self.version = 0
        self._notes: list[Note] = []
        self._said: Counter[str] = Counter()

    def add(self, note: Note) -> None:
        """Add a note."""
        if self._said[note.sender] < MAX_NOTES:
            self._said[note.sender] += 1
            self._notes.append(note)
            self.version += 1

    @property
    def began_by(self) -> str:
        """Who said the first word that came."""
        return self._notes[0].sender

    @property
    def notes(self) -> list[Note]:
        """Every note, in the order in which things were said."""
        return sorted(self._notes, key=lambda note: (note.at, note.received_at, note.mid))

    def requesters(self) -> Iterator[tuple[str, str]]:
        """Give who asked whom: requester and responder, once a direction."""
        yield from sorted({(note.sender, note.recipient) for note in self._notes if note.event is Event.REQUEST})

    def is_over(self) -> bool:
        """Say whether whatever was asked here has been answered or closed, or nothing was asked."""
        said = {(note.sender, note.event) for note in self._notes}
        return all(
            any((responder, event) in said for event in _ENDED_BY_RESPONDER)
            or any((requester, event) in said for event in _ENDED_BY_REQUESTER)
            for requester, responder in self.requesters()
        )

    def heard_at(self) -> datetime:
        """Give when the last note came."""
        return max(note.received_at for note in self._notes)


class Conversations:
    """All conversations that are not forgotten. `unfollowed` counts what was too much, by who began it."""

    def __init__(self) -> None:
        self.unfollowed: Counter[str] = Counter()
        self._by_ends: dict[Ends, Conversation] = {}
        self._begun: Counter[str] = Counter()
        self._tidied: date | None = None

    def __iter__(self) -> Iterator[Conversation]:
        return iter(self._by_ends.values())

    def __len__(self) -> int:
        return len(self._by_ends)

    def add(self, passage: Passage) -> None:
        """Add the next entry of the ledger; once a day of the ledger, forget what is over."""
        if passage.received_at.date() != self._tidied:
            self._tidied = passage.received_at.date()
            self._forget(passage.received_at - FORGOTTEN_AFTER)
        if passage.stub.event is Event.HEARTBEAT:
            return
        ends = ends_of(passage)
        conversation = self._by_ends.get(ends) or self._begin(ends, passage.stub.from_)
        if conversation is not None:
            conversation.add(note_of(passage))

    def _begin(self, ends: Ends, sender: str) -> Conversation | None:
        if self._begun[sender] >= MAX_CONVERSATIONS:
            self.unfollowed[sender] += 1
            return None
        self._begun[sender] += 1
        self._by_ends[ends] = conversation = Conversation(ends)
        return conversation

    def _forget(self, horizon: datetime) -> None:
        """Forget what is over and quiet since `horizon`; whoever was not followed may begin again."""
        over = [ends for ends, one in self._by_ends.items() if one.heard_at() < horizon and one.is_over()]
        for ends in over:
            self._begun[self._by_ends.pop(ends).began_by] -= 1
        self.unfollowed.clear()
