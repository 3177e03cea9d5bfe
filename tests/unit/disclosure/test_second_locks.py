"""What is locked twice is tried with one lock taken away: the table of types without its rule."""

from dataclasses import replace

import pytest

from adapters.kit.disclosure import Decision, Outcome, build_pack, installed_files
from adapters.kit.disclosure.combine import FAILED, UNMARKED
from tests.unit.disclosure.asking import a_record, a_request, decided, pack_with

SHARED = 'false_alarm = { allows = "share" }'


def _at_most(outcome: str, **fields: object) -> Decision:
    """Decide on a record of a type that the table alone limits."""
    files = installed_files("fire")
    assert SHARED in files.facts
    limited = replace(files, facts=files.facts.replace(SHARED, SHARED.replace("share", outcome)))
    record = a_record(record_type="false_alarm", **fields)
    return build_pack("fire", files=limited).assess(a_request(), [record]).decisions[0]


@pytest.mark.parametrize("outcome", ["share", "summarise", "indicate_only"])
def test_the_table_of_types_alone_keeps_a_record_from_opening_further(outcome: str) -> None:
    """§5: "at most", also where no rule says so a second time."""
    assert _at_most(outcome).outcome == outcome


def test_a_type_that_is_withheld_by_the_table_alone_is_held_for_the_lead() -> None:
    """§1.7: a refusal without a rule has no ground, so somebody has to look; it is never released."""
    decision = _at_most("withhold")

    assert decision.outcome is Outcome.WITHHOLD
    assert decision.approvals_needed == ("fire_safeguarding_lead",)
    assert decision.determined_by[0] == UNMARKED == "nothing-marks-it"


def test_another_agencys_record_of_a_type_that_is_withheld_by_the_table_alone_is_not_referred() -> None:
    """§6.10: what a pack withholds stays withheld, also where somebody else could be asked."""
    decision = _at_most("withhold", originator="police")

    assert decision.outcome is Outcome.WITHHOLD
    assert decision.refer_to == ()


def test_a_type_that_is_indicated_by_the_table_alone_seals_nothing() -> None:
    """§3.4: the sealed part is for live investigations and handling conditions, whatever wording stands ready."""
    assert _at_most("indicate_only", summary="a wording").sealed_for == ()


def test_an_ordinary_refusal_names_its_rule_and_no_fault() -> None:
    """The names that stand for a fault of ours stand for nothing else."""
    refused = decided(answers=[])

    assert "not-relevant" in refused.determined_by
    assert not {FAILED, UNMARKED} & set(refused.determined_by)
    assert FAILED == "a-policy-failed"


def test_what_a_decision_rested_on_is_hashed_by_a_named_function() -> None:
    """The ledger of another year has to know which."""
    one = decided()

    assert one.facts_hash.startswith("sha256:")
    assert len(one.facts_hash) == len("sha256:") + 64
    assert one.facts_hash != decided(answers=["harm"]).facts_hash


def test_a_refusal_raises_no_alert_that_its_rule_bears() -> None:
    """§3.11: what is withheld raises none, except security, which goes to the holder's own officer."""
    rule = """@id("fire-test") @says("A test.") @source("a test") @reason("EXCESSIVE") @alert("re_rate security")
    forbid (principal, action in Action::"more_open_than_withhold", resource);"""
    (decision,) = pack_with("fire", own=rule).assess(a_request(), [a_record()]).decisions

    assert decision.outcome is Outcome.WITHHOLD
    assert decision.alerts == ("security",)


def test_a_rule_that_refers_the_holders_own_record_refers_it_to_nobody_and_so_withholds_it() -> None:
    """A referral without anybody to ask would be an answer that says nothing and looks like one that does."""
    rule = """@id("fire-test") @says("A test.") @source("a test") @reason("SECOND_HAND") @refer_to("controllers")
    forbid (principal, action in Action::"more_open_than_refer_to_originator", resource);"""
    (own, others) = pack_with("fire", own=rule).assess(a_request(), [a_record(), a_record(originator="la")]).decisions

    assert (own.outcome, own.refer_to, own.approvals_needed) == (Outcome.WITHHOLD, (), ("fire_safeguarding_lead",))
    assert (others.outcome, others.refer_to) == (Outcome.REFER_TO_ORIGINATOR, ("la",))
