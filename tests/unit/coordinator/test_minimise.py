"""What one recipient is told: the request is a disclosure, and cut down to what that agency can use."""

import pytest

from adapters.la.console.minimise import IDENTIFIERS_USABLE_BY, persons_for
from schemas.agency import AGENCY_KINDS
from schemas.content.person import Person
from schemas.content.rfi import RequestForInformation
from tests.unit.coordinator.desk import enquiry, form, made, planned

EVERY_IDENTIFIER = {name: "1" for names in IDENTIFIERS_USABLE_BY.values() for name in names} | {
    "passport": "1",
    "ni_card": "1",
}
KNOWN = Person(name="Tilly Ashgrove-Test", role="subject_child", identifiers=EVERY_IDENTIFIER)
TWO = (planned("testford-police"), planned("testford-health"), planned("testford-recovery"))


def _requests() -> dict[str, RequestForInformation]:
    asked = enquiry(*TWO).model_copy(update={"not_contacted": {"ukvi": "no belief in a pending application"}})
    return {draft.planned.participant: draft.request for draft in made(asked)}


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("health", {"nhs_number"}),
        ("ambulance", {"nhs_number"}),
        ("substance_misuse", {"nhs_number"}),
        ("education", {"upn"}),
        ("la", {"upn", "la_child_id"}),
        ("police", {"pnc_id", "athena_ref"}),
        ("probation", {"crn", "pnc_id"}),
        ("yot", {"crn", "pnc_id"}),
        ("dwp", {"nino"}),
        ("idva", set()),
        ("housing", set()),
        ("voluntary", set()),
        ("fire", set()),
        ("ukvi", set()),
    ],
)
def test_a_kind_of_agency_is_sent_the_identifiers_that_it_can_search_by(kind: str, sent: set[str]) -> None:
    """RFI-06, for every kind there is."""
    assert set(persons_for(kind, {"tilly": KNOWN})["tilly"].identifiers) == sent


def test_the_table_of_identifiers_names_only_kinds_that_there_are() -> None:
    """A misspelt kind would silently send nothing, a new one everything."""
    assert set(IDENTIFIERS_USABLE_BY) <= set(AGENCY_KINDS)


@pytest.mark.parametrize("kind", ["", "circus", "Health"])
def test_an_unknown_kind_is_sent_no_identifier_and_no_unborn_child(kind: str) -> None:
    """An unknown value means no."""
    persons = persons_for(kind, {"tilly": KNOWN, "unborn": Person(role="unborn_child")})

    assert persons["tilly"].identifiers == {}
    assert "unborn" not in persons


@pytest.mark.parametrize("kind", AGENCY_KINDS)
def test_an_unborn_child_goes_to_health_and_to_the_local_authority_alone(kind: str) -> None:
    """Scenario: nobody else is told that there is a pregnancy."""
    assert ("unborn" in persons_for(kind, form().persons)) == (kind in ("health", "la"))


def test_nobody_learns_who_else_was_asked_or_left_out() -> None:
    """FAN-01: nothing in one agency's request names another participant, or that one was not contacted."""
    for participant, request in _requests().items():
        text = request.canonical_bytes().decode()
        assert not [other for other in _requests() if other != participant and other in text]
        assert "pending application" not in text
        assert "ukvi" not in text


def test_a_recipient_reads_its_own_rationale_and_nobody_elses() -> None:
    """TRI-07: why the police are asked may itself be a disclosure to a school."""
    plans = (planned("testford-police", rationale="weapons"), planned("testford-education", rationale="attendance"))
    requests = {draft.planned.participant: draft.request for draft in made(enquiry(*plans))}

    assert b"weapons" not in requests["testford-education"].canonical_bytes()
    assert requests["testford-education"].recipient.rationale == "attendance"


def test_a_recipient_with_a_reason_text_of_its_own_is_sent_that_and_not_the_enquirys() -> None:
    """RFI-16."""
    (draft,) = made(enquiry(planned("testford-education", reason="attendance has fallen")))

    assert draft.request.reason == "attendance has fallen"
    assert b"domestic abuse in the home" not in draft.request.canonical_bytes()


def test_only_the_questions_put_to_a_recipient_are_in_its_request() -> None:
    """RFI-09; a code outside the catalogue brings no question of its own making."""
    (draft,) = made(enquiry(planned("testford-education", questions=("attendance", "invented"))))

    assert set(draft.request.questions) == {"attendance"}


def test_an_agency_is_not_sent_more_persons_than_the_enquiry_names() -> None:
    """RFI-05: everyone in the request is one whom the coordinator entered."""
    for request in _requests().values():
        assert set(request.persons) <= set(form().persons)
