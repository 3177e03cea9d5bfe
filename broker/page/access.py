"""Who is looking: the operator, one duty desk, or nobody yet.

It guarantees: without a token configured, whoever reaches the page is the operator (it listens on loopback, or behind
client certificates or a proxy); with one, nobody is anybody until they have shown one, compared in constant time. A
desk's token opens that desk. Sessions are held here, end after a shift and can be ended at once; a cookie names one
and says nothing. A form is accepted only from a page that this browser was given (`form_token`).
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest, digest
from secrets import token_bytes, token_urlsafe
from typing import Final

SHIFT: Final = timedelta(hours=12)
MOST_SESSIONS: Final = 256
CONTROL_ROOM: Final = "control-room"
DUTY_DESK: Final = "duty-desk"


@dataclass(frozen=True)
class Visitor:
    """Who is looking. `desk` names one duty desk; the operator has none and sees all."""

    desk: str = ""

    @property
    def is_operator(self) -> bool:
        """Say whether they see everything."""
        return not self.desk

    @property
    def post(self) -> str:
        """Give the post under which they acknowledge; never a person."""
        return CONTROL_ROOM if self.is_operator else DUTY_DESK

    def may_see_desk(self, participant: str) -> bool:
        """Say whether a desk's page is theirs."""
        return self.desk in ("", participant)


OPERATOR: Final = Visitor()


@dataclass
class Access:
    """The tokens, which are never shown, and the sessions that were opened with them."""

    operator: bytes | None = field(default=None, repr=False)
    desks: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    clock: Callable[[], datetime] = field(kw_only=True)
    _sessions: OrderedDict[str, tuple[Visitor, datetime]] = field(default_factory=OrderedDict, repr=False)
    _key: bytes = field(default_factory=lambda: token_bytes(32), repr=False)

    @property
    def is_open(self) -> bool:
        """Say whether no token is needed to be the operator."""
        return self.operator is None

    def visitor(self, session: str) -> Visitor | None:
        """Say who a session's cookie is, or None."""
        visitor, until = self._sessions.get(session, (None, self.clock()))
        if visitor is not None and self.clock() < until:
            return visitor
        self._sessions.pop(session, None)
        return OPERATOR if self.is_open else None

    def sign_in(self, token: bytes) -> str | None:
        """Open a session for whoever shows a token, and give its name; None for any other token."""
        shown = sha256(token).digest()
        known = [(Visitor(), self.operator), *((Visitor(desk), one) for desk, one in self.desks.items())]
        # Every token is compared, so that the time taken does not tell which desk has one.
        found = [visitor for visitor, one in known if compare_digest(shown, sha256(one or token_bytes(32)).digest())]
        if not found:
            return None
        name = token_urlsafe(24)
        self._sessions[name] = found[0], self.clock() + SHIFT
        while len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return name

    def sign_out(self, session: str) -> None:
        """End a session."""
        self._sessions.pop(session, None)

    def form_token(self, visit: str) -> str:
        """Give what a form must send back; bound to the cookie of this browser's visit."""
        return digest(self._key, f"form:{visit}".encode(), "sha256").hex()

    def is_form_token(self, visit: str, token: str) -> bool:
        """Say whether a form came from a page that this visit was given."""
        return bool(visit) and compare_digest(self.form_token(visit).encode(), token.encode())
