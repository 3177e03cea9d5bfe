"""LAW-01 to LAW-30: a release that is recorded in full has no finding; each thing that is missing has its number."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.kit.disclosure import load_pack
from adapters.kit.disclosure.cases import overlaid
from adapters.kit.lawful.basis import LONDON
from adapters.kit.lawful.lawfulness import Effect, advice_overdue, prefilled, release_findings, withhold_findings
from schemas.content.lawfulness import Advice, Checklist, ConfidenceTest, ReleaseRecord, WithholdRecord
from tests.unit.disclosure.asking import a_record, a_request

AGREED = {
    "status": "given",
    "given_by": "parent",
    "age": 8,
    "parental_responsibility": True,
    "informed": True,
    "freely_given": True,
    "explicit": True,
    "consequences_explained": True,
    "note": "agreed on the telephone",
    "on": "2026-11-20",
    "method": "verbal",
    "restricted_to": ["social_worker"],
    "retention": "as the child's record",
}
OVERRIDE = {"by": "mash_team_manager", "ground": "would_increase_risk", "rationale": "he reads her telephone"}
WHOLE: dict[str, Any] = {
    "category": "health",
    "holder": "health",
    "public_body": True,
    "basis": {
        "article_6": "e",
        "article_9": "g",
        "schedule_1_condition": 18,
        "article_10": "schedule_1_condition",
        "appropriate_policy_document": "apd-1",
    },
    "gateways": ["ca2004_s10"],
    "not_informed_reason": "risk_to_someone",
    "paragraph_18": {
        "protects": "neglect_or_harm",
        "age": 8,
        "no_consent_reason": "c",
        "substantial_public_interest": True,
    },
    "in_confidence": True,
    "confidence_gate": "protection",
    "confidence_test": dict.fromkeys(ConfidenceTest.model_fields, "answered"),
    "views_of_confider": "asked and agreed",
    "human_rights": {"lawful": True, "necessary": True, "proportionate": True, "aim": "rights_of_others"},
    "necessity": "public_interest",
    "checklist": dict.fromkeys(Checklist.model_fields, "answered"),
    "caldicott_checked": True,
}
ADULT = {"age": 40, "needs_care": True, "experiencing_or_at_risk": True, "unable_to_protect_self": True}
PART_3 = {"regime": "dpa_part3", "holder": "police", "part_3": {"law_enforcement_purpose": True}}
SENSITIVE = {"law_enforcement_purpose": True, "sensitive": True, "strictly_necessary": True, "condition": "3"}

# What is changed about the whole record, and the requirements that then have a finding.
CHANGES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("an agreement and no basis", {"agreement": AGREED, "basis": {"article_6": None}}, ["LAW-01", "LAW-09"]),
    ("a basis and no agreement", {}, []),
    ("a whole agreement", {"agreement": AGREED}, []),
    ("a child of eight agrees", {"agreement": {**AGREED, "given_by": "young_person"}}, ["LAW-02"]),
    ("a parent agrees for a sixteen-year-old", {"agreement": {**AGREED, "age": 16}}, ["LAW-02"]),
    ("a twelve-year-old nobody judged", {"agreement": {**AGREED, "age": 12, "given_by": "young_person"}}, ["LAW-02"]),
    (
        "a competent twelve-year-old",
        {
            "agreement": {
                **AGREED,
                "age": 12,
                "given_by": "young_person",
                "competence_judged_by": "GP",
                "competence_judged_on": "2026-11-01",
            }
        },
        [],
    ),
    ("somebody without responsibility", {"agreement": {**AGREED, "parental_responsibility": False}}, ["LAW-02"]),
    (
        "a parent who is not to know",
        {"do_not_inform_parent": True, "young_person_told": True, "audiences": ["family"]},
        ["LAW-03"],
    ),
    ("a young person who was told nothing", {"do_not_inform_parent": True}, ["LAW-03"]),
    ("an agreement nobody explained", {"agreement": {**AGREED, "consequences_explained": False}}, ["LAW-04"]),
    ("an agreement without date", {"agreement": {**AGREED, "on": None}}, ["LAW-04"]),
    ("an agreement by nod", {"agreement": {**AGREED, "method": "nod"}}, ["LAW-04"]),
    ("a refusal", {"agreement": {**AGREED, "status": "refused"}}, ["LAW-05"]),
    ("a refusal overridden", {"agreement": {**AGREED, "status": "refused"}, "override": OVERRIDE}, []),
    ("an override by a constable", {"override": {**OVERRIDE, "by": "constable"}}, ["LAW-06"]),
    ("an override without words", {"override": {**OVERRIDE, "rationale": " "}}, ["LAW-06"]),
    (
        "a withdrawn agreement that was the gate",
        {"agreement": {**AGREED, "status": "withdrawn"}, "confidence_gate": "consent"},
        ["LAW-07"],
    ),
    ("a withdrawn agreement that was not", {"agreement": {**AGREED, "status": "withdrawn"}}, []),
    ("nobody told, nobody knows why", {"not_informed_reason": "busy"}, ["LAW-08"]),
    ("the person was told", {"not_informed_reason": None, "informed": True}, []),
    ("legitimate interests", {"basis": {"article_6": "f"}}, ["LAW-09"]),
    ("another's task at a public body", {"basis": {"article_6": "ea"}}, ["LAW-09"]),
    ("another's task at a charity", {"basis": {"article_6": "ea"}, "public_body": False}, []),
    ("consent without agreement", {"basis": {"article_6": "a"}}, ["LAW-09"]),
    ("a basis that the agreement does not allow", {"basis": {"article_6": "d"}}, ["LAW-09"]),
    ("no condition for health data", {"basis": {"article_9": None}}, ["LAW-10"]),
    ("explicit consent nobody gave", {"basis": {"article_9": "a"}}, ["LAW-10"]),
    ("a condition that is not allowed", {"basis": {"article_9": "j"}}, ["LAW-10"]),
    ("no special category", {"basis": {"article_9": None}, "category": "housing"}, []),
    ("public interest by paragraph 7", {"basis": {"schedule_1_condition": 7}}, ["LAW-11"]),
    ("no policy document", {"basis": {"appropriate_policy_document": ""}}, ["LAW-11"]),
    ("health purposes without safeguards", {"basis": {"article_9": "h", "schedule_1_condition": 2}}, ["LAW-11"]),
    (
        "health purposes with safeguards",
        {"basis": {"article_9": "h", "schedule_1_condition": 2}, "safeguards_s11": True},
        [],
    ),
    ("no limb of paragraph 18", {"paragraph_18": None}, ["LAW-12"] * 4),
    ("an adult who is not at risk", {"paragraph_18": {"age": 40}}, ["LAW-12"]),
    ("an adult at risk", {"paragraph_18": ADULT}, []),
    ("an adult who could protect herself", {"paragraph_18": {**ADULT, "unable_to_protect_self": False}}, ["LAW-12"]),
    ("no reason for want of consent", {"paragraph_18": {"no_consent_reason": "d"}}, ["LAW-12"]),
    ("no reason at Article 10", {"category": "criminal", "basis": {"article_10": None}}, ["LAW-14"]),
    ("official authority", {"category": "criminal", "basis": {"article_10": None}, "official_authority": True}, []),
    ("Part 3 at a hospital", {**PART_3, "holder": "health"}, ["LAW-15"]),
    ("Part 3 for no such purpose", {**PART_3, "part_3": {"law_enforcement_purpose": False}}, ["LAW-15"]),
    ("Part 3 at the police", PART_3, []),
    ("an invented regime", {"regime": "gdpr_eu"}, ["LAW-15"]),
    ("sensitive without a document", {**PART_3, "part_3": SENSITIVE}, ["LAW-16"]),
    ("sensitive, in full", {**PART_3, "part_3": {**SENSITIVE, "policy_document": "p"}}, []),
    ("sensitive by an invented condition", {**PART_3, "part_3": {**SENSITIVE, "condition": "9"}}, ["LAW-16"]),
    ("no gateway", {"gateways": []}, ["LAW-17"]),
    ("an invented gateway", {"gateways": ["ca2099_s1"]}, ["LAW-17"]),
    ("a general power alone", {"gateways": ["localism2011_s1"]}, ["LAW-17"]),
    ("an exemption that is one", {"exemption": "schedule_2_para_2"}, []),
    ("an exemption that is none", {"exemption": "journalism"}, ["LAW-18"]),
    ("in confidence and no gate", {"confidence_gate": None}, ["LAW-19"]),
    ("six answers of seven", {"confidence_test": {"other_means": " "}}, ["LAW-20"]),
    ("no test at all", {"confidence_test": None}, ["LAW-20"]),
    ("nobody's views sought", {"views_of_confider": None}, ["LAW-21"]),
    ("no legitimate aim", {"human_rights": {"aim": "curiosity"}}, ["LAW-22"]),
    ("not proportionate", {"human_rights": {"proportionate": False}}, ["LAW-22"]),
    ("no human rights record", {"human_rights": None}, ["LAW-22"]),
    ("no necessity", {"necessity": "habit"}, ["LAW-23"]),
    ("nine answers of ten", {"checklist": {"secure": None}}, ["LAW-24"]),
    ("no Caldicott check", {"caldicott_checked": False}, ["LAW-25"]),
    ("an objection nobody decided on", {"objection": True}, ["LAW-26"]),
    ("an objection decided on", {"objection": True, "objection_decided": "overridden: harm"}, []),
    ("an agreement that everybody may read", {"agreement": {**AGREED, "restricted_to": ["all"]}}, ["LAW-29"]),
    ("an agreement that is kept for ever", {"agreement": {**AGREED, "retention": None}}, ["LAW-29"]),
]


def _release(**changes: Any) -> ReleaseRecord:
    return ReleaseRecord.from_plain(overlaid(WHOLE, changes))


@pytest.mark.parametrize(("change", "requirements"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_a_release_has_a_finding_for_each_thing_that_its_record_lacks(
    change: dict[str, Any], requirements: list[str]
) -> None:
    """One change, the findings of its requirement and no other; each message begins with the number."""
    findings = release_findings(_release(**change))

    assert [finding.requirement for finding in findings] == requirements
    assert all(str(finding).startswith(f"{finding.requirement}: ") for finding in findings)


def test_vital_interests_need_somebody_who_cannot_consent() -> None:
    """LAW-13, under an agreement that allows the condition at all."""
    conscious = _release(basis={"article_9": "c"})
    unconscious = _release(basis={"article_9": "c"}, incapable_of_consent=True)

    assert [finding.requirement for finding in release_findings(conscious, allowed=LONDON)] == ["LAW-13"]
    assert release_findings(unconscious, allowed=LONDON) == ()


def test_an_agreement_between_parties_says_which_bases_it_allows() -> None:
    """LAW-09: what Peterborough does not allow, London may."""
    vital = _release(basis={"article_6": "d"})

    assert [finding.effect for finding in release_findings(vital)] == [Effect.BLOCK]
    assert release_findings(vital, allowed=LONDON) == ()


def test_a_red_request_does_not_wait_for_anybodys_views() -> None:
    """LAW-21: seeking views must not stall RED beyond its time."""
    assert release_findings(_release(views_of_confider=None), red=True) == ()


@pytest.mark.parametrize(
    ("number", "effect"),
    [("LAW-19", Effect.HOLD), ("LAW-21", Effect.WARN), ("LAW-23", Effect.BLOCK), ("LAW-25", Effect.WARN)],
)
def test_a_finding_does_what_its_requirement_says(number: str, effect: Effect) -> None:
    """Some stop a release, some hold it until answered, some are only said."""
    bare = _release(confidence_gate=None, views_of_confider=None, necessity=None, caldicott_checked=False)
    effects = {finding.requirement: finding.effect for finding in release_findings(bare)}

    assert effects[number] is effect


NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(("hours", "late"), [(0, False), (4, False), (5, True), (30, True)])
def test_advice_is_missed_at_half_of_the_clock_that_it_does_not_stop(hours: int, late: bool) -> None:
    """LAW-28: ten hours of clock, an alert at five."""
    advice = Advice(of="caldicott_guardian", asked_at=NOW)
    finding = advice_overdue(advice, due_at=NOW + timedelta(hours=10), now=NOW + timedelta(hours=hours))

    assert (finding is not None) is late
    assert finding is None or finding.requirement == "LAW-28"


def test_advice_that_came_is_not_missed() -> None:
    """LAW-28: an answer ends the state."""
    advice = Advice(of="lawyer", asked_at=NOW, answered_at=NOW)

    assert advice_overdue(advice, due_at=NOW, now=NOW + timedelta(days=1)) is None


@pytest.mark.parametrize(
    ("withhold", "gateways", "requirements"),
    [
        ({"ground": "NOT_RELEVANT"}, [], []),
        ({}, [], ["LAW-27"]),
        ({"ground": "BECAUSE"}, [], ["LAW-27"]),
        ({"ground": "OPINION_UNVERIFIED"}, ["ca2004_s16la"], ["LAW-27"]),
        ({"ground": "OPINION_UNVERIFIED", "rests_on": "a feeling"}, ["ca2004_s16la"], ["LAW-27"]),
        ({"ground": "OPINION_UNVERIFIED", "rests_on": "legal_restriction"}, ["ca2004_s16la"], []),
        ({"ground": "NOT_RELEVANT"}, ["ca2004_s16la"], []),
        ({"ground": "NOT_RELEVANT", "safety_relevant": True}, [], ["LAW-30"]),
        ({"ground": "NOT_RELEVANT", "safety_relevant": True, "weighing": {"if_shared": "x"}}, [], ["LAW-30"]),
        (
            {
                "ground": "MORE_DETRIMENTAL_TO_CHILD",
                "safety_relevant": True,
                "weighing": {"if_shared": "he learns of it", "if_not_shared": "less is known", "child_first": True},
            },
            [],
            [],
        ),
    ],
)
def test_a_refusal_has_a_ground_and_where_a_child_is_concerned_both_sides(
    withhold: dict[str, Any], gateways: list[str], requirements: list[str]
) -> None:
    """LAW-27 and LAW-30: no refusal without a ground, none of a safety matter without the weighing."""
    findings = withhold_findings(WithholdRecord.from_plain(withhold), gateways=tuple(gateways))

    assert [finding.requirement for finding in findings] == requirements


def test_what_is_known_already_is_filled_into_the_checklist() -> None:
    """LAW-24: nobody types what the record, the request and the decision settle; nothing else is filled in."""
    record, request = a_record(consent="refused", answers=["harm"]), a_request()
    (decision,) = load_pack("fire").assess(request, [record]).decisions
    checklist = prefilled(record, decision=decision, request=request)

    assert checklist.whose_information == "fire, obtained first_hand"
    assert checklist.lawful_basis == "Article 6(1)(e); ca2004_s10, ca2004_s16la"
    assert checklist.objections == "the person objected"
    assert checklist.need_to_know == "decision_maker, assessing_social_worker"
    assert checklist.pseudonymised is None
    assert checklist.informed is None
