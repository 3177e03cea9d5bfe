"""The checks E00 to E10 on an envelope or a stub, for the hub and for every recipient: one list, in one order.

Cheap before authentic before fresh. Each check is one small function and gives a reason or None.
Verifies signatures and never makes one, never holds a private key, never sees a plaintext.
What is not checked here: duplicates and the chain of a pair (E11 to E13, the inbox), and everything sealed (E14 on,
`adapters.kit.envelope.verification`). Unauthenticated input gets no answer: before E10 `Refusal.external` is None.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey

from schemas import base64url
from schemas.directory import Directory
from schemas.envelope import (
    MAX_ENVELOPE,
    SECTIONS_OF_KIND,
    SUITE_XWING,
    WRAP_LENGTH,
    Frame,
    Kind,
    Malformed,
    read_envelope,
    read_stub,
)
from schemas.once import once
from schemas.routing import Lane
from schemas.signing import signed_message
from schemas.stub import FIRST_PREVIOUS, BadCore, Event, Stub, read_core

CLOCK_SLACK: Final = 300
MAX_LIFE: Final = 14 * 86_400
REVOCATION_MARGIN: Final = 86_400
# A timestamp lives 48 hours and urgent messages may go out 24 hours beyond it: nobody honest lags further behind.
DIRECTORY_LAG: Final = 72 * 3_600
_KINDS: Final = frozenset(Kind)


@dataclass(frozen=True)
class Refusal:
    """Why an envelope was not accepted: our code, what the sender may be told, and a detail without content."""

    code: str
    external: str | None
    detail: str


@dataclass(frozen=True)
class VerifiedStub:
    """An authenticated stub."""

    stub: Stub
    stub_hash: bytes
    frame: Frame


@dataclass(frozen=True)
class Circumstances:
    """What is known about a delivery besides its bytes. `me` is None for the hub, which reads everybody's stubs."""

    ingress_owner: str
    lane: Lane | None
    has_cc: bool
    directory: Directory
    now: datetime
    me: str | None = None


@dataclass(frozen=True)
class _Case:
    """One delivery under examination; what a check reads exists because the checks before it have passed."""

    body: bytes
    around: Circumstances
    stub_only: bool

    @once
    def read(self) -> Frame | Malformed:
        return read_stub(self.body) if self.stub_only else read_envelope(self.body)

    @once
    def frame(self) -> Frame:
        if isinstance(self.read, Malformed):
            raise TypeError("a check ran before the framing was checked")
        return self.read

    @once
    def core(self) -> Stub | BadCore:
        return read_core(self.frame.head.core)

    @once
    def stub(self) -> Stub:
        if isinstance(self.core, BadCore):
            raise TypeError("a check ran before the core was checked")
        return self.core

    @property
    def now(self) -> int:
        return int(self.around.now.timestamp())


def delivered_properly(case: _Case) -> str | None:
    """E00: the size is bearable and no header asked the broker for a second recipient."""
    if len(case.body) > MAX_ENVELOPE:
        return "larger than 2 MiB"
    return "CC header" if case.around.has_cc else None


def framed_exactly(case: _Case) -> str | None:
    """E01: magic, lengths, counts, exact end (SPEC 3)."""
    return case.read.reason if isinstance(case.read, Malformed) else None


def suite_allowed(case: _Case) -> str | None:
    """E02: the one suite, a known kind, no flags, and the shape that kind always has (SPEC 3.2)."""
    head = case.frame.head
    if head.suite != SUITE_XWING:
        return "suite"
    if head.kind not in _KINDS or head.flags:
        return "kind or flags"
    if len(head.sections) != SECTIONS_OF_KIND[Kind(head.kind)]:
        return "number of sections"
    if any(len(wrap.sealed) != WRAP_LENGTH for wrap in head.wraps):
        return "length of a wrap"
    targets = {(wrap.section, wrap.role_id, wrap.prekey_id) for wrap in head.wraps}
    if len(targets) != len(head.wraps) or {wrap.section for wrap in head.wraps} != set(range(len(head.sections))):
        return "wraps do not cover each section once a key"
    return None


def core_strict(case: _Case) -> str | None:
    """E03: the core is strict and says what the kind says: only a receipt travels in the receipts' lane (SPEC 5)."""
    if isinstance(case.core, BadCore):
        return case.core.reason
    stub, kind = case.core, case.frame.head.kind
    if (kind == Kind.RECEIPT) != (stub.event is Event.RECEIPT) or (kind == Kind.RECEIPT) != (stub.lane is Lane.RECEIPT):
        return "receipt without its kind, event and lane"
    if (kind == Kind.HEARTBEAT) != (stub.event is Event.HEARTBEAT):
        return "heartbeat without its kind and event"
    if stub.from_ == stub.to or not stub.t < stub.exp:
        return "to itself, or expired when sent"
    return "chain start" if (stub.seq == 1) != (stub.prev == FIRST_PREVIOUS) else None


def meant_for_me(case: _Case) -> str | None:
    """E04: I am the recipient, and the queue is that of the lane inside."""
    if case.around.me is not None and case.stub.to != case.around.me:
        return "another recipient"
    return "another lane" if case.around.lane not in (None, case.stub.lane) else None


def sent_by_ingress_owner(case: _Case) -> str | None:
    """E05: the broker authenticated the same sender that the core names."""
    return None if case.stub.from_ == case.around.ingress_owner else "another sender's exchange"


def directory_known(case: _Case) -> str | None:
    """E06: the sender used a directory that I know, with my hash; another hash at one version is EQUIVOCATION."""
    named, mine = case.stub.directory, case.around.directory
    if named.version > mine.version:
        return "newer directory: refresh, then hold"
    if named.version == mine.version:
        return None if named.digest == mine.hash else "EQUIVOCATION"
    past = mine.past(named.version)
    if past is None:
        return "unknown directory"
    if base64url.encode(named.digest) != past.digest:
        return "EQUIVOCATION"
    return "old directory" if case.stub.t > past.superseded_at + DIRECTORY_LAG else None


def pair_permitted(case: _Case) -> str | None:
    """E07: both are active and an agreement lets the sender write to this recipient in this class."""
    stub = case.stub
    permitted = case.around.directory.permits(stub.from_, stub.to, service_class=stub.service_class)
    return None if permitted else "no agreement for this pair and class"


def signing_key_valid(case: _Case) -> str | None:
    """E08: the signing key is the sender's, valid at `t`, and not revoked by then or within a day after."""
    stub, directory = case.stub, case.around.directory
    key, record = directory.signing_key(stub.from_, stub.kid), directory.participant(stub.from_)
    if key is None or record is None:
        return "unknown signing key"
    if not key.covers(stub.t):
        return "signing key not valid then"
    revoked_at = record.revoked_at(stub.kid)
    return "signing key revoked" if revoked_at is not None and stub.t >= revoked_at - REVOCATION_MARGIN else None


def signature_verifies(case: _Case) -> str | None:
    """E09: the Ed25519 signature covers everything before it (SPEC 4.7)."""
    key = case.around.directory.signing_key(case.stub.from_, case.stub.kid)
    held = key is not None and is_signed(case.frame.signed, signature=case.frame.signature, public=key.public)
    return None if held else "signature"


def timely(case: _Case) -> str | None:
    """E10: not from the future, not expired, and not meant to live longer than 14 days."""
    stub = case.stub
    if stub.t > case.now + CLOCK_SLACK:
        return "from the future"
    if stub.exp <= case.now:
        return "expired"
    return "lives too long" if stub.exp - stub.t > MAX_LIFE else None


Check = Callable[[_Case], str | None]

CHECKS: Final[tuple[tuple[str, str | None, Check], ...]] = (
    ("E00", None, delivered_properly),
    ("E01", None, framed_exactly),
    ("E02", None, suite_allowed),
    ("E03", None, core_strict),
    ("E04", None, meant_for_me),
    ("E05", None, sent_by_ingress_owner),
    ("E06", None, directory_known),
    ("E07", None, pair_permitted),
    ("E08", None, signing_key_valid),
    ("E09", None, signature_verifies),
    ("E10", "REJ-TIME", timely),
)


@lru_cache(maxsize=1024)
def _verify_key(public: str) -> VerifyKey | None:
    raw = base64url.decode(public, size=32)
    return None if raw is None else VerifyKey(raw)


def is_signed(signed: bytes, *, signature: bytes, public: str) -> bool:
    """Say whether `signature` (64 bytes) by the Ed25519 key `public` (base64url) covers `signed`."""
    key = _verify_key(public)
    if key is None:
        return False
    try:
        key.verify(signed_message(signed), signature)
    except (CryptoError, ValueError, RuntimeError):
        return False
    return True


def _examine(case: _Case) -> VerifiedStub | Refusal:
    for code, external, check in CHECKS:
        reason = check(case)
        if reason is not None:
            return Refusal(code, external, reason)
    return VerifiedStub(case.stub, case.frame.stub_hash, case.frame)


def check_envelope(body: bytes, circumstances: Circumstances, *, stub_only: bool = False) -> VerifiedStub | Refusal:
    """Run E00 to E10 in order on `body`, an envelope or, with `stub_only`, a stub.

    Never raises: what nobody foresaw is E99, which is quarantined and alerted. Still to be checked by the caller:
    that this stub is new and follows its predecessor (E11 to E13).
    """
    try:
        return _examine(_Case(body, circumstances, stub_only))
    except Exception as unforeseen:
        return Refusal("E99", None, type(unforeseen).__name__)
