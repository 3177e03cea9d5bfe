"""LAW-01 to LAW-30 on the sending path: what nobody wrote down stops the answer, with its number and what to do."""

from datetime import timedelta
from typing import Any

import pytest

from adapters.kit.desk.proposal import Bench, Proposal
from adapters.kit.desk.request_file import Candidate, RequestFile, withheld
from adapters.kit.disclosure import load_pack
from adapters.kit.lawful.standing import Standing
from adapters.kit.users import Users
from deploy.demo.lawful import written
from schemas.content.codes import Outcome
from schemas.content.lawfulness import Advice, LawfulNotes, RecordNotes, Weighing
from schemas.content.rfi import LawfulBasis
from tests.unit.desk.office import NOW, candidate, file, record

BASIS = LawfulBasis(
    article_6="e",
    article_9="g",
    schedule_1_condition=18,
    article_10="schedule_1_condition",
    appropriate_policy_document="apd-1",
)
STANDING = Standing(basis=BASIS, consent_records_read_by=("safeguarding_lead",), consent_records_kept="as the record")
USERS = Users.from_plain(
    {
        "by_id": {
            "lead": {"name": "L. Sample-Test", "job_title": "lead", "trained_on": "2026-09-01"},
            "stale": {"name": "S. Sample-Test", "job_title": "lead", "trained_on": "2024-09-01"},
        }
    }
)
SHARED: dict[str, Any] = {"record_type": "property_inspection"}
CONFIDED: dict[str, Any] = {**SHARED, "in_confidence": True, "answers": ("neglect",)}


def proposal(
    *candidates: Candidate, notes: LawfulNotes | None = None, standing: Standing = STANDING, **changes: Any
) -> Proposal:
    """Give what stands against a file with these records; by default one that may be shared."""
    own = candidates or (candidate(record=record(**SHARED)),)
    return judged(file(candidates=own, lawful=notes, **changes), standing=standing)


def judged(about: RequestFile, *, standing: Standing = STANDING, users: Users = USERS) -> Proposal:
    """Ask the rules and the law about a file."""
    return Proposal.of(about, by=Bench(load_pack("housing"), standing, users, NOW))


def filled(*candidates: Candidate, standing: Standing = STANDING) -> LawfulNotes:
    """Give the form for these records with everything filled in that it leaves to a person."""
    return written(proposal(*candidates, standing=standing).form(standing=standing))


def laws(about: Proposal) -> list[str]:
    """Give the requirements that stop the answer."""
    return [one.partition(":")[0] for one in about.objections if one.startswith(("LAW-", "DIS-"))]


def confided(**changes: Any) -> Candidate:
    """Give a record that leaves only by overriding a confidence."""
    return candidate(record=record(**{**CONFIDED, **changes}))


def test_an_answer_that_nobody_has_shown_to_be_lawful_is_stopped_with_every_number() -> None:
    """LAW-08, 12, 22, 23, 24: missing data means no, and the last line says what to do."""
    stopped = proposal()

    assert set(laws(stopped)) == {"LAW-08", "LAW-12", "LAW-22", "LAW-23", "LAW-24"}
    assert "mash respond form" in stopped.objections[-1]


def test_an_answer_whose_form_is_filled_in_has_no_finding() -> None:
    """The form of the product is enough: nothing else has to be found out."""
    assert laws(proposal(notes=filled())) == []


def test_an_agency_that_has_settled_no_basis_releases_nothing() -> None:
    """LAW-09: the basis is the holder's own, and it is not taken from the request."""
    bare = Standing()
    findings = laws(proposal(notes=filled(standing=bare), standing=bare))

    assert "LAW-09" in findings
    assert any("adapter.toml" in one for one in proposal(standing=bare).objections)


@pytest.mark.parametrize(
    ("category", "cleared", "number"),
    [
        ("health", {"article_9": None}, "LAW-10"),
        ("health", {"appropriate_policy_document": None}, "LAW-11"),
        ("criminal", {"article_10": None}, "LAW-14"),
        ("housing", {"article_6": "f"}, "LAW-09"),
    ],
)
def test_a_basis_that_does_not_bear_the_category_stops_it(category: str, cleared: dict[str, Any], number: str) -> None:
    """LAW-09 to LAW-14 are asked about each record that leaves."""
    one = candidate(record=record(**SHARED, category=category))
    lacking = STANDING.model_copy(update={"basis": BASIS.model_copy(update=cleared)})

    assert number in laws(proposal(one, notes=filled(one), standing=lacking))


def test_a_confidence_is_not_overridden_before_the_seven_questions_are_answered() -> None:
    """LAW-20: held until answered; LAW-19's gate is the one that the rules found open."""
    form = proposal(confided()).form(standing=STANDING)

    assert form.records["HOU-01"].confidence_gate == "protection"
    assert "LAW-20" in laws(proposal(confided(), notes=form))
    assert laws(proposal(confided(), notes=filled(confided()))) == []


def test_an_objection_is_decided_on_before_its_record_leaves() -> None:
    """LAW-26: a person's refusal is shown, and held until somebody has said why it is shared."""
    refused = confided(consent="refused")
    undecided = filled(refused)
    own = undecided.records["HOU-01"].model_copy(update={"objection_decided": " "})

    assert laws(proposal(refused, notes=undecided.model_copy(update={"records": {"HOU-01": own}}))) == ["LAW-26"]


def test_consent_that_nobody_recorded_is_no_consent() -> None:
    """LAW-02 and LAW-04: the record says "given", and who, when and how is written nowhere."""
    given = confided(consent="given")

    assert {"LAW-02", "LAW-04"} <= set(laws(proposal(given, notes=filled(given))))


def test_a_safety_matter_is_not_withheld_before_both_sides_are_weighed() -> None:
    """LAW-30: by a professional, or by the rules; the child comes first."""
    held = withheld(confided(), "MORE_DETRIMENTAL_TO_CHILD", "he reads her post", at=NOW, by="lead")
    both = RecordNotes(weighing=Weighing(if_shared="he learns of it", if_not_shared="less is known", child_first=True))
    weighed = withheld(confided(), "MORE_DETRIMENTAL_TO_CHILD", "he reads her post", at=NOW, by="lead", notes=both)

    assert laws(proposal(held)) == ["LAW-30"]
    assert laws(proposal(weighed)) == []
    assert laws(proposal(held, notes=LawfulNotes(records={"HOU-01": both}))) == []


def test_a_refusal_under_the_2026_duty_says_what_it_rests_on() -> None:
    """LAW-27: harm to the child, or a restriction by law; "not verified" is neither."""
    one = withheld(candidate(record=record(**SHARED)), "OPINION_UNVERIFIED", "hearsay", at=NOW, by="lead")
    said = LawfulNotes(records={"HOU-01": RecordNotes(rests_on="legal_restriction")})

    assert laws(proposal(one)) == ["LAW-27"]
    assert laws(proposal(one, notes=said)) == []


def test_silence_is_kept_only_after_another_way_was_considered() -> None:
    """DIS-22: a sealed or spoken word to the decision maker, and what came of it."""
    silent = candidate(record=record(**SHARED, flags=("covert_source",)))
    said = LawfulNotes(records={"HOU-01": RecordNotes(other_route="the lead rings the decision maker")})

    assert laws(proposal(silent)) == ["DIS-22"]
    assert laws(proposal(silent, notes=said)) == []


def test_a_referral_and_a_nil_need_no_form() -> None:
    """Nothing leaves: the checklist is for what does."""
    assert laws(proposal(candidate(record=record(**SHARED, originator="police")))) == []
    assert laws(judged(file(candidates=()))) == []


def test_the_form_is_filled_in_where_the_request_and_the_decisions_settle_it() -> None:
    """LAW-24: eight of ten; what only a person can say is left open."""
    form = proposal().form(standing=STANDING)
    empty = {name for name, said in form.answer.checklist.model_dump().items() if said is None}

    assert empty == {"pseudonymised", "objections"}
    assert form.answer.not_informed_reason == "risk_to_someone"
    assert form.answer.paragraph_18 is not None
    assert (form.answer.paragraph_18.age, form.answer.paragraph_18.substantial_public_interest) == (6, False)
    assert form.answer.human_rights.aim is None


def test_a_record_that_is_found_later_is_added_to_the_form_and_loses_nothing() -> None:
    """A second look-up after the form was filled in."""
    notes = filled()
    later = confided()
    both = proposal(candidate("HOU-00", record=record("HOU-00", **SHARED)), later, notes=notes)

    assert both.form(standing=STANDING).answer == notes.answer
    assert "HOU-01" in both.form(standing=STANDING).records
    assert "LAW-20" in laws(both)


def test_late_advice_warns_and_stops_nothing() -> None:
    """LAW-28: asked long ago, unanswered past half of the clock."""
    asked = Advice(of="legal", asked_at=NOW - timedelta(days=30))
    warned = proposal(notes=filled(), advice=(asked,))

    assert any(one.startswith("LAW-28") for one in warned.warnings)
    assert laws(warned) == []


def test_who_acted_without_a_current_refresher_is_named_in_a_warning() -> None:
    """GOV-15: the author's; an approver's is refused (RSP-19)."""
    worded = candidate(record=record(**SHARED, summary="seen"), worded_by="stale")
    current = candidate(record=record(**SHARED, summary="seen"), worded_by="lead")

    assert [one for one in proposal(worded).warnings if one.startswith("GOV-15")] != []
    assert "Sample-Test" not in " ".join(proposal(worded).warnings)
    assert [one for one in proposal(current).warnings if one.startswith("GOV-15")] == []


def test_a_proposal_that_leaves_is_what_the_rules_said() -> None:
    """The law closes and never opens: no outcome changes by the form."""
    assert [one.outcome for one in proposal().judged] == [one.outcome for one in proposal(notes=filled()).judged]
    assert [one.outcome for one in proposal().judged] == [Outcome.SHARE]
