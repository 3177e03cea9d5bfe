"""The worked cases are the executable specification of the disclosure rules: every one of them has to agree."""

from pathlib import Path

import pytest

from adapters.kit.disclosure import load_pack
from adapters.kit.disclosure.cases import Case, decide_case, disagreements, read_cases

SHARED = Path(__file__).parents[4] / "shared" / "cases"
CASES = [
    pytest.param(case, id=case.id)
    for path in sorted(SHARED.glob("*.yaml"))
    if path.name != "context.yaml"
    for case in read_cases(path)
]


@pytest.mark.skipif(not CASES, reason="the shared cases are not on this machine")
@pytest.mark.parametrize("case", CASES)
def test_the_rules_agree_with_a_shared_case(case: Case) -> None:
    """A rule change that breaks one is a change of policy that somebody has to sign."""
    decision = decide_case(case, pack=load_pack(case.agency))

    assert list(disagreements(decision, expect=case.expect)) == []
