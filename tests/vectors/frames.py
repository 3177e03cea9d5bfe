"""Vectors of delivery, framing and shape: E00, E01 and E02."""

from collections.abc import Callable, Iterator

from tests.vectors.vector import Vector, add, patched, place_of, put
from tests.vectors.world import EXTRA_ROLE
from tests.vectors.writer import ROLE_OF, Draft, beat, message, receipt

HEAD_PATCHES = (
    ("magic-first-byte", "3.1", put("suite", b"L", offset=-4)),
    ("magic-of-another-version", "3.1", put("suite", b"2", offset=-1)),
    ("magic-in-small-letters", "3.1", put("suite", b"mse1", offset=-4)),
    ("core-length-zero", "3.3", put("core_length", bytes(4))),
    ("core-length-one", "3.3", put("core_length", b"\0\0\0\1")),
    ("core-length-over-limit", "3.3", put("core_length", b"\0\0\x10\1")),
    ("core-length-largest", "3.3", put("core_length", b"\xff" * 4)),
    ("section-count-zero", "3.4", put("section_count", bytes(2))),
    ("section-count-nine", "3.4", put("section_count", b"\0\x09")),
    ("section-count-largest", "3.4", put("section_count", b"\xff\xff")),
    ("section-count-one-more", "3.4", put("section_count", b"\0\2")),
    ("section-index-one-first", "3.4", put("row", b"\1")),
    ("section-index-largest", "3.4", put("row", b"\xff")),
    ("section-first-reserved-byte", "3.4", put("row", b"\1", offset=1)),
    ("section-second-reserved-byte", "3.4", put("row", b"\1", offset=2)),
    ("section-third-reserved-byte", "3.4", put("row", b"\1", offset=3)),
    ("section-length-zero", "3.4", put("row_length", bytes(4))),
    ("section-length-below-nonce-and-tag", "3.4", put("row_length", b"\0\0\0\x27")),
    ("section-length-over-limit", "3.4", put("row_length", b"\0\x20\0\1")),
    ("section-length-largest", "3.4", put("row_length", b"\xff" * 4)),
    ("section-length-one-more", "3.4", add("row_length", 1, width=4)),
    ("section-length-one-less", "3.4", add("row_length", -1, width=4)),
    ("wrap-count-zero", "3.5", put("wrap_count", bytes(2))),
    ("wrap-count-65", "3.5", put("wrap_count", b"\0\x41")),
    ("wrap-count-largest", "3.5", put("wrap_count", b"\xff\xff")),
    ("wrap-count-one-more", "3.5", put("wrap_count", b"\0\2")),
    ("wrap-of-the-section-after-the-last", "3.5", put("wrap", b"\1")),
    ("wrap-of-section-255", "3.5", put("wrap", b"\xff")),
    ("wrap-length-largest", "3.5", put("wrap_length", b"\xff\xff")),
    ("wrap-length-zero", "3.5", put("wrap_length", bytes(2))),
)

CUTS = (
    ("nothing-at-all", "3.1", lambda body: b""),
    ("one-byte", "3.1", lambda body: body[:1]),
    ("ends-in-the-magic", "3.1", lambda body: body[:3]),
    ("ends-after-the-magic", "3.1", lambda body: body[:4]),
    ("ends-in-the-core-length", "3.3", lambda body: body[:11]),
    ("ends-before-the-core", "3.3", lambda body: body[:12]),
    ("ends-in-the-core", "3.3", lambda body: body[:100]),
    ("ends-after-the-core", "3.4", lambda body: body[: place_of(body, "section_count")]),
    ("ends-in-the-section-count", "3.4", lambda body: body[: place_of(body, "section_count") + 1]),
    ("ends-in-the-section-table", "3.4", lambda body: body[: place_of(body, "row") + 50]),
    ("ends-after-the-section-table", "3.5", lambda body: body[: place_of(body, "wrap_count")]),
    ("ends-in-the-wrap-count", "3.5", lambda body: body[: place_of(body, "wrap_count") + 1]),
    ("ends-in-a-role-id", "3.5", lambda body: body[: place_of(body, "wrap") + 10]),
    ("ends-in-a-prekey-id", "3.5", lambda body: body[: place_of(body, "wrap") + 20]),
    ("ends-in-a-wrap", "3.5", lambda body: body[: place_of(body, "wrap") + 600]),
    ("ends-before-the-signature", "3.6", lambda body: body[: place_of(body, "wrap_length") + 2 + 1168]),
    ("ends-in-the-signature", "3.6", lambda body: body[: place_of(body, "wrap_length") + 2 + 1168 + 63]),
    ("is-a-stub-without-sections", "3.7", lambda body: body[: place_of(body, "wrap_length") + 2 + 1168 + 64]),
    ("ends-in-a-section", "3.7", lambda body: body[:-100]),
    ("ends-one-byte-early", "3.7", lambda body: body[:-1]),
    ("one-byte-too-many", "3.8", lambda body: body + b"\0"),
    ("a-second-envelope-behind-it", "3.8", lambda body: body + body),
    ("a-byte-before-it", "3.1", lambda body: b"\0" + body),
)


def _filled(length: int) -> Callable[[bytes], bytes]:
    """Fill a core up with a field that nobody knows."""
    return lambda core: core[:-1] + b',"filler":"' + b"a" * (length - len(core) - 12) + b'"}'


def _of_39_bytes(rows: list[bytes]) -> list[bytes]:
    return [patched(rows[0], 4, (39).to_bytes(4, "big"))]


def _twice(wraps: list[bytes]) -> list[bytes]:
    return [*wraps, wraps[0]]


SHAPES: tuple[tuple[str, str, Draft], ...] = (
    ("suite-zero", "3.2", beat().breaking(head=put("suite", b"\0"))),
    ("suite-one-is-not-built", "3.2", beat().breaking(head=put("suite", b"\1"))),
    ("suite-three", "3.2", beat().breaking(head=put("suite", b"\3"))),
    ("suite-255", "3.2", beat().breaking(head=put("suite", b"\xff"))),
    ("kind-zero", "3.2", beat().breaking(head=put("kind", b"\0"))),
    ("kind-four", "3.2", beat().breaking(head=put("kind", b"\4"))),
    ("flag-lowest", "3.2", beat().breaking(head=put("flags", b"\0\1"))),
    ("flag-highest", "3.2", beat().breaking(head=put("flags", b"\x80\0"))),
    ("message-of-three-sections", "6.1", message().breaking(count=lambda _: 3)),
    ("message-of-five-sections", "6.1", message().breaking(count=lambda _: 5)),
    ("message-of-eight-sections", "6.1", message().breaking(count=lambda _: 8)),
    ("receipt-of-one-section", "6.1", receipt().breaking(count=lambda _: 1)),
    ("receipt-of-three-sections", "6.1", receipt().breaking(count=lambda _: 3)),
    ("heartbeat-of-two-sections", "6.1", beat().breaking(count=lambda _: 2)),
    ("wrap-of-the-classical-suite", "3.5", beat().breaking(sealed=lambda sealed, _: sealed[-80:])),
    ("wrap-one-byte-short", "3.5", beat().breaking(sealed=lambda sealed, _: sealed[:-1])),
    ("wrap-one-byte-long", "3.5", beat().breaking(sealed=lambda sealed, _: sealed + b"\0")),
    ("wrap-given-twice", "3.5", beat().breaking(wraps=_twice)),
    ("section-without-a-wrap", "3.5", message().breaking(wraps=lambda wraps: wraps[:3])),
    ("manifest-without-a-wrap", "3.5", message().breaking(wraps=lambda wraps: wraps[1:])),
)


def vectors() -> Iterator[Vector]:
    """Give the vectors of E00, E01 and E02."""
    yield Vector("copy-header", "9.0", "E00", beat(), {"has_cc": True})
    yield Vector("one-byte-over-2-MiB", "3.8", "E00", beat().breaking(body=lambda body: body.ljust(2**21 + 1, b"\0")))
    yield Vector("zeros-up-to-2-MiB", "3.8", "E01", beat().breaking(body=lambda body: body.ljust(2**21, b"\0")))
    for name, rule, patch in HEAD_PATCHES:
        yield Vector(name, rule, "E01", beat().breaking(head=patch))
    for name, rule, cut in CUTS:
        yield Vector(name, rule, "E01", beat().breaking(body=cut))
    yield Vector("section-table-out-of-order", "3.4", "E01", message().breaking(rows=lambda rows: rows[::-1]))
    yield Vector("sixty-five-wraps", "3.5", "E01", Draft(roles=(*ROLE_OF, *[EXTRA_ROLE] * 61)))
    yield Vector("nine-sections", "3.4", "E01", message().breaking(count=lambda _: 9))
    yield Vector("core-of-4097-bytes", "3.3", "E01", beat().breaking(core=_filled(4097)))
    yield Vector("core-of-4096-bytes", "3.3", "E03", beat().breaking(core=_filled(4096)))
    yield Vector("core-of-two-bytes", "3.3", "E03", beat().breaking(core=lambda core: b"{}"))
    short = beat().breaking(rows=_of_39_bytes, ciphertexts=lambda texts: [texts[0][:39]])
    yield Vector("section-shorter-than-nonce-and-tag", "3.4", "E01", short)
    for name, rule, draft in SHAPES:
        yield Vector(name, rule, "E02", draft)
