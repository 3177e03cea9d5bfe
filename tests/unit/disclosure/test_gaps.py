"""Is a request whole: every gap names its requirement, its field, and what to do."""

from typing import Any

import pytest

from adapters.kit.disclosure import gaps
from adapters.kit.disclosure.gaps import find_warnings
from adapters.kit.disclosure.pack import load_pack
from tests.unit.disclosure.asking import a_request

NOT_THE_BASIS: dict[str, Any] = {"agreement": {"consent_position": "not_the_basis"}}
GAPS: list[tuple[str, dict[str, Any], list[tuple[str, str, str]]]] = [
    ("fire", {"requester": {"name": " "}}, [("REQUESTER_NAME", "RFI-04", "requester.name")]),
    ("fire", {"requester": {"role": None}}, [("REQUESTER_ROLE", "RFI-04", "requester.role")]),
    ("fire", {"requester": {"address": ""}}, [("REQUESTER_ADDRESS", "RFI-04", "requester.address")]),
    ("fire", {"requester": {"telephone": ""}}, [("REQUESTER_TELEPHONE", "RFI-04", "requester.telephone")]),
    ("fire", {"requester": {"call_back": None}}, []),
    ("fire", {"reason": "\t"}, [("REASON", "RFI-07", "reason")]),
    ("fire", {"purpose": ""}, [("PURPOSE", "RFI-07", "purpose")]),
    ("fire", {"previous_enquiries": None}, [("PREVIOUS_ENQUIRIES", "RFI-08", "previous_enquiries")]),
    ("fire", {"previous_enquiries": "none"}, []),
    ("fire", {"rag": "PURPLE"}, [("RATING", "RFI-02", "rag")]),
    ("fire", {"persons": {"ivy": {"role": "child"}}}, [("SUBJECT_CHILD", "RFI-05", "persons")]),
    ("fire", {"persons": {"max": {"dob": None}}}, [("CHILD_AGE", "RFI-18", "persons.max")]),
    ("fire", {"persons": {"nora": {"dob": None}}}, []),
    ("fire", {"stage": "soon"}, [("STAGE", "RFI-07", "stage")]),
    ("fire", {"stage": "s47"}, [("STAGE_DECISION", "RFI-07", "stage_decision_ref")]),
    ("fire", {"stage": "s17"}, []),
    ("fire", {"recipients": {"fire": {"questions": []}}}, [("QUESTIONS", "RFI-09", "recipient.questions")]),
    ("fire", {"consent": {"children": {"status": ""}}}, [("CONSENT_STATUS", "RFI-12", "consent.children.status")]),
    (
        "fire",
        {"consent": {"other_contacts": {"explanation": None}}},
        [("CONSENT_EXPLANATION", "RFI-12", "consent.other_contacts.explanation")],
    ),
    ("fire", {"consent": {"children": {"status": "given", "explanation": None}}}, []),
    ("fire", {"consent": {"override": {"by": "team_manager"}}}, [("CONSENT_OVERRIDE", "LAW-06", "consent.override")]),
    ("fire", {"consent": {"override": {"ground": "busy"}}}, [("CONSENT_OVERRIDE", "LAW-06", "consent.override")]),
    ("fire", {**NOT_THE_BASIS, "consent": {"override": None}}, []),
    (
        "fire",
        {"agreement": {"consent_position": "as we like"}, "consent": {"override": None}},
        [("CONSENT_OVERRIDE", "LAW-06", "consent.override")],
    ),
    (
        "fire",
        {**NOT_THE_BASIS, "consent": {"parents": {"status": ""}}},
        [("CONSENT_STATUS", "RFI-12", "consent.parents.status")],
    ),
    ("fire", {"gateways": []}, [("GATEWAY", "LAW-17", "gateways")]),
    ("dwp", {"gateways": ["lga1972_s111"]}, [("GATEWAY", "LAW-17", "gateways")]),
    ("dwp", {"gateways": ["lga1972_s111", "ca1989_s47"]}, []),
    (
        "idva",
        {"recipients": {"idva": {"public_task_statement": False}}},
        [("PUBLIC_TASK", "RFI-17", "recipient.public_task_statement")],
    ),
    ("fire", {"recipients": {"fire": {"public_task_statement": None}}}, []),
    ("fire", {"recipients": {"fire": {"regime": "dpa_part3"}}}, [("PART_3", "LAW-15", "recipient.regime")]),
    ("fire", {"recipients": {"fire": {"regime": "part_9"}}}, [("REGIME", "LAW-15", "recipient.regime")]),
    ("yot", {"recipients": {"yot": {"regime": "dpa_part3"}}}, []),
    (
        "ukvi",
        {"recipients": {"ukvi": {"belief_of_involvement": " "}}},
        [("BELIEF", "TRI-08", "recipient.belief_of_involvement")],
    ),
    ("fire", {"recipients": {"fire": {"belief_of_involvement": None}}}, []),
]


@pytest.mark.parametrize(("agency", "change", "expected"), GAPS)
def test_a_request_has_exactly_the_gaps_that_it_has(
    agency: str, change: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    """A gap that is not named cannot be mended, and one that is not there costs a working day (RFI-15)."""
    found = gaps(a_request(agency, **change))

    assert [(gap.code, gap.requirement, gap.where) for gap in found] == expected
    assert all(gap.message.endswith(".") for gap in found)


def test_a_whole_request_has_no_gap() -> None:
    """Sefton §2.6, completed in full."""
    assert gaps(a_request("fire")) == ()


@pytest.mark.parametrize(
    ("agency", "change", "codes"),
    [
        ("fire", {}, []),
        ("probation", {"recipients": {"probation": {"belief_of_involvement": None}}}, ["BELIEF"]),
        ("yot", {"recipients": {"yot": {"belief_of_involvement": None}}}, ["BELIEF"]),
        ("fire", {"gateways": ["localism2011_s1"]}, ["GENERAL_POWER"]),
        ("fire", {"gateways": ["localism2011_s1", "ca2004_s10"]}, []),
        ("fire", {"agreement": {"review_due": "2026-11-23"}}, ["REVIEW_OVERDUE"]),
        ("fire", {**NOT_THE_BASIS, "consent": {"override": None}}, ["CONSENT_OVERRIDE"]),
        ("fire", NOT_THE_BASIS, []),
        ("fire", {"agreement": {"review_due": "2026-11-24"}}, []),
    ],
)
def test_a_warning_is_said_and_changes_nothing(agency: str, change: dict[str, Any], codes: list[str]) -> None:
    """A warning is no gap: the request is worked."""
    request = a_request(agency, **change)

    assert [gap.code for gap in find_warnings(request, agency=load_pack(agency).agency)] == codes
    assert gaps(request) == ()


def test_a_gap_goes_back_under_names_that_the_requester_knows() -> None:
    """What is stored, printed and sent back is the whole gap: which, by which requirement, where, and what to do."""
    (gap,) = gaps(a_request("fire", reason=""))

    assert gap.as_plain() == {
        "code": "REASON",
        "requirement": "RFI-07",
        "where": "reason",
        "message": "Say why the agencies are asked.",
    }


@pytest.mark.parametrize(
    ("agency", "message"),
    [
        ("fire", "Name the statutory gateway."),
        ("dwp", "Name the statutory gateway; for this recipient a general power is none."),
    ],
)
def test_a_missing_gateway_says_whether_a_general_power_would_do(agency: str, message: str) -> None:
    """LAW-17: who named a general power already has to read why it was not enough."""
    (gap,) = gaps(a_request(agency, gateways=[]))

    assert gap.message == message


@pytest.mark.parametrize(
    ("agency", "change", "said"),
    [
        ("fire", {"gateways": ["localism2011_s1"]}, ("GENERAL_POWER", "LAW-17", "gateways")),
        ("fire", {"agreement": {"review_due": "2026-11-23"}}, ("REVIEW_OVERDUE", "GOV-08", "agreement.review_due")),
        (
            "yot",
            {"recipients": {"yot": {"belief_of_involvement": None}}},
            ("BELIEF", "TRI-08", "recipient.belief_of_involvement"),
        ),
    ],
)
def test_a_warning_names_its_requirement_and_its_field_as_a_gap_does(
    agency: str, change: dict[str, Any], said: tuple[str, str, str]
) -> None:
    """Whoever mends it for the next request finds it under the same names."""
    (gap,) = find_warnings(a_request(agency, **change), agency=load_pack(agency).agency)

    assert (gap.code, gap.requirement, gap.where) == said
    assert gap.message.endswith(".")
