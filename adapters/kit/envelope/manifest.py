"""Section 0 of every envelope: who wrote it, for which purpose, and the core once more, where nobody can change it.

Repeating the core inside means that a text lifted out of one envelope and put into another is recognised (E22),
whoever signs the second one. The manifest is sealed to the role `gateway` and is read by no other.
"""

from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from schemas.directory import RoleName
from schemas.stub import Stub

MAX_MANIFEST: Final = 8192
Line = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]


@dataclass(frozen=True, repr=False)
class Author:
    """The person who pressed send, as the agency knows them; never shown in a log."""

    user: str
    role: str


def _ascending(sections: tuple[int, ...]) -> tuple[int, ...]:
    if list(sections) != sorted(set(sections)):
        raise ValueError("sections out of order or given twice")
    return sections


class Manifest(BaseModel):
    """What is said in section 0. `sections` names the indices of the sections that are not empty.

    The fields stand in the order in which they are written.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, serialize_by_alias=True,
        validate_by_name=True, validate_by_alias=True,
    )  # fmt: skip

    ev: str
    from_: Annotated[str, Field(alias="from")]
    lane: str
    mid: str
    purpose: Line
    role: RoleName
    sections: Annotated[tuple[Annotated[int, Field(ge=1, le=7)], ...], AfterValidator(_ascending)]
    thread: str
    to: str
    user: Line
    v: Literal[1] = 1

    @classmethod
    def of(cls, stub: Stub, *, author: Author, purpose: str, sections: tuple[int, ...]) -> Self:
        """Make the manifest that belongs to `stub`. Raises `pydantic.ValidationError`."""
        return cls(
            from_=stub.from_,
            to=stub.to,
            mid=stub.mid,
            thread=stub.thread,
            ev=stub.event.value,
            lane=stub.lane.value,
            user=author.user,
            role=author.role,
            purpose=purpose,
            sections=sections,
        )

    def to_bytes(self) -> bytes:
        """Write the only spelling that is accepted: sorted keys, no spaces, ASCII (SPEC 6.2)."""
        return self.model_dump_json(ensure_ascii=True).encode("ascii")

    def echoes(self, stub: Stub) -> bool:
        """Say whether this is the manifest of that very core."""
        here = (self.from_, self.to, self.mid, self.thread, self.ev, self.lane)
        return here == (stub.from_, stub.to, stub.mid, stub.thread, stub.event.value, stub.lane.value)


def parse_manifest(raw: bytes) -> Manifest | None:
    """Read a manifest strictly, or give None: only the one spelling is accepted.

    A field given twice, a space, another escape or another order is another spelling, whatever the reader makes of it.
    """
    if len(raw) > MAX_MANIFEST:
        return None
    try:
        manifest = Manifest.model_validate_json(raw)
    except ValidationError:
        return None
    return manifest if manifest.to_bytes() == raw else None
