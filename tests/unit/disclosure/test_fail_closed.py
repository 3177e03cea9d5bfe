"""Cedar skips a policy that fails; here, a policy that fails closes. And nothing opens for want of a value."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from adapters.kit.disclosure import Decision, Pack, RuleFiles, build_pack, load_pack
from adapters.kit.disclosure.cedar import Answer, Entities, Question, RuleSet
from adapters.kit.disclosure.combine import FAILED
from schemas.content.codes import FLAGS, Outcome
from tests.unit.disclosure.asking import a_record, a_request, decided, pack_with

# Passes strict validation and fails whenever it is evaluated: the sum does not fit into 64 bits.
FAILS = "9223372036854775807 + 1 == 0"
NOTED = (
    '@id("fire-fails") @says("Fails.") @source("a test") @reason("SOURCE_PROTECTION") '
    '@refer_to("controllers") @silence_approver("covert_source")'
)


def _pack(group: str) -> Pack:
    rule = f'{NOTED} forbid (principal, action in Action::"{group}", resource) when {{ {FAILS} }};'
    return pack_with("fire", own=rule)


def _decided(pack: Pack, **fields: object) -> Decision:
    return pack.assess(a_request(), [a_record(**fields)]).decisions[0]


@pytest.mark.parametrize(
    "group",
    ["summarise", "indicate_only", "refer_to_originator", "withhold"],
)
def test_a_record_is_withheld_for_the_lead_when_a_rule_that_might_close_it_fails(group: str) -> None:
    """The attack: a rule made to fail by the data that it is there to catch. Cedar alone would then share."""
    decision = _decided(_pack(f"more_open_than_{group}"))

    assert decision.outcome is Outcome.WITHHOLD
    assert decision.approvals_needed == ("fire_safeguarding_lead",)
    assert decision.reasons == ("NEEDS_APPROVER",)
    assert decision.determined_by[0] == FAILED


def test_a_record_is_withheld_silently_when_a_rule_that_might_silence_it_fails() -> None:
    """A visible refusal would say that something is there; nobody knows that it may be said."""
    decision = _decided(_pack("more_open_than_withhold_silent"))

    assert decision.outcome is Outcome.WITHHOLD_SILENT
    assert decision.approvals_needed == ("fire_safeguarding_lead",)


def test_a_record_is_withheld_when_a_marking_fails() -> None:
    """Its label, its condition or its approver would be missing from what leaves."""
    rule = f'{NOTED} permit (principal, action in Action::"mark_content", resource) when {{ {FAILS} }};'
    decision = _decided(pack_with("fire", own=rule))

    assert decision.outcome is Outcome.WITHHOLD
    assert decision.conditions == ()
    assert decision.onward == ()
    assert decision.approvals_needed == ("fire_safeguarding_lead",)


def test_a_referral_fails_too_when_a_rule_fails() -> None:
    """A record that nobody could assess is not even pointed to."""
    decision = _decided(_pack("more_open_than_withhold"), originator="police")

    assert decision.outcome is Outcome.WITHHOLD
    assert decision.refer_to == ()


def test_a_failing_rule_keeps_the_other_grounds() -> None:
    """What is known to be silent stays silent, with its own second approver beside the lead."""
    decision = _decided(_pack("more_open_than_withhold"), gsc="SECRET")

    assert decision.outcome is Outcome.WITHHOLD_SILENT
    assert set(decision.approvals_needed) == {"security_officer", "fire_safeguarding_lead"}
    assert "CLASSIFICATION_TOO_HIGH" in decision.reasons


def test_an_approval_releases_nothing_when_a_rule_fails() -> None:
    """Nobody can approve what was never assessed."""
    pack, lead = _pack("more_open_than_summarise"), frozenset({"fire_safeguarding_lead"})
    (decision,) = pack.assess(a_request(), [a_record()], approvals={"rec-1": lead}).decisions

    assert decision.outcome is Outcome.WITHHOLD
    assert decision.grounds == ("NEEDS_APPROVER",)


def test_a_failure_for_one_record_leaves_its_neighbours_as_they_were() -> None:
    """One response, several records: the bad one is held and the others are not delayed."""
    rule = (
        f'{NOTED} forbid (principal, action in Action::"more_open_than_withhold", resource) '
        f"when {{ resource.outsiders && {FAILS} }};"
    )
    records = [a_record(record_id="a"), a_record(record_id="b", mentions=["other:Una Vale-Test"])]
    decisions = pack_with("fire", own=rule).assess(a_request(), records).by_record()

    assert decisions["a"].outcome is Outcome.SHARE
    assert decisions["b"].outcome is Outcome.WITHHOLD


def test_the_route_is_wrong_when_a_rule_about_it_fails() -> None:
    """A request that nobody could judge is not answered."""
    rule = f'{NOTED} forbid (principal, action == Action::"answer", resource is Request) when {{ {FAILS} }};'
    assessment = pack_with("fire", common=rule).assess(a_request(), [a_record()])

    assert [decision.outcome for decision in assessment.decisions] == [Outcome.WITHHOLD]
    assert not assessment.decisions[0].released


@pytest.mark.parametrize(
    "field",
    ["record_type", "category", "nature", "obtained", "originator", "gsc", "match", "consent", "in_confidence"],
)
@pytest.mark.parametrize("value", ["", "no such thing", 7, None, ["share"], {"a": 1}])
def test_a_record_is_closed_when_a_field_holds_what_is_on_no_list(field: str, value: Any) -> None:
    """Every unknown value, of whatever kind, closes; an empty originator alone means the holder's own (§3.1a)."""
    if field == "originator" and value in ("", None):
        return
    decision = decided(**{field: value})

    assert decision.outcome is Outcome.WITHHOLD
    assert decision.approvals_needed == ("fire_safeguarding_lead",)


@pytest.mark.parametrize("field", ["flags", "contains_other_origin", "answers", "subjects", "mentions"])
@pytest.mark.parametrize("value", ["fire", 7, {"a": 1}, [7], [None], [["fire"]]])
def test_a_record_is_closed_when_a_list_is_not_a_list_of_words(field: str, value: Any) -> None:
    """A list that cannot be read is not an empty list: an empty list of flags would open."""
    assert decided(**{field: value}).outcome is Outcome.WITHHOLD


@pytest.mark.parametrize(
    "spelling", ["Covert_Source", "covert source", " covert_source", "COVERT_SOURCE", "covert-source"]
)
def test_a_record_is_closed_when_a_flag_is_misspelt(spelling: str) -> None:
    """A flag that is nearly the right one must not be no flag."""
    assert decided(flags=[spelling]).outcome is Outcome.WITHHOLD


@pytest.mark.parametrize("audience", ["", " ", "mash team", "MASH_TEAM", "everybody", None, 7, ["mash_team"]])
def test_nothing_leaves_to_an_addressee_that_is_on_no_list(audience: object) -> None:
    """An empty audience is nobody and not the team."""
    decision = decided(rfi={"audience": audience})

    assert decision.outcome is Outcome.WITHHOLD
    assert decision.approvals_needed == ("fire_safeguarding_lead",)


@pytest.mark.parametrize("flag", sorted(FLAGS))
def test_a_flag_never_opens_what_is_closed_without_it(flag: str) -> None:
    """Flags close and mark; a regime's referral alone may stand for a refusal, and bears no content (§3.5)."""
    plain, flagged = decided(answers=[]), decided(answers=[], flags=[flag])

    assert plain.outcome is Outcome.WITHHOLD
    assert flagged.outcome in {Outcome.WITHHOLD, Outcome.WITHHOLD_SILENT, Outcome.REFER_TO_ORIGINATOR}


def test_an_empty_list_of_audiences_is_nobody() -> None:
    """Rules that have nobody in common leave nobody, not everybody."""
    rule = (
        '@id("fire-nobody") @says("Nobody.") @source("a test") @onward("family") '
        'permit (principal, action in Action::"mark_content", resource);'
    )
    decision = _decided(pack_with("fire", own=rule))

    assert decision.outcome is Outcome.SHARE
    assert decision.onward == ()


def test_a_type_opens_no_further_than_its_line_though_its_rule_is_lost() -> None:
    """Two locks: the agency's list of types holds when its rule is deleted by mistake."""
    pack = load_pack("police")
    files = pack.files
    lost = files.own.replace('when { ["dvds_application", "csods_application"]', 'when { ["crime"]')
    holed = build_pack("police", files=RuleFiles(files.schema, files.common, lost, files.facts))
    record = a_record(record_type="dvds_application", category="criminal", subjects=["karl"])
    (decision,) = holed.assess(a_request("police"), [record]).decisions

    assert decision.outcome is Outcome.WITHHOLD
    assert decision.approvals_needed == ("ppd_supervisor",)


def test_a_type_that_may_only_be_indicated_seals_nothing() -> None:
    """The agency's list is a ground for indicating, beside an investigation that alone would permit a sealed part."""
    files = load_pack("fire").files
    listed = files.facts.replace('false_alarm = { allows = "share" }', 'false_alarm = { allows = "indicate_only" }')
    pack = build_pack("fire", files=RuleFiles(files.schema, files.common, files.own, listed))
    live = {"flags": ["live_investigation"], "summary": "a wording"}

    assert _decided(pack, record_type="incident_report", **live).sealed_for == ("decision_maker",)
    assert _decided(pack, record_type="false_alarm", **live).outcome is Outcome.INDICATE_ONLY
    assert _decided(pack, record_type="false_alarm", **live).sealed_for == ()


class _LosesTheLastAnswer(RuleSet):
    """Rules that answer one question fewer than they were asked."""

    def ask(self, questions: Sequence[Question], *, holder: str, entities: Entities) -> list[Answer]:
        return super().ask(questions, holder=holder, entities=entities)[:-1]


def test_a_record_that_is_not_answered_stops_everything() -> None:
    """The attack: rules that lose an answer, and a record that stays where it stood when nothing had closed it yet."""
    pack = load_pack("fire")
    losing = _LosesTheLastAnswer(pack.files.own, schema=pack.files.schema)
    short = replace(pack, ruling=replace(pack.ruling, closing=losing))

    with pytest.raises(ValueError, match="shorter"):
        short.assess(a_request(), [a_record(record_id="a"), a_record(record_id="b", flags=["covert_source"])])
