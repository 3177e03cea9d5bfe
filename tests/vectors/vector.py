"""What a vector is: an envelope, the circumstances of its delivery, the rule it is about, and where it must lead."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas import base64url
from tests.vectors.world import EXTRA_ROLE, ROLES, SENDER, T
from tests.vectors.writer import Draft, write

ROLE_NAMES = tuple(ROLES)
SECTION_NAMES = {1: "team", 2: "decision_maker", 3: "protected"}
ANSWERS = {"E10": "REJ-TIME"} | {f"E{number}": "REJ-CRYPTO" for number in range(14, 23)}


@dataclass(frozen=True)
class Vector:
    """One vector. `rule` is a clause of SPEC.md; `around` changes the circumstances of the delivery."""

    name: str
    rule: str
    expect: str
    draft: Draft
    around: Mapping[str, Any] = field(default_factory=dict)
    roles: tuple[str, ...] = ROLE_NAMES

    @property
    def file_name(self) -> str:
        """Give the name of its file: the code, then the rule that is broken."""
        return f"{self.expect}-{self.name}.json"

    def to_plain(self) -> dict[str, Any]:
        """Give what the file holds."""
        body = write(self.draft)
        stripped = body.rstrip(b"\0") if len(body) > 100_000 else body
        plain: dict[str, Any] = {"rule": f"SPEC {self.rule}", "expect": self.expect, "answer": ANSWERS.get(self.expect)}
        lane = {1: "urgent", 2: "receipt", 3: "routine"}.get(self.draft.kind, "urgent")
        plain |= {"ingress_owner": SENDER, "lane": lane, "has_cc": False, "now": T + 60, "roles": list(self.roles)}
        plain |= dict(self.around)
        if self.expect == "OK":
            plain["sections"] = self._readable()
        if stripped != body:
            plain["zeros"] = len(body) - len(stripped)
        return plain | {"body": base64url.encode(stripped)}

    def _readable(self) -> dict[str, str]:
        opens = {index for role in self.roles for index in {**ROLES, EXTRA_ROLE: (1,)}[role]}
        texts = {index: text for index, text in self.draft.texts.items() if index in opens}
        return {SECTION_NAMES[index]: base64url.encode(text) for index, text in texts.items()}


def flipped(raw: bytes, place: int) -> bytes:
    """Turn the lowest bit of one byte over; a negative place counts from the end."""
    place %= len(raw)
    return raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]


def patched(raw: bytes, place: int, piece: bytes) -> bytes:
    """Put `piece` over the bytes at `place`."""
    return raw[:place] + piece + raw[place + len(piece) :]


def place_of(head: bytes, name: str) -> int:
    """Say where a part of a head begins (SPEC 3.1 to 3.5)."""
    rows = 14 + int.from_bytes(head[8:12], "big")
    count = int.from_bytes(head[rows - 2 : rows], "big")
    fixed = {"suite": 4, "kind": 5, "flags": 6, "core_length": 8, "core": 12, "section_count": rows - 2, "row": rows}
    wraps = rows + 104 * count
    return {**fixed, "row_length": rows + 4, "wrap_count": wraps, "wrap": wraps + 2, "wrap_length": wraps + 35}[name]


def put(name: str, piece: bytes, *, offset: int = 0) -> Callable[[bytes], bytes]:
    """Make a hook that overwrites a part of the head."""
    return lambda head: patched(head, place_of(head, name) + offset, piece)


def add(name: str, amount: int, *, width: int) -> Callable[[bytes], bytes]:
    """Make a hook that changes a number in the head by `amount`."""

    def change(head: bytes) -> bytes:
        place = place_of(head, name)
        number = int.from_bytes(head[place : place + width], "big") + amount
        return patched(head, place, number.to_bytes(width, "big"))

    return change
