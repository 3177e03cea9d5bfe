"""Generated requests, records and rules: what a rule pack may meet, the unknown and the misspelt included."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from hypothesis import strategies as some

from adapters.kit.disclosure import load_pack
from adapters.kit.disclosure.reading import read_record
from schemas.agency import AGENCY_KINDS
from schemas.content.codes import (
    CATEGORIES,
    CLASSIFICATIONS,
    CONSENT_STANCES,
    FLAGS,
    MATCHES,
    NATURES,
    OBTAINED,
    OUTCOMES_OPEN_TO_STRICT,
    REGIMES_AND_BODIES,
    Audience,
    Outcome,
)
from schemas.content.record import Record
from schemas.content.rfi import RequestForInformation
from tests.unit.disclosure.asking import CONTEXT, a_request

STRANGER = "other:Una Vale-Test"
PERSONS = (*CONTEXT["persons"], STRANGER, "other:Bert Moss-Test", "uncle")
ORIGINATORS = (*AGENCY_KINDS, *REGIMES_AND_BODIES, "somebody")
WORDINGS = (None, "", "a wording", "Una saw it", "MOSS-TEST saw it", "Edna saw it", "Karl was there", "Ivy said so")
QUESTIONS = (*CONTEXT["questions"], "weather")

kinds = some.sampled_from(AGENCY_KINDS)


gradings = some.fixed_dictionaries(
    {
        "source": some.sampled_from((1, 2, 3, 4)),
        "assessment": some.sampled_from(("A", "B", "E", "F")),
        "handling": some.sampled_from(("P", "C", "H")),
        "conditions": some.sampled_from(([], ["ring first"], [" "])),
    }
)


@cache
def plain_records(kind: str) -> some.SearchStrategy[dict[str, Any]]:
    """Give records of one kind of agency as plain values: an ordinary one with up to four fields changed."""
    return some.lists(some.one_of(_changes(kind)), max_size=4).map(lambda changes: {**_ordinary(kind), **dict(changes)})


def _ordinary(kind: str) -> dict[str, Any]:
    listed = load_pack(kind).agency.record_types
    return {
        "record_type": next(name for name, one in listed.items() if one.allows is Outcome.SHARE),
        "category": "social_care",
        "subjects": ["ivy"],
        "mentions": [],
        "text": "the text as held",
        "summary": None,
        "nature": "fact",
        "obtained": "first_hand",
        "event_on": "2026-10-01",
        "flags": [],
        "answers": ["plain", "harm"],
        "contains_other_origin": [],
        "match": "confirmed",
        "consent": "not_asked",
    }


def _changes(kind: str) -> list[some.SearchStrategy[tuple[str, Any]]]:
    types = sorted(load_pack(kind).agency.record_types)
    persons = some.lists(some.sampled_from(PERSONS), max_size=3)
    values: dict[str, some.SearchStrategy[Any]] = {
        "record_type": some.sampled_from((*types, *types, "unheard_of")),
        "category": some.sampled_from((*sorted(CATEGORIES), "weather")),
        "subjects": persons,
        "mentions": persons,
        "summary": some.sampled_from(WORDINGS),
        "nature": some.sampled_from((*sorted(NATURES), "rumour")),
        "originator": some.one_of(some.just(kind), some.just("police"), some.sampled_from(ORIGINATORS)),
        "obtained": some.sampled_from((*sorted(OBTAINED), "overheard")),
        "in_confidence": some.just(True),
        "event_on": some.sampled_from((None, "2024-11-24", "2024-11-23", "1999-01-01")),
        "gsc": some.sampled_from((*CLASSIFICATIONS, "RESTRICTED")),
        "grading": gradings,
        "flags": some.lists(some.sampled_from((*sorted(FLAGS), "thicket")), min_size=1, max_size=2),
        "answers": some.lists(some.sampled_from(QUESTIONS), max_size=3),
        "contains_other_origin": some.lists(some.sampled_from((*ORIGINATORS, *["police"] * 5)), min_size=1, max_size=2),
        "match": some.sampled_from((*sorted(MATCHES), "perhaps")),
        "consent": some.sampled_from((*sorted(CONSENT_STANCES), "implied")),
    }
    return [some.tuples(some.just(name), value) for name, value in values.items()]


@cache
def records(kind: str) -> some.SearchStrategy[Record]:
    """Give the same as records."""
    return plain_records(kind).map(lambda plain: read_record({**plain, "record_id": "rec-1"}))


REQUEST_CHANGES: tuple[dict[str, Any], ...] = (
    {},
    {"rag": "RED"},
    {"rag": "RED", "reason": ""},
    {"rag": "RED", "agreement": {"status": "ended"}, "gateways": []},
    {"rag": "RED", "consent": {"override": None}},
    {"reason": ""},
    {"agreement": {"status": "ended"}},
    {"open_case": {"status": "open"}},
    {"gateways": ["lga1972_s111"]},
    {"consent": {"parents": {"status": "given"}, "override": None}},
    {"persons": {"gran": None}},
    {"persons": {"gran": {"name": None}}},
    {"audience": "newspaper"},
    *({"audience": str(audience)} for audience in Audience),
)


@cache
def _request(kind: str, number: int) -> RequestForInformation:
    return a_request(kind, **(REQUEST_CHANGES[number] if number < len(REQUEST_CHANGES) else {}))


@cache
def requests(kind: str) -> some.SearchStrategy[RequestForInformation]:
    """Give requests to one kind of agency: one in two is whole, others RED, incomplete, or to somebody else."""
    return some.sampled_from(range(2 * len(REQUEST_CHANGES))).map(lambda number: _request(kind, number))


@cache
def approvals(kind: str) -> some.SearchStrategy[frozenset[str]]:
    """Give roles that have approved, known and unknown."""
    return some.frozensets(some.sampled_from((*sorted(load_pack(kind).agency.all_roles), "chief_executive")))


CONDITIONS = (
    "true",
    "resource.ours",
    "resource.protects",
    "resource.in_confidence",
    'resource.category == "health"',
    'resource.flags.contains("draft")',
    'resource.nature != "fact"',
    "resource has grading",
    "context.gap_queried",
    "!resource.answered.isEmpty()",
)
_NOTED = '@id("generated") @says("Generated.") @source("a test")'

_SECOND = '@silence_approver("covert_source")'
_TOLD = {
    Outcome.SUMMARISE: "",
    Outcome.INDICATE_ONLY: '@reason("EXCESSIVE")',
    Outcome.REFER_TO_ORIGINATOR: '@refer_to("controllers")',
    Outcome.WITHHOLD: '@reason("NOT_RELEVANT EXCESSIVE")',
    Outcome.WITHHOLD_SILENT: f'@reason("SOURCE_PROTECTION") {_SECOND}',
}

closing_rules: some.SearchStrategy[str] = some.builds(
    lambda outcome, condition: (
        f"{_NOTED} {_TOLD[outcome]} "
        f'forbid (principal, action in Action::"more_open_than_{outcome}", resource) when {{ {condition} }};'
    ),
    some.sampled_from(list(_TOLD)),
    some.sampled_from(CONDITIONS),
)
marking_rules: some.SearchStrategy[str] = some.builds(
    '{} {} permit (principal, action in Action::"mark_content", resource) when {{ {} }};'.format,
    some.just(_NOTED),
    some.sampled_from(
        (
            '@onward("decision_maker")',
            '@approver("legal_services")',
            '@conditions("necessity_note")',
            '@alert("re_rate")',
        )
    ),
    some.sampled_from(CONDITIONS),
)
rules = some.one_of(closing_rules, marking_rules)


def strictness(outcome: Outcome) -> int:
    """Give the rung of an outcome; a higher one is stricter."""
    return OUTCOMES_OPEN_TO_STRICT.index(outcome)


def plain_facts(facts: str) -> Mapping[str, Any]:
    """Read what a decision rested on."""

    plain: Mapping[str, Any] = json.loads(facts)
    return plain
