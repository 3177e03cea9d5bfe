"""The answer to a request for information (RSP-01), in the parts that are sealed for their audiences.

`Response` is what the MASH team reads (section 1). `SealedPart` is for the decision maker alone (section 2): what an
indicator points at, and items whose audience is the decision maker. `ProtectedPart` keeps addresses and telephone
numbers apart (section 3). What is withheld silently appears in none of them: the answer is the one for "trace,
nothing to share" (design, "Never" 4).
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, StringConstraints

from schemas.content.base import Content
from schemas.content.marking import Marking

SNAPSHOT_NOTICE = (
    "A snapshot for the immediate MASH risk assessment only. "
    "It is to be obtained anew from the agency for any later assessment."
)

LevelOfNeed = Annotated[str, StringConstraints(pattern=r"^[1-4](-[1-4])?$")]


class TraceStatus(StrEnum):
    """Whether a person was found in the agency's own system; `unknown` where it could not be read to the end."""

    NO_TRACE = "no_trace"
    POSSIBLE_MATCH = "possible_match"
    TRACE = "trace"
    UNKNOWN = "unknown"


class Nil(StrEnum):
    """A nil return says which of the two it is; "no reply" is neither (RSP-17)."""

    NO_TRACE = "no_trace"
    NOTHING_TO_SHARE = "nothing_to_share"


class Item(Content):
    """One piece of information that left its holder, with its marking (RSP-03)."""

    item: str
    category: str
    wording: str
    summarised: bool
    subjects: tuple[str, ...]
    event_on: date | None = None
    recorded_on: date | None = None
    answers: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    refer_to: tuple[str, ...] = ()
    source: str | None = None
    marking: Marking


class Indicator(Content):
    """That confidential information is held, and whom to ring; never what it is (DIS-01)."""

    item: str
    contact: str
    telephone: str
    conditions: tuple[str, ...] = ()
    handling_conditions: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    sealed_for: tuple[str, ...] = ()


class Referral(Content):
    """That somebody else should be asked, because the information is theirs (§3.5); no content.

    `heard_on`: the day of the MARAC, only where the agreement lets the team know it (`Agreement.marac_date`).
    """

    refer_to: tuple[str, ...]
    reasons: tuple[str, ...]
    heard_on: date | None = None


class Refusal(Content):
    """One record that is withheld, visibly: its reasons and nothing of it (LAW-27)."""

    reasons: tuple[str, ...]


class Responder(Content):
    """Who answers for the agency, and how to reach them."""

    name: str
    role: str
    telephone: str


class Judgement(Content):
    """The agency's professional judgement: mandatory unless nobody was traced (RSP-02)."""

    level_of_need: LevelOfNeed
    best_placed: str
    analysis: str


class OutstandingSource(Content):
    """A source within the agency's sector that was asked and has not answered, and until when it may (FAN-04)."""

    source: str
    due_at: AwareDatetime


class Response(Content):
    """One answer. `part` counts the answers to one request from 1; `outstanding` names the sources still owed."""

    type: Literal["response"] = "response"
    enquiry: str
    rfi: str
    part: int = 1
    supplement: bool = False
    as_at: AwareDatetime
    responder: Responder
    traces: dict[str, TraceStatus] = {}
    nil: Nil | None = None
    items: tuple[Item, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    referrals: tuple[Referral, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    for_decision_maker: int = 0
    outstanding: tuple[OutstandingSource, ...] = ()
    gaps_queried: tuple[str, ...] = ()
    judgement: Judgement | None = None
    snapshot_notice: str = SNAPSHOT_NOTICE


class SealedPart(Content):
    """What only the decision maker may open (DIS-02). `points_at` ties an item to its indicator."""

    items: tuple[Item, ...] = ()


class ProtectedPart(Content):
    """Addresses and telephone numbers, sealed apart from the rest; empty unless somebody added one on purpose."""

    details: dict[str, str] = {}
