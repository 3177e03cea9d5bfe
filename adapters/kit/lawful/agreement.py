"""Agreement to share: who may give it, what makes it one, and what refusing or withdrawing does (LAW-01 to LAW-08).

Pure. Agreement is never the lawful basis of a public body's release; where somebody relies on it, it has to be there.
"""

from typing import Final

from adapters.kit.disclosure.request_facts import override_recorded
from adapters.kit.lawful.finding import Findings, blank, block, hold, warn
from schemas.content.codes import Audience
from schemas.content.lawfulness import AgreementToShare, ReleaseRecord

SIXTEEN: Final = 16
TWELVE: Final = 12
METHODS: Final = frozenset({"verbal", "written"})
REASONS_NOT_TO_INFORM: Final = frozenset({"risk_to_someone", "prejudice_to_investigation"})
_EVERYBODY: Final = frozenset({"*", "all", "everybody"})


def separate(release: ReleaseRecord) -> Findings:
    """LAW-01: an agreement is no lawful basis, and a basis is no agreement."""
    if release.agreement.status == "given" and blank(release.basis.article_6) and release.regime == "uk_gdpr":
        yield block("LAW-01", "agreement to share was given, which is no lawful basis: record the basis beside it")


def giver(release: ReleaseRecord) -> Findings:
    """LAW-02: who may agree depends on age and competence."""
    agreement = release.agreement
    if agreement.status != "given" or agreement.age is None:
        return
    wanted = _giver_wanted(agreement)
    if agreement.given_by != wanted:
        yield block("LAW-02", f"at {agreement.age} it is for the {wanted.replace('_', ' ')} to agree")
    elif wanted == "parent" and not agreement.parental_responsibility:
        yield block("LAW-02", "only somebody with parental responsibility may agree for the child")


def _giver_wanted(agreement: AgreementToShare) -> str:
    age = agreement.age if agreement.age is not None else 0
    judged = not blank(agreement.competence_judged_by) and agreement.competence_judged_on is not None
    return "young_person" if age >= SIXTEEN or (age >= TWELVE and judged) else "parent"


def parents_not_informed(release: ReleaseRecord) -> Findings:
    """LAW-03: a competent young person who does not want a parent informed."""
    if not release.do_not_inform_parent:
        return
    if Audience.FAMILY in release.audiences:
        yield block("LAW-03", "the parents are not to be informed: the family may not be among the audiences")
    if not release.young_person_told:
        yield warn("LAW-03", "tell the young person with whom it is shared")


def real_agreement(release: ReleaseRecord) -> Findings:
    """LAW-04: informed, freely given, explicit, with its consequences explained, and written down."""
    agreement = release.agreement
    if agreement.status != "given":
        return
    kinds = ("informed", "freely_given", "explicit", "consequences_explained")
    missing = [name for name in kinds if not getattr(agreement, name)]
    missing += ["note"] * blank(agreement.note) + ["date"] * (agreement.on is None)
    missing += ["method"] * (agreement.method not in METHODS)
    if missing:
        yield block("LAW-04", f"the agreement lacks: {', '.join(missing)}")


def refused(release: ReleaseRecord) -> Findings:
    """LAW-05: refused, and no other power recorded."""
    if release.agreement.status == "refused" and not override_recorded(release.override):
        yield block("LAW-05", "agreement was refused and no other power is recorded (CONSENT_REFUSED_NO_POWER)")


def overridden(release: ReleaseRecord) -> Findings:
    """LAW-06: only the MASH team manager overrides, with a ground and a full rationale."""
    if release.override is not None and not override_recorded(release.override):
        yield block("LAW-06", "an override needs the MASH team manager, one of the four grounds and a rationale")


def withdrawn(release: ReleaseRecord) -> Findings:
    """LAW-07: what relied on an agreement stops with it; what was sent stays sent."""
    relies = release.basis.article_6 == "a" or release.basis.article_9 == "a" or release.confidence_gate == "consent"
    if release.agreement.status == "withdrawn" and relies:
        yield block("LAW-07", "the agreement relied on was withdrawn: another basis, or no release")


def subject_informed(release: ReleaseRecord) -> Findings:
    """LAW-08: not telling the person needs a reason of the two."""
    if not release.informed and release.not_informed_reason not in REASONS_NOT_TO_INFORM:
        yield block("LAW-08", "the person is not informed and no reason is recorded")


def objection(release: ReleaseRecord) -> Findings:
    """LAW-26: a request not to share is shown to the approver and decided on."""
    if release.objection and blank(release.objection_decided):
        yield hold("LAW-26", "the person asked not to share: decide on that and say why")


def agreement_kept(release: ReleaseRecord) -> Findings:
    """LAW-29: the record of an agreement may be special-category data, and is kept and read as such."""
    agreement = release.agreement
    if agreement.status == "not_asked" and blank(agreement.note):
        return
    if not agreement.restricted_to or frozenset(agreement.restricted_to) & _EVERYBODY:
        yield block("LAW-29", "the record of the agreement is open to everybody: name the roles that may read it")
    if blank(agreement.retention):
        yield block("LAW-29", "the record of the agreement has no retention rule")
