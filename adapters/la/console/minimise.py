"""What one recipient is told: the enquiry cut down to what that kind of agency can use.

Rules, each a proportionality limit on the request itself, which is a disclosure (overview, finding 2):
- only identifiers that the recipient can search by (RFI-06); an unknown kind gets none;
- an unborn child goes only to health and to the local authority (scenario);
- only the questions put to this recipient (RFI-09);
- the recipient's own reason text where the coordinator wrote one (RFI-16).
Who else is asked is nowhere in it (FAN-01).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from adapters.kit.questions import asked_by_default, catalogue
from adapters.la.console.enquiry import Enquiry, Planned
from adapters.la.console.register import Party, Register
from schemas.content.person import Person
from schemas.content.rfi import Recipient, RequestForInformation

IDENTIFIERS_USABLE_BY: Final[Mapping[str, frozenset[str]]] = {
    "health": frozenset({"nhs_number"}),
    "ambulance": frozenset({"nhs_number"}),
    "substance_misuse": frozenset({"nhs_number"}),
    "education": frozenset({"upn"}),
    "la": frozenset({"upn", "la_child_id"}),
    "police": frozenset({"pnc_id", "athena_ref"}),
    "probation": frozenset({"crn", "pnc_id"}),
    "yot": frozenset({"crn", "pnc_id"}),
    "dwp": frozenset({"nino"}),
}
TOLD_OF_AN_UNBORN_CHILD: Final = frozenset({"health", "la"})


def request_to(
    enquiry: Enquiry,
    planned: Planned,
    *,
    register: Register,
    rfi: str,
    issued_at: datetime,
    due_at: datetime | None,
    urgent: bool,
) -> RequestForInformation:
    """Make the request for one recipient. A party that the register does not list gets an empty recipient entry."""
    party = register.party(planned.participant)
    codes = _questions(planned, party)
    form = enquiry.form
    return RequestForInformation(
        enquiry=enquiry.reference,
        rfi=rfi,
        issued_at=issued_at,
        response_due_at=due_at,
        rag=enquiry.rag,
        urgent=urgent,
        stage=form.stage,
        stage_decision_ref=form.stage_decision_ref,
        purpose=form.purpose,
        reason=planned.reason or form.reason,
        previous_enquiries=form.previous_enquiries,
        parents_aware=form.parents_aware,
        anonymous_source=form.anonymous_source,
        agreement=register.agreement,
        requester=form.requester,
        open_case=form.open_case,
        persons=persons_for(party.kind if party else "", form.persons),
        consent=form.consent,
        lawful_basis=form.lawful_basis,
        gateways=form.gateways,
        questions={code: catalogue()[code] for code in codes if code in catalogue()},
        recipient=_recipient(planned, party, codes),
    )


def persons_for(kind: str, persons: Mapping[str, Person]) -> dict[str, Person]:
    """Give the persons table as an agency of `kind` may see it."""
    usable = IDENTIFIERS_USABLE_BY.get(kind, frozenset())
    return {
        key: person.model_copy(
            update={"identifiers": {name: value for name, value in person.identifiers.items() if name in usable}}
        )
        for key, person in persons.items()
        if person.role != "unborn_child" or kind in TOLD_OF_AN_UNBORN_CHILD
    }


def _questions(planned: Planned, party: Party | None) -> tuple[str, ...]:
    if planned.questions is not None:
        return planned.questions
    return asked_by_default(party.kind) if party else ()


def _recipient(planned: Planned, party: Party | None, codes: tuple[str, ...]) -> Recipient:
    return Recipient(
        agency=party.kind if party else "",
        participant=planned.participant,
        signatory=party.signatory if party else None,
        public_body=party.public_body if party else False,
        public_task_statement=planned.public_task_statement,
        regime=party.regime if party else None,
        rationale=planned.rationale,
        belief_of_involvement=planned.belief_of_involvement,
        questions=codes,
    )
