"""What has come back of one request: each answer as it arrived, and the request's way before it."""

from pydantic import AwareDatetime

from schemas.content.base import Content
from schemas.content.response import Response, SealedPart


class PhoneAnswer(Content):
    """How an answer by telephone was taken (RSP-09, SEC-10); it is confirmed in writing afterwards."""

    taken_by: str
    call_back_verified: bool
    not_overheard: bool
    confirmed_at: AwareDatetime | None = None


class EnvelopeRef(Content):
    """Which stored envelope an answer came in."""

    peer: str
    mid: str


class Arrived(Content):
    """One answer as it arrived; `sealed` is there once the decision maker has opened it."""

    at: AwareDatetime
    response: Response
    envelope: EnvelopeRef | None = None
    sealed: SealedPart | None = None
    by_phone: PhoneAnswer | None = None


class Progress(Content):
    """What is known of one request's way: stored at the agency, opened by a person there, sent back with gaps.

    `queried`: a corrected request had gaps still, and the agency asks about them.
    """

    received_at: AwareDatetime | None = None
    seen_at: AwareDatetime | None = None
    gaps: tuple[str, ...] = ()
    queried: bool = False
