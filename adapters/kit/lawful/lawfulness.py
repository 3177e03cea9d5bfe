"""Is a release, or a refusal, lawful as it is recorded? Every finding at once, each with its requirement's number.

Pure, and no substitute for the disclosure rules: they say what may leave, this says whether what was written down
about it bears it. `LAW-01` to `LAW-30`; those of them about agreement are in `lawful_agreement`, those about the
basis in `lawful_basis`.
"""

from datetime import datetime
from typing import Final

from adapters.kit.disclosure import Decision
from adapters.kit.lawful import agreement as lawful_agreement
from adapters.kit.lawful import basis as lawful_basis
from adapters.kit.lawful.basis import Allowed
from adapters.kit.lawful.finding import Check, Effect, Finding, Findings, blank, block, hold, warn
from schemas.content.codes import Outcome, Reason
from schemas.content.lawfulness import Advice, Checklist, ConfidenceTest, ReleaseRecord, WithholdRecord
from schemas.content.record import Record
from schemas.content.rfi import LawfulBasis, RequestForInformation

GATES: Final = frozenset({"consent", "protection", "crime", "legal_obligation"})
ARTICLE_8_AIMS: Final = frozenset(
    {"national_security", "public_safety", "economic_well_being", "crime", "health_or_morals", "rights_of_others"}
)
NECESSITIES: Final = frozenset({"crime", "authorised_by_law", "public_interest", "reasonable_belief"})
CARE_CATEGORIES: Final = frozenset({"health", "sex_life", "social_care"})
RESTS_ON: Final = frozenset({"more_detrimental_to_child", "legal_restriction"})
# The duty reaches what is relevant to the child's safety and is this agency's to give; a refusal on one of these
# grounds says that the record is not, so there is nothing for it to rest on.
OUTSIDE_THE_DUTY: Final = frozenset(
    {
        Reason.NOT_RELEVANT,
        Reason.EXCESSIVE,
        Reason.THIRD_PARTY_UNCONNECTED,
        Reason.OUT_OF_DATE,
        Reason.IDENTITY_UNCONFIRMED,
        Reason.WRONG_ROUTE,
        Reason.NEEDS_APPROVER,
    }
)
_RESTRICTED_BY_LAW: Final = frozenset(
    {
        Reason.CONFIDENCE_UPHELD,
        Reason.CONSENT_REFUSED_NO_POWER,
        Reason.COURT_RESTRICTED,
        Reason.LEGAL_PRIVILEGE,
        Reason.LEGAL_RESTRICTION_ADOPTION,
        Reason.LEGAL_RESTRICTION_GRA,
        Reason.LEGAL_RESTRICTION_HFEA,
        Reason.LEGAL_RESTRICTION_SSAA,
        Reason.RETENTION_EXPIRED,
    }
)
_HARMS_THE_CHILD: Final = frozenset(
    {Reason.MORE_DETRIMENTAL_TO_CHILD, Reason.LOCATION_PROTECTED, Reason.IDENTITY_PROTECTED}
)
DUTY_2026: Final = "ca2004_s16la"
_HALF: Final = 0.5

__all__ = ["Allowed", "Effect", "Finding", "advice_overdue", "prefilled", "release_findings", "withhold_findings"]


def release_findings(
    release: ReleaseRecord, *, allowed: Allowed | None = None, red: bool = False
) -> tuple[Finding, ...]:
    """Find everything that stands against a release. `allowed`: the bases of the agreement; `red`: of a RED request."""
    bases = allowed or Allowed()
    found = [*lawful_basis.article_6(release, bases), *lawful_basis.article_9(release, bases)]
    found += [finding for check in _CHECKS for finding in check(release)]
    found += _views_sought(release, red=red)
    return tuple(sorted(found, key=lambda finding: finding.requirement))


def withhold_findings(withhold: WithholdRecord, *, gateways: tuple[str, ...]) -> tuple[Finding, ...]:
    """Find everything that stands against a refusal (LAW-27, LAW-30). `gateways`: those that the request names."""
    return (*_ground(withhold, gateways=gateways), *_weighed(withhold))


def rests_on_by_ground(ground: str | None) -> str | None:
    """Give what a refusal rests on under the 2026 duty, where its ground settles that (LAW-27)."""
    if ground in _HARMS_THE_CHILD:
        return "more_detrimental_to_child"
    return "legal_restriction" if ground in _RESTRICTED_BY_LAW else None


def advice_overdue(advice: Advice, *, due_at: datetime, now: datetime) -> Finding | None:
    """Warn when advice is still awaited at half of the clock, which it never stops (LAW-28). Moments are aware."""
    if advice.answered_at is not None or now < advice.asked_at + (due_at - advice.asked_at) * _HALF:
        return None
    return warn("LAW-28", f"advice of the {advice.of} is still awaited; the clock of the answer runs on")


def prefilled(
    record: Record, *, decision: Decision, request: RequestForInformation, basis: LawfulBasis | None = None
) -> Checklist:
    """Answer those of the ten questions that the record, the decision and the request settle (LAW-24).

    `basis`: the holder's own; the request's where it has named none.
    """
    basis = basis or request.lawful_basis
    article = f"Article 6(1)({basis.article_6}); {', '.join(request.gateways)}" if basis.article_6 else None
    objected = record.consent in {"refused", "withdrawn"}
    return Checklist(
        whose_information=f"{record.originator or request.recipient.agency}, obtained {record.obtained}",
        lawful_basis=article,
        objections="the person objected" if objected else None,
        how_much="a prepared wording" if decision.outcome is Outcome.SUMMARISE else None,
        accurate=f"labelled {record.nature}",
        need_to_know=", ".join(decision.onward) or "the addressee alone",
        secure="sealed to the recipient's keys",
        decision_recorded=decision.facts_hash,
    )


def _gate(release: ReleaseRecord) -> Findings:
    """LAW-19: what was obtained in confidence needs one of four gates."""
    if release.in_confidence and release.confidence_gate not in GATES:
        yield hold("LAW-19", f"obtained in confidence: say which gate is open, {', '.join(sorted(GATES))}")


def _seven_questions(release: ReleaseRecord) -> Findings:
    """LAW-20: overriding a confidence needs the seven answers."""
    if not release.in_confidence or release.confidence_gate == "consent":
        return
    test = release.confidence_test or ConfidenceTest()
    missing = [name for name in ConfidenceTest.model_fields if blank(getattr(test, name))]
    if missing:
        yield hold("LAW-20", f"the confidence test is not complete: {', '.join(missing)}")


def _views_sought(release: ReleaseRecord, *, red: bool) -> list[Finding]:
    """LAW-21: the views of the body owed the confidence are recorded, if time permits; RED does not wait."""
    overriding = release.in_confidence and release.confidence_gate != "consent"
    if not overriding or red or not blank(release.views_of_confider):
        return []
    return [warn("LAW-21", "seek and record the views of the body that is owed the confidence, if time permits")]


def _article_8(release: ReleaseRecord) -> Findings:
    """LAW-22: lawful, necessary, proportionate, and for an aim of Article 8(2)."""
    rights = release.human_rights
    if rights is None or rights.aim not in ARTICLE_8_AIMS:
        yield block("LAW-22", "Article 8: name the legitimate aim")
    elif not (rights.lawful and rights.necessary and rights.proportionate):
        yield block("LAW-22", "Article 8: it has to be lawful, necessary and proportionate")


def _necessity(release: ReleaseRecord) -> Findings:
    """LAW-23: why it is necessary."""
    if release.necessity not in NECESSITIES:
        yield block("LAW-23", f"say why it is necessary: {', '.join(sorted(NECESSITIES))}")


def _ten_questions(release: ReleaseRecord) -> Findings:
    """LAW-24: the ten questions are answered."""
    missing = [name for name in Checklist.model_fields if blank(getattr(release.checklist, name))]
    if missing:
        yield hold("LAW-24", f"the checklist is not complete: {', '.join(missing)}")


def _caldicott(release: ReleaseRecord) -> Findings:
    """LAW-25: the Caldicott principles; the duty to share is as important as the duty to protect."""
    if release.category in CARE_CATEGORIES and not release.caldicott_checked:
        yield warn("LAW-25", "health and care data: check the Caldicott principles, the seventh included")


def _ground(withhold: WithholdRecord, *, gateways: tuple[str, ...]) -> Findings:
    """LAW-27: a refusal has a ground, and under the 2026 duty says what it rests on."""
    if withhold.ground not in frozenset(Reason):
        yield block("LAW-27", "a refusal needs a ground")
    reached = DUTY_2026 in gateways and withhold.ground not in OUTSIDE_THE_DUTY
    if reached and withhold.rests_on not in RESTS_ON:
        yield block("LAW-27", "under the 2026 duty: more detrimental to the child, or a legal restriction?")


def _weighed(withhold: WithholdRecord) -> Findings:
    """LAW-30: what goes to a child's safety is not withheld without both sides weighed."""
    if not withhold.safety_relevant:
        return
    note = withhold.weighing
    if note is None or blank(note.if_shared) or blank(note.if_not_shared) or not note.child_first:
        yield hold("LAW-30", "say what may happen if it is shared and what if it is not; the child comes first")


_CHECKS: Final[tuple[Check, ...]] = (
    lawful_agreement.separate,
    lawful_agreement.giver,
    lawful_agreement.parents_not_informed,
    lawful_agreement.real_agreement,
    lawful_agreement.refused,
    lawful_agreement.overridden,
    lawful_agreement.withdrawn,
    lawful_agreement.subject_informed,
    lawful_agreement.objection,
    lawful_agreement.agreement_kept,
    lawful_basis.schedule_1,
    lawful_basis.paragraph_18,
    lawful_basis.vital_interests,
    lawful_basis.criminal_offences,
    lawful_basis.regime,
    lawful_basis.sensitive_processing,
    lawful_basis.gateway,
    lawful_basis.exemption,
    _gate,
    _seven_questions,
    _article_8,
    _necessity,
    _ten_questions,
    _caldicott,
)
