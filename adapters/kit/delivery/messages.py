"""From a message's content to what is sealed: which section, which lane, under which event."""

from dataclasses import dataclass

from adapters.kit.envelope.sealing import Author, Event, Outgoing, Section
from schemas.content.base import Content
from schemas.content.codes import RagRating
from schemas.content.response import SealedPart
from schemas.routing import Lane

PURPOSE = "MASH_RISK_ASSESSMENT"


@dataclass(frozen=True)
class Outbound:
    """Where a message goes: the recipient's directory id, the thread, and what it answers."""

    recipient: str
    thread: str
    in_reply_to: str | None
    lane: Lane
    event: str
    service_class: str


def service_class(rag: str | None) -> str:
    """Name the class of service that the hub's own clocks go by: the rating, or `none`."""
    return rag.lower() if rag in set(RagRating) else "none"


def outgoing(bound: Outbound, message: Content, *, user: str, role: str, sealed: SealedPart | None = None) -> Outgoing:
    """Make the message to be sealed. Its purpose is the immediate risk assessment and no other (DIS-08)."""
    sections = {Section.TEAM: message.canonical_bytes()}
    if sealed is not None and sealed.items:
        sections[Section.DECISION_MAKER] = sealed.canonical_bytes()
    return Outgoing(
        recipient=bound.recipient,
        thread=bound.thread,
        event=Event(bound.event),
        lane=bound.lane,
        service_class=bound.service_class,
        in_reply_to=bound.in_reply_to,
        sections=sections,
        author=Author(user=user, role=role),
        purpose=PURPOSE,
    )
