"""An enquiry about a family, from opening to decision: its state, and the pure steps that change it.

Every step takes the time and the person as arguments and returns a new enquiry with one more entry in its history;
nothing here does I/O. What may be asked of whom is decided in `admission`; what a recipient is told, in `minimise`.
"""

from datetime import datetime
from typing import Literal, Self

from pydantic import AwareDatetime

from schemas.content.base import Content
from schemas.content.lawfulness import AgreementToShare, Paragraph18
from schemas.content.person import Person
from schemas.content.rfi import Consent, LawfulBasis, OpenCase, Requester


class PoliceConsultation(Content):
    """The police were asked about a crime or an immediate risk, and what they said (TRI-04, TRI-16)."""

    at: AwareDatetime
    officer: str
    strategy_meeting: bool
    reference: str


class Form(Content):
    """What the coordinator fills in once for the whole enquiry (Sefton Appendix 5).

    What follows the gateways stays here and is never sent: why the family is not told (LAW-08), the limbs of paragraph
    18 (LAW-12), the record of each agreement by consent group (LAW-02 to LAW-04, LAW-29), the police consultation.
    """

    purpose: str | None = None
    stage: str | None = None
    stage_decision_ref: str | None = None
    reason: str | None = None
    previous_enquiries: str | None = None
    parents_aware: str | None = None
    anonymous_source: bool = False
    requester: Requester = Requester()
    open_case: OpenCase = OpenCase()
    persons: dict[str, Person] = {}
    consent: Consent = Consent()
    lawful_basis: LawfulBasis = LawfulBasis()
    gateways: tuple[str, ...] = ()
    not_informed_reason: str | None = None
    paragraph_18: Paragraph18 = Paragraph18()
    agreements: dict[str, AgreementToShare] = {}
    crime_or_immediate_risk: bool = False
    police_consultation: PoliceConsultation | None = None


class Planned(Content):
    """One recipient, and why this one (TRI-07). `reason` replaces the enquiry's text for this recipient (RFI-16)."""

    participant: str
    rationale: str | None = None
    belief_of_involvement: str | None = None
    public_task_statement: bool = False
    questions: tuple[str, ...] | None = None
    reason: str | None = None


class Rating(Content):
    """One rating of the enquiry, by whom and why (TRI-06)."""

    rag: str
    at: AwareDatetime
    by: str
    rationale: str


class Cancelled(Content):
    """A request that is not pursued any more; `recalled` where it had not left yet, so nobody there has seen it.

    `cause` is `participant_left` where nobody cancelled it: who was asked is no party to the agreement any more
    (GOV-10).
    """

    at: AwareDatetime
    by: str
    reason: str
    recalled: bool
    cause: Literal["cancelled", "participant_left"] = "cancelled"


class Issued(Content):
    """One request that went out: `message` is its place in the outbox, `mid` the id on its envelope.

    `mid` is empty while the request is held back; `cancelled` once it is not pursued any more.
    """

    participant: str
    rfi: str
    thread: str
    message: str
    mid: str
    issued_at: AwareDatetime
    due_at: AwareDatetime
    urgent: bool
    cancelled: Cancelled | None = None


class PhonePrompt(Content):
    """One telephone call that has to be made beside an urgent request (SLA-02), and its outcome once it was."""

    prompt: str
    participant: str
    cause: Literal["issue", "rerating"]
    raised_at: AwareDatetime
    due_at: AwareDatetime
    made_at: AwareDatetime | None = None
    made_by: str | None = None
    outcome: str | None = None


class Decided(Content):
    """The decision maker's decision: a person's, with what had been seen and what had not (RSP-15, RSP-16)."""

    at: AwareDatetime
    by: str
    outcome: str
    level_of_need: str
    rationale: str
    next_step: str
    seen: tuple[str, ...]
    not_seen: tuple[str, ...]
    referrer_due_at: AwareDatetime
    partners_due_at: AwareDatetime
    warned: tuple[str, ...] = ()


class ReferrerTold(Content):
    """That the referrer was told of the decision, and how (SLA-04, SLA-05)."""

    at: AwareDatetime
    by: str
    how: Literal["letter", "telephone"]


class Handover(Content):
    """Items that went to the receiving service (DIS-09)."""

    at: AwareDatetime
    by: str
    service: str
    items: tuple[str, ...]


class CorrectionTask(Content):
    """A correction that one who received the item still has to acknowledge, or has (RSP-13).

    `service`: which receiving service, as the handover names it; it stays here and is in no alarm.
    """

    item: str
    rfi: str
    audience: str
    service: str = ""
    due_at: AwareDatetime
    acknowledged_at: AwareDatetime | None = None
    acknowledged_by: str | None = None


class OnwardQuestion(Content):
    """A question to an originator whether one more audience may have an item, and its answer (DIS-04)."""

    question: str
    item: str
    rfi: str
    audience: str
    reason: str
    asked_at: AwareDatetime
    due_at: AwareDatetime
    granted: bool | None = None
    valid_until: AwareDatetime | None = None
    answered_at: AwareDatetime | None = None

    def permits(self, *, now: datetime) -> bool:
        """Say whether the grant stands now: given, not revoked, not expired."""
        return self.granted is True and (self.valid_until is None or now < self.valid_until)


class Entry(Content):
    """One line of the enquiry's history, without personal data."""

    at: AwareDatetime
    by: str
    what: str


class Enquiry(Content):
    """The enquiry as it stands. `not_contacted` gives the reason for every kind that was considered and left out."""

    reference: str
    opened_at: AwareDatetime
    opened_by: str
    form: Form
    planned: tuple[Planned, ...] = ()
    not_contacted: dict[str, str] = {}
    ratings: tuple[Rating, ...] = ()
    issued: tuple[Issued, ...] = ()
    prompts: tuple[PhonePrompt, ...] = ()
    decided: Decided | None = None
    referrer_told: ReferrerTold | None = None
    handovers: tuple[Handover, ...] = ()
    corrections: tuple[CorrectionTask, ...] = ()
    onward: tuple[OnwardQuestion, ...] = ()
    warned: tuple[str, ...] = ()
    history: tuple[Entry, ...] = ()

    @property
    def rag(self) -> str | None:
        """The rating in force, or None where nobody has rated the enquiry yet."""
        return self.ratings[-1].rag if self.ratings else None

    def request_to(self, participant: str) -> Issued | None:
        """Give the request to this participant that has not been cancelled, or None."""
        asked = (issued for issued in self.issued if issued.participant == participant)
        return next((issued for issued in asked if issued.cancelled is None), None)

    def request(self, rfi: str) -> Issued | None:
        """Give the request with this reference, or None."""
        return next((issued for issued in self.issued if issued.rfi == rfi), None)

    def noting(self, what: str, *, at: datetime, by: str, **changes: object) -> Self:
        """Give the enquiry with `changes` made and one line of history added."""
        return self.model_copy(update={**changes, "history": (*self.history, Entry(at=at, by=by, what=what))})


def opened(reference: str, form: Form, *, at: datetime, by: str) -> Enquiry:
    """Open an enquiry; nothing has been asked of anybody yet."""
    return Enquiry(reference=reference, opened_at=at, opened_by=by, form=form).noting("opened", at=at, by=by)


def with_person(enquiry: Enquiry, key: str, person: Person, *, at: datetime, by: str) -> Enquiry:
    """Add a person, or replace the one with this key."""
    form = enquiry.form.model_copy(update={"persons": {**enquiry.form.persons, key: person}})
    return enquiry.noting(f"person {key} recorded", at=at, by=by, form=form)


def with_recipient(enquiry: Enquiry, planned: Planned, *, kind: str, at: datetime, by: str) -> Enquiry:
    """Plan to ask this participant; the plan replaces an earlier one, and a reason not to ask agencies of its kind."""
    others = tuple(other for other in enquiry.planned if other.participant != planned.participant)
    left_out = {whom: why for whom, why in enquiry.not_contacted.items() if whom != kind}
    return enquiry.noting(
        f"{planned.participant} chosen", at=at, by=by, planned=(*others, planned), not_contacted=left_out
    )


def without(
    enquiry: Enquiry, kind: str, reason: str, *, at: datetime, by: str, participant: str | None = None
) -> Enquiry:
    """Record that a kind of agency is not contacted, and why (TRI-07); a plan to ask `participant` is dropped."""
    planned = tuple(other for other in enquiry.planned if other.participant != participant)
    left_out = {**enquiry.not_contacted, kind: reason}
    return enquiry.noting(f"{kind} not contacted", at=at, by=by, not_contacted=left_out, planned=planned)


def rated(enquiry: Enquiry, rating: Rating) -> Enquiry:
    """Rate the enquiry; due times follow in `clocks`, and never get longer."""
    return enquiry.noting(f"rated {rating.rag}", at=rating.at, by=rating.by, ratings=(*enquiry.ratings, rating))


def cancelled(enquiry: Enquiry, rfi: str, cancellation: Cancelled) -> Enquiry:
    """Stop a request: it owes nothing any more, no call about it waits, and it is no longer planned to ask them."""
    issued = tuple(
        one.model_copy(update={"cancelled": cancellation}) if one.rfi == rfi else one for one in enquiry.issued
    )
    (asked,) = [one.participant for one in issued if one.rfi == rfi]
    how = "recalled" if cancellation.recalled else cancellation.cause
    return enquiry.noting(
        f"request to {asked} {how}",
        at=cancellation.at,
        by=cancellation.by,
        issued=issued,
        planned=tuple(one for one in enquiry.planned if one.participant != asked),
        prompts=tuple(one for one in enquiry.prompts if one.participant != asked or one.made_at is not None),
    )


def with_call(enquiry: Enquiry, prompt: str, *, outcome: str, at: datetime, by: str) -> Enquiry:
    """Record that a prompted telephone call was made."""
    made = {"made_at": at, "made_by": by, "outcome": outcome}
    prompts = tuple(one.model_copy(update=made) if one.prompt == prompt else one for one in enquiry.prompts)
    return enquiry.noting(f"call {prompt} made", at=at, by=by, prompts=prompts)


def with_calls_answered(enquiry: Enquiry, participant: str, *, how: str, at: datetime) -> Enquiry:
    """Close the open prompts of an agency that has answered: there is nothing left to ring about (SLA-02)."""
    for one in enquiry.prompts:
        if one.participant == participant and one.made_at is None:
            enquiry = with_call(enquiry, one.prompt, outcome=how, at=at, by=participant)
    return enquiry
