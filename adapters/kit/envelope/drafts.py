"""A message before sealing, as bytes: what a held message and a message that must be sealed again are kept as.

The bytes are content and never reach the disk unsealed. Reading is strict: what `to_bytes` wrote, or StoreDamaged.
"""

import json
from base64 import b64decode, b64encode
from datetime import timedelta

from adapters.kit.envelope.receipting import ADAPTER
from adapters.kit.envelope.sealing import Author, Outgoing, Section
from adapters.kit.store.errors import StoreDamaged
from schemas.receipt import Receipt
from schemas.routing import Lane
from schemas.stub import Event


def to_bytes(outgoing: Outgoing) -> bytes:
    """Write an outgoing message down."""
    plain = {
        "recipient": outgoing.recipient,
        "thread": outgoing.thread,
        "event": outgoing.event.value,
        "lane": outgoing.lane.value,
        "service_class": outgoing.service_class,
        "in_reply_to": outgoing.in_reply_to,
        "sections": {section.value: b64encode(text).decode() for section, text in outgoing.sections.items()},
        "author": [outgoing.author.user, outgoing.author.role],
        "purpose": outgoing.purpose,
        "expires_after": int(outgoing.expires_after.total_seconds()),
    }
    return json.dumps(plain, sort_keys=True).encode()


def from_bytes(raw: bytes) -> Outgoing:
    """Read what `to_bytes` wrote; raises StoreDamaged."""
    try:
        plain = json.loads(raw)
        user, role = plain.pop("author")
        sections = {Section(name): b64decode(text, validate=True) for name, text in plain.pop("sections").items()}
        return Outgoing(
            event=Event(plain.pop("event")),
            lane=Lane(plain.pop("lane")),
            sections=sections,
            author=Author(user, role),
            expires_after=timedelta(seconds=plain.pop("expires_after")),
            **plain,
        )
    except (ValueError, KeyError, TypeError):
        raise StoreDamaged("a draft") from None


def receipt_message(receipt: Receipt, *, recipient: str, thread: str, in_reply_to: str) -> Outgoing:
    """Make the message that carries a receipt (SPEC 8)."""
    return Outgoing(
        recipient=recipient,
        thread=thread,
        event=Event.RECEIPT,
        lane=Lane.RECEIPT,
        service_class="receipt",
        in_reply_to=in_reply_to,
        sections={Section.TEAM: receipt.to_bytes()},
        author=ADAPTER,
        purpose="receipt",
    )
