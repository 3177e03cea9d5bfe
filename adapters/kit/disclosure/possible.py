"""Every record and request that an agency's facts allow, as far as a rule speaks of them. For `lint` alone.

What a rule does not mention stays at one ordinary value; what it mentions takes every value that it names, where a
record can have it, and one that it does not name.
"""

from collections.abc import Iterator, Mapping
from itertools import chain, combinations, product
from typing import Any, Final

from adapters.kit.disclosure.agency_facts import ORIGINATORS, AgencyFacts
from schemas.content.codes import (
    CATEGORIES,
    CLASSIFICATIONS,
    CONSENT_STANCES,
    FLAGS,
    MATCHES,
    NATURES,
    PURPOSES,
    Audience,
)

Values = Mapping[str, Any]
_SIGNATORIES: Final = frozenset({"listed", "signed", "active", "notice_given", "left"})
_AGREEMENTS: Final = frozenset({"draft", "active", "superseded", "ended"})
_CASES: Final = frozenset({"open", "not_open"})
# A request carries whatever the requester wrote; a record with an unlisted value is an unknown thing already.
_UNLISTED: Final = "something else"
_CHOICES: Final[Mapping[str, frozenset[str]]] = {
    "category": CATEGORIES,
    "nature": NATURES,
    "gsc": frozenset(CLASSIFICATIONS),
    "match": MATCHES,
    "stance": CONSENT_STANCES | {"void"},
    "wording": frozenset({"none", "usable", "names_somebody"}),
}
_SETS: Final[Mapping[str, frozenset[str]]] = {
    "controllers": ORIGINATORS,
    "mixed_with": ORIGINATORS,
    "raises": frozenset({"urgent_content", "re_rate"}),
}
_EMPTY_OR_NOT: Final[Mapping[str, list[Any]]] = {"unknown": [[], ["flags"]], "answered": [[], ["a_question"]]}
_NORMALLY_NOT: Final = (
    "outsiders",
    "protects",
    "any_age",
    "too_old",
    "in_confidence",
    "about_dead",
    "about_child",
    "about_child_under_13",
)
_ORDINARY: Final[Values] = {
    "category": "criminal",
    "nature": "fact",
    "gsc": "OFFICIAL-SENSITIVE",
    "match": "confirmed",
    "stance": "not_asked",
    "wording": "none",
    "controllers": [],
    "mixed_with": [],
    "raises": [],
    "unknown": [],
    "answered": ["a_question"],
    "ours": True,
    "about_request": True,
    **dict.fromkeys(_NORMALLY_NOT, False),
}
_BY_AN_ANSWER: Final = ("protects", "any_age", "raises")
_GRADING: Final = {"assessment": tuple("ABCDE"), "handling": tuple("PC"), "conditions": ("none", "blank", "stated")}
_SWITCHES: Final = ("gateway", "override", "emergency_exception", "gap_queried")


def records(mentioned: frozenset[str], literals: frozenset[str], *, agency: AgencyFacts) -> Iterator[Values]:
    """Give every record, as the rules see it, that differs in what `mentioned` and `literals` speak of."""
    free = {name: _values(name, literals) for name in _ORDINARY if name in mentioned}
    gradings: list[Values] = [{}]
    if mentioned & {"grading", *_GRADING}:
        gradings += [{"grading": dict(zip(_GRADING, values, strict=True))} for values in product(*_GRADING.values())]
    for typed in _types(literals, agency=agency):
        for values, grading in product(product(*free.values()), gradings):
            record = {**_ORDINARY, **typed, **dict(zip(free, values, strict=True)), **grading}
            if _consistent(record, agency=agency):
                yield {**record, **_implied(record, agency=agency)}


def requests(literals: frozenset[str]) -> Iterator[Values]:
    """Give every request, as the rules see it, that differs in what `literals` name."""
    choices: dict[str, list[Any]] = {
        "put_to_holder": [True, False],
        "signatory": [*_named_and_one(_SIGNATORIES, literals), _UNLISTED],
        "agreement_status": [*_named_and_one(_AGREEMENTS, literals), _UNLISTED],
        "red": [True, False],
        "case_status": [*sorted(_CASES), _UNLISTED],
        "case_override": [True, False],
        "purpose": [*_named_and_one(PURPOSES, literals), _UNLISTED],
    }
    yield from (dict(zip(choices, values, strict=True)) for values in product(*choices.values()))


def contexts(mentioned: frozenset[str], literals: frozenset[str]) -> Iterator[Values]:
    """Give every context that differs in what `mentioned` and `literals` speak of."""
    addressees = _named_and_one(frozenset(Audience), literals) if "addressee" in mentioned else ["mash_team"]
    switches = [[True, False] if name in mentioned else [False] for name in _SWITCHES]
    for addressee, *values in product(addressees, *switches):
        for onward in ([], [addressee]):
            yield {"addressee": addressee, "onward_if_shared": onward, **dict(zip(_SWITCHES, values, strict=True))}


def values_of(mentioned: frozenset[str], *, agency: AgencyFacts) -> frozenset[str]:
    """Give every word that a record or request of `agency` can have in one of the `mentioned` attributes."""
    types = agency.record_types.values()
    known: Mapping[str, frozenset[str]] = {
        **_CHOICES,
        **_SETS,
        **{name: frozenset(values) for name, values in _GRADING.items()},
        "flags": FLAGS,
        "record_type": frozenset(agency.record_types),
        "traits": frozenset(trait for kind in types for trait in kind.traits),
        "allows": frozenset(str(kind.allows) for kind in types),
        "addressee": frozenset(Audience),
        "onward_if_shared": frozenset(Audience),
        "signatory": _SIGNATORIES,
        "agreement_status": _AGREEMENTS,
        "case_status": _CASES,
        "purpose": PURPOSES | {""},
    }
    return frozenset(chain.from_iterable(known.get(name, frozenset()) for name in mentioned))


def _types(literals: frozenset[str], *, agency: AgencyFacts) -> Iterator[Values]:
    for name, kind in agency.record_types.items():
        for flags in _subsets(literals & FLAGS):
            yield {
                "record_type": name,
                "allows": str(kind.allows),
                "traits": sorted(kind.traits),
                "flags": sorted({*flags, *kind.implies}),
            }


def _values(name: str, literals: frozenset[str]) -> list[Any]:
    if name in _CHOICES:
        return _named_and_one(_CHOICES[name], literals)
    if name in _SETS:
        return [list(words) for words in _subsets(_named_and_one(_SETS[name], literals))]
    return _EMPTY_OR_NOT.get(name, [True, False])


def _named_and_one(known: frozenset[str], literals: frozenset[str]) -> list[str]:
    return [*sorted(known & literals), *sorted(known - literals)[:1]]


def _subsets(words: frozenset[str] | list[str]) -> Iterator[tuple[str, ...]]:
    return chain.from_iterable(combinations(sorted(words), size) for size in range(len(words) + 1))


def _consistent(record: Values, *, agency: AgencyFacts) -> bool:
    if not record["answered"] and any(record[name] for name in _BY_AN_ANSWER):
        return False
    return agency.window_months is not None or not record["too_old"]


def _implied(record: Values, *, agency: AgencyFacts) -> Values:
    """Give what is true of a record because of something else that is."""
    by_type = agency.record_types[record["record_type"]].in_confidence
    always = agency.everything_in_confidence or by_type or record["about_dead"] or "counselling" in record["flags"]
    return {
        "in_confidence": record["in_confidence"] or always,
        "ours": record["ours"] and not record["controllers"],
        "about_child": record["about_child"] or record["about_child_under_13"],
    }
