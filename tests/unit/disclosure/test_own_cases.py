"""Worked cases of our own, by clause: the rules agree with all of them, and no rule is without a case that holds it."""

import json
from functools import cache
from pathlib import Path

import pytest

from adapters.kit.disclosure import RuleFiles, RulePackInvalidError, build_pack, installed_files, load_pack
from adapters.kit.disclosure.cases import Case, decide_case, disagreements, read_cases
from adapters.kit.disclosure.cedar import print_policies
from adapters.kit.disclosure.pack import Pack
from adapters.kit.disclosure.policy import Policy
from schemas.agency import AGENCY_KINDS
from tests.unit.disclosure.whole import DECISIONS, in_full

HERE = Path(__file__).parent / "cases"
SEEN = json.loads(DECISIONS.read_text("utf-8"))
CASES = [case for path in sorted(HERE.glob("*.yaml")) if path.name != "context.yaml" for case in read_cases(path)]
RULES = {
    policy.id: kind for kind in AGENCY_KINDS for policy in (*load_pack(AGENCY_KINDS[0]).common, *load_pack(kind).own)
}
# A case is always put to the agency that it is of; test_pack.py puts one to another.
HELD_ELSEWHERE = {"route-not-the-holder-asked"}
COMMON = {policy.id for policy in load_pack(AGENCY_KINDS[0]).common}


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_the_rules_agree_with_a_case_of_ours(case: Case) -> None:
    """Each clause of §3 to §6 of the disclosure rules has a case of its own."""
    decision = decide_case(case, pack=load_pack(case.agency))

    assert list(disagreements(decision, expect=case.expect)) == []


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_a_decision_in_full_is_as_somebody_last_saw_it(case: Case) -> None:
    """Reasons, conditions and rules that a case does not name are held, too: a change of any shows and is signed."""
    assert in_full(decide_case(case, pack=load_pack(case.agency))) == SEEN[case.id]


def test_no_two_cases_have_the_same_name() -> None:
    """A case is cited by its name."""
    names = [case.id for case in CASES]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", sorted(RULES.keys() - HELD_ELSEWHERE))
def test_a_case_fails_when_a_rule_is_lost(name: str) -> None:
    """A guard without a test will be lost in an unrelated change: every rule is held by at least one case."""
    kinds = AGENCY_KINDS if name in COMMON else (RULES[name],)
    concerned = [case for case in CASES if case.agency in kinds]

    assert any(_is_missed(name, case) for case in sorted(concerned, key=lambda case: name not in _applied(case.id)))


@cache
def _applied(name: str) -> frozenset[str]:
    """Give the rules that applied to one case: taking one of these away is the likeliest to be missed."""
    case = next(case for case in CASES if case.id == name)
    return frozenset(decide_case(case, pack=load_pack(case.agency)).determined_by)


def _is_missed(name: str, case: Case) -> bool:
    """Say whether the adapter would not start without the rule, or decide `case` otherwise."""
    try:
        pack = _without(name, case.agency)
    except RulePackInvalidError:
        return True
    return any(disagreements(decide_case(case, pack=pack), expect=case.expect))


@cache
def _without(name: str, kind: str) -> Pack:
    files = installed_files(kind)
    pack = load_pack(kind)
    common, own = (_printed(policies, leaving_out=name) for policies in (pack.common, pack.own))
    return build_pack(kind, files=RuleFiles(schema=files.schema, common=common, own=own, facts=files.facts))


def _printed(policies: tuple[Policy, ...], *, leaving_out: str) -> str:
    return print_policies([policy.plain for policy in policies if policy.id != leaving_out])
