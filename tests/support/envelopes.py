"""Short ways to seal, deliver and open in tests; every argument that a test does not care about has a sound default."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapters.kit.envelope.sealing import Author, Chain, Event, Outgoing, Sealed, Section, new_thread, seal
from adapters.kit.envelope.verification import Arrival, Opened, Refusal, check_arrival, open_arrival
from schemas.directory import Directory
from schemas.routing import Lane
from tests.support.parties import NOW, Party

FIRST = Chain(1, bytes(32))
TEXTS: Mapping[Section, bytes] = {
    Section.TEAM: b"Is anything known about Tilly Ashgrove-Test?",
    Section.DECISION_MAKER: b"For the decision maker alone.",
    Section.PROTECTED: b"ZZ99 9ZZ",
}


def outgoing(recipient: str, **changes: Any) -> Outgoing:
    """A request with text in every section."""
    plain = Outgoing(
        recipient=recipient,
        thread=new_thread(),
        event=Event.REQUEST,
        lane=Lane.URGENT,
        service_class="amber",
        in_reply_to=None,
        sections=TEXTS,
        author=Author("coordinator-1", "coordinator"),
        purpose="mash_enquiry",
    )
    return replace(plain, **changes)


def sealed_by(
    sender: Party,
    recipient: Party,
    *,
    directory: Directory,
    chain: Chain = FIRST,
    now: datetime = NOW,
    **changes: Any,
) -> Sealed:
    """Seal a request from `sender` to `recipient`."""
    message = outgoing(recipient.name, **changes)
    return seal(message, keys=sender.sender(now), directory=directory, chain=chain, now=now)


def delivered(
    body: bytes, *, sender: Party, recipient: Party, directory: Directory, now: datetime = NOW, **changes: Any
) -> Arrival | Refusal:
    """Deliver `body` as the broker would, unless `changes` says otherwise."""
    around: dict[str, object] = {
        "me": recipient.name,
        "ingress_owner": sender.name,
        "lane": Lane.URGENT,
        "has_cc": False,
    }
    return check_arrival(body, directory=directory, now=now, **around | changes)  # type: ignore[arg-type]  # by name


def opened(
    body: bytes, *, sender: Party, recipient: Party, directory: Directory, now: datetime = NOW, **changes: Any
) -> Opened | Refusal:
    """Deliver `body` and open what arrived."""
    arrival = delivered(body, sender=sender, recipient=recipient, directory=directory, now=now, **changes)
    if isinstance(arrival, Refusal):
        return arrival
    return open_arrival(arrival, keys=recipient.recipient(now=now), directory=directory)


def refusal_code(outcome: Arrival | Opened | Refusal) -> str:
    """The code of a refusal, or "accepted"."""
    return outcome.code if isinstance(outcome, Refusal) else "accepted"
