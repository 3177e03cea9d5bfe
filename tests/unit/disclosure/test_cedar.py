"""The one place that speaks to Cedar refuses what Cedar cannot read, in words, and never goes on without it."""

import pytest

from adapters.kit.disclosure import RulePackInvalidError, installed_files
from adapters.kit.disclosure.cedar import RuleSet, RulesRefusedByCedarError, parse
from tests.unit.disclosure.asking import pack_with


def test_a_schema_that_cannot_be_read_is_refused_with_what_is_wrong_in_it() -> None:
    """The attack: rules that are held against no schema at all, so that a misspelt attribute closes nothing."""
    with pytest.raises(RulesRefusedByCedarError) as refused:
        RuleSet("", schema="entity everything is allowed")

    assert [bool(problem) for problem in refused.value.problems] == [True]
    with pytest.raises(RulePackInvalidError):
        pack_with("fire", schema="entity everything is allowed")


def test_rules_that_cannot_be_read_are_refused_before_anything_is_asked() -> None:
    """Whoever builds a set of rules of a text learns what is wrong in it, as whoever reads a file of them does."""
    with pytest.raises(RulesRefusedByCedarError) as refused:
        RuleSet("forbid everything", schema=installed_files("fire").schema)

    assert [bool(problem) for problem in refused.value.problems] == [True]


def test_a_rule_that_waits_for_somebody_to_be_put_in_is_refused() -> None:
    """The attack: a template, which Cedar takes for sound and never asks, so that what it closes is open."""
    rule = """@id("fire-extra") @says("Says.") @source("practice") @reason("NOT_RELEVANT")
    forbid (principal == ?principal, action in Action::"more_open_than_withhold", resource);"""

    with pytest.raises(RulesRefusedByCedarError, match="template"):
        parse(rule)
    with pytest.raises(RulePackInvalidError, match="template"):
        pack_with("fire", own=rule)
