"""Vectors of address, origin, permission, signature and time: E04 to E10."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from schemas import base64url
from tests.vectors.vector import Vector, flipped, patched, place_of
from tests.vectors.world import (
    DAY,
    LIMITED,
    RECIPIENT,
    SENDER,
    STRANGER,
    SUSPENDED,
    UNRELATED,
    T,
    directory_of_the_vectors,
    identifier,
    kid,
    past_digest,
    signing_pair,
)
from tests.vectors.writer import Draft, beat, message, pae, write

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


def _reference(version: int, digest: bytes) -> dict[str, Any]:
    return {"dir": {"ver": version, "sha256": base64url.encode(digest)}}


def _from(sender: str, **changes: Any) -> Draft:
    draft = beat(**{"from": sender, "kid": kid(sender), **changes})
    return replace(draft, signer=(sender, "current"))


def _signed_with(which: str) -> Draft:
    return replace(beat(kid=kid(SENDER, which)), signer=(SENDER, which))


def _other_scalar(signature: bytes) -> bytes:
    scalar = int.from_bytes(signature[32:], "little") + GROUP_ORDER
    return signature[:32] + scalar.to_bytes(32, "little")


Around = dict[str, Any]

ADDRESSES: tuple[tuple[str, str, Draft, Around], ...] = (
    ("meant-for-another", "E04", beat(to=STRANGER), {}),
    ("forwarded-to-a-third-party", "E04", message(to=STRANGER), {}),
    ("urgent-in-the-routine-queue", "E04", message(), {"lane": "routine"}),
    ("routine-in-the-urgent-queue", "E04", beat(), {"lane": "urgent"}),
    ("routine-in-the-queue-of-receipts", "E04", beat(), {"lane": "receipt"}),
    ("through-another-senders-exchange", "E05", beat(), {"ingress_owner": STRANGER}),
    ("through-my-own-exchange", "E05", beat(), {"ingress_owner": RECIPIENT}),
    ("through-the-hubs-exchange", "E05", beat(), {"ingress_owner": "monitor"}),
)

DIRECTORIES = (
    ("directory-newer-than-mine", beat(**_reference(8, past_digest(8)))),
    ("directory-of-a-far-version", beat(**_reference(2**53 - 1, past_digest(8)))),
    ("directory-split-at-my-version", beat(**_reference(7, past_digest(7)))),
    ("directory-split-at-a-past-version", beat(**_reference(6, past_digest(7)))),
    ("directory-never-seen", beat(**_reference(3, past_digest(3)))),
    ("directory-version-zero", beat(**_reference(0, past_digest(0)))),
    ("directory-superseded-73-hours-ago", beat(**_reference(4, past_digest(4)))),
)

PERMISSIONS = (
    ("sender-suspended", _from(SUSPENDED), {"ingress_owner": SUSPENDED}),
    ("sender-without-agreement", _from(UNRELATED), {"ingress_owner": UNRELATED}),
    ("sender-not-in-the-directory", _from("testford-nobody"), {"ingress_owner": "testford-nobody"}),
    ("class-not-in-the-agreement", _from(LIMITED), {"ingress_owner": LIMITED}),
)

SIGNING_KEYS = (
    ("signing-key-unknown", beat(kid=identifier("nobody's"))),
    ("signing-key-of-another-agency", replace(beat(kid=kid(STRANGER)), signer=(STRANGER, "current"))),
    ("signing-key-expired", _signed_with("expired")),
    ("signing-key-not-yet-valid", _signed_with("future")),
    ("signing-key-revoked", _signed_with("revoked")),
    ("signing-key-revoked-a-day-after", _signed_with("revoked_soon")),
)

SIGNATURES = (
    ("signature-first-bit", beat().breaking(signature=lambda raw: flipped(raw, 0))),
    ("signature-second-half", beat().breaking(signature=lambda raw: flipped(raw, 32))),
    ("signature-last-byte", beat().breaking(signature=lambda raw: flipped(raw, 63))),
    ("signature-of-zeros", beat().breaking(signature=lambda _: bytes(64))),
    ("signature-of-the-neutral-point", beat().breaking(signature=lambda _: b"\1" + bytes(63))),
    ("signature-in-its-second-spelling", beat().breaking(signature=_other_scalar)),
    ("signature-without-label", beat().breaking(signed=lambda signed: signed[len(pae(b"env")) + 4 :])),
    ("signature-under-another-label", beat().breaking(signed=lambda signed: signed.replace(b"env", b"cor", 1))),
    ("signature-of-another-key-of-mine", replace(beat(), signer=(SENDER, "revoked_later"))),
    ("signature-of-another-agency", replace(beat(), signer=(STRANGER, "current"))),
)


def _grafted(body: bytes, other: bytes, *, part: str, length: int) -> bytes:
    place, source = place_of(body, part), place_of(other, part)
    return patched(body, place, other[source : source + length])


OTHER = write(beat(mid=identifier("other")))


def _changed_after_signing() -> Iterator[tuple[str, Draft]]:
    """Change one part of a signed envelope so that everything before the signature still reads well."""
    changes = {
        "core-after-signing": lambda body: body.replace(b'"cls":"none"', b'"cls":"nune"'),
        "time-after-signing": lambda body: body.replace(f'"t":{T}'.encode(), f'"t":{T + 1}'.encode()),
        "digest-of-a-section-after-signing": lambda body: flipped(body, place_of(body, "row") + 8),
        "key-commitment-after-signing": lambda body: flipped(body, place_of(body, "row") + 40),
        "text-commitment-after-signing": lambda body: flipped(body, place_of(body, "row") + 72),
        "role-id-after-signing": lambda body: flipped(body, place_of(body, "wrap") + 1),
        "prekey-id-after-signing": lambda body: flipped(body, place_of(body, "wrap") + 17),
        "wrap-after-signing": lambda body: flipped(body, place_of(body, "wrap_length") + 10),
        "core-of-another-envelope": lambda body: _grafted(body, OTHER, part="core", length=len(OTHER[12:])),
        "wrap-of-another-envelope": lambda body: _grafted(body, OTHER, part="wrap", length=1203),
        "section-table-of-another-envelope": lambda body: _grafted(body, OTHER, part="row", length=104),
    }
    changes["core-of-another-envelope"] = lambda body: patched(body, 12, OTHER[12 : place_of(OTHER, "section_count")])
    for name, change in changes.items():
        yield name, beat().breaking(body=change)


TIMES: tuple[tuple[str, Draft, Around], ...] = (
    ("from-the-future", beat(t=T + 361, exp=T + DAY), {}),
    ("expired-this-second", beat(exp=T + 60), {}),
    ("expired-long-ago", beat(), {"now": T + 2 * DAY}),
    ("lives-a-second-too-long", beat(exp=T + 14 * DAY + 1), {}),
    ("lives-for-years", beat(exp=T + 3650 * DAY), {}),
    ("delivered-before-it-was-sent", beat(), {"now": T - 301}),
)


def vectors() -> Iterator[Vector]:
    """Give the vectors of E04 to E10."""
    for name, code, draft, around in ADDRESSES:
        yield Vector(name, "9.4" if code == "E04" else "9.5", code, draft, around)
    for name, draft in DIRECTORIES:
        yield Vector(name, "7.3", "E06", draft)
    for name, draft, around in PERMISSIONS:
        yield Vector(name, "7.1", "E07", draft, around)
    for name, draft in SIGNING_KEYS:
        yield Vector(name, "7.4", "E08", draft)
    for name, draft in (*SIGNATURES, *_changed_after_signing()):
        yield Vector(name, "4.7", "E09", draft)
    for name, draft, around in TIMES:
        yield Vector(name, "9.10", "E10", draft, around)
    assert directory_of_the_vectors().version == 7
    assert signing_pair(SENDER) is not signing_pair(SENDER, "revoked_later")
