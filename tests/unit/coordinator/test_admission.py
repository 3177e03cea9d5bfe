"""What stands against sending an enquiry: every reason, all at once, before anything is sealed (issue, "Bad input")."""

from datetime import timedelta
from typing import Any

import pytest

from adapters.la.console.admission import MAY_BE_ASKED
from adapters.la.console.enquiry import Form
from adapters.la.console.register import Register
from schemas.content.rfi import ConsentGroup, OpenCase
from tests.unit.coordinator.desk import NOW, REGISTER, against, area, enquiry, form, planned

NO = ConsentGroup(status="refused")
OPEN = OpenCase(status="open", checked_at=NOW)


def _consent(**groups: ConsentGroup | None) -> Form:
    consent = form().consent
    return form(consent=consent.model_copy(update=groups))


def _register(**agreement: str) -> Register:
    return REGISTER.model_copy(update={"agreement": REGISTER.agreement.model_copy(update=agreement)})


def _with_party(participant: str, **changes: object) -> Register:
    parties = tuple(
        party.model_copy(update=changes) if party.participant == participant else party for party in REGISTER.parties
    )
    return REGISTER.model_copy(update={"parties": parties})


def _without_subject() -> Form:
    return form(persons={key: one for key, one in form().persons.items() if one.role != "subject_child"})


def _with_identifiers(**identifiers: str) -> Form:
    tilly = form().persons["tilly"].model_copy(update={"identifiers": identifiers})
    return form(persons={**form().persons, "tilly": tilly})


def test_a_complete_enquiry_may_be_issued() -> None:
    """The plain case, so that every refusal below is for its own reason."""
    assert against(enquiry()) == []


@pytest.mark.parametrize(
    ("filled", "reason"),
    [
        (_without_subject(), "RFI-05 persons"),
        (form(reason=" "), "RFI-07 reason"),
        (form(stage="s47"), "RFI-07 stage_decision_ref"),
        (form(stage="strategy_discussion", stage_decision_ref=""), "RFI-07 stage_decision_ref"),
        (form(gateways=()), "LAW-17 gateways"),
        (_consent(children=NO), "RFI-12 consent.children.explanation"),
        (_consent(parents=NO), "RFI-12 consent.parents.explanation"),
        (_consent(other_contacts=NO), "RFI-12 consent.other_contacts.explanation"),
        (_consent(children=ConsentGroup(status="refused", explanation="n/a")), "RFI-12 consent.children.explanation"),
        (_consent(override=None), "LAW-06 consent.override"),
        (form(open_case=OpenCase()), "TRI-01 open_case"),
        (form(open_case=OPEN), "TRI-02 open_case.override"),
        (_with_identifiers(nhs_number="9990100005"), "RFI-05 persons.tilly.identifiers.nhs_number"),
        (_with_identifiers(upn="A999400024002"), "RFI-05 persons.tilly.identifiers.upn"),
    ],
)
def test_an_enquiry_with_a_gap_in_its_form_is_refused_for_that_reason(filled: Form, reason: str) -> None:
    """One gap, one reason, with the requirement and the field."""
    assert against(enquiry(filled=filled)) == [reason]


def test_an_open_case_goes_with_a_recorded_override() -> None:
    """TRI-02."""
    overridden = OPEN.model_copy(update={"override": "the worker asks MASH for a second look"})

    assert against(enquiry(filled=form(open_case=overridden))) == []


@pytest.mark.parametrize("explanation", ["no", "refused", "see above", "x" * 14, "             no             "])
def test_boilerplate_does_not_explain_why_there_is_no_consent(explanation: str) -> None:
    """RFI-12: individual, full and clear, for this case."""
    filled = _consent(parents=ConsentGroup(status="not_asked", explanation=explanation))

    assert against(enquiry(filled=filled)) == ["RFI-12 consent.parents.explanation"]


@pytest.mark.parametrize("signatory", ["listed", "signed", "left", "", "Active", "unknown"])
def test_an_agency_that_is_not_an_active_signatory_is_asked_nothing(signatory: str) -> None:
    """GOV-01: listed is not signed, signed is not active, and who has left is out."""
    where = area(_with_party("testford-police", signatory=signatory))

    assert against(enquiry(), where=where) == ["GOV-01 testford-police, signatory"]


def test_an_agency_that_has_given_notice_is_asked_until_it_has_left() -> None:
    """GOV-10: routing stops on the effective date and not before."""
    assert {"active", "notice_given"} == MAY_BE_ASKED
    assert against(enquiry(), where=area(_with_party("testford-police", signatory="notice_given"))) == []


def test_an_agency_outside_the_register_is_asked_nothing() -> None:
    """GOV-01."""
    assert against(enquiry(planned("testford-circus"))) == ["GOV-01 testford-circus, register"]


def test_an_agency_that_the_directory_does_not_let_us_write_to_is_refused_before_sealing() -> None:
    """GOV-01: the register of the area and the directory of keys have to agree."""
    assert against(enquiry(), where=area(writes_to_all=False)) == ["GOV-01 testford-police, directory"]


def test_a_body_that_is_not_public_needs_the_statement_of_the_public_task() -> None:
    """RFI-17; and only there."""
    assert against(enquiry(planned("testford-idva", public_task_statement=False))) == [
        "RFI-17 testford-idva, recipient.public_task_statement"
    ]
    assert against(enquiry(planned("testford-police", public_task_statement=False))) == []


@pytest.mark.parametrize("rationale", [None, "", "   "])
def test_a_recipient_without_a_rationale_is_refused(rationale: str | None) -> None:
    """TRI-07: only relevant and proportionate checks."""
    assert against(enquiry(planned(rationale=rationale))) == ["TRI-07 testford-police, rationale"]


def test_a_due_time_in_the_past_is_refused() -> None:
    """RFI-02."""
    assert against(enquiry(), sooner=NOW - timedelta(minutes=1)) == ["RFI-02 testford-police, due"]
    assert against(enquiry(), sooner=NOW) == ["RFI-02 testford-police, due"]


@pytest.mark.parametrize("rag", ["BLUE", None, "PURPLE"])
def test_an_enquiry_that_is_blue_or_not_rated_asks_nobody(rag: str | None) -> None:
    """TRI-06; an unknown rating means no."""
    assert [line.split()[1] for line in against(enquiry(rag=rag))] == ["rag"]


def test_an_enquiry_that_nobody_is_chosen_for_is_refused() -> None:
    """TRI-07."""
    assert against(enquiry().model_copy(update={"planned": ()})) == ["TRI-07 recipients"]


@pytest.mark.parametrize("roles", [(), ("coordinator",), ("team_manager",), ("MASH_TEAM_MANAGER",)])
def test_an_enquiry_is_issued_by_the_manager_or_the_decision_maker_alone(roles: tuple[str, ...]) -> None:
    """TRI-05: roles are taken literally."""
    assert against(enquiry(), roles=roles) == ["TRI-05 authority"]


@pytest.mark.parametrize("role", ["mash_team_manager", "decision_maker"])
def test_either_authority_suffices(role: str) -> None:
    """TRI-05."""
    assert against(enquiry(), roles=(role,)) == []


@pytest.mark.parametrize("status", ["ended", "superseded", "draft", "", "Active"])
def test_under_an_agreement_that_is_not_in_force_only_a_red_enquiry_goes(status: str) -> None:
    """GOV-01: RED goes as a recorded exception; everything else waits."""
    where = area(_register(status=status))

    assert "GOV-01 agreement.status" in against(enquiry(), where=where)
    assert against(enquiry(rag="RED"), where=where) == []


def test_every_objection_is_listed_at_once() -> None:
    """The coordinator mends everything in one go; nothing is discovered at the second attempt."""
    filled = _without_subject().model_copy(
        update={"open_case": OpenCase(), "stage": "s47", "consent": _consent(children=NO, override=None).consent}
    )
    plans = (planned("testford-charity", rationale=None, public_task_statement=False), planned("testford-circus"))
    found = against(enquiry(*plans, filled=filled), roles=(), sooner=NOW - timedelta(hours=1))

    assert set(found) >= {
        "TRI-05 authority",
        "TRI-01 open_case",
        "RFI-05 persons",
        "RFI-12 consent.children.explanation",
        "LAW-06 consent.override",
        "RFI-07 stage_decision_ref",
        "GOV-01 testford-charity, signatory",
        "TRI-07 testford-charity, rationale",
        "RFI-17 testford-charity, recipient.public_task_statement",
        "RFI-02 testford-charity, due",
        "GOV-01 testford-circus, register",
    }


def test_what_stands_against_every_recipient_is_said_once() -> None:
    """Eight times the same line hides the ninth."""
    plans = (planned("testford-police"), planned("testford-health"), planned("testford-idva", rationale=" "))
    found = against(enquiry(*plans, filled=_without_subject()))

    assert found == ["RFI-05 persons", "TRI-07 testford-idva, rationale"]


def test_an_objection_does_not_repeat_what_was_written_in_the_form() -> None:
    """Design, "Never" 1: refusals are printed and logged."""
    filled: dict[str, Any] = {"consent": _consent(children=NO).consent, "open_case": OpenCase()}
    broken = _with_identifiers(nhs_number="9990100005").model_copy(update=filled)

    assert "9990100005" not in " ".join(against(enquiry(filled=broken)))
    assert "Ashgrove" not in " ".join(against(enquiry(filled=broken)))
