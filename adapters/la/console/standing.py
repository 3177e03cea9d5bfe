"""Where an enquiry stands, in references and times alone: who still owes an answer, and by when. Pure.

Nothing here is about a person, so that a list of enquiries can be looked at without opening any of them.
"""

from collections.abc import Sequence

from pydantic import AwareDatetime

from adapters.la.console.arrived import Arrived
from adapters.la.console.enquiry import Enquiry
from adapters.la.console.owed import outstanding, parts_of
from schemas.content.base import Content


class Standing(Content):
    """One enquiry's line in the list. `owing` are participants; `next_due_at` the soonest due time among them."""

    enquiry: str
    rag: str | None
    opened_at: AwareDatetime
    asked: int
    owing: tuple[str, ...]
    next_due_at: AwareDatetime | None
    calls_to_make: int
    decided: bool


def unanswered(enquiry: Enquiry, arrived: Sequence[Arrived]) -> frozenset[str]:
    """Give the requests that still owe something: the whole answer, or a source that an answer named as owed.

    A cancelled request owes nothing any more.
    """
    asked = [one.rfi for one in enquiry.issued if one.cancelled is None]
    own = {rfi: [each for each in arrived if each.response.rfi == rfi] for rfi in asked}
    parts = {rfi: parts_of(each) for rfi, each in own.items()}
    return frozenset(rfi for rfi, came in parts.items() if not came or outstanding(came))


def standing(enquiry: Enquiry, arrived: Sequence[Arrived]) -> Standing:
    """Say where an enquiry stands."""
    waiting = unanswered(enquiry, arrived)
    owing = [issued for issued in enquiry.issued if issued.rfi in waiting]
    return Standing(
        enquiry=enquiry.reference,
        rag=enquiry.rag,
        opened_at=enquiry.opened_at,
        asked=len(enquiry.issued),
        owing=tuple(issued.participant for issued in owing),
        next_due_at=min((issued.due_at for issued in owing), default=None),
        calls_to_make=sum(prompt.made_at is None for prompt in enquiry.prompts),
        decided=enquiry.decided is not None,
    )


def by_urgency(lines: Sequence[Standing]) -> tuple[Standing, ...]:
    """Put what is due soonest first, and what owes nothing last."""
    return tuple(sorted(lines, key=lambda one: (one.next_due_at is None, one.next_due_at or one.opened_at)))
