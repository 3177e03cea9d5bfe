"""Section 0 of every envelope: who wrote it, for which purpose, and the core once more, where nobody can change it.

Repeating the core inside means that a text lifted out of one envelope and put into another is recognised (E22),
whoever signs the second one. The manifest is sealed to the role `gateway` and is read by no other.
It has one spelling (SPEC 6.2), which stands here as one pattern; and no manifest is made that breaks a rule.
"""

import json
import re
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as quoted
from typing import Final, Self

from schemas.directory import ROLE_NAME_PATTERN
from schemas.stub import Stub

MAX_MANIFEST: Final = 8192
MAX_LINE: Final = 120
_INDICES: Final = frozenset(range(1, 8))
# Half of a surrogate pair is no character: Python would carry it, and most other readers would not.
_LINE: Final = re.compile(rf"[^\x00-\x1f\x7f\ud800-\udfff]{{1,{MAX_LINE}}}")
_ROLE: Final = re.compile(ROLE_NAME_PATTERN)
_WORD: Final = '"([A-Za-z0-9_-]+)"'
_PLAIN: Final = r"[ !#-\[\]-~]*"  # printable ASCII without quotation mark and backslash
_TEXT: Final = rf'"({_PLAIN}(?:\\(?:["\\]|u[0-9a-f]{{4}}){_PLAIN})*)"'
_SPELLING: Final = re.compile(
    f'{{"ev":{_WORD},"from":{_WORD},"lane":{_WORD},"mid":{_WORD},"purpose":{_TEXT},"role":{_WORD},'
    rf'"sections":\[((?:[1-7](?:,[1-7])*)?)\],"thread":{_WORD},"to":{_WORD},"user":{_TEXT},"v":1}}'
)


@dataclass(frozen=True, repr=False)
class Author:
    """The person who pressed send, as the agency knows them; never shown in a log."""

    user: str
    role: str


class UnfitManifest(ValueError):
    """An author, a role, a purpose or a list of sections that no recipient would accept."""


@dataclass(frozen=True, repr=False)
class Manifest:
    """What is said in section 0. `sections` names the indices of the sections that are not empty.

    The fields stand in the order in which they are written.
    """

    ev: str
    from_: str
    lane: str
    mid: str
    purpose: str
    role: str
    sections: tuple[int, ...]
    thread: str
    to: str
    user: str

    def __post_init__(self) -> None:
        ascending = self.sections == tuple(sorted(_INDICES.intersection(self.sections)))
        lines = _LINE.fullmatch(self.user) and _LINE.fullmatch(self.purpose)
        if not (ascending and lines and _ROLE.fullmatch(self.role)):
            raise UnfitManifest

    @classmethod
    def of(cls, stub: Stub, *, author: Author, purpose: str, sections: tuple[int, ...]) -> Self:
        """Make the manifest that belongs to `stub`. Raises `UnfitManifest`."""
        return cls(
            ev=stub.event.value,
            from_=stub.from_,
            lane=stub.lane.value,
            mid=stub.mid,
            purpose=purpose,
            role=author.role,
            sections=sections,
            thread=stub.thread,
            to=stub.to,
            user=author.user,
        )

    def to_bytes(self) -> bytes:
        """Write the only spelling that is accepted: sorted keys, no spaces, ASCII (SPEC 6.2)."""
        sections = ",".join(map(str, self.sections))
        return (
            f'{{"ev":{quoted(self.ev)},"from":{quoted(self.from_)},"lane":{quoted(self.lane)},"mid":{quoted(self.mid)},'
            f'"purpose":{quoted(self.purpose)},"role":{quoted(self.role)},"sections":[{sections}],'
            f'"thread":{quoted(self.thread)},"to":{quoted(self.to)},"user":{quoted(self.user)},"v":1}}'
        ).encode("ascii")

    def echoes(self, stub: Stub) -> bool:
        """Say whether this is the manifest of that very core."""
        here = (self.from_, self.to, self.mid, self.thread, self.ev, self.lane)
        return here == (stub.from_, stub.to, stub.mid, stub.thread, stub.event.value, stub.lane.value)


def _read_back(spelled: str) -> str:
    """Undo the escapes of a text. Raises `UnfitManifest` where another spelling was meant for the same text."""
    if "\\" not in spelled:
        return spelled
    text: str = json.loads(f'"{spelled}"')
    if quoted(text) != f'"{spelled}"':
        raise UnfitManifest
    return text


def _read(found: re.Match[str]) -> Manifest:
    ev, from_, lane, mid, purpose, role, listed, thread, to, user = found.groups()
    sections = tuple(map(int, listed.split(","))) if listed else ()
    return Manifest(ev, from_, lane, mid, _read_back(purpose), role, sections, thread, to, _read_back(user))


def parse_manifest(raw: bytes) -> Manifest | None:
    """Read a manifest strictly, or give None: only the one spelling is accepted.

    A field given twice, a space, another escape or another order is another spelling, whatever a reader makes of it.
    """
    found = _SPELLING.fullmatch(raw.decode("latin-1")) if len(raw) <= MAX_MANIFEST else None
    try:
        return None if found is None else _read(found)
    except UnfitManifest:
        return None
