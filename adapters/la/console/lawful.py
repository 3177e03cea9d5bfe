"""Is it lawful to ask, as the form records it? The asking is a disclosure itself (LAW-02 to LAW-12, LAW-29, RFI-13).

Pure. The same checks as for an answer, put to what the requester relies on. What a request lacks in the eyes of its
recipient (a gateway, the override) is said as a gap and not here again.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final

from adapters.kit.disclosure.request_facts import override_recorded
from adapters.kit.lawful import agreement as agreements
from adapters.kit.lawful import basis as bases
from adapters.kit.lawful.answering import age_of
from adapters.kit.lawful.basis import Allowed
from adapters.kit.lawful.finding import Effect, Findings
from adapters.la.console.enquiry import Form
from schemas.content.lawfulness import AgreementToShare, ReleaseRecord

GROUPS: Final = ("children", "parents", "other_contacts")
WHY_NOT_INFORMED: Final = {
    "would_increase_risk": "risk_to_someone",
    "prejudice_to_crime": "prejudice_to_investigation",
}
_PLACES: Final = {
    "LAW-08": "not_informed_reason",
    "LAW-09": "lawful_basis.article_6",
    "LAW-10": "lawful_basis.article_9",
    "LAW-11": "lawful_basis.schedule_1_condition",
    "LAW-12": "paragraph_18",
    "LAW-13": "lawful_basis.article_9",
    "LAW-14": "lawful_basis.article_10",
}


def against_asking(form: Form, *, day: date) -> Iterator[tuple[str, str, str]]:
    """Give the requirement, the place in the form and the message of everything that stands against asking."""
    release = _release(form, day=day)
    for finding in _of_the_basis(release):
        if finding.effect is not Effect.WARN:
            yield finding.requirement, _PLACES.get(finding.requirement, "lawful_basis"), finding.message
    for name in GROUPS:
        yield from _of_a_group(form, name, release)


def _of_the_basis(release: ReleaseRecord) -> Findings:
    yield from bases.article_6(release, Allowed())
    yield from bases.article_9(release, Allowed())
    yield from bases.schedule_1(release)
    yield from bases.paragraph_18(release)
    yield from bases.criminal_offences(release.model_copy(update={"category": "criminal"}))
    if release.override is not None or release.agreement.status == "given":
        # Without the override that is a gap already, and its ground would say why they are not told.
        yield from agreements.subject_informed(release)


def _of_a_group(form: Form, name: str, release: ReleaseRecord) -> Iterator[tuple[str, str, str]]:
    """Hold one group's agreement against what makes it one: who gave it, how, and who may read the record of it."""
    group = getattr(form.consent, name)
    recorded = form.agreements.get(name, AgreementToShare())
    limbs = release.paragraph_18
    age = limbs.age if limbs is not None and name == "children" and recorded.age is None else recorded.age
    stance = {"status": group.status or "not_asked", "age": age}
    own = release.model_copy(update={"agreement": recorded.model_copy(update=stance)})
    checks = (agreements.giver, agreements.real_agreement, agreements.refused, agreements.withdrawn)
    kept = (agreements.agreement_kept,) if group.status == "given" else ()
    for check in (*checks, *kept):
        yield from ((one.requirement, f"agreements.{name}", one.message) for one in check(own))
    if group.status == "given" and recorded.method == "written" and not group.copy_sha256:
        message = "agreed in writing and no copy is attached: give the SHA-256 of the copy"
        yield "RFI-13", f"consent.{name}.copy_sha256", message


def _release(form: Form, *, day: date) -> ReleaseRecord:
    override = form.consent.override
    recorded = override if override is not None and override_recorded(override) else None
    ages = [age_of(person, day=day) for person in form.persons.values() if person.is_child]
    limbs = {
        "age": form.paragraph_18.age
        if form.paragraph_18.age is not None
        else min((age for age in ages if age is not None), default=None),
        "no_consent_reason": form.lawful_basis.schedule_1_para_18_2 or form.paragraph_18.no_consent_reason,
    }
    return ReleaseRecord(
        category="health",
        holder="la",
        public_body=True,
        basis=form.lawful_basis,
        gateways=form.gateways,
        agreement=AgreementToShare(status=form.consent.parents.status or "not_asked"),
        override=recorded,
        informed=form.parents_aware == "yes",
        not_informed_reason=form.not_informed_reason
        or WHY_NOT_INFORMED.get((recorded.ground or "") if recorded else ""),
        paragraph_18=form.paragraph_18.model_copy(update=limbs),
    )
