"""The request for information: one enquiry's question to one recipient (Sefton Appendix 5, requirements 1C).

The model is lenient on purpose where the rules have to find a gap: a missing telephone number or an unknown stage is
not unreadable, it is an incomplete request, and RFI-15 says what happens to it. What an RFI needs before it may be
sealed is decided in `adapters.kit.delivery.admission`; what a recipient makes of a gap, in `adapters.kit.disclosure`.
"""

from datetime import date

from pydantic import AwareDatetime

from schemas.content.base import Content
from schemas.content.person import Person


class Requester(Content):
    """Who asks, and how to reach them (RFI-04)."""

    name: str | None = None
    role: str | None = None
    organisation: str | None = None
    address: str | None = None
    telephone: str | None = None
    call_back: str | None = None


class Agreement(Content):
    """The agreement under which the question is asked (GOV-07); `status`: draft, active, superseded or ended.

    Where areas differ, it says which position is theirs, and what it does not say is the stricter one:
    `consent_position` is `not_the_basis` where consent is not generally sought (London §2.8, Peterborough §5), else a
    missing consent has to be overridden (Sefton §2.5); `marac_date` is `shown` where the MARAC agreement lets the team
    know when somebody was heard there.
    """

    id: str | None = None
    version: str | None = None
    hash: str | None = None
    status: str | None = None
    review_due: date | None = None
    consent_position: str | None = None
    marac_date: str | None = None


class OpenCase(Content):
    """The open-case check before fan-out (TRI-01, TRI-02); `status`: not_open or open."""

    status: str | None = None
    checked_at: AwareDatetime | None = None
    systems: tuple[str, ...] = ()
    override: str | None = None


class ConsentGroup(Content):
    """One of the three consent groups (RFI-12): its status, and why where it is not `given`."""

    status: str | None = None
    explanation: str | None = None
    copy_sha256: str | None = None


class ConsentOverride(Content):
    """The MASH team manager's recorded decision to proceed without consent (LAW-06)."""

    by: str | None = None
    at: AwareDatetime | None = None
    ground: str | None = None
    rationale: str | None = None


class Consent(Content):
    """Agreement to share, kept apart from the lawful basis (LAW-01)."""

    children: ConsentGroup = ConsentGroup()
    parents: ConsentGroup = ConsentGroup()
    other_contacts: ConsentGroup = ConsentGroup()
    override: ConsentOverride | None = None
    do_not_inform_parent: bool = False


class LawfulBasis(Content):
    """UK GDPR Articles 6, 9 and 10 and the Data Protection Act 2018 conditions relied on (LAW-09 to LAW-16)."""

    article_6: str | None = None
    article_9: str | None = None
    schedule_1_condition: int | None = None
    schedule_1_para_18_2: str | None = None
    article_10: str | None = None
    appropriate_policy_document: str | None = None


class Question(Content):
    """One thing that may be asked. `protects`: the answer goes to harm; `any_age`: an old answer still counts."""

    text: str
    protects: bool = False
    any_age: bool = False
    alert: tuple[str, ...] = ()


class Recipient(Content):
    """Whom, why and what (TRI-07, TRI-08, RFI-09, RFI-17). `agency` is the kind, `participant` its directory id."""

    agency: str
    participant: str | None = None
    signatory: str | None = None
    public_body: bool = False
    public_task_statement: bool = False
    regime: str | None = None
    rationale: str | None = None
    belief_of_involvement: str | None = None
    questions: tuple[str, ...] = ()


class RequestForInformation(Content):
    """One question to one recipient, as it is sealed. `response_due_at` is the recipient's own deadline (RFI-02)."""

    enquiry: str
    rfi: str | None = None
    issued_at: AwareDatetime
    response_due_at: AwareDatetime | None = None
    rag: str | None = None
    urgent: bool = False
    stage: str | None = None
    stage_decision_ref: str | None = None
    purpose: str | None = None
    audience: str = "mash_team"
    reason: str | None = None
    previous_enquiries: str | None = None
    parents_aware: str | None = None
    anonymous_source: bool = False
    agreement: Agreement = Agreement()
    requester: Requester = Requester()
    open_case: OpenCase = OpenCase()
    persons: dict[str, Person] = {}
    consent: Consent = Consent()
    lawful_basis: LawfulBasis = LawfulBasis()
    gateways: tuple[str, ...] = ()
    questions: dict[str, Question] = {}
    recipient: Recipient
