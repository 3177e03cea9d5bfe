"""The invariants of the disclosure rules (§4), over generated requests, records, approvals and rule sets.

`MASH_EXAMPLES` says how many cases each property gets; 10,000 is the long form.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as some

from adapters.kit.disclosure import Decision, Pack, RuleFiles, build_pack, installed_files, load_pack
from adapters.kit.disclosure.reading import read_record
from adapters.kit.disclosure.vocabulary import STAND_ON_AN_INDICATOR
from schemas.content.codes import Audience, Outcome
from schemas.content.record import Record
from schemas.content.rfi import RequestForInformation
from tests.properties.disclosure_world import (
    STRANGER,
    approvals,
    kinds,
    plain_facts,
    plain_records,
    records,
    requests,
    rules,
    strictness,
)
from tests.unit.disclosure.asking import a_request

EXAMPLES = int(os.environ.get("MASH_EXAMPLES", "100"))
thorough = settings(max_examples=EXAMPLES, deadline=None, database=None)
CONTENT = {Outcome.SHARE, Outcome.SUMMARISE}


NOBODY: frozenset[str] = frozenset()
POLICE_ORIGINS: tuple[dict[str, object], ...] = (
    {"originator": "police"},
    {"record_type": "police_log"},
    {"category": "police_intelligence"},
    {"contains_other_origin": ["police"]},
    {"contains_other_origin": ["health", "police"], "summary": "she says so"},
)


def decide(kind: str, request: RequestForInformation, record: Record, approved: frozenset[str] = NOBODY) -> Decision:
    """Decide on one record by the installed rules."""
    name = record.record_id or "record-1"
    return load_pack(kind).assess(request, [record], approvals={name: approved}).decisions[0]


@cache
def with_rule(kind: str, rule: str) -> Pack:
    """Build the pack of `kind` with one rule more."""
    files = installed_files(kind)
    return build_pack(kind, files=RuleFiles(files.schema, files.common, f"{files.own}\n{rule}", files.facts))


@dataclass(frozen=True)
class Decided:
    """One generated example: what was asked about which record with which approvals, and what the rules said."""

    kind: str
    request: RequestForInformation
    record: Record
    approved: frozenset[str]
    decision: Decision

    @property
    def seen(self) -> Mapping[str, Any]:
        """The facts that the decision rested on."""
        record: Mapping[str, Any] = plain_facts(self.decision.facts)["record"]
        return record


def a_silent_withhold_carries_nothing_that_could_tell_it_from_a_nil(one: Decided) -> bool:
    """Invariant 1: neither audience, condition, referral, sealed part nor a content alert goes with silence."""
    decision = one.decision
    bare = (decision.onward, decision.conditions, decision.sealed_for, decision.refer_to) == ((), (), (), ())
    return decision.outcome is not Outcome.WITHHOLD_SILENT or (bare and set(decision.alerts) <= {"security"})


def nothing_that_leaves_names_a_person_absent_from_the_request(one: Decided) -> bool:
    """Invariant 3: the text leaves only where it names nobody else, a wording only once it has been looked at."""
    decision, record = one.decision, one.record
    absent = {who for who in (*record.subjects, *record.mentions) if who not in one.request.persons}
    if decision.outcome is Outcome.SHARE and absent:
        return False
    if decision.outcome is Outcome.SUMMARISE and not absent <= set(decision.redact):
        return False
    leaves = (decision.outcome in CONTENT or decision.sealed_for) and decision.released
    named = re.search(r"\b(una|vale)\b", record.summary or "", re.IGNORECASE)
    return not (STRANGER in absent and leaves and named)


def the_audiences_are_among_the_agencys_own(one: Decided) -> bool:
    """Invariant 4: every rule narrows; none adds, and family, referrer and others are never in the list."""
    (receivers,) = (rule for rule in load_pack(one.kind).own if rule.id.endswith("-receivers"))
    onward = set(one.decision.onward)
    never = onward & {Audience.FAMILY, Audience.REFERRER, Audience.NAMED_OTHER}
    return onward <= set(receivers.words("onward")) and not never and (one.decision.outcome in CONTENT or not onward)


def no_personal_value_stands_in_what_is_printed(one: Decided) -> bool:
    """Invariant 8: a decision that finds its way into a log or a traceback says nothing about anybody."""
    private = (one.record.text, one.record.summary, STRANGER, *(p.name for p in one.request.persons.values()))
    shown = repr(one.decision)
    return not any(word and len(word) > 3 and word in shown for word in private)


def every_withhold_has_a_ground(one: Decided) -> bool:
    """Invariant 9: a refusal without a reason is an error; a request that goes back has its gaps instead."""
    decision = one.decision
    refused = decision.outcome in {Outcome.WITHHOLD, Outcome.WITHHOLD_SILENT}
    grounded = not refused or bool(decision.grounds) is (decision.bounce is None)
    return grounded and set(decision.grounds) <= set(decision.reasons)


def every_release_out_of_confidence_has_a_confidence_test(one: Decided) -> bool:
    """Invariant 9: whether by consent or by protection, the seven questions are answered and stored."""
    decision = one.decision
    if decision.outcome not in CONTENT:
        return True
    seen = one.seen
    if not (seen["in_confidence"] or seen["stance"] in {"refused", "withdrawn"}):
        return True
    close = set(decision.onward) <= {"decision_maker", "assessing_social_worker", "police"}
    open_gate = seen["stance"] == "given" or seen["protects"]
    return "confidence_test_recorded" in decision.conditions and bool(open_gate) and close


def an_indicator_gives_nothing_away(one: Decided) -> bool:
    """§2: of all conditions only a few may stand on one; no onward list, no originator, no new rating."""
    decision = one.decision
    if decision.outcome is not Outcome.INDICATE_ONLY:
        return True
    bare = (decision.onward, decision.refer_to) == ((), ()) and "re_rate" not in decision.alerts
    return bare and set(decision.conditions) <= STAND_ON_AN_INDICATOR


def nothing_sensitive_leaves_without_a_named_approver(one: Decided) -> bool:
    """RSP-18: with nobody's approval only a listed low-risk type may leave, and only as plain confirmed fact."""
    if not one.decision.released or one.approved:
        return True
    seen = one.seen
    plain = (one.record.nature, one.record.match, seen["flags"], seen["in_confidence"]) == (
        "fact",
        "confirmed",
        [],
        False,
    )
    return one.decision.outcome is Outcome.SHARE and "low_risk" in seen["traits"] and plain


INVARIANTS = (
    a_silent_withhold_carries_nothing_that_could_tell_it_from_a_nil,
    nothing_that_leaves_names_a_person_absent_from_the_request,
    the_audiences_are_among_the_agencys_own,
    no_personal_value_stands_in_what_is_printed,
    every_withhold_has_a_ground,
    every_release_out_of_confidence_has_a_confidence_test,
    an_indicator_gives_nothing_away,
    nothing_sensitive_leaves_without_a_named_approver,
)


@thorough
@given(data=some.data(), kind=kinds)
def test_every_invariant_of_one_decision_holds(data: some.DataObject, kind: str) -> None:
    """Invariants 1, 3, 4, 8 and 9, each a function above: one generated decision is held against all of them."""
    request, record = data.draw(requests(kind)), data.draw(records(kind))
    approved = data.draw(some.one_of(some.just(NOBODY), approvals(kind)))
    one = Decided(kind, request, record, approved, decide(kind, request, record, approved))

    assert [invariant.__name__ for invariant in INVARIANTS if not invariant(one)] == []


@thorough
@given(data=some.data(), kind=kinds)
def test_a_record_more_changes_no_other_decision(data: some.DataObject, kind: str) -> None:
    """Invariant 2: what lies beside a record neither opens nor closes it."""
    request, record = data.draw(requests(kind)), data.draw(records(kind))
    others = data.draw(some.lists(records(kind), max_size=3))
    named = [other.model_copy(update={"record_id": f"other-{number}"}) for number, other in enumerate(others)]
    together = load_pack(kind).assess(request, [*named, record]).decisions[-1]

    assert together == decide(kind, request, record)


@thorough
@given(data=some.data(), kind=kinds, rule=rules)
def test_a_rule_more_never_opens_a_record(data: some.DataObject, kind: str, rule: str) -> None:
    """Invariants 2 and 9: adding one never makes a decision less strict, and what it refuses has a ground."""
    request, record = data.draw(requests(kind)), data.draw(records(kind))
    before = decide(kind, request, record)
    (after,) = with_rule(kind, rule).assess(request, [record]).decisions

    assert every_withhold_has_a_ground(Decided(kind, request, record, NOBODY, after))
    assert strictness(after.outcome) >= strictness(before.outcome)
    if after.outcome is before.outcome:
        assert set(after.approvals_needed) >= set(before.approvals_needed)
        assert set(after.conditions) >= set(before.conditions)
        assert set(after.onward) <= set(before.onward)


@thorough
@given(data=some.data(), kind=kinds)
def test_an_unknown_flag_never_opens_a_record(data: some.DataObject, kind: str) -> None:
    """Invariant 2: what nobody knows closes."""
    request, plain = data.draw(requests(kind)), data.draw(plain_records(kind))
    before = decide(kind, request, read_record(plain))
    after = decide(kind, request, read_record({**plain, "flags": [*plain["flags"], "operation_thicket"]}))

    assert strictness(after.outcome) >= max(strictness(before.outcome), strictness(Outcome.WITHHOLD))


@thorough
@given(data=some.data(), kind=kinds)
def test_the_same_rules_request_record_and_approvals_give_the_same_decision(data: some.DataObject, kind: str) -> None:
    """Invariant 5: the final send asks again and gets what was approved, whatever else is in the response."""
    request = data.draw(requests(kind))
    first = [data.draw(records(kind)).model_copy(update={"record_id": name}) for name in "abc"]
    order = data.draw(some.permutations(first))

    assert load_pack(kind).assess(request, first).by_record() == load_pack(kind).assess(request, order).by_record()


@thorough
@given(data=some.data())
def test_an_idvas_answer_never_holds_the_text_of_a_record_of_police_origin(data: some.DataObject) -> None:
    """Invariant 7: no text that bears police information, and no wording without the police part taken out."""
    tainted = data.draw(some.sampled_from(POLICE_ORIGINS))
    record = read_record({**data.draw(plain_records("idva")), **tainted})
    decision = decide("idva", data.draw(requests("idva")), record)

    assert decision.outcome is not Outcome.SHARE
    assert decision.outcome is not Outcome.SUMMARISE or "origin:police" in decision.redact


@thorough
@given(data=some.data(), kind=kinds)
def test_an_approval_never_changes_more_than_who_is_still_asked(data: some.DataObject, kind: str) -> None:
    """§1.3: it takes its own role off the list, and opens nothing."""
    request, record = data.draw(requests(kind)), data.draw(records(kind))
    fewer = data.draw(approvals(kind))
    more = fewer | data.draw(approvals(kind))
    before, after = decide(kind, request, record, fewer), decide(kind, request, record, more)

    assert (after.outcome, after.conditions, after.onward, after.redact) == (
        before.outcome,
        before.conditions,
        before.onward,
        before.redact,
    )
    assert set(before.approvals_needed) - more <= set(after.approvals_needed) <= set(before.approvals_needed)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_generated_world_reaches_every_outcome(outcome: Outcome) -> None:
    """A property over records that are all withheld would say nothing."""
    request, pack = a_request("police"), load_pack("police")

    def reaches(record: Record) -> bool:
        return pack.assess(request, [record]).decisions[0].outcome is outcome

    assert reaches(find(records("police"), reaches, settings=settings(max_examples=5000, database=None)))
