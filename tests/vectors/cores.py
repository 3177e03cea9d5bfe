"""Vectors of the core: E03. One field wrong in each, and every trick by which two readers of JSON disagree."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.vectors.vector import Vector
from tests.vectors.world import RECIPIENT, SENDER, T, identifier
from tests.vectors.writer import Draft, beat, core_fields, message, receipt

OVER = 2**53
LONG_PREVIOUS = "B" + "A" * 42

FIELD_VALUES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("version-two", {"v": 2}),
    ("version-true", {"v": True}),
    ("version-as-text", {"v": "1"}),
    ("mid-null", {"mid": None}),
    ("mid-of-15-bytes", {"mid": "A" * 20}),
    ("mid-of-17-bytes", {"mid": "A" * 23}),
    ("mid-padded", {"mid": "A" * 22 + "=="}),
    ("mid-in-its-second-spelling", {"mid": "A" * 21 + "B"}),
    ("mid-in-the-other-alphabet", {"mid": "+" + "A" * 21}),
    ("mid-a-number", {"mid": 7}),
    ("thread-null", {"thread": None}),
    ("thread-empty", {"thread": ""}),
    ("thread-made-of-words", {"thread": "Ashgrove-Test-22-chars"[:21] + "x"}),
    ("sender-in-capitals", {"from": "Testford-LA"}),
    ("sender-with-a-dot", {"from": "testford.la"}),
    ("sender-reserved", {"from": "hub"}),
    ("sender-of-two-letters", {"from": "la"}),
    ("recipient-of-41-letters", {"to": "a" * 41}),
    ("recipient-empty", {"to": ""}),
    ("recipient-with-a-star", {"to": "testford-*"}),
    ("recipient-a-list-in-disguise", {"to": "testford-police,testford-fire"}),
    ("recipient-is-the-sender", {"to": SENDER}),
    ("key-id-too-short", {"kid": "AAAA"}),
    ("key-id-null", {"kid": None}),
    ("sequence-zero", {"seq": 0}),
    ("sequence-negative", {"seq": -1}),
    ("sequence-too-large", {"seq": OVER}),
    ("sequence-with-a-fraction", {"seq": 1.0}),
    ("sequence-as-text", {"seq": "1"}),
    ("sequence-true", {"seq": True}),
    ("first-that-follows-something", {"prev": LONG_PREVIOUS}),
    ("second-that-follows-nothing", {"seq": 2}),
    ("previous-of-31-bytes", {"prev": "A" * 42}),
    ("previous-in-its-second-spelling", {"seq": 2, "prev": "A" * 42 + "B"}),
    ("previous-null", {"prev": None}),
    ("reply-to-empty", {"irt": ""}),
    ("reply-to-a-number", {"irt": 0}),
    ("lane-unknown", {"lane": "express"}),
    ("lane-in-capitals", {"lane": "ROUTINE"}),
    ("lane-null", {"lane": None}),
    ("class-empty", {"cls": ""}),
    ("class-of-17-letters", {"cls": "a" * 17}),
    ("class-with-a-space", {"cls": "Tilly Ashgrove"}),
    ("class-with-a-line-end", {"cls": "amber\n"}),
    ("event-unknown", {"ev": "XYZ"}),
    ("event-in-small-letters", {"ev": "hb"}),
    ("time-negative", {"t": -1}),
    ("time-with-a-fraction", {"t": T + 0.5}),
    ("time-as-text", {"t": "2026-11-24T10:12:00Z"}),
    ("time-too-large", {"t": OVER, "exp": OVER + 1}),
    ("expires-when-sent", {"exp": T}),
    ("expires-before-sent", {"exp": T - 1}),
    ("expiry-null", {"exp": None}),
    ("directory-null", {"dir": None}),
    ("directory-without-version", {"dir": {"sha256": "A" * 43}}),
    ("directory-with-a-third-field", {"dir": {"ver": 7, "sha256": "A" * 43, "url": "x"}}),
    ("directory-digest-of-31-bytes", {"dir": {"ver": 7, "sha256": "A" * 42}}),
    ("directory-version-with-a-fraction", {"dir": {"ver": 7.0, "sha256": "A" * 43}}),
    ("a-field-nobody-knows", {"subject": "x"}),
)

MISMATCHES: tuple[tuple[str, Draft], ...] = (
    ("request-in-the-lane-of-receipts", message(lane="receipt")),
    ("request-that-says-receipt", message(ev="RCP")),
    ("request-that-says-heartbeat", message(ev="HB")),
    ("receipt-that-says-request", receipt(ev="REQ")),
    ("receipt-in-the-routine-lane", receipt(lane="routine")),
    ("heartbeat-that-says-request", beat(ev="REQ")),
    ("heartbeat-in-the-lane-of-receipts", beat(lane="receipt")),
)


def _text(change: Callable[[str], str]) -> Callable[[bytes], bytes]:
    return lambda core: change(core.decode()).encode()


TEXTS: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("same-field-twice", _text(lambda core: core[:-1] + ',"v":1}')),
    ("recipient-twice", _text(lambda core: core[:-1] + f',"to":"{RECIPIENT}"}}')),
    ("digest-twice", _text(lambda core: core.replace('"ver":7', '"ver":7,"ver":7'))),
    ("spaces-between", _text(lambda core: core.replace(",", ", "))),
    ("line-end-behind", _text(lambda core: core + "\n")),
    ("byte-order-mark", lambda core: b"\xef\xbb\xbf" + core),
    ("escaped-name", _text(lambda core: core.replace('"mid"', '"\\u006did"'))),
    ("escaped-slash", _text(lambda core: core.replace('"amber"', '"\\/"').replace('"none"', '"\\/"'))),
    ("letters-beyond-ASCII", _text(lambda core: core.replace('"cls":"none"', '"cls":"nön"'))),
    ("broken-UTF-8", lambda core: core.replace(b'"none"', b'"\xff"')),
    ("a-null-byte", lambda core: core.replace(b'"none"', b'"no\0e"')),
    ("an-array-for-the-recipient", _text(lambda core: core.replace(f'"to":"{RECIPIENT}"', f'"to":["{RECIPIENT}"]'))),
    ("not-a-number", _text(lambda core: core.replace('"seq":1', '"seq":NaN'))),
    ("infinity", _text(lambda core: core.replace('"seq":1', '"seq":Infinity'))),
    ("an-exponent", _text(lambda core: core.replace('"seq":1', '"seq":1e0'))),
    ("minus-zero", _text(lambda core: core.replace('"seq":1', '"seq":-0'))),
    ("time-of-minus-zero", _text(lambda core: core.replace(f'"t":{T}', '"t":-0'))),
    ("leading-zero", _text(lambda core: core.replace('"seq":1', '"seq":01'))),
    ("a-thousand-digits", _text(lambda core: core.replace('"seq":1', '"seq":' + "1" * 1000))),
    ("trailing-comma", _text(lambda core: core[:-1] + ",}")),
    ("single-quotes", _text(lambda core: core.replace('"', "'"))),
    ("a-comment", _text(lambda core: core + "//")),
    ("no-object-but-a-number", lambda core: b"12"),
    ("no-object-but-a-text", lambda core: b'"MSE1"'),
    ("an-empty-object", lambda core: b"{}"),
    ("two-objects", lambda core: core + b"{}"),
    ("the-object-cut-short", lambda core: core[:-1]),
    ("nested-six-hundred-deep", lambda core: b'{"a":' * 600 + b"1" + b"}" * 600),
)


def vectors() -> Iterator[Vector]:
    """Give the vectors of E03."""
    for name in core_fields():
        draft = beat(**{name: ...})
        yield Vector(f"{name}-missing", "5.2", "E03", draft)
    for name, changes in FIELD_VALUES:
        yield Vector(name, "5.3" if "follows" in name or "sent" in name else "5.2", "E03", beat(**changes))
    for name, draft in MISMATCHES:
        yield Vector(name, "5.3", "E03", draft)
    for name, change in TEXTS:
        yield Vector(name, "5.1", "E03", beat().breaking(core=change))
    reordered = json.dumps(dict(reversed(core_fields().items())))
    yield Vector("spaces-after-colons-only", "5.1", "E03", beat().breaking(core=lambda _: reordered.encode()))
    yield Vector("reply-to-of-15-bytes", "5.2", "E03", beat(irt=identifier("x")[:20]))
