"""A rule file as values: what a rule is taken for, and the one thing that is said about each that is wrong."""

from collections.abc import Sequence

import pytest

from adapters.kit.disclosure.policy import Policy, problems, read_policies
from adapters.kit.disclosure.vocabulary import SILENT_GROUNDS, STAND_ON_AN_INDICATOR
from schemas.content.codes import Outcome

NOTED = '@id("a-rule") @says("A rule.") @source("practice")'
GROUND = '@reason("NOT_RELEVANT")'
ROLES = frozenset({"lead"})
EVERY_MARKING = ", ".join(
    f'Action::"mark_{one}"' for one in ("anything", "content", "shared", "summarised", "indicated")
)
EVERY_CONDITION = " ".join(sorted(STAND_ON_AN_INDICATOR))
EVERY_GROUND = " ".join(sorted(SILENT_GROUNDS))
SHAPE = 'a rule that closes names exactly one group: action in Action::"more_open_than_…"'
OPERATOR = "a rule that closes names its group with `in`, not with `==`"
OPENS = "an agency's own rules may close and mark; they never open"
CONDITION = "a rule that closes may add only conditions that stand on an indicator"
INDICATOR = "an indicator must give nothing away: this condition may not stand on it"

RULES: dict[str, tuple[str, Sequence[str]]] = {
    "closes by a group": (f"{GROUND} {{forbid withhold}}", []),
    "closes by a list of one group": (
        f'{GROUND} forbid (principal, action in [Action::"more_open_than_withhold"], resource);',
        [],
    ),
    "closes by two groups": (
        f'{GROUND} @refer_to("controllers") forbid (principal, action in [Action::"more_open_than_withhold", '
        'Action::"more_open_than_refer_to_originator"], resource);',
        [SHAPE],
    ),
    "closes a group and the whole request": (
        'forbid (principal, action in [Action::"more_open_than_summarise", Action::"answer"], resource);',
        [SHAPE],
    ),
    "closes one rung": ('forbid (principal, action == Action::"share", resource);', [SHAPE, OPERATOR]),
    "closes whatever there is": ("forbid (principal, action, resource);", [SHAPE]),
    "closes a marking": ('forbid (principal, action in Action::"mark_content", resource);', [SHAPE]),
    "closes a rung by the name of a group": (
        'forbid (principal, action == Action::"more_open_than_summarise", resource);',
        [OPERATOR],
    ),
    "closes the route": ('forbid (principal, action == Action::"answer", resource);', []),
    "closes the route with a word of its own": (
        '@conditions("opinion_labelled") forbid (principal, action == Action::"answer", resource);',
        [],
    ),
    "closes with what an indicator bears": ('@conditions("contact_coordinator") {forbid summarise}', []),
    "closes with all that an indicator bears": (f'@conditions("{EVERY_CONDITION}") {{forbid summarise}}', []),
    "closes with what no indicator bears": ('@conditions("opinion_labelled") {forbid summarise}', [CONDITION]),
    "marks everything": (f"permit (principal, action in [{EVERY_MARKING}], resource);", []),
    "marks and opens": (
        'permit (principal, action in [Action::"mark_content", Action::"share"], resource);',
        [OPENS],
    ),
    "permits whatever there is": ("permit (principal, action, resource);", ["a permission names its actions"]),
    "marks an indicator with what it bears": (
        '@conditions("contact_coordinator") permit (principal, action == Action::"mark_indicated", resource);',
        [],
    ),
    "marks an indicator with all that it bears": (
        f'@conditions("{EVERY_CONDITION}") permit (principal, action == Action::"mark_indicated", resource);',
        [],
    ),
    "marks an indicator with what it does not bear": (
        '@conditions("opinion_labelled") permit (principal, action == Action::"mark_indicated", resource);',
        [INDICATOR],
    ),
    "marks anything with what an indicator does not bear": (
        '@conditions("opinion_labelled") permit (principal, action in Action::"mark_anything", resource);',
        [INDICATOR],
    ),
    "marks content with what an indicator does not bear": (
        '@conditions("opinion_labelled") permit (principal, action in Action::"mark_content", resource);',
        [],
    ),
    "refuses without a ground": (
        "{forbid withhold}",
        ["a rule that refuses gives its ground: @reason is missing (LAW-27)"],
    ),
    "refers to nobody": (
        "{forbid refer_to_originator}",
        ["a rule that refers says to whom: @refer_to is missing"],
    ),
    "refers to whoever controls it": ('@refer_to("controllers") {forbid refer_to_originator}', []),
    "silences alone": (
        '@reason("SOURCE_PROTECTION") {forbid withhold_silent}',
        ["silence needs a second approver: @silence_approver is missing (DIS-22)"],
    ),
    "silences on every ground there is": (
        f'@reason("{EVERY_GROUND}") @silence_approver("lead") {{forbid withhold_silent}}',
        [],
    ),
    "asks a role of the agency": ('@approver("lead") {forbid summarise}', []),
    "asks a role that a common rule names": ('@approver("safeguarding_lead") {forbid summarise}', []),
    "asks a role that nobody has": (
        '@approver("lead chief") {forbid summarise}',
        ["@approver: chief is no known role"],
    ),
    "gives one known reason and one that is none": (
        '@reason("NOT_RELEVANT BECAUSE") {forbid summarise}',
        ["@reason: BECAUSE is no known code"],
    ),
    "bears two annotations of its own": (
        '@unless("asked") @because("yes") {forbid summarise}',
        ["@because is no annotation of ours", "@unless is no annotation of ours"],
    ),
}


def _text(rule: str) -> str:
    for outcome in Outcome:
        group = f'forbid (principal, action in Action::"more_open_than_{outcome}", resource);'
        rule = rule.replace(f"{{forbid {outcome}}}", group)
    return rule


def _said(text: str, *, own_file: bool = True) -> list[str]:
    return list(problems(read_policies(_text(text)), own_file=own_file, roles=ROLES))


def _one(rule: str) -> Policy:
    (policy,) = read_policies(_text(f"{NOTED} {rule}"))
    return policy


@pytest.mark.parametrize(("rule", "said"), RULES.values(), ids=RULES)
def test_exactly_what_is_wrong_is_said_of_a_rule_that(rule: str, said: Sequence[str]) -> None:
    """Each lock is held by itself: another complaint about the same rule may not stand for it."""
    assert _said(f"{NOTED} {rule}") == [f"a-rule: {problem}" for problem in said]


def test_the_common_rules_may_open_and_an_agencys_own_may_not() -> None:
    """§1.1: what may leave at most is permitted in one place for all fourteen agencies."""
    opening = f'{NOTED} permit (principal, action == Action::"share", resource);'

    assert _said(opening, own_file=False) == []
    assert _said(opening, own_file=True) == [f"a-rule: {OPENS}"]


def test_a_name_that_is_used_twice_is_said_once_for_each_time_too_many() -> None:
    """A decision cites the rule by its name, and one name may not stand for two rules."""
    rule = f"{NOTED} {{forbid summarise}}"

    assert _said(rule) == []
    assert _said(f"{rule} {rule} {rule}") == ["a-rule: the name is used twice"] * 2


def test_a_rule_without_a_name_is_spoken_of_as_one() -> None:
    """All that it lacks is said, under words that can be looked for; a blank or an empty note is none."""
    missing = [f"a policy without @id: @{name} is missing" for name in ("id", "says", "source")]

    assert _said("{forbid summarise}") == missing
    assert _said('@id @says(" ") @source("") {forbid summarise}') == missing


@pytest.mark.parametrize("outcome", [one for one in Outcome if one is not Outcome.SHARE])
def test_a_rule_that_closes_proposes_the_most_open_outcome_that_it_leaves(outcome: Outcome) -> None:
    """§1.1: the strictest proposal wins, so each rule has to be taken for its own."""
    closing = _one(f"{{forbid {outcome}}}")

    assert (closing.proposes, closing.marks) == (outcome, False)


def test_a_rule_that_marks_or_permits_proposes_nothing() -> None:
    """A permission by the name of a group opens what is above it, and closes nothing."""
    permission = _one('permit (principal, action in Action::"more_open_than_withhold", resource);')
    marking = _one(f"permit (principal, action in [{EVERY_MARKING}], resource);")

    assert (permission.proposes, permission.marks) == (None, False)
    assert (marking.proposes, marking.marks, len(marking.actions)) == (None, True, 5)


def test_the_words_of_a_note_are_given_in_their_order() -> None:
    """Lists of audiences are printed as they were written; a note that a rule does not bear has no words."""
    rule = _one('@onward("police  decision_maker") @alert {forbid summarise}')

    assert rule.words("onward") == ("police", "decision_maker")
    assert rule.words("alert") == rule.words("reason") == ()
