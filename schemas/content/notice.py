"""Everything else that agencies tell each other about a request, and the envelope-inside type tag of every message."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from schemas.content.base import Content
from schemas.content.response import Response
from schemas.content.rfi import RequestForInformation


class Request(Content):
    """A request for information, on its way."""

    type: Literal["request"] = "request"
    rfi: RequestForInformation


class Bounce(Content):
    """The request came back once with its gaps listed; the enquiry's clock keeps running (RFI-15).

    `queried`: the corrected one has gaps still; it is not sent back a second time, its gaps are asked about, and the
    clock that the correction started runs on.
    """

    type: Literal["bounce"] = "bounce"
    enquiry: str
    rfi: str
    gaps: tuple[str, ...]
    queried: bool = False


class Seen(Content):
    """A person at the agency has opened the request: a human acknowledgement, and not an answer (FAN-07, FAN-08)."""

    type: Literal["seen"] = "seen"
    enquiry: str
    rfi: str
    seen_at: AwareDatetime


class Rerating(Content):
    """The enquiry was rated anew; the due time is never later than it was (SLA-10)."""

    type: Literal["rerating"] = "rerating"
    enquiry: str
    rfi: str
    rag: str
    response_due_at: AwareDatetime


class OutcomeNotice(Content):
    """What was decided, for every agency that was asked (SLA-03) and for the referrer (SLA-04)."""

    type: Literal["outcome"] = "outcome"
    enquiry: str
    rfi: str
    outcome: str
    level_of_need: str
    decided_at: AwareDatetime


class Cancellation(Content):
    """The request is not pursued any more: whoever was asked stops work on it, and its clock stops with it."""

    type: Literal["cancellation"] = "cancellation"
    enquiry: str
    rfi: str
    reason: str
    cancelled_at: AwareDatetime


class Correction(Content):
    """An item was wrong: what it should say; open until every recipient of the item has acknowledged (RSP-13)."""

    type: Literal["correction"] = "correction"
    enquiry: str
    rfi: str
    item: str
    wording: str
    what_was_wrong: str
    corrected_at: AwareDatetime


class CorrectionAcknowledgement(Content):
    """One audience that holds the item has seen the correction."""

    type: Literal["correction_acknowledgement"] = "correction_acknowledgement"
    enquiry: str
    rfi: str
    item: str
    audience: str
    acknowledged_at: AwareDatetime


class OnwardRequest(Content):
    """May one more audience have this item? Only the agency that controls it can say so (DIS-04)."""

    type: Literal["onward_request"] = "onward_request"
    enquiry: str
    rfi: str
    item: str
    question: str
    audience: str
    reason: str
    asked_at: AwareDatetime


class OnwardAnswer(Content):
    """The originator's answer, signed by the envelope it comes in: for one item and one audience, until `valid_until`.

    A later answer to the same question replaces it: `granted` false after true is the revocation.
    """

    type: Literal["onward_answer"] = "onward_answer"
    enquiry: str
    rfi: str
    item: str
    question: str
    audience: str
    granted: bool
    valid_until: AwareDatetime | None = None
    decided_by: str
    decided_at: AwareDatetime


Message = Annotated[
    Request
    | Response
    | Bounce
    | Seen
    | Rerating
    | OutcomeNotice
    | Cancellation
    | Correction
    | CorrectionAcknowledgement
    | OnwardRequest
    | OnwardAnswer,
    Field(discriminator="type"),
]

_MESSAGES: TypeAdapter[Message] = TypeAdapter(Message)


def read_message(plain: bytes) -> Message:
    """Read the plaintext of a team section. Raises `pydantic.ValidationError` (E23), which hides its input."""
    return _MESSAGES.validate_json(plain)
