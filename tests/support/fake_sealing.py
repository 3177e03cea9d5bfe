"""Envelopes without cryptography: the real bytes and the real checks of form, a text anybody can read.

For tests that deliver thousands of messages, or that want a message that is refused. It implements
`adapters.kit.envelope.envelopes.Envelopes`; nothing in it is secret and nothing it makes would pass the real checks.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from secrets import token_bytes

from adapters.kit.envelope.envelopes import Envelopes
from adapters.kit.envelope.sealing import Author, Chain, Outgoing, Sealed, Section, new_thread
from adapters.kit.envelope.verification import Arrival, Opened, Refusal
from adapters.kit.keys.secrets import SecretBytes
from broker.hub import Delivery
from schemas import base64url
from schemas.envelope import SUITE_XWING, Head, Kind, Malformed, SectionEntry, Wrap, read_envelope, write_head
from schemas.routing import Lane
from schemas.stub import BadCore, DirectoryReference, Event, Stub, read_core, write_core

_KINDS = {Event.RECEIPT: Kind.RECEIPT, Event.HEARTBEAT: Kind.HEARTBEAT}
_NO_HASH = bytes(32)


@dataclass
class FakeEnvelopes:
    """See the module. `refuse_opening` and `refuse_sealing` let a test say what fails."""

    participant: str
    refuse_opening: Callable[[Stub], Refusal | None] = field(default=lambda stub: None)
    refuse_sealing: Callable[[Outgoing], Exception | None] = field(default=lambda outgoing: None)
    sealings: int = 0

    def seal(self, outgoing: Outgoing, *, chain: Chain, now: datetime) -> Sealed:
        """Write the envelope; the sections lie in it as they are."""
        reason = self.refuse_sealing(outgoing)
        if reason is not None:
            raise reason
        self.sealings += 1
        sent = int(now.timestamp())
        stub = Stub(
            mid=base64url.encode(token_bytes(16)),
            thread=outgoing.thread,
            from_=self.participant,
            to=outgoing.recipient,
            kid=base64url.encode(bytes(16)),
            seq=chain.seq,
            prev=chain.prev,
            irt=outgoing.in_reply_to,
            lane=outgoing.lane,
            service_class=outgoing.service_class,
            event=outgoing.event,
            t=sent,
            exp=sent + int(outgoing.expires_after.total_seconds()),
            directory=DirectoryReference(1, _NO_HASH),
        )
        text = token_bytes(24) + _written(outgoing)
        entry = SectionEntry(0, len(text), sha256(text).digest(), _NO_HASH, _NO_HASH)
        kind = _KINDS.get(outgoing.event, Kind.MESSAGE)
        wrap = Wrap(0, bytes(16), bytes(16), b"")
        signed = write_head(Head(SUITE_XWING, kind, 0, write_core(stub), (entry,), (wrap,))) + bytes(64)
        digest = sha256(signed).digest()
        return Sealed(stub.mid, signed + text, digest, stub.lane, stub.to, SecretBytes(b"opening of " + digest))

    def check(self, delivery: Delivery, *, now: datetime) -> Arrival | Refusal:
        """Check form, addressee, sender and time."""
        frame = read_envelope(delivery.body)
        if isinstance(frame, Malformed):
            return Refusal("E01", None, frame.reason)
        stub = read_core(frame.head.core)
        if isinstance(stub, BadCore):
            return Refusal("E03", None, stub.reason)
        if stub.to != self.participant or stub.lane is not delivery.lane:
            return Refusal("E04", None, "not for me")
        if stub.from_ != delivery.ingress_owner:
            return Refusal("E05", None, "another sender")
        if stub.t > now.timestamp() + 300 or stub.exp <= now.timestamp():
            return Refusal("E10", "REJ-TIME", "time")
        return Arrival(stub, frame.stub_hash, delivery.body)

    def open(self, arrival: Arrival, *, now: datetime) -> Opened | Refusal:
        """Read the text."""
        refusal = self.refuse_opening(arrival.stub)
        if refusal is not None:
            return refusal
        frame = read_envelope(arrival.body)
        assert not isinstance(frame, Malformed)
        plain = json.loads(frame.ciphertexts[0][24:])
        sections = {Section(name): b64decode(text) for name, text in plain["sections"].items()}
        return Opened(Author(*plain["author"]), plain["purpose"], sections, SecretBytes(b"opening"))


def _written(outgoing: Outgoing) -> bytes:
    sections = {section.value: b64encode(text).decode() for section, text in outgoing.sections.items()}
    author = [outgoing.author.user, outgoing.author.role]
    return json.dumps({"sections": sections, "author": author, "purpose": outgoing.purpose}).encode()


def request_to(
    recipient: str,
    text: bytes = b"what is known about this child",
    *,
    thread: str | None = None,
    lane: Lane = Lane.ROUTINE,
    event: Event = Event.REQUEST,
    in_reply_to: str | None = None,
) -> Outgoing:
    """Make a message for any Envelopes, fake or real."""
    return Outgoing(
        recipient=recipient,
        thread=thread or new_thread(),
        event=event,
        lane=lane,
        service_class="amber",
        in_reply_to=in_reply_to,
        sections={Section.TEAM: text},
        author=Author("user-1", "practitioner"),
        purpose="safeguarding",
    )


def _is_envelopes(fake: FakeEnvelopes) -> Envelopes:
    return fake
