"""A manifest has one spelling, whoever writes it, and whatever breaks a rule is neither made nor read."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from adapters.kit.envelope.manifest import MAX_MANIFEST, Author, Manifest, UnfitManifest, parse_manifest

LINES = some.text(some.characters(codec="utf-8"), min_size=1, max_size=120)


def made(**changes: Any) -> Manifest:
    """A sound manifest, but for `changes`."""
    names = {"thread": "B" * 22, "to": "testford-yot", "user": "who"}
    sound = Manifest("REQ", "testford-la", "urgent", "A" * 22, "why", "coordinator", (1, 3), **names)
    return replace(sound, **changes)


def is_line(text: str) -> bool:
    return not any(letter < " " or letter == "\x7f" for letter in text)


def canonical(manifest: Manifest) -> bytes:
    """The one spelling, as Python's JSON writer makes it of the same fields."""
    plain = {name.rstrip("_"): value for name, value in vars(manifest).items()} | {"v": 1}
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


@given(user=LINES.filter(is_line), purpose=LINES.filter(is_line), sections=some.sets(some.integers(1, 7)))
def test_whatever_manifest_is_made_has_one_spelling_and_is_read_back(
    user: str, purpose: str, sections: set[int]
) -> None:
    """SPEC 6.2: canonical JSON, for any letters in any script."""
    manifest = made(user=user, purpose=purpose, sections=tuple(sorted(sections)))
    assert manifest.to_bytes() == canonical(manifest)
    assert parse_manifest(manifest.to_bytes()) == manifest
    assert len(manifest.to_bytes()) <= MAX_MANIFEST


LONGEST = {"user": "\U0001f600" * 120, "purpose": "\U0001f600" * 120}


def test_the_longest_author_and_purpose_are_accepted() -> None:
    """120 characters of any plane of Unicode, each written in twelve bytes."""
    manifest = made(**LONGEST, role="r" * 47, sections=tuple(range(1, 8)))
    assert parse_manifest(manifest.to_bytes()) == manifest


@pytest.mark.parametrize(
    "changes",
    [
        {"user": ""},
        {"user": "a\n"},
        {"user": "\x7f"},
        {"user": "a" * 121},
        {"user": "\ud83d"},
        {"user": "\ude00\ud83d"},
        {"purpose": ""},
        {"purpose": "\x00"},
        {"purpose": "a\x1f"},
        {"purpose": "a" * 121},
        {"purpose": "\udfff"},
        {"role": ""},
        {"role": "a"},
        {"role": "1a"},
        {"role": "A_b"},
        {"role": "r" * 48},
        {"role": "ab\n"},
        {"role": "a-b"},
        {"sections": (0,)},
        {"sections": (8,)},
        {"sections": (1, 1)},
        {"sections": (2, 1)},
    ],
)
def test_a_manifest_that_breaks_a_rule_is_neither_made_nor_read(changes: dict[str, Any]) -> None:
    """E22, and at the sender before anything is sealed; half of a surrogate pair is no character."""
    with pytest.raises(UnfitManifest):
        made(**changes)
    plain = json.loads(canonical(made())) | changes
    raw = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")
    assert parse_manifest(raw) is None


@pytest.mark.parametrize(
    ("sound", "other"),
    [
        (b'"who"', rb'"w\u0068o"'),
        (b'"who"', rb'"\u00E9"'),
        (b'"who"', '"é"'.encode()),
        (b'"who"', rb'"\/"'),
        (b'"who"', rb'"a\nb"'),
        (b'"who"', rb'"\u000a"'),
        (b'"who"', rb'"\ud83d"'),
        (b'"who"', b'"a\\"'),
        (b'"why"', rb'"\u007f"'),
        (b'"why"', rb'"w\u0068y"'),
        (b"[1,3]", b"[1, 3]"),
        (b"[1,3]", b"[1,3,]"),
        (b"[1,3]", b"[01]"),
        (b"[1,3]", b"[3,1]"),
        (b"[1,3]", b"[1,1]"),
        (b"[1,3]", b"[8]"),
        (b"[1,3]", b"[1.0]"),
        (b'"v":1', b'"v":2'),
        (b'"v":1', b'"v":1 '),
        (b'"v":1', b'"v":1,"x":1'),
        (b'"urgent"', b'"ur gent"'),
        (b'"urgent"', b"null"),
        (b'"coordinator"', b'"Coordinator"'),
    ],
)
def test_a_manifest_in_another_spelling_is_not_read(sound: bytes, other: bytes) -> None:
    """One text, one spelling: two readers that disagreed about an author would be two stories."""
    raw = made().to_bytes()
    assert raw.count(sound) == 1
    assert parse_manifest(raw) == made()
    assert parse_manifest(raw.replace(sound, other)) is None


@given(raw=some.binary(max_size=300))
def test_no_bytes_make_the_manifest_reader_raise(raw: bytes) -> None:
    """A manifest comes from a partner, who may be anyone by then."""
    assert parse_manifest(raw) is None


def test_an_author_is_in_no_printed_form() -> None:
    """SEC-02: who asked does not reach a log by way of a traceback."""
    assert "who" not in repr(made()) + repr(Author("who", "coordinator"))
