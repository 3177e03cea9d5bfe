"""The lawful basis of a release: Articles 6, 9 and 10, Schedule 1, Part 3 and the gateways (LAW-09 to LAW-18).

Pure. What an agreement between the parties allows is data (`Allowed`); what the law requires of each basis is here.
"""

from dataclasses import dataclass
from typing import Final

from adapters.kit.lawful.finding import Findings, blank, block, warn
from schemas.content.codes import GATEWAYS, GENERAL_POWERS, REGIMES
from schemas.content.lawfulness import Paragraph18, ReleaseRecord

SPECIAL_CATEGORIES: Final = frozenset({"health", "sex_life", "equalities"})
CRIMINAL_CATEGORIES: Final = frozenset({"criminal", "police_intelligence"})
COMPETENT_AUTHORITIES: Final = frozenset({"police", "probation", "yot"})
SUBSTANTIAL_INTEREST: Final = frozenset({6, 10, 18})
SCHEDULE_8: Final = frozenset({"1a", "1b", "2", "3", "4"})
EXEMPTIONS: Final = frozenset({"schedule_2_para_2", "schedule_2_para_5"})
_ADULT: Final = 18
_HEALTH_PURPOSES: Final = 2
_PUBLIC_HEALTH: Final = 3


@dataclass(frozen=True)
class Allowed:
    """The bases that an agreement between the parties allows; Peterborough §5 unless an area's own says otherwise."""

    article_6: frozenset[str] = frozenset({"c", "e"})
    article_9: frozenset[str] = frozenset({"g", "h"})


LONDON: Final = Allowed(frozenset("cde"), frozenset("bcghi"))


def article_6(release: ReleaseRecord, allowed: Allowed) -> Findings:
    """LAW-09: every release cites a basis that the agreement allows and that this holder may rely on."""
    basis = release.basis.article_6
    if release.regime == "dpa_part3":
        return
    if blank(basis):
        yield block("LAW-09", "no basis of Article 6 is cited")
    elif basis == "f" and release.public_body:
        yield block("LAW-09", "a public authority may not rely on legitimate interests (f)")
    elif basis == "ea" and release.public_body:
        yield block("LAW-09", "only a body that is not public may rely on another's task (ea)")
    elif basis == "a" and release.agreement.status != "given":
        yield block("LAW-09", "consent (a) is cited and no agreement is recorded")
    elif basis not in allowed.article_6 | {"a", "ea"}:
        yield block("LAW-09", f"the agreement does not allow Article 6(1)({basis})")


def article_9(release: ReleaseRecord, allowed: Allowed) -> Findings:
    """LAW-10: special category data needs a condition of Article 9 as well."""
    condition = release.basis.article_9
    if release.category not in SPECIAL_CATEGORIES or release.regime == "dpa_part3":
        return
    if blank(condition):
        yield block("LAW-10", "special category data, and no condition of Article 9 is cited")
    elif condition == "a" and not (release.agreement.status == "given" and release.agreement.explicit):
        yield block("LAW-10", "explicit consent (a) is cited and no explicit agreement is recorded")
    elif condition not in allowed.article_9 | {"a"}:
        yield block("LAW-10", f"the agreement does not allow Article 9(2)({condition})")


def schedule_1(release: ReleaseRecord) -> Findings:
    """LAW-11: what Article 9(2)(g), (h) and (i) each need of Schedule 1."""
    condition, paragraph = release.basis.article_9, release.basis.schedule_1_condition
    if condition == "g" and paragraph not in SUBSTANTIAL_INTEREST:
        yield block("LAW-11", "9(2)(g) needs paragraph 6, 10 or 18 of Schedule 1")
    if condition == "g" and blank(release.basis.appropriate_policy_document):
        yield block("LAW-11", "9(2)(g) needs an appropriate policy document")
    if condition == "h" and not (paragraph == _HEALTH_PURPOSES and release.safeguards_s11):
        yield block("LAW-11", "9(2)(h) needs paragraph 2 of Schedule 1 and the safeguards of section 11")
    if condition == "i" and not (paragraph == _PUBLIC_HEALTH and release.duty_of_confidence):
        yield block("LAW-11", "9(2)(i) needs paragraph 3 of Schedule 1 and a duty of confidentiality")


def paragraph_18(release: ReleaseRecord) -> Findings:
    """LAW-12: each limb of paragraph 18."""
    if release.basis.schedule_1_condition != _ADULT:
        return
    limbs = release.paragraph_18 or Paragraph18()
    if limbs.protects not in {"neglect_or_harm", "wellbeing"}:
        yield block("LAW-12", "paragraph 18: say whether it protects from neglect or harm, or well-being")
    at_risk = limbs.needs_care and limbs.experiencing_or_at_risk and limbs.unable_to_protect_self
    if limbs.age is None or (limbs.age >= _ADULT and not at_risk):
        yield block("LAW-12", "paragraph 18: the person is under 18, or an adult at risk by all three limbs")
    if limbs.no_consent_reason not in {"a", "b", "c"}:
        yield block("LAW-12", "paragraph 18: give the reason (2)(a), (b) or (c) why there is no consent")
    if not limbs.substantial_public_interest:
        yield block("LAW-12", "paragraph 18: say why it is in the substantial public interest")


def vital_interests(release: ReleaseRecord) -> Findings:
    """LAW-13: vital interests only where the person cannot consent."""
    if release.basis.article_9 == "c" and not release.incapable_of_consent:
        yield block("LAW-13", "9(2)(c) only where the person is physically or legally incapable of consenting")


def criminal_offences(release: ReleaseRecord) -> Findings:
    """LAW-14: criminal offence data needs Article 10 and a condition of Schedule 1, or official authority."""
    if release.category not in CRIMINAL_CATEGORIES or release.regime == "dpa_part3" or release.official_authority:
        return
    if blank(release.basis.article_10) or release.basis.schedule_1_condition is None:
        yield block(
            "LAW-14", "criminal offence data: cite Article 10 with a condition of Schedule 1, or official authority"
        )


def regime(release: ReleaseRecord) -> Findings:
    """LAW-15: Part 3 is for competent authorities and law-enforcement purposes."""
    if release.regime not in REGIMES:
        yield block("LAW-15", "the regime is uk_gdpr or dpa_part3")
    if release.regime != "dpa_part3":
        return
    if release.holder not in COMPETENT_AUTHORITIES:
        yield block("LAW-15", "Part 3 is for competent authorities alone")
    if release.part_3 is None or not release.part_3.law_enforcement_purpose:
        yield block("LAW-15", "Part 3 is for the law-enforcement purposes of section 31")


def sensitive_processing(release: ReleaseRecord) -> Findings:
    """LAW-16: sensitive processing under Part 3."""
    part_3 = release.part_3
    if release.regime != "dpa_part3" or part_3 is None or not part_3.sensitive:
        return
    needed = part_3.strictly_necessary and part_3.condition in SCHEDULE_8
    if not (part_3.consent or needed) or blank(part_3.policy_document):
        message = "consent, or strict necessity with a condition of Schedule 8; and a policy document"
        yield block("LAW-16", f"sensitive processing under Part 3 needs {message}")


def gateway(release: ReleaseRecord) -> Findings:
    """LAW-17: a statutory gateway is named; a general power alone is a weak one."""
    named = frozenset(release.gateways)
    if not named & (GATEWAYS | GENERAL_POWERS):
        yield block("LAW-17", "no statutory gateway is named")
    elif not named & GATEWAYS:
        yield warn("LAW-17", "only a general power is named: prefer a specific gateway beside it")


def exemption(release: ReleaseRecord) -> Findings:
    """LAW-18: the exemptions that may stand as grounds."""
    if release.exemption is not None and release.exemption not in EXEMPTIONS:
        yield block("LAW-18", "only Schedule 2 Part 1 paragraphs 2 (crime) and 5 (law, court) are exemptions here")
