"""What the two ends of bare aio-pika carry: bytes that lie ready, or envelopes that are sealed, checked and opened.

All carry the same kinds and sizes. With the second nothing is stored: it is what a product without a store, without
disclosure and without clocks would cost, and so the most that any product with these envelopes could reach. The third
seals and opens requests and answers only: what a product would reach whose receipts cost nothing.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from adapters.kit.delivery.messages import Outbound, outgoing
from adapters.kit.envelope.drafts import receipt_message
from adapters.kit.envelope.envelopes import Envelopes, KeyedEnvelopes
from adapters.kit.envelope.sealing import Chain, Outgoing, new_mid, new_thread
from adapters.kit.envelope.verification import Arrival, Opened
from adapters.kit.keys.keyring import Keyring
from adapters.kit.running.adapter import OPENED_ON_ARRIVAL, protector_of
from adapters.kit.running.settings import load_settings
from broker.hub import Delivery
from broker.watch.directory import read_exported
from schemas.content.notice import Request, Seen
from schemas.receipt import Outcome, Receipt, ReceiptKind
from schemas.routing import Lane
from schemas.stub import FIRST_PREVIOUS
from tests.bench.station import ROLE, USER
from tests.support.ashgrove import request_to

KINDS: Final = ("request", "answer", "receipt")
_FIRST: Final = Chain(1, FIRST_PREVIOUS)


class Letters(Protocol):
    """What is written and read at one end."""

    def write(self, kind: str) -> bytes:
        """Give the bytes of a letter of this kind."""
        ...

    def read(self, body: bytes, *, lane: Lane) -> None:
        """Do with a letter what its reader does. Raises ValueError when it is not one."""
        ...


@dataclass(frozen=True)
class ReadyMade:
    """The same bytes again and again, which nobody reads."""

    bodies: dict[str, bytes]

    @classmethod
    def of(cls, folder: Path) -> "ReadyMade":
        """Read what the product wrote into `folder`."""
        return cls({kind: (folder / kind).read_bytes() for kind in KINDS})

    def write(self, kind: str) -> bytes:
        """Give the bytes."""
        return self.bodies[kind]

    def read(self, body: bytes, *, lane: Lane) -> None:
        """Look at nothing."""


@dataclass(frozen=True)
class SealedLetters:
    """Envelopes between two adapters, made and opened with their own keys, and forgotten."""

    envelopes: Envelopes
    peer: str
    request: Request

    @classmethod
    def of(cls, place: dict[str, str], *, peer: str) -> "SealedLetters":
        """Take the keys of the adapter at `place` and the directory of the area."""
        settings, directory = load_settings(Path(place["home"])), read_exported(Path(place["directory"]))
        now = datetime.now(UTC)
        keyring = Keyring.open(settings.path(settings.file.keys), protector=protector_of(settings), now=now)
        envelopes = KeyedEnvelopes(
            settings.file.participant,
            keyring.sender_keys,
            lambda now: keyring.recipient_keys(OPENED_ON_ARRIVAL, now),
            lambda: directory,
        )
        return cls(envelopes, peer, Request(rfi=request_to("police")))

    def write(self, kind: str) -> bytes:
        """Seal a letter of this kind."""
        now = datetime.now(UTC)
        return self.envelopes.seal(self._letter(kind, now), chain=_FIRST, now=now).body

    def read(self, body: bytes, *, lane: Lane) -> None:
        """Check and open it, E00 to E10 and E14 to E22."""
        now, came = datetime.now(UTC), Delivery(self.peer, lane, body, has_cc=False, redelivered=False)
        arrival = self.envelopes.check(came, now=now)
        opened = self.envelopes.open(arrival, now=now) if isinstance(arrival, Arrival) else arrival
        if not isinstance(opened, Opened):
            raise ValueError(opened.code)

    def _letter(self, kind: str, now: datetime) -> Outgoing:
        if kind == "receipt":
            receipt = Receipt(
                kind=ReceiptKind.RECEIVED,
                outcome=Outcome.RECEIVED,
                original_stub_hash=bytes(32),
                seq_seen=1,
                at=now,
            )
            return receipt_message(receipt, recipient=self.peer, thread=new_thread(), in_reply_to=new_mid())
        if kind == "request":
            bound = Outbound(self.peer, new_thread(), None, Lane.ROUTINE, "REQ", "amber")
            return outgoing(bound, self.request, user=USER, role=ROLE)
        bound = Outbound(self.peer, new_thread(), new_mid(), Lane.ROUTINE, "ANS", "amber")
        seen = Seen(enquiry="ENQ-2026-000431", rfi=new_mid(), seen_at=now)
        return outgoing(bound, seen, user=USER, role=ROLE)


@dataclass(frozen=True)
class ReceiptsForNothing:
    """Requests and answers are sealed, checked and opened; receipts are bytes that lie ready and that nobody reads."""

    sealed: SealedLetters
    ready: ReadyMade

    def write(self, kind: str) -> bytes:
        """Give the bytes of a receipt, or seal a letter of this kind."""
        return self.ready.write(kind) if kind == "receipt" else self.sealed.write(kind)

    def read(self, body: bytes, *, lane: Lane) -> None:
        """Check and open what is no receipt."""
        if lane is not Lane.RECEIPT:
            self.sealed.read(body, lane=lane)
