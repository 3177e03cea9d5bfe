"""Vectors of everything sealed: E14 to E23. Outside, E14 to E22 are one and the same answer."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from schemas import base64url
from tests.vectors.vector import Vector, flipped
from tests.vectors.world import DAY, RECIPIENT, STRANGER, T, identifier, prekey_id, public_prekey, role_id
from tests.vectors.wrapping import entropy
from tests.vectors.writer import Draft, Writer, beat, message, receipt, u32


def _at(index: int, change: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda value, here, *_: change(value) if here == index else value


def _ids(text: str) -> bytes:
    return base64url.decode(text) or b""


def _swapped(parts: list[bytes]) -> list[bytes]:
    return [parts[0], parts[2], parts[1], parts[3]]


CIPHERTEXTS: tuple[tuple[str, Draft], ...] = (
    ("section-first-byte", beat().breaking(body=lambda body: flipped(body, -2088))),
    ("section-nonce-last-byte", beat().breaking(body=lambda body: flipped(body, -2065))),
    ("section-text", beat().breaking(body=lambda body: flipped(body, -1000))),
    ("section-tag", beat().breaking(body=lambda body: flipped(body, -1))),
    ("sections-swapped", message().breaking(ciphertexts=_swapped)),
    ("section-of-zeros", beat().breaking(ciphertexts=lambda parts: [bytes(len(parts[0]))])),
    ("section-given-twice", message().breaking(ciphertexts=lambda parts: [*parts[:2], parts[1], parts[3]])),
)


def _for_team_too(wraps: list[bytes], index: int, writer: Writer) -> list[bytes]:
    content_key = entropy(f"content key {index} {writer.core_hash.hex()}")
    return [*wraps, writer.wrap(index, content_key, role="team")] if index == 3 else wraps


def _manifest_for_team(wraps: list[bytes], index: int, writer: Writer) -> list[bytes]:
    content_key = entropy(f"content key {index} {writer.core_hash.hex()}")
    return [writer.wrap(index, content_key, role="team")] if index == 0 else wraps


def _unknown_role(ids: list[bytes]) -> list[bytes]:
    return [_ids(identifier("role of nobody")), ids[1]]


ROLES: tuple[tuple[str, Draft, tuple[str, ...]], ...] = (
    ("manifest-for-a-role-of-nobody", beat().breaking(ids=_at(0, _unknown_role)), ("gateway",)),
    ("read-without-the-gateway-role", message(), ("team", "decision_maker", "protected")),
    ("read-without-any-role", message(), ()),
    ("protected-section-for-the-team-too", message().breaking(section_wraps=_for_team_too), ("gateway", "team")),
    ("manifest-for-the-team", message().breaking(section_wraps=_manifest_for_team), ("gateway", "team")),
)


def _prekey(name: str) -> Callable[[list[bytes]], list[bytes]]:
    return lambda ids: [ids[0], _ids(name)]


PREKEYS: tuple[tuple[str, Draft], ...] = (
    ("prekey-of-nobody", beat().breaking(ids=_at(0, _prekey(identifier("prekey of nobody"))))),
    ("prekey-erased", replace(beat(), which="erased")),
    ("prekey-of-last-week", replace(beat(), which="previous")),
    ("prekey-used-a-second-too-early", replace(beat(t=T - DAY - 301), which="current")),
    ("prekey-used-a-second-too-late", replace(beat(t=T - DAY + 300), which="previous")),
    ("prekey-of-another-role", message().breaking(ids=_at(1, _prekey(prekey_id(RECIPIENT, "protected"))))),
    ("prekey-of-the-gateway-for-the-team", message().breaking(ids=_at(1, _prekey(prekey_id(RECIPIENT, "gateway"))))),
)


def _info(place: int, value: bytes) -> Callable[[list[bytes]], list[bytes]]:
    return lambda info: [*info[:place], value, *info[place + 1 :]]


def _sealed(place: int) -> Callable[[bytes], bytes]:
    return lambda raw: flipped(raw, place)


INFO: tuple[tuple[str, int, bytes], ...] = (
    ("label", 0, b"sec"),
    ("suite", 1, b"\1"),
    ("core", 2, bytes(32)),
    ("section", 3, b"\1"),
    ("sender", 4, STRANGER.encode()),
    ("signing-key", 5, identifier("other").encode()),
    ("recipient", 6, STRANGER.encode()),
    ("role", 7, _ids(role_id(RECIPIENT, "team"))),
    ("prekey", 8, _ids(prekey_id(RECIPIENT, "team"))),
)
WRAP_BYTES = (("lattice-part", 0), ("lattice-end", 1087), ("curve-part", 1088), ("content-key", 1120), ("tag", 1167))


def _wraps_swapped(wraps: list[bytes]) -> list[bytes]:
    """Swap the sealed keys of sections 1 and 2 and leave their addresses."""
    return [wraps[0], wraps[1][:35] + wraps[2][35:], wraps[2][:35] + wraps[1][35:], wraps[3]]


def _low_order(sealed: bytes) -> bytes:
    return sealed[:1088] + bytes(32) + sealed[1120:]


def _wraps() -> Iterator[tuple[str, Draft]]:
    for name, place in WRAP_BYTES:
        yield f"wrap-{name}", beat().breaking(sealed=_at(0, _sealed(place)))
    for name, number, value in INFO:
        yield f"wrap-bound-to-another-{name}", beat().breaking(info=_at(0, _info(number, value)))
    yield "wrap-with-a-point-of-low-order", beat().breaking(sealed=_at(0, _low_order))
    yield "wraps-of-two-sections-swapped", message().breaking(wraps=_wraps_swapped)


def _hash(place: int, change: Callable[[bytes], bytes]) -> Callable[[list[bytes]], list[bytes]]:
    return lambda hashes: [*hashes[:place], change(hashes[place]), *hashes[place + 1 :]]


def _binding(index: int, count: int) -> Callable[..., bytes]:
    def rebind(_binding: bytes, _here: int, core_hash: bytes) -> bytes:
        parts = (b"sec", core_hash, bytes([index]), bytes([count]))
        return b"mash/1\0" + b"".join(u32(len(part)) + part for part in parts)

    return rebind


COMMITMENTS: tuple[tuple[str, str, Draft], ...] = (
    ("key-commitment-first-bit", "E18", beat().breaking(hashes=_at(0, _hash(1, lambda raw: flipped(raw, 0))))),
    ("key-commitment-last-bit", "E18", beat().breaking(hashes=_at(0, _hash(1, lambda raw: flipped(raw, 31))))),
    ("key-commitment-of-zeros", "E18", beat().breaking(hashes=_at(0, _hash(1, lambda _: bytes(32))))),
    ("another-key-for-one-role", "E18", message().breaking(wrapped_key=_at(1, lambda _: entropy("salamander")))),
    ("section-bound-to-another-place", "E19", beat().breaking(binding=_binding(1, 1))),
    ("section-bound-to-another-count", "E19", beat().breaking(binding=_binding(0, 4))),
    ("section-bound-to-nothing", "E19", beat().breaking(binding=lambda *_: b"")),
    ("section-bound-to-another-core", "E19", beat().breaking(binding=lambda raw, *_: flipped(raw, 20))),
    ("section-under-the-content-key-itself", "E19", beat().breaking(aead_key=lambda _key, _index, content: content)),
    ("text-commitment-first-bit", "E21", beat().breaking(hashes=_at(0, _hash(2, lambda raw: flipped(raw, 0))))),
    ("text-commitment-last-bit", "E21", beat().breaking(hashes=_at(0, _hash(2, lambda raw: flipped(raw, 31))))),
    ("text-commitment-of-zeros", "E21", beat().breaking(hashes=_at(0, _hash(2, lambda _: bytes(32))))),
)

PADDINGS: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("padding-first-byte", lambda padded: padded[: 4 + padded[3]] + b"\1" + padded[5 + padded[3] :]),
    ("padding-last-byte", lambda padded: padded[:-1] + b"\1"),
    ("padding-below-the-floor", lambda padded: padded[:-1]),
    ("section-of-nothing", lambda padded: b""),
    ("padding-one-byte-more", lambda padded: padded + b"\0"),
    ("padding-one-step-more", lambda padded: padded.ljust(2176, b"\0")),
    ("padding-twice-the-floor", lambda padded: padded.ljust(4096, b"\0")),
    ("length-one-less", lambda padded: padded[:3] + bytes([padded[3] - 1]) + padded[4:]),
    ("length-over-the-end", lambda padded: u32(2045) + padded[4:]),
    ("length-largest", lambda padded: b"\xff" * 4 + padded[4:]),
    ("text-without-length", lambda padded: padded[4:] + bytes(4)),
    ("section-of-four-bytes", lambda padded: bytes(4)),
    ("section-of-no-bytes", lambda padded: b""),
)


def _compact(plain: Mapping[str, Any], *, ascii_only: bool = True) -> bytes:
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=ascii_only).encode()


def _manifest(**changes: Any) -> Callable[[Mapping[str, Any]], Any]:
    def change(manifest: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in {**manifest, **changes}.items() if value is not ...}

    return change


MANIFESTS: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("manifest-names-another-sender", _manifest(**{"from": STRANGER})),
    ("manifest-names-another-recipient", _manifest(to=STRANGER)),
    ("manifest-names-another-message", _manifest(mid=identifier("other"))),
    ("manifest-names-another-thread", _manifest(thread=identifier("other"))),
    ("manifest-names-another-event", _manifest(ev="ANS")),
    ("manifest-names-another-lane", _manifest(lane="urgent2")),
    ("manifest-without-author", _manifest(user=...)),
    ("manifest-with-an-empty-author", _manifest(user="")),
    ("manifest-with-a-line-end-in-the-author", _manifest(user="a\nb")),
    ("manifest-with-a-role-in-capitals", _manifest(role="Coordinator")),
    ("manifest-with-a-role-that-may-not-write", _manifest(role="cleaner")),
    ("manifest-without-purpose", _manifest(purpose=...)),
    ("manifest-of-version-two", _manifest(v=2)),
    ("manifest-with-a-field-nobody-knows", _manifest(bcc=STRANGER)),
    ("manifest-lists-a-section-that-is-not-there", _manifest(sections=[1])),
    ("manifest-lists-itself", _manifest(sections=[0])),
    ("manifest-empty", lambda _: b""),
    ("manifest-no-JSON", lambda _: b"manifest"),
    ("manifest-an-array", lambda _: b"[]"),
    ("manifest-with-spaces", lambda manifest: json.dumps(manifest, sort_keys=True).encode()),
    ("manifest-out-of-order", lambda manifest: json.dumps(manifest, separators=(",", ":")).encode()),
    ("manifest-with-an-author-of-121-letters", _manifest(user="a" * 121)),
    ("manifest-with-a-role-of-48-letters", _manifest(role="a" * 48)),
    ("manifest-with-a-field-twice", lambda manifest: _compact(manifest).replace(b'"v":1', b'"v":1,"v":1')),
    ("manifest-with-letters-not-escaped", lambda manifest: _compact({**manifest, "user": "Siân"}, ascii_only=False)),
    (
        "manifest-with-an-escape-in-capitals",
        lambda manifest: _compact({**manifest, "user": "Siân"}).replace(b"00e2", b"00E2"),
    ),
    ("manifest-with-an-escape-too-many", lambda manifest: _compact(manifest).replace(b'"v":1', b'"\\u0076":1')),
)


def _receipt(**changes: Any) -> Draft:
    draft = receipt()
    plain = {**json.loads(draft.texts[1]), **changes}
    kept = {name: value for name, value in plain.items() if value is not ...}
    return replace(draft, texts={1: json.dumps(kept, sort_keys=True, separators=(",", ":")).encode()})


def _spelt(change: Callable[[bytes], bytes]) -> Draft:
    return replace(receipt(), texts={1: change(receipt().texts[1])})


RECEIPTS: tuple[tuple[str, Draft], ...] = (
    ("receipt-of-unknown-kind", _receipt(kind="R4")),
    ("receipt-with-an-outcome-of-another-kind", _receipt(outcome="shared")),
    ("receipt-rejected-without-code", _receipt(outcome="rejected")),
    ("receipt-of-no-stub", _receipt(original_stub_hash=...)),
    ("receipt-of-a-short-stub-hash", _receipt(original_stub_hash="AAAA")),
    ("receipt-with-a-negative-sequence", _receipt(seq_seen=-1)),
    ("receipt-without-time-zone", _receipt(at="2026-11-24T10:12:00")),
    ("receipt-with-a-field-nobody-knows", _receipt(reason="text")),
    ("receipt-that-is-no-JSON", replace(receipt(), texts={1: b"received"})),
    ("receipt-with-a-code-in-small-letters", _receipt(code="rej-time")),
    ("receipt-with-a-fraction-of-a-second", _receipt(at="2026-11-24T10:12:00.5Z")),
    ("receipt-with-another-spelling-of-UTC", _receipt(at="2026-11-24T10:12:00+00:00")),
    ("receipt-with-a-sequence-too-large", _receipt(seq_seen=2**53)),
    ("receipt-with-spaces", _spelt(lambda raw: raw.replace(b":null", b": null"))),
    ("receipt-with-a-field-twice", _spelt(lambda raw: raw.replace(b'"kind":"R1"', b'"kind":"R1","kind":"R1"'))),
)


def vectors() -> Iterator[Vector]:
    """Give the vectors of E14 to E23."""
    for name, draft in CIPHERTEXTS:
        yield Vector(name, "3.7", "E14", draft)
    for name, draft, roles in ROLES:
        yield Vector(name, "6.3", "E15", draft, roles=roles)
    for name, draft in PREKEYS:
        yield Vector(name, "6.4", "E16", draft)
    for name, draft in _wraps():
        yield Vector(name, "4.3", "E17", draft)
    for name, code, draft in COMMITMENTS:
        yield Vector(name, {"E18": "4.4", "E19": "4.5", "E21": "4.6"}[code], code, draft)
    for name, pad in PADDINGS:
        yield Vector(name, "4.8", "E20", beat().breaking(padded=_at(0, pad)))
    for name, change in MANIFESTS:
        yield Vector(name, "6.2", "E22", beat().breaking(manifest=change))
    hidden = message().breaking(manifest=_manifest(sections=[1, 2]))
    yield Vector("manifest-hides-a-section", "6.2", "E22", hidden)
    empty = replace(message(), texts={1: b"text"}).breaking(manifest=_manifest(sections=[1, 3]))
    yield Vector("manifest-lists-a-section-that-is-empty", "6.2", "E22", empty)
    beyond = receipt().breaking(manifest=_manifest(sections=[1, 2]))
    yield Vector("manifest-lists-a-section-that-receipts-have-not", "6.2", "E22", beyond)
    twice = message().breaking(manifest=_manifest(sections=[1, 2, 3, 3]))
    yield Vector("manifest-lists-a-section-twice", "6.2", "E22", twice)
    for name, draft in RECEIPTS:
        yield Vector(name, "8.1", "E23", draft)
    assert len(public_prekey(RECIPIENT, "team", "current")) == 1216
