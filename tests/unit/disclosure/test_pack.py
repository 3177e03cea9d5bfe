"""A rule pack that starts: what it decides can be told apart and repeated, and repeats nothing that it was told."""

import pytest

from adapters.kit.disclosure import RulePackInvalidError, gaps, load_pack, wrong_route
from schemas.agency import AGENCY_KINDS
from schemas.content.codes import Outcome
from tests.unit.disclosure.asking import a_record, a_request, pack_with


@pytest.mark.parametrize("kind", AGENCY_KINDS)
def test_every_kind_of_agency_has_a_pack_that_starts(kind: str) -> None:
    """Fourteen agencies, fourteen packs, each of its own kind and hash."""
    assert load_pack(kind).kind == kind
    assert len({load_pack(one).hash for one in AGENCY_KINDS}) == len(AGENCY_KINDS)


def test_there_is_no_pack_of_an_unknown_kind() -> None:
    """An agency that nobody knows has no rules, and without rules nothing is decided."""
    with pytest.raises(RulePackInvalidError, match="fourteen"):
        load_pack("post_office")


def test_a_pack_has_another_hash_when_a_letter_of_any_file_changes() -> None:
    """Every decision stores the hash, so two that differ have to differ in it."""
    hashes = {
        load_pack("fire").hash,
        pack_with("fire", own="// a").hash,
        pack_with("fire", common="// a").hash,
        pack_with("fire", facts="# a").hash,
        pack_with("fire", schema="// a").hash,
    }

    assert len(hashes) == 5


def test_a_request_that_was_put_to_another_agency_is_not_answered() -> None:
    """A request that went astray is nobody's to answer but the one who was asked."""
    assessment = load_pack("police").assess(a_request("fire"), [a_record()])

    assert [decision.outcome for decision in assessment.decisions] == [Outcome.WITHHOLD]
    assert assessment.wrong_route == ("WRONG_ROUTE",)
    assert assessment.decisions[0].determined_by == ("route-not-the-holder-asked",)


def test_a_route_that_was_judged_before_is_judged_by_its_own_facts() -> None:
    """What a pack remembers of one request is never the answer to another, however many came in between."""
    pack = load_pack("fire")
    purposes = [f"another purpose {number}" for number in range(300)]

    for purpose in purposes:
        assert pack.wrong_route(a_request("fire")) == ()
        (closed,) = pack.wrong_route(a_request("fire", purpose=purpose))
        assert closed.id == "route-purpose-not-agreed"
    (other,) = pack.wrong_route(a_request("fire", open_case={"status": "open"}))
    assert other.id == "route-case-is-open"
    assert len(pack.routes) <= 256


def test_decisions_come_in_the_order_of_the_records() -> None:
    """The desk lays decisions beside records by position."""
    records = [a_record(record_id=name, flags=flags) for name, flags in (("a", []), ("b", ["draft"]), ("c", []))]
    assessment = load_pack("fire").assess(a_request(), records)

    assert [(one.record_id, str(one.outcome)) for one in assessment.decisions] == [
        ("a", "share"),
        ("b", "withhold"),
        ("c", "share"),
    ]


def test_an_approval_counts_for_its_own_record_alone() -> None:
    """An approver has read the record that they approve, and no other."""
    records = [a_record(record_id="a"), a_record(record_id="b")]
    lead = frozenset({"fire_safeguarding_lead"})
    decisions = load_pack("fire").assess(a_request(), records, approvals={"a": lead}).by_record()

    assert decisions["a"].approvals_needed == ()
    assert decisions["a"].released
    assert decisions["b"].approvals_needed == ("fire_safeguarding_lead",)
    assert not decisions["b"].released


def test_what_is_withheld_or_referred_is_never_released_however_many_approve() -> None:
    """An approval takes a role off a list; it opens nothing (§1.3)."""
    records = [a_record(flags=["draft"]), a_record(originator="police"), a_record(gsc="SECRET"), a_record(flags=["x"])]
    everybody = frozenset({"fire_safeguarding_lead", "security_officer", "summary_author", "legal_services"})
    for record in records:
        (decision,) = load_pack("fire").assess(a_request(), [record], approvals={"rec-1": everybody}).decisions

        assert decision.approvals_needed == ()
        assert not decision.released


def test_a_decision_is_the_same_when_it_is_asked_again() -> None:
    """The final send asks once more, and what was approved must be what is sent."""
    record, request = a_record(in_confidence=True, answers=["harm"]), a_request()

    assert load_pack("fire").assess(request, [record]) == load_pack("fire").assess(request, [record])


def test_an_approval_does_not_change_what_it_was_given_for() -> None:
    """The facts' hash is what an approval is held against, so it cannot depend on approvals."""
    pack, lead = load_pack("fire"), frozenset({"fire_safeguarding_lead"})
    (before,) = pack.assess(a_request(), [a_record()]).decisions
    (after,) = pack.assess(a_request(), [a_record()], approvals={"rec-1": lead}).decisions

    assert before.facts_hash == after.facts_hash


@pytest.mark.parametrize("change", [{"text": "another fire"}, {"summary": "a wording"}, {"answers": ["harm"]}])
def test_a_record_that_was_changed_after_its_approval_has_other_facts(change: dict[str, object]) -> None:
    """Somebody edits the wording after the lead has approved it: the hash no longer agrees."""
    (before,) = load_pack("fire").assess(a_request(), [a_record()]).decisions
    (after,) = load_pack("fire").assess(a_request(), [a_record(**change)]).decisions

    assert before.facts_hash != after.facts_hash


def test_no_decision_repeats_the_text_of_a_record() -> None:
    """What is stored beside a decision is codes and a hash."""
    (decision,) = load_pack("fire").assess(a_request(), [a_record(text="KITCHEN", summary="HALLWAY")]).decisions

    assert "KITCHEN" not in decision.facts + repr(decision)
    assert "HALLWAY" not in decision.facts + repr(decision)


def test_no_decision_names_a_person_in_its_repr() -> None:
    """A repr ends in a traceback, and a traceback in a log."""
    record = a_record(mentions=["other:Una Vale-Test"])
    (decision,) = load_pack("fire").assess(a_request(), [record]).decisions

    assert "Una" in str(decision.as_plain())
    assert "Una" not in repr(decision)


def test_a_record_that_is_withheld_as_irrelevant_does_not_tell_why_else_it_is_closed() -> None:
    """A refusal shows its reason class: it must not be the way in which a live investigation becomes known."""
    (decision,) = load_pack("fire").assess(a_request(), [a_record(flags=["live_investigation"], answers=[])]).decisions

    assert set(decision.reasons) == {"NOT_RELEVANT", "LIVE_INVESTIGATION"}
    assert decision.grounds == ("NOT_RELEVANT",)


def test_records_without_a_name_are_told_apart() -> None:
    """Two decisions of the same name would make one approval count twice."""
    records = [a_record(record_id=None), a_record(record_id=None)]
    assessment = load_pack("fire").assess(a_request(), records)

    assert [decision.record_id for decision in assessment.decisions] == ["record-1", "record-2"]


def test_the_coordinators_side_learns_the_same_gaps_and_routes() -> None:
    """A request that our own console lets go is never one that our own rules send back."""
    broken = a_request("fire", reason="")

    assert gaps(broken) == load_pack("fire").assess(broken, [a_record()]).bounce
    assert [gap.requirement for gap in gaps(broken)] == ["RFI-07"]
    assert wrong_route(a_request("fire", open_case={"status": "open"}))[0].startswith("The child's case is open")
    assert wrong_route(a_request("fire")) == ()
