"""Asking is a disclosure: LAW-02 to LAW-12 and RFI-13 at the requester, and what is worth a word before it goes."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from adapters.la.console.arrived import Arrived
from adapters.la.console.cautions import before_deciding, before_issuing
from adapters.la.console.enquiry import Form, PhonePrompt, PoliceConsultation, with_calls_answered
from schemas.content.lawfulness import AgreementToShare, Paragraph18
from schemas.content.response import SealedPart
from schemas.content.rfi import ConsentGroup
from tests.unit.console import office
from tests.unit.coordinator.desk import NOW, against, enquiry, form, made, planned

AGREED = AgreementToShare(
    given_by="parent",
    parental_responsibility=True,
    informed=True,
    freely_given=True,
    explicit=True,
    consequences_explained=True,
    note="agreed in the office",
    on=date(2026, 11, 23),
    method="verbal",
    restricted_to=("mash_team",),
    retention="as the child's record",
)
GIVEN = ConsentGroup(status="given")
CONSULTED = PoliceConsultation(
    at=datetime(2026, 11, 24, 9, 40, tzinfo=UTC), officer="PS 1", strategy_meeting=False, reference="ATH-1"
)


def _given(name: str, agreement: AgreementToShare | None, group: ConsentGroup = GIVEN) -> Form:
    consent = form().consent.model_copy(update={name: group})
    return form(consent=consent, agreements={name: agreement} if agreement else {})


def _basis(**changes: Any) -> Form:
    return form(lawful_basis=form().lawful_basis.model_copy(update=changes))


@pytest.mark.parametrize(
    ("filled", "reasons"),
    [
        (_basis(article_6=None), ["LAW-09 lawful_basis.article_6"]),
        (_basis(article_6="f"), ["LAW-09 lawful_basis.article_6"]),
        (_basis(article_9=None), ["LAW-10 lawful_basis.article_9"]),
        (_basis(appropriate_policy_document=None), ["LAW-11 lawful_basis.schedule_1_condition"]),
        (_basis(schedule_1_para_18_2=None), ["LAW-12 paragraph_18"]),
        (form(paragraph_18=Paragraph18(protects="neglect_or_harm")), ["LAW-12 paragraph_18"]),
        (_basis(article_10=None), ["LAW-14 lawful_basis.article_10"]),
        (_given("other_contacts", AGREED), []),
        (
            _given("other_contacts", None),
            ["LAW-04 agreements.other_contacts", *["LAW-29 agreements.other_contacts"] * 2],
        ),
        (_given("children", AGREED.model_copy(update={"given_by": "young_person"})), ["LAW-02 agreements.children"]),
        (_given("children", AGREED), []),
        (
            _given("other_contacts", AGREED.model_copy(update={"method": "written"})),
            ["RFI-13 consent.other_contacts.copy_sha256"],
        ),
        (
            _given("other_contacts", AGREED.model_copy(update={"restricted_to": ("all",)})),
            ["LAW-29 agreements.other_contacts"],
        ),
    ],
)
def test_an_enquiry_whose_lawfulness_is_not_recorded_is_refused_with_the_number(
    filled: Form, reasons: list[str]
) -> None:
    """Missing data means no; every number once a place."""
    assert against(enquiry(filled=filled)) == reasons


def test_not_telling_the_family_needs_a_reason() -> None:
    """LAW-08: the override's ground says it, or the form does; "it was not convenient" is none."""
    override = form().consent.override
    assert override is not None
    cannot = form().consent.model_copy(update={"override": override.model_copy(update={"ground": "cannot_consent"})})

    assert against(enquiry(filled=form(consent=cannot))) == ["LAW-08 not_informed_reason"]
    assert against(enquiry(filled=form(consent=cannot, not_informed_reason="risk_to_someone"))) == []
    assert against(enquiry(filled=form(consent=cannot, not_informed_reason="not convenient"))) != []
    assert against(enquiry(filled=form(consent=cannot, parents_aware="yes"))) == []


def _said(about: Any) -> list[str]:
    return [one.partition(":")[0] for one in before_issuing(about, [draft.request for draft in made(about)])]


def test_one_explanation_for_two_groups_is_worth_a_word() -> None:
    """RFI-12: boilerplate, whatever its case and spacing."""
    group = form().consent.parents
    copied = group.model_copy(update={"explanation": f"  {(group.explanation or '').upper()} "})
    consent = form().consent.model_copy(update={"other_contacts": copied})
    consulted = form(consent=consent, police_consultation=CONSULTED)

    assert _said(enquiry(filled=consulted)) == ["RFI-12"]
    assert _said(enquiry(filled=form(police_consultation=CONSULTED))) == []


def test_the_full_reason_to_two_kinds_of_agency_is_worth_a_word() -> None:
    """RFI-16: one of them with a text of its own is enough to end it."""
    consulted = form(police_consultation=CONSULTED)
    both = planned(), planned("testford-health")
    own = planned(), planned("testford-health", reason="an injury with an explanation that does not fit")

    assert _said(enquiry(*both, filled=consulted)) == ["RFI-16"]
    assert _said(enquiry(*own, filled=consulted)) == []


@pytest.mark.parametrize("rag", ["RED", "AMBER"])
def test_a_crime_without_a_police_consultation_is_worth_a_word_and_stops_nothing(rag: str) -> None:
    """TRI-04: RED is not delayed by it."""
    about = enquiry(rag=rag)

    assert _said(about) == ["TRI-04"]
    assert against(about) == []
    assert _said(enquiry(rag=rag, filled=form(police_consultation=CONSULTED))) == []


def test_nothing_is_said_where_no_crime_and_no_risk_is_indicated() -> None:
    """TRI-04 is for what its text names."""
    persons = {key: one.model_copy(update={"alleged_perpetrator": False}) for key, one in form().persons.items()}

    assert _said(enquiry(filled=form(persons=persons))) == []
    assert _said(enquiry(filled=form(persons=persons, crime_or_immediate_risk=True))) == ["TRI-04"]


def _sealed(wording: str) -> Arrived:
    held = office.item("sealed", "decision_maker", wording=wording)
    return office.answered("testford-police").model_copy(update={"sealed": SealedPart(items=(held,))})


@pytest.mark.parametrize(
    ("rationale", "said"),
    [
        ("he is said to carry a knife when collecting debts", True),
        ("HE IS SAID, to carry a knife", True),
        ("violence, planned flight, eight answers seen", False),
        ("is said to carry", False),
    ],
)
def test_a_rationale_that_quotes_a_sealed_part_is_worth_a_word(rationale: str, said: bool) -> None:
    """DIS-02: five words in a row, whatever the case and the punctuation."""
    warned = before_deciding([_sealed("He is said to carry a knife.")], rationale, "next")

    assert bool(warned) is said
    assert "knife" not in " ".join(warned)


def test_a_call_to_somebody_who_has_answered_is_not_waited_for() -> None:
    """SLA-02: the prompt closes with the answer, and says so."""
    police, health = (
        PhonePrompt(prompt=whom, participant=whom, cause="issue", raised_at=NOW, due_at=NOW)
        for whom in ("testford-police", "testford-health")
    )
    closed = with_calls_answered(enquiry(prompts=(police, health)), "testford-police", how="answered", at=NOW)

    assert [one.made_at for one in closed.prompts] == [NOW, None]
    assert closed.prompts[1] == health
