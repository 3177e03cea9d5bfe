"""A rule pack starts only when it is right in every line; one wrong line, and the adapter does not start on it."""

import pytest

from adapters.kit.disclosure import RulePackInvalidError, build_pack, installed_files
from adapters.kit.disclosure.cedar import RulesRefusedByCedarError, parse
from adapters.kit.disclosure.pack import RuleFiles
from schemas.content.codes import Outcome
from tests.unit.disclosure.asking import a_record, a_request, pack_with

RULE = '@id("fire-extra") @says("Says something.") @source("practice")'
GROUND = '@reason("NOT_RELEVANT")'
SILENT = 'forbid (principal, action in Action::"more_open_than_withhold_silent", resource)'
WITHHOLD = 'forbid (principal, action in Action::"more_open_than_withhold", resource)'
MARK = 'permit (principal, action in Action::"mark_content", resource);'

WRONG_RULES = {
    "is no Cedar at all": "forbid everything",
    "speaks of an attribute that no record has": f"{RULE} {GROUND} {WITHHOLD} when {{ resource.colour == 1 }};",
    "compares a word with a number": f"{RULE} {GROUND} {WITHHOLD} when {{ resource.category == 7 }};",
    "speaks of an action that there is not": f'{RULE} forbid (principal, action == Action::"publish", resource);',
    "reads a grading that may be missing": f'{RULE} {GROUND} {WITHHOLD} when {{ resource.grading.handling == "C" }};',
    "has no name": f'@says("Says.") @source("practice") {GROUND} {WITHHOLD};',
    "says nothing": f'@id("fire-extra") @source("practice") {GROUND} {WITHHOLD};',
    "has no source": f'@id("fire-extra") @says("Says.") {GROUND} {WITHHOLD};',
    "takes a common rule's name": f'@id("draft") @says("Says.") @source("practice") {GROUND} {WITHHOLD};',
    "uses a name twice": f"{RULE} {GROUND} {WITHHOLD}; {RULE} {GROUND} {WITHHOLD};",
    "bears an annotation of its own": f'{RULE} {GROUND} @unless("asked nicely") {WITHHOLD};',
    "gives an unknown reason": f'{RULE} @reason("BECAUSE") {WITHHOLD};',
    "attaches an unknown condition": f'{RULE} @conditions("be_nice") {MARK}',
    "names an unknown audience": f'{RULE} @onward("newspaper") {MARK}',
    "raises an unknown alert": f'{RULE} @alert("panic") {MARK}',
    "redacts an unknown kind of detail": f'{RULE} @redact("shoe_size") {MARK}',
    "asks a role that the agency does not have": f'{RULE} @approver("chief_fire_officer") {MARK}',
    "opens what the common rules close": f'{RULE} permit (principal, action == Action::"share", resource);',
    "permits everything": f"{RULE} permit (principal, action, resource);",
    "answers a request in the common rules' place": f'{RULE} permit (principal, action == Action::"answer", resource);',
    "closes one rung and leaves a stricter one": f'{RULE} forbid (principal, action == Action::"share", resource);',
    "closes a rung by the name of a group": (
        f'{RULE} forbid (principal, action == Action::"more_open_than_summarise", resource);'
    ),
    "closes everything, the silent answer too": f"{RULE} forbid (principal, action, resource);",
    "lets an indicator give content away": (
        f'{RULE} @conditions("opinion_labelled") permit (principal, action in Action::"mark_anything", resource);'
    ),
    "attaches content to a refusal": f'{RULE} {GROUND} @conditions("opinion_labelled") {WITHHOLD};',
}
WRONG_REFUSALS = {
    "a refusal without a ground": (f"{RULE} {WITHHOLD};", "LAW-27"),
    "a refusal with an empty ground": (f'{RULE} @reason(" ") {WITHHOLD};', "LAW-27"),
    "silence without a ground": (f'{RULE} @silence_approver("covert_source") {SILENT};', "LAW-27"),
    "silence on a ground of its own": (
        f'{RULE} @reason("NOT_RELEVANT") @silence_approver("covert_source") {SILENT};',
        "silence rests on .* and on nothing else",
    ),
    "silence on a ground of its own beside a listed one": (
        f'{RULE} @reason("SOURCE_PROTECTION NOT_RELEVANT") @silence_approver("covert_source") {SILENT};',
        "silence rests on .* and on nothing else",
    ),
    "silence on one person's word": (f'{RULE} @reason("SOURCE_PROTECTION") {SILENT};', "second approver"),
    "a referral to nobody": (
        f'{RULE} {GROUND} forbid (principal, action in Action::"more_open_than_refer_to_originator", resource);',
        "to whom",
    ),
}
WRONG_FACTS = {
    "is no TOML": "kind is fire",
    "holds a fact that nobody knows": 'favourite_colour = "red"',
    "asks an approver who is not among the roles": '[approvers]\ncovert_source = "the_chief"',
    "opens a window of no months": "window_months = 0",
    "says one thing twice": 'version = "1.0"',
}
WRONG_TYPES = {
    "allows what is no outcome": 'allows = "publish"',
    "implies an unknown flag": 'allows = "share", implies = ["secret_garden"]',
    "belongs to nobody known": 'allows = "share", belongs_to = "the_neighbours"',
    "has an unknown trait": 'allows = "share", traits = ["harmless"]',
    "does not say what it allows": 'traits = ["low_risk"]',
}


@pytest.mark.parametrize("rule", WRONG_RULES.values(), ids=WRONG_RULES)
def test_an_adapter_does_not_start_on_a_rule_that(rule: str) -> None:
    """A rule file that is wrong in one line is not used in part: it is not used."""
    with pytest.raises(RulePackInvalidError):
        pack_with("fire", own=rule)


@pytest.mark.parametrize(
    "annotation",
    [
        "reason",
        "conditions",
        "onward",
        "seals",
        "alert",
        "redact",
        "refer_to",
        "refer_beside",
        "approver",
        "writer",
        "refusal_approver",
        "silence_approver",
    ],
)
def test_every_annotation_that_bears_codes_is_held_to_its_list(annotation: str) -> None:
    """A role that nobody holds would never be asked, and an audience that nobody knows would be everybody's guess."""
    said = f"^fire-extra: @{annotation}: no_such_code is no known (code|role)$"

    with pytest.raises(RulePackInvalidError, match=said):
        pack_with("fire", own=f'{RULE} @{annotation}("no_such_code") {MARK}')


def test_rules_that_do_not_parse_are_refused_with_what_is_wrong_in_them() -> None:
    """Whoever corrects them reads the message, and nothing else."""
    with pytest.raises(RulesRefusedByCedarError) as refused:
        parse("forbid everything")

    assert refused.value.problems
    assert str(refused.value) == "; ".join(refused.value.problems) != ""


@pytest.mark.parametrize(("rule", "said"), WRONG_REFUSALS.values(), ids=WRONG_REFUSALS)
def test_an_adapter_does_not_start_on(rule: str, said: str) -> None:
    """LAW-27, DIS-22: the attack is a rule that hides what the agency knows, for a reason that nobody could check."""
    with pytest.raises(RulePackInvalidError, match=said) as caught:
        pack_with("fire", own=rule)

    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    "ground",
    [
        "LEGAL_RESTRICTION_ADOPTION",
        "LEGAL_RESTRICTION_GRA",
        "LEGAL_RESTRICTION_HFEA",
        "SOURCE_PROTECTION",
        "CLASSIFICATION_TOO_HIGH",
    ],
)
def test_a_rule_may_silence_on_a_listed_ground_and_its_second_approver_is_asked(ground: str) -> None:
    """DIS-22: the closed list, and nothing leaves, not even the nil, before a second person has looked."""
    rule = f'{RULE} @reason("{ground}") @silence_approver("covert_source") {SILENT};'
    (decision,) = pack_with("fire", own=rule).assess(a_request(), [a_record()]).decisions

    assert decision.outcome is Outcome.WITHHOLD_SILENT
    assert decision.grounds == (ground,)
    assert decision.approvals_needed == ("fire_safeguarding_lead",)


@pytest.mark.parametrize("fact", WRONG_FACTS.values(), ids=WRONG_FACTS)
def test_an_adapter_does_not_start_on_a_facts_file_that(fact: str) -> None:
    """What the rules rest on is held as strictly as the rules."""
    files = installed_files("ambulance")
    facts = f"{fact}\n{files.facts}" if not fact.startswith("[") else f"{files.facts}\n{fact}"

    with pytest.raises(RulePackInvalidError, match=r"agency\.toml"):
        build_pack("ambulance", files=RuleFiles(files.schema, files.common, files.own, facts))


@pytest.mark.parametrize("kind", WRONG_TYPES.values(), ids=WRONG_TYPES)
def test_an_adapter_does_not_start_on_a_record_type_that(kind: str) -> None:
    """A type opens only as far as its line says, so the line has to say it in known words."""
    files = installed_files("fire")
    facts = f"{files.facts}\nodd_thing = {{ {kind} }}\n"

    with pytest.raises(RulePackInvalidError, match="odd_thing"):
        build_pack("fire", files=RuleFiles(files.schema, files.common, files.own, facts))


def test_an_adapter_does_not_start_on_the_facts_of_another_agency() -> None:
    """The police's roles do not approve what a charity holds."""
    files = installed_files("voluntary")

    with pytest.raises(RulePackInvalidError, match="voluntary"):
        build_pack("police", files=files)


def test_an_adapter_does_not_start_when_nobody_may_receive_anything() -> None:
    """A pack that says nowhere who may receive is a pack that somebody forgot to finish."""
    files = installed_files("fire")

    with pytest.raises(RulePackInvalidError, match="onward"):
        build_pack("fire", files=RuleFiles(files.schema, files.common, "", files.facts))


def test_every_problem_of_a_rule_file_is_said_at_once() -> None:
    """A lead corrects a file once and not line by line."""
    with pytest.raises(RulePackInvalidError) as caught:
        pack_with("fire", own=f'{RULE} @reason("BECAUSE") @alert("panic") {WITHHOLD};')

    assert [problem.startswith("fire-extra: ") for problem in caught.value.problems] == [True, True]


def test_an_adapter_does_not_start_on_facts_without_a_version() -> None:
    """Whoever signs a change of rules raises the version; a pack without one was never signed."""
    files = installed_files("fire")
    facts = files.facts.replace('version = "1.0"', "")

    with pytest.raises(RulePackInvalidError, match="version"):
        build_pack("fire", files=RuleFiles(files.schema, files.common, files.own, facts))
