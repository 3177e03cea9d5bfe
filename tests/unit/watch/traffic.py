"""Traffic for tests of the watch: real sealed envelopes in real chains, or bare stubs where only clocks are asked."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from adapters.kit.envelope.sealing import Author, Chain, Event, Outgoing, Section, seal
from broker.hub import Delivery
from broker.ledger.chain import Passage
from broker.verify import Circumstances, VerifiedStub, check_envelope
from schemas import base64url
from schemas.directory import Directory
from schemas.routing import Lane
from schemas.stub import FIRST_PREVIOUS, DirectoryReference, Stub
from tests.support.parties import NOW, Party, make_directory, make_party

LA, POLICE, HEALTH = "testford-la", "testford-police", "testford-health"
KINDS = {LA: "la", POLICE: "police", HEALTH: "health"}
TELEPHONES = {LA: "01632 960100", POLICE: "01632 960110", HEALTH: "01632 960120"}


def identifier(text: str) -> str:
    """An identifier of the core that a test can name."""
    return base64url.encode(sha256(text.encode()).digest()[:16])


@cache
def parties() -> Mapping[str, Party]:
    """Three participants with real keys, made once."""
    return {name: make_party(name, kind=kind, now=NOW - timedelta(days=1)) for name, kind in KINDS.items()}


def directory(**changes: Any) -> Directory:
    """The directory of the three, with duty telephones; each may write to each."""
    plain = make_directory(*parties().values())
    records = [record.model_copy(update={"duty_telephone": TELEPHONES[name]}) for name, record in plain.records.items()]
    arguments: dict[str, Any] = {"version": 1, "records": records, "pairs": plain.pairs.values()} | changes
    return Directory.build(arguments.pop("version"), arguments.pop("records"), arguments.pop("pairs"), **arguments)


class Post:
    """Seals envelopes between the three, each pair's chain in order."""

    def __init__(self, where: Directory | None = None, *, by: Mapping[str, Party] | None = None) -> None:
        self.directory = where or directory()
        self._parties = by or parties()
        self._chains: defaultdict[tuple[str, str], Chain] = defaultdict(lambda: Chain(1, FIRST_PREVIOUS))

    def write(self, sender: str, recipient: str, event: Event, *, thread: str = "one", **changes: Any) -> Delivery:
        """Seal an envelope and give the delivery that the hub would make of it for the monitor."""
        now: datetime = changes.pop("now", NOW)
        receipt, heartbeat = event is Event.RECEIPT, event is Event.HEARTBEAT
        lane = Lane.RECEIPT if receipt else changes.pop("lane", Lane.ROUTINE if heartbeat else Lane.URGENT)
        plain = Outgoing(
            recipient=recipient,
            thread=identifier(thread),
            event=event,
            lane=lane,
            service_class="receipt" if receipt else "amber",
            in_reply_to=None,
            sections={} if heartbeat else {Section.TEAM: b"sealed words about Tilly Ashgrove-Test"},
            author=Author("coordinator-1", "coordinator"),
            purpose="mash_enquiry",
        )
        ends = sender, recipient
        chain = changes.pop("chain", self._chains[ends])
        keys = self._parties[sender].sender(now)
        sealed = seal(replace(plain, **changes), keys=keys, directory=self.directory, chain=chain, now=now)
        self._chains[ends] = Chain(chain.seq + 1, sealed.stub_hash)
        return Delivery(sender, lane, sealed.body, has_cc=False, redelivered=False)

    def verified(self, sender: str, recipient: str, event: Event, **changes: Any) -> VerifiedStub:
        """Write, and verify as the hub does."""
        delivery = self.write(sender, recipient, event, **changes)
        now = changes.get("now", NOW)
        verdict = check_envelope(
            delivery.body, Circumstances(delivery.ingress_owner, delivery.lane, False, self.directory, now)
        )
        assert isinstance(verdict, VerifiedStub), verdict
        return verdict


class Story:
    """Bare stubs as the ledger would give them, for questions that only a clock asks; nothing in it is signed."""

    def __init__(self, start: datetime = NOW) -> None:
        self.now = start
        self.passages: list[Passage] = []
        self._chains: defaultdict[tuple[str, str], tuple[int, bytes]] = defaultdict(lambda: (0, FIRST_PREVIOUS))

    def pass_(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    def say(self, sender: str, recipient: str, event: Event, **changes: Any) -> Passage:
        """Let an envelope pass now. `mid`, `irt` and `thread` are words of the test's own."""
        number = len(self.passages) + 1
        seq, prev = self._chains[sender, recipient]
        seq = changes.pop("seq", seq + 1)
        prev = changes.pop("prev", prev if seq > 1 else FIRST_PREVIOUS)
        mid, irt = changes.pop("mid", f"mid-{number}"), changes.pop("irt", None)
        stub = Stub(
            mid=identifier(mid),
            thread=identifier(changes.pop("thread", "one")),
            from_=sender,
            to=recipient,
            kid=identifier("kid"),
            seq=seq,
            prev=prev,
            irt=identifier(irt) if irt else None,
            lane=changes.pop("lane", Lane.RECEIPT if event is Event.RECEIPT else Lane.URGENT),
            service_class=changes.pop("service_class", "receipt" if event is Event.RECEIPT else "amber"),
            event=event,
            t=int(changes.pop("sent_at", self.now).timestamp()),
            exp=int((self.now + timedelta(days=14)).timestamp()),
            directory=DirectoryReference(1, bytes(32)),
        )
        stub_hash = sha256(repr((stub, number)).encode()).digest()
        self._chains[sender, recipient] = seq, stub_hash
        passage = Passage(number, changes.pop("received_at", self.now), stub, stub_hash)
        assert not changes, changes
        self.passages.append(passage)
        return passage
