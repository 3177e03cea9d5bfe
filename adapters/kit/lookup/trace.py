"""Whether a person of the request was found in the agency's own system, how surely, and by what (RSP-01)."""

from dataclasses import dataclass

from schemas.content.response import TraceStatus


@dataclass(frozen=True)
class Trace:
    """A person's trace. `score` is in bits of evidence; `agreed` and `disagreed` name features, never their values."""

    status: TraceStatus
    score: float = 0.0
    agreed: tuple[str, ...] = ()
    disagreed: tuple[str, ...] = ()
    reason: str = ""
