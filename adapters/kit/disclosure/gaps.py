"""Is the request whole (§3.1; Sefton §2.6 "completed in full"; RFI-15)? Every gap at once, each with what to do.

Pure. The same list is used by the coordinator's side before a request is sealed and by the holder's side when one
arrives: a request that our own console lets go is never one that our own rules send back.
"""

from collections.abc import Callable, Iterator
from typing import Final

from adapters.kit.disclosure.agency_facts import AgencyFacts
from adapters.kit.disclosure.decision import Gap
from adapters.kit.disclosure.request_facts import accepted_gateways, day_of, override_recorded, questions_put, said
from schemas.content.codes import GATEWAYS, REGIMES, STAGES, RagRating
from schemas.content.rfi import ConsentGroup, RequestForInformation

_DECIDED_STAGES: Final = frozenset({"s47", "strategy_discussion"})
NOT_THE_BASIS: Final = "not_the_basis"
_ASKABLE_RATINGS: Final = frozenset({RagRating.RED, RagRating.AMBER, RagRating.GREEN})
Gaps = Iterator[Gap]
Check = Callable[[RequestForInformation, AgencyFacts], Gaps]


def find_gaps(request: RequestForInformation, *, agency: AgencyFacts) -> tuple[Gap, ...]:
    """List every gap of `request`; `agency` are the facts of the kind of agency that it asks."""
    return tuple(gap for check in _CHECKS for gap in check(request, agency))


def find_warnings(request: RequestForInformation, *, agency: AgencyFacts) -> tuple[Gap, ...]:
    """List what is worth saying and changes no decision."""
    return tuple(gap for check in _WARNINGS for gap in check(request, agency))


def _requester(request: RequestForInformation, agency: AgencyFacts) -> Gaps:
    for name in ("name", "role", "address", "telephone"):
        if not said(getattr(request.requester, name)):
            yield Gap(f"REQUESTER_{name.upper()}", "RFI-04", f"requester.{name}", f"Give the requester's {name}.")


def _wording(request: RequestForInformation, agency: AgencyFacts) -> Gaps:
    if not said(request.reason):
        yield Gap("REASON", "RFI-07", "reason", "Say why the agencies are asked.")
    if not said(request.purpose):
        yield Gap("PURPOSE", "RFI-07", "purpose", "State one of the agreed purposes.")
    if not said(request.previous_enquiries):
        yield Gap("PREVIOUS_ENQUIRIES", "RFI-08", "previous_enquiries", "Name previous enquiries, or say none.")
    if request.rag not in _ASKABLE_RATINGS:
        yield Gap("RATING", "RFI-02", "rag", "Rate the request RED, AMBER or GREEN.")


def _persons(request: RequestForInformation, agency: AgencyFacts) -> Gaps:
    if not any(person.role == "subject_child" for person in request.persons.values()):
        yield Gap("SUBJECT_CHILD", "RFI-05", "persons", "Name the child whom the enquiry is about.")
    for key, person in request.persons.items():
        if person.is_child and person.dob is None and person.edd is None and person.estimated_age is None:
            message = "Give the child's date of birth, the expected date of delivery or an estimated age."
            yield Gap("CHILD_AGE", "RFI-18", f"persons.{key}", message)


def _stage(request: RequestForInformation, agency: AgencyFacts) -> Gaps:
    if request.stage not in STAGES:
        yield Gap("STAGE", "RFI-07", "stage", f"State the stage: one of {', '.join(STAGES)}.")
    elif request.stage in _DECIDED_STAGES and not said(request.stage_decision_ref):
        yield Gap("STAGE_DECISION", "RFI-07", "stage_decision_ref", "Give the reference of the decision.")


def _questions(request: RequestForInformation, agency: AgencyFacts) -> Gaps:
    if not questions_put(request):
        yield Gap("QUESTIONS", "RFI-09", "recipient.questions", "Put at least one question to this recipient.")


def _consent(request: RequestForInformation, agency: AgencyFacts) -> Gaps:
    groups = {name: getattr(request.consent, name) for name in ("children", "parents", "other_contacts")}
    for name, group in groups.items():
        yield from _consent_group(name, group)
    if request.agreement.consent_position != NOT_THE_BASIS:
        yield from _override(request, agency)


def _override(request: RequestForInformation, agency: AgencyFacts) -> Gaps:
    """Sefton §2.5; elsewhere (London §2.8, Peterborough §5) consent is not the basis, and it is worth saying only."""
    if request.consent.parents.status != "given" and not override_recorded(request.consent.override):
        message = "Record the MASH team manager's override, with its ground and rationale, or the parents' agreement."
        yield Gap("CONSENT_OVERRIDE", "LAW-06", "consent.override", message)


def _override_wanted(request: RequestForInformation, agency: AgencyFacts) -> Gaps:
    if request.agreement.consent_position == NOT_THE_BASIS:
        yield from _override(request, agency)


def _consent_group(name: str, group: ConsentGroup) -> Gaps:
    if not said(group.status):
        yield Gap("CONSENT_STATUS", "RFI-12", f"consent.{name}.status", "Say whether agreement was given.")
    elif group.status != "given" and not said(group.explanation):
        message = "Explain, for this case, why agreement was not given."
        yield Gap("CONSENT_EXPLANATION", "RFI-12", f"consent.{name}.explanation", message)


def _lawfulness(request: RequestForInformation, agency: AgencyFacts) -> Gaps:
    if not accepted_gateways(request, agency=agency):
        power = "" if agency.general_power_suffices else "; for this recipient a general power is none"
        yield Gap("GATEWAY", "LAW-17", "gateways", f"Name the statutory gateway{power}.")
    if not request.recipient.public_body and not request.recipient.public_task_statement:
        message = "State the task of the requester under Article 6(1)(e): this recipient is not a public body."
        yield Gap("PUBLIC_TASK", "RFI-17", "recipient.public_task_statement", message)


def _recipient(request: RequestForInformation, agency: AgencyFacts) -> Gaps:
    regime = request.recipient.regime
    if regime is not None and regime not in REGIMES:
        yield Gap("REGIME", "LAW-15", "recipient.regime", f"Name the regime: one of {', '.join(sorted(REGIMES))}.")
    if regime == "dpa_part3" and not agency.competent_authority:
        message = "Part 3 of the Data Protection Act 2018 does not apply to this recipient: ask under UK GDPR."
        yield Gap("PART_3", "LAW-15", "recipient.regime", message)
    if agency.belief_of_involvement == "gap":
        yield from _belief(request, agency)


def _belief(request: RequestForInformation, agency: AgencyFacts) -> Gaps:
    if not said(request.recipient.belief_of_involvement):
        message = "Say why this agency is believed to be involved."
        yield Gap("BELIEF", "TRI-08", "recipient.belief_of_involvement", message)


def _belief_wanted(request: RequestForInformation, agency: AgencyFacts) -> Gaps:
    if agency.belief_of_involvement == "warning":
        yield from _belief(request, agency)


def _general_power_only(request: RequestForInformation, agency: AgencyFacts) -> Gaps:
    if accepted_gateways(request, agency=agency) and not frozenset(request.gateways) & GATEWAYS:
        message = "Only a general power is named: prefer a specific gateway beside it."
        yield Gap("GENERAL_POWER", "LAW-17", "gateways", message)


def _review_overdue(request: RequestForInformation, agency: AgencyFacts) -> Gaps:
    due = request.agreement.review_due
    if due is not None and due < day_of(request):
        yield Gap("REVIEW_OVERDUE", "GOV-08", "agreement.review_due", "The agreement is due for review.")


_CHECKS: Final[tuple[Check, ...]] = (
    _requester,
    _wording,
    _persons,
    _stage,
    _questions,
    _consent,
    _lawfulness,
    _recipient,
)
_WARNINGS: Final[tuple[Check, ...]] = (_belief_wanted, _override_wanted, _general_power_only, _review_overdue)
