"""Vectors that must be accepted: the edges of every rule, from inside."""

from collections.abc import Iterator
from dataclasses import replace

from schemas import base64url
from tests.vectors.vector import Vector
from tests.vectors.world import DAY, EXTRA_ROLE, SENDER, T, identifier, kid, past_digest
from tests.vectors.writer import ROLE_OF, Draft, beat, message, receipt

EXTRA = (*ROLE_OF, EXTRA_ROLE)


def _text(length: int) -> Draft:
    return replace(message(), texts={1: bytes(index % 251 for index in range(length))})


def _past(version: int) -> dict[str, object]:
    return {"dir": {"ver": version, "sha256": base64url.encode(past_digest(version))}}


def _signed_with(which: str) -> Draft:
    return replace(beat(kid=kid(SENDER, which)), signer=(SENDER, which))


SOUND: tuple[tuple[str, str, Draft], ...] = (
    ("request-with-every-section", "6.1", message()),
    ("request-with-no-text-but-the-manifest", "6.1", replace(message(), texts={})),
    ("request-for-the-team-alone", "6.1", replace(message(), texts={1: b"Is anything known?"})),
    ("request-for-the-decision-maker-alone", "6.1", replace(message(), texts={2: b"Sealed."})),
    ("receipt", "8.1", receipt()),
    ("heartbeat", "3.2", beat()),
    ("answer-in-a-thread", "5.2", message(ev="ANS", irt=identifier("asked"), seq=9, prev="B" + "A" * 42)),
    ("text-beyond-ASCII", "4.8", replace(message(), texts={1: "Siân Llŷr-Test — 愛".encode()})),
    ("text-at-the-floor", "4.8", _text(2044)),
    ("text-one-byte-over-the-floor", "4.8", _text(2045)),
    ("text-of-the-next-step", "4.8", _text(2172)),
    ("text-of-20-kilobytes", "4.8", _text(20_000)),
    ("section-for-two-roles", "6.3", replace(message(), roles=EXTRA)),
    ("directory-superseded-an-hour-ago", "7.3", beat(**_past(6))),
    ("directory-superseded-72-hours-ago", "7.3", beat(**_past(5))),
    ("clock-five-minutes-ahead", "9.10", beat(t=T + 360, exp=T + DAY)),
    ("expires-in-a-second", "9.10", beat(exp=T + 61)),
    ("lives-for-14-days", "9.10", beat(exp=T + 14 * DAY)),
    ("signed-more-than-a-day-before-revocation", "7.4", _signed_with("revoked_later")),
    ("sequence-largest", "5.2", beat(seq=2**53 - 1, prev="B" + "A" * 42)),
    ("class-of-16-letters", "5.2", beat(cls="Abc_def-01234567")),
)


def vectors() -> Iterator[Vector]:
    """Give the vectors that lead to OK."""
    for name, rule, draft in SOUND:
        yield Vector(name, rule, "OK", draft)
    yield Vector("read-by-the-gateway-alone", "6.3", "OK", message(), roles=("gateway",))
    yield Vector("read-by-an-added-role", "6.3", "OK", replace(message(), roles=EXTRA), roles=("gateway", EXTRA_ROLE))
    yield Vector("read-by-the-decision-maker", "6.3", "OK", message(), roles=("gateway", "decision_maker"))
    for name, which, t in (("long-before", "current", T - DAY - 300), ("long-after", "previous", T - DAY + 299)):
        yield Vector(f"prekey-used-not-too-{name}", "6.4", "OK", replace(beat(t=t), which=which))
    for name, user in (("author-beyond-ASCII", 'Siân "愛" 😀\\'), ("author-of-120-characters", "😀" * 120)):
        yield Vector(name, "6.2", "OK", beat().breaking(manifest=lambda plain, user=user: {**plain, "user": user}))
    yield Vector(
        "fields-in-another-order", "5.1", "OK", beat().breaking(fields=lambda core: dict(reversed(core.items())))
    )
