"""Letters to the referrer and to the family: what may be told to each, and when no letter may be written. Pure.

A letter is made of the LA's own decision and of items whose originator's list names its reader; by default no list
does, so a letter has no item in it at all (DIS-11). The rationale and the next step never go into a letter, since they
may quote a partner. An unknown outcome, and anything that says a letter could do harm, means no letter.
"""

from collections.abc import Container, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal

from pydantic import AwareDatetime

from adapters.la.console.collation import CollatedItem, Collation
from adapters.la.console.enquiry import Enquiry
from adapters.la.console.handover import narrowed, persons_in, takeaway
from adapters.la.console.legible import LONDON, day
from adapters.la.console.wording import DECISIONS, in_words
from schemas.content.base import Content
from schemas.content.codes import Audience, Condition

Kind = Literal["referrer", "family"]

TITLES: Final[Mapping[Kind, str]] = MappingProxyType(
    {"referrer": "Outcome of your contact", "family": "A referral about your family"}
)
# The list may name the family and a condition still say "not without police": the stricter of the two holds, until
# whoever set the condition has confirmed this item (DIS-03, DIS-04).
NEEDS_CONFIRMATION: Final = frozenset((Condition.NO_FAMILY_WITHOUT_POLICE, Condition.NO_PARENT_WITHOUT_DSL))
# A family hears of a strategy discussion from the social worker, who knows what it would set off.
TOLD_IN_PERSON: Final = frozenset(("strategy_discussion",))


class Sender(Content):
    """Who signs a letter, and where they can be reached."""

    name: str
    role: str
    organisation: str
    telephone: str


class Letter(Content):
    """One letter, ready to be typeset (`pack.letter_pdf`)."""

    form: Literal["mash.letter.v1"] = "mash.letter.v1"
    kind: Kind
    enquiry: str
    addressed_to: str
    written_at: AwareDatetime
    sender: Sender
    paragraphs: tuple[str, ...]
    items: tuple[CollatedItem, ...]
    persons: dict[str, str]


class NotWritten(Content):
    """Why there is no letter; every reason at once."""

    reasons: tuple[str, ...]


def referrer_letter(
    enquiry: Enquiry, collation: Collation, *, addressed_to: str, sender: Sender, through: str, now: AwareDatetime
) -> Letter | NotWritten:
    """Tell the referrer the outcome (SLA-04, SLA-05), or say why not. Professional and member of the public alike."""
    reasons = tuple(_against_any(collation))
    if enquiry.form.anonymous_source:
        reasons += ("DIS-11: the referrer asked to stay anonymous; there is nobody to write to",)
    if reasons or collation.decided is None:
        return NotWritten(reasons=reasons)
    told = (
        f"Thank you for telling us about your concern. It was looked at under our reference {enquiry.reference}.",
        f"On {_day(collation.decided.at)} this was decided: {in_words(DECISIONS, collation.decided.outcome)}.",
        "We cannot tell you what other services know about the family.",
        f"If anything changes, or if you disagree with the decision, ring {sender.telephone}.",
    )
    items = takeaway(collation, Audience.REFERRER).items
    return Letter(
        kind="referrer",
        enquiry=collation.enquiry,
        addressed_to=addressed_to,
        written_at=now,
        sender=sender,
        paragraphs=told,
        items=narrowed(items, to=Audience.REFERRER, through=through),
        persons=persons_in(items, collation),
    )


def family_letter(
    enquiry: Enquiry,
    collation: Collation,
    *,
    addressed_to: str,
    sender: Sender,
    through: str,
    now: AwareDatetime,
    early_help_agency: str | None = None,
    confirmed: Container[str] = (),
) -> Letter | NotWritten:
    """Tell the family that a referral was made, what was decided, and who offers early help; or say why not.

    `confirmed` names items that police, or the designated safeguarding lead, have confirmed for the family since.
    """
    reasons = (*_against_any(collation), *_against_family(enquiry, collation, early_help_agency))
    if reasons or collation.decided is None:
        return NotWritten(reasons=reasons)
    offered = f"{early_help_agency} will offer you early help and will get in touch with you."
    told = (
        "A referral about your family was made to the Multi-Agency Safeguarding Hub (MASH).",
        "In the MASH, children's services and other services look together at concerns about children.",
        f"On {_day(collation.decided.at)} this was decided: {in_words(DECISIONS, collation.decided.outcome)}.",
        *((offered,) if early_help_agency else ()),
        f"If you have questions about this letter, or about information that is held about you, "
        f"ring {sender.telephone}.",
    )
    items = tuple(_for_family(collation, confirmed))
    return Letter(
        kind="family",
        enquiry=collation.enquiry,
        addressed_to=addressed_to,
        written_at=now,
        sender=sender,
        paragraphs=told,
        items=narrowed(items, to=Audience.FAMILY, through=through),
        persons=persons_in(items, collation),
    )


def _for_family(collation: Collation, confirmed: Container[str]) -> Iterator[CollatedItem]:
    for one in takeaway(collation, Audience.FAMILY).items:
        if one.item.item in confirmed or not NEEDS_CONFIRMATION & set(one.item.marking.conditions):
            yield one


def _day(at: datetime) -> str:
    return day(at.astimezone(LONDON).date())


def _against_any(collation: Collation) -> Iterator[str]:
    if collation.decided is None:
        yield "RSP-15: nothing is decided yet"
    elif collation.decided.outcome not in DECISIONS:
        yield f"DIS-11: {collation.decided.outcome!r} is no outcome that a letter has words for"


def _against_family(enquiry: Enquiry, collation: Collation, early_help_agency: str | None) -> Iterator[str]:
    outcome = collation.decided.outcome if collation.decided else None
    if enquiry.form.consent.do_not_inform_parent:
        yield "LAW-03: the enquiry says not to inform the parents; a letter could put somebody at risk"
    if outcome in TOLD_IN_PERSON:
        yield "DIS-11: after this decision the family is told by the social worker, not by letter"
    if outcome == "early_help" and not (early_help_agency or "").strip():
        yield "DIS-11: name the early-help agency; the family is told who it is"
