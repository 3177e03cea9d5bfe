"""What an agency's answers leave open: the sources that it named as owed, and which of them came too late. Pure.

Only a later answer that is neither a supplement nor taken by telephone clears a source: anything else would make a
silent GP look like a nil (design, "Never" 4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.la.console.arrived import Arrived
from schemas.content.response import Nil, OutstandingSource, Response


@dataclass(frozen=True)
class Part:
    """One answer as it counts for what is owed; `clears` where it speaks for the agency's whole answer."""

    at: datetime
    response: Response
    clears: bool


def parts_of(arrived: Sequence[Arrived]) -> tuple[Part, ...]:
    """Give the answers as they count for what is owed."""
    return tuple(
        Part(at=one.at, response=one.response, clears=not one.response.supplement and one.by_phone is None)
        for one in arrived
    )


def outstanding(parts: Sequence[Part]) -> tuple[OutstandingSource, ...]:
    """Give what one request's answers, in order of arrival, leave owed."""
    speaking = [part for part in parts if part.clears] or parts
    return speaking[-1].response.outstanding if speaking else ()


def breaches(parts: Sequence[Part], *, now: datetime) -> int:
    """Count the sources that had not come by their own due time, each once for a request (FAN-04)."""
    late: set[tuple[str, str]] = set()
    for part in parts:
        for owed in part.response.outstanding:
            came = _came(part, owed.source, parts)
            if (came or now) > owed.due_at:
                late.add((part.response.rfi, owed.source))
    return len(late)


def nil_of(responses: Sequence[Response]) -> Nil | None:
    """Give the last nil return of one request, unless anything at all has come in another part (RSP-17)."""
    something = any(
        (*one.items, *one.indicators, *one.referrals, *one.refusals) or one.for_decision_maker for one in responses
    )
    return responses[-1].nil if responses and not something else None


def _came(named: Part, source: str, parts: Sequence[Part]) -> datetime | None:
    for part in parts:
        follows = part.clears and part.response.rfi == named.response.rfi and part.at > named.at
        if follows and source not in {owed.source for owed in part.response.outstanding}:
            return part.at
    return None
