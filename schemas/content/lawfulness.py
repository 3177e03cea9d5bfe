"""What is recorded to show that a release, or a refusal, is lawful (LAW-01 to LAW-30).

Agreement to share and lawful basis are two records: neither is a field of the other, and setting one never sets the
other (LAW-01). Everything may be missing: what is missing is what `adapters.kit.lawful.lawfulness` finds.
"""

from datetime import date

from pydantic import AwareDatetime

from schemas.content.base import Content
from schemas.content.rfi import ConsentOverride, LawfulBasis


class AgreementToShare(Content):
    """Somebody's stance on sharing (LAW-02 to LAW-07). `status`: given, refused, withdrawn or not_asked."""

    status: str = "not_asked"
    given_by: str | None = None
    age: int | None = None
    competence_judged_by: str | None = None
    competence_judged_on: date | None = None
    parental_responsibility: bool = False
    informed: bool = False
    freely_given: bool = False
    explicit: bool = False
    consequences_explained: bool = False
    note: str | None = None
    on: date | None = None
    method: str | None = None
    restricted_to: tuple[str, ...] = ()
    retention: str | None = None


class ConfidenceTest(Content):
    """The seven public-interest questions, each answered in words (LAW-20; Peterborough §5, Sefton Appendix 2)."""

    proportionate: str | None = None
    vulnerability: str | None = None
    impact_on_individual: str | None = None
    other_means: str | None = None
    public_safety: str | None = None
    crime_and_rights: str | None = None
    protects_others: str | None = None


class HumanRights(Content):
    """The Article 8 record (LAW-22). `aim` is one of the list of Article 8(2)."""

    lawful: bool = False
    necessary: bool = False
    proportionate: bool = False
    aim: str | None = None


class Paragraph18(Content):
    """The limbs of Schedule 1 paragraph 18 (LAW-12). `no_consent_reason`: a, b or c of sub-paragraph (2)."""

    protects: str | None = None
    age: int | None = None
    needs_care: bool = False
    experiencing_or_at_risk: bool = False
    unable_to_protect_self: bool = False
    no_consent_reason: str | None = None
    substantial_public_interest: bool = False


class Part3(Content):
    """Law-enforcement processing (LAW-15, LAW-16). `condition` is a condition of Schedule 8."""

    law_enforcement_purpose: bool = False
    sensitive: bool = False
    consent: bool = False
    strictly_necessary: bool = False
    condition: str | None = None
    policy_document: str | None = None


class Checklist(Content):
    """The ten questions of London Appendix D, each answered in words (LAW-24)."""

    whose_information: str | None = None
    lawful_basis: str | None = None
    pseudonymised: str | None = None
    informed: str | None = None
    objections: str | None = None
    how_much: str | None = None
    accurate: str | None = None
    need_to_know: str | None = None
    secure: str | None = None
    decision_recorded: str | None = None


class Weighing(Content):
    """What may happen if it is shared, and what if it is not; the child's safety comes first (LAW-30)."""

    if_shared: str | None = None
    if_not_shared: str | None = None
    child_first: bool = False


class Advice(Content):
    """Advice asked of a lawyer, data protection officer or Caldicott Guardian (LAW-28)."""

    of: str
    asked_at: AwareDatetime
    answered_at: AwareDatetime | None = None


class ReleaseRecord(Content):
    """Everything that is recorded about one release, kept beside it and never sent."""

    category: str
    holder: str
    public_body: bool
    regime: str = "uk_gdpr"
    audiences: tuple[str, ...] = ()
    basis: LawfulBasis = LawfulBasis()
    gateways: tuple[str, ...] = ()
    agreement: AgreementToShare = AgreementToShare()
    override: ConsentOverride | None = None
    do_not_inform_parent: bool = False
    young_person_told: bool = False
    informed: bool = False
    not_informed_reason: str | None = None
    incapable_of_consent: bool = False
    paragraph_18: Paragraph18 | None = None
    safeguards_s11: bool = False
    duty_of_confidence: bool = False
    official_authority: bool = False
    part_3: Part3 | None = None
    exemption: str | None = None
    in_confidence: bool = False
    confidence_gate: str | None = None
    confidence_test: ConfidenceTest | None = None
    views_of_confider: str | None = None
    human_rights: HumanRights | None = None
    necessity: str | None = None
    checklist: Checklist = Checklist()
    caldicott_checked: bool = False
    objection: bool = False
    objection_decided: str | None = None


class WithholdRecord(Content):
    """Everything that is recorded about one refusal (LAW-27, LAW-30). `rests_on`: where the 2026 duty applies."""

    ground: str | None = None
    rests_on: str | None = None
    safety_relevant: bool = False
    weighing: Weighing | None = None


class AnswerNotes(Content):
    """What a person recorded about one whole answer (LAW-08, LAW-12, LAW-18, LAW-22 to LAW-25)."""

    informed: bool = False
    not_informed_reason: str | None = None
    young_person_told: bool = False
    necessity: str | None = None
    human_rights: HumanRights = HumanRights()
    paragraph_18: Paragraph18 | None = None
    exemption: str | None = None
    caldicott_checked: bool = False
    checklist: Checklist = Checklist()


class RecordNotes(Content):
    """What a person recorded about one record of an answer: its confidence, its agreement, or why it is withheld.

    `other_route`: where nothing is said of a record, whether a sealed or spoken word to the decision maker was
    considered, and what came of it (DIS-22).
    """

    agreement: AgreementToShare = AgreementToShare()
    objection_decided: str | None = None
    incapable_of_consent: bool = False
    confidence_gate: str | None = None
    confidence_test: ConfidenceTest | None = None
    views_of_confider: str | None = None
    rests_on: str | None = None
    weighing: Weighing | None = None
    other_route: str | None = None


class LawfulNotes(Content):
    """What was recorded to show that one answer is lawful; kept at the holder and never sent. By record id."""

    answer: AnswerNotes = AnswerNotes()
    records: dict[str, RecordNotes] = {}
