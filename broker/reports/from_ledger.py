"""The requests that a stretch of the ledger holds, each with its clock's events and the entries that say so. Pure.

What the hub cannot know is not in a report of the hub: a due time set by hand is sealed, so a request is measured by
its rating; which requests belong to one enquiry is sealed too, so a request is counted and not an enquiry; and why a
manager overrode consent is known to the council alone (`mash report`).
Nothing is forgotten here, unlike in the watch: a report of last spring counts what the watch no longer follows.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from broker.ledger.chain import Passage
from broker.reports.handled import History
from broker.watch.standing import clock_events
from broker.watch.threads import Conversation, Ends, ends_of, note_of
from schemas.stub import Event


@dataclass(frozen=True)
class Traced:
    """One request: its history, the conversation it is part of, and the numbers of every entry in that."""

    history: History
    conversation: Conversation
    entries: tuple[int, ...]


def traced(passages: Iterable[Passage]) -> Iterator[Traced]:
    """Give every request in `passages`, in the order in which threads began."""
    conversations: dict[Ends, Conversation] = {}
    numbers: dict[Ends, list[int]] = {}
    for passage in passages:
        if passage.stub.event is Event.HEARTBEAT:
            continue
        ends = ends_of(passage)
        conversations.setdefault(ends, Conversation(ends)).add(note_of(passage))
        numbers.setdefault(ends, []).append(passage.number)
    for ends, conversation in conversations.items():
        for history in _histories(conversation):
            yield Traced(history, conversation, tuple(numbers[ends]))


def _histories(conversation: Conversation) -> Iterator[History]:
    notes = conversation.notes
    for requester, responder in conversation.requesters():
        first = next((note for note in notes if note.event is Event.REQUEST and note.sender == requester), None)
        if first is not None:
            yield History(conversation.reference, responder, tuple(clock_events(notes, first)), requester)
