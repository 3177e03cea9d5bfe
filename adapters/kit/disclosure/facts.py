"""What the rules see of one record: codes and yes-or-no, never the text (§1.5).

Pure functions of the record, the request and the agency's own facts. Nothing is decided here; what follows from a
fact is written in the rule files. A value that is on no list is named in `unknown` and never repaired.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from adapters.kit.disclosure.agency_facts import AgencyFacts, RecordType
from adapters.kit.disclosure.dates import age_on, months_before
from adapters.kit.disclosure.provenance import Provenance, provenance
from adapters.kit.disclosure.request_facts import audience_known, day_of, questions_put
from adapters.kit.disclosure.wording import wording_state
from schemas.content.codes import (
    CATEGORIES,
    CLASSIFICATIONS,
    CONSENT_STANCES,
    FLAGS,
    GRADING_ASSESSMENTS,
    GRADING_HANDLINGS,
    GRADING_SOURCES,
    MATCHES,
    NATURES,
    OBTAINED,
)
from schemas.content.person import Person
from schemas.content.record import Grading, Record
from schemas.content.rfi import Question, RequestForInformation

_LISTS: Final = {
    "category": CATEGORIES,
    "nature": NATURES,
    "obtained": OBTAINED,
    "gsc": frozenset(CLASSIFICATIONS),
    "match": MATCHES,
    "consent": CONSENT_STANCES,
}
_ALIVE: Final = frozenset({"living", "unborn"})
_FOUR_EYES_CATEGORIES: Final = frozenset({"police_intelligence", "sex_life"})
_OBJECTING: Final = frozenset({"refused", "withdrawn"})
_SPEAKER_FLAGS: Final = frozenset({"identity_protected", "anonymous_referrer"})
YOUNG: Final = 13


@dataclass(frozen=True)
class Asked:
    """What of a request concerns its records: day, persons, and the questions put to this agency."""

    day: date
    persons: Mapping[str, Person]
    questions: Mapping[str, Question]
    audience_known: bool


@dataclass(frozen=True, repr=False)
class RecordFacts:
    """One record's facts: `entity` as the schema of the rules has it, `lists` the words behind a rule's tokens.

    `entity_json` is `entity` as JSON with sorted keys: what Cedar reads is what is kept and hashed.
    """

    entity: Mapping[str, Any]
    entity_json: str
    lists: Mapping[str, tuple[str, ...]]
    content_hash: str

    def canonical(self, context_json: str) -> str:
        """Give what a decision rested on, as JSON with sorted keys; the text only as its hash."""
        lists = json.dumps(self.lists, sort_keys=True, ensure_ascii=False)
        return (
            f'{{"content_sha256":"{self.content_hash}","lists":{lists},'
            f'"record":{self.entity_json},"request":{context_json}}}'
        )


def asked(request: RequestForInformation) -> Asked:
    """Read from `request` what its records are held against. Raises ValueError when it was issued at no known day."""
    return Asked(day_of(request), request.persons, questions_put(request), audience_known(request))


def record_facts(record: Record, *, asked: Asked, agency: AgencyFacts) -> RecordFacts:
    """Compute the facts of one record."""
    record_type = agency.record_types.get(record.record_type)
    flags = frozenset(record.flags) | (record_type.implies if record_type else frozenset())
    origin = provenance(record, agency=agency, flags=flags)
    outsiders = tuple(dict.fromkeys(who for who in (*record.subjects, *record.mentions) if who not in asked.persons))
    spoke = _protected_mentions(record, persons=asked.persons)
    unnamed = (*outsiders, *(spoke if flags & _SPEAKER_FLAGS else ()))
    about = _about(record, asked=asked)
    entity = {
        **_codes(record, record_type=record_type, flags=flags),
        "unknown": sorted(_unknown(record, record_type=record_type, asked=asked) | origin.unknown),
        "ours": not origin.controllers,
        "controllers": list(origin.controllers),
        "mixed_with": list(origin.mixed_with),
        "outsiders": bool(outsiders),
        **_answers(record, asked=asked),
        "too_old": _too_old(record, asked=asked, agency=agency),
        **about,
        "in_confidence": _in_confidence(record, record_type, flags, agency=agency) or about["about_dead"],
        "wording": wording_state(record.summary, unnamed=unnamed, persons=asked.persons),
    }
    entity_json = json.dumps(entity, sort_keys=True, ensure_ascii=False)
    return RecordFacts(entity, entity_json, _lists(origin, outsiders=outsiders, spoke=spoke), _content_hash(record))


def needs_four_eyes(record: Record, *, agency: AgencyFacts) -> bool:
    """Say whether author and approver of `record` must differ (RSP-19).

    What its holder and its type make of it counts as what it bears itself: an adviser's note is in confidence without
    a mark on it. A type that is on no list is sensitive, since nobody knows what it is.
    """
    record_type = agency.record_types.get(record.record_type)
    if record_type is None:
        return True
    flags = frozenset(record.flags) | record_type.implies
    marked = bool(flags) or record.grading is not None or record_type.needs_grading or record.nature == "intelligence"
    confided = _in_confidence(record, record_type, flags, agency=agency) or record.consent in _OBJECTING
    return marked or confided or record.category in _FOUR_EYES_CATEGORIES


def _lists(origin: Provenance, *, outsiders: tuple[str, ...], spoke: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {
        "outsiders": outsiders,
        "protected_mentions": spoke,
        "controllers": origin.controllers,
        "others_inside": origin.others_inside,
        "origins_inside": tuple(f"origin:{code}" for code in origin.mixed_with),
    }


def _codes(record: Record, *, record_type: RecordType | None, flags: frozenset[str]) -> dict[str, Any]:
    codes: dict[str, Any] = {
        "record_type": record.record_type,
        "allows": str(record_type.allows) if record_type else "",
        "traits": sorted(record_type.traits) if record_type else [],
        "category": record.category,
        "nature": record.nature,
        "gsc": record.gsc,
        "match": record.match,
        "flags": sorted(flags),
    }
    if record.grading is not None:
        codes["grading"] = _grading(record.grading)
    return codes


def _grading(grading: Grading) -> dict[str, str]:
    stated = any(condition.strip() for condition in grading.conditions)
    return {
        "assessment": grading.assessment or "",
        "handling": grading.handling or "",
        "conditions": "stated" if stated else "blank" if grading.conditions else "none",
    }


def _unknown(record: Record, *, record_type: RecordType | None, asked: Asked) -> set[str]:
    unknown = {name for name, known in _LISTS.items() if getattr(record, name) not in known}
    if record_type is None:
        unknown.add("record_type")
    if not frozenset(record.flags) <= FLAGS:
        unknown.add("flags")
    if not asked.audience_known:
        unknown.add("audience")
    if _grading_unknown(record.grading, needed=bool(record_type and record_type.needs_grading)):
        unknown.add("grading")
    return unknown | set(record.unreadable)


def _grading_unknown(grading: Grading | None, *, needed: bool) -> bool:
    if grading is None:
        return needed
    known = (
        grading.source in GRADING_SOURCES,
        grading.assessment in GRADING_ASSESSMENTS,
        grading.handling in GRADING_HANDLINGS,
    )
    return not all(known)


def _answers(record: Record, *, asked: Asked) -> dict[str, Any]:
    answered = {code: asked.questions[code] for code in record.answers if code in asked.questions}
    return {
        "answered": sorted(answered),
        "protects": any(question.protects for question in answered.values()),
        "any_age": any(question.any_age for question in answered.values()),
        "raises": sorted({alert for question in answered.values() for alert in question.alert}),
    }


def _too_old(record: Record, *, asked: Asked, agency: AgencyFacts) -> bool:
    happened = record.event_on or record.recorded_on
    if agency.window_months is None or happened is None:
        return False
    return happened < months_before(asked.day, agency.window_months)


def _about(record: Record, *, asked: Asked) -> dict[str, Any]:
    persons = [asked.persons[who] for who in record.subjects if who in asked.persons]
    dead = [person for person in persons if has_died(person)]
    children = [person for person in persons if person.is_child]
    return {
        "about_request": bool(persons),
        "about_dead": bool(dead),
        "about_child": bool(children),
        "about_child_under_13": any(_is_young(child, day=asked.day) for child in children),
        "stance": _stance(record, any_dead=bool(dead), all_dead=bool(dead) and len(dead) == len(record.subjects)),
    }


def _stance(record: Record, *, any_dead: bool, all_dead: bool) -> str:
    """Consent about the dead plays no part, and their refusal counts for nothing; a living co-subject's still does."""
    if all_dead or (any_dead and record.consent == "given"):
        return "void"
    return record.consent


def has_died(person: Person) -> bool:
    """Say whether a person has died; an unknown life status is taken as that, since it is the stricter."""
    return person.died_on is not None or person.life_status not in _ALIVE


def _is_young(child: Person, *, day: date) -> bool:
    """Say whether a child is under 13; a child of unknown age is, since a missed alert is the worse mistake."""
    if child.dob is not None:
        return age_on(day, born=child.dob) < YOUNG
    return child.edd is not None or child.estimated_age is None or child.estimated_age < YOUNG


def _in_confidence(
    record: Record, record_type: RecordType | None, flags: frozenset[str], *, agency: AgencyFacts
) -> bool:
    by_type = record_type is not None and record_type.in_confidence
    return record.in_confidence or agency.everything_in_confidence or by_type or "counselling" in flags


def _protected_mentions(record: Record, *, persons: Mapping[str, Person]) -> tuple[str, ...]:
    """Give who is mentioned and must not be known to have spoken: anybody but an alleged perpetrator (§3.9)."""
    return tuple(
        dict.fromkeys(who for who in record.mentions if who not in persons or not persons[who].alleged_perpetrator)
    )


def _content_hash(record: Record) -> str:
    text = record.text.encode()
    summary = (record.summary or "").encode()
    return hashlib.sha256(len(text).to_bytes(8, "big") + text + summary).hexdigest()
