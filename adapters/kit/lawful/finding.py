"""One thing that is wrong about the lawfulness of a release, and what follows from it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from schemas.content.lawfulness import ReleaseRecord


class Effect(StrEnum):
    """What a finding does: it stops the release, holds it until answered, or is shown to the approver."""

    BLOCK = "block"
    HOLD = "hold"
    WARN = "warn"


@dataclass(frozen=True)
class Finding:
    """One finding. `str` of it begins with the requirement's number."""

    requirement: str
    effect: Effect
    message: str

    def __str__(self) -> str:
        return f"{self.requirement}: {self.message}"


Findings = Iterator[Finding]
Check = Callable[[ReleaseRecord], Findings]


def block(requirement: str, message: str) -> Finding:
    """Say what stops the release."""
    return Finding(requirement, Effect.BLOCK, message)


def hold(requirement: str, message: str) -> Finding:
    """Say what has to be answered first."""
    return Finding(requirement, Effect.HOLD, message)


def warn(requirement: str, message: str) -> Finding:
    """Say what the approver should know."""
    return Finding(requirement, Effect.WARN, message)


def blank(text: str | None) -> bool:
    """Say whether nothing was written."""
    return not (text and text.strip())
