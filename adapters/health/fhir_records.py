"""From FHIR resources of one source to what the kit needs: persons and records.

An encounter and the conditions and observations that belong to it are told as one record, as a clinician would tell
them; appointments are told together, one record a patient and year. Everything else is a record of its own. Types,
nature and flags come from codes (`fhir_codes.py`), answers from `answers.toml`. A narrative (`text.div`) is not read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from adapters.health import fhir_codes as codes
from adapters.health import fhir_persons as persons
from adapters.health.fhir_appointments import appointment_records
from adapters.health.fhir_parse import CLINICAL_TYPES, PERSON_TYPES, Resource
from adapters.health.fhir_words import words
from adapters.kit.lookup.answer_table import AnswerTable
from adapters.kit.lookup.holdings import HeldPerson, HeldRecord, Holdings
from adapters.kit.lookup.unread import BadField, Unread

_DATES: Final = (
    *("effectiveDateTime", "recordedDate", "onsetDateTime", "sent", "date", "occurrenceDateTime", "performedDateTime"),
    *("authoredOn", "assertedDate", "start"),
)
_ADULT: Final = 18
_CONSENT_REFUSED: Final = "deny"


@dataclass(frozen=True)
class _Reading:
    """What is known while one source's resources are made into records."""

    source: str
    people: Mapping[str, HeldPerson] = field(repr=False)
    restricted: frozenset[str]
    refused: frozenset[str]
    answers: AnswerTable
    on: date


def holdings_of(resources: tuple[Resource, ...], *, source: str, answers: AnswerTable, on: date) -> Holdings:
    """Make the holdings of one source (`gp`, `acute`, ...); `on` is the day by which a patient is a child."""
    aliases = {one.full_url: persons.key_of(one) for one in resources if one.full_url}
    resources = tuple(replace(one, plain=_resolved(one.plain, aliases)) for one in resources)
    unread: list[Unread] = []
    people = _people(resources, unread)
    reading = _Reading(source, people, _restricted(resources), _refused(resources), answers, on)
    records: list[HeldRecord] = []
    for group in _groups(resources):
        try:
            records.append(_record(group, reading))
        except BadField as bad:
            unread.append(bad.at(group[0].file, group[0].entry))
    appointments = tuple(one for one in resources if one.kind == "Appointment")
    children = frozenset(ref for ref in people if _is_child(ref, reading))
    records += appointment_records(appointments, source=source, children=children, answers=answers)
    return Holdings(tuple(people.values()), tuple(records), tuple(unread))


def _resolved(plain: Any, aliases: Mapping[str, str]) -> Any:
    """Give a resource whose references within its bundle (`urn:uuid:`) are references to `Type/id`."""
    if isinstance(plain, Mapping):
        return {
            name: aliases.get(value, value) if name == "reference" else _resolved(value, aliases)
            for name, value in plain.items()
        }
    return [_resolved(one, aliases) for one in plain] if isinstance(plain, list) else plain


def _people(resources: tuple[Resource, ...], unread: list[Unread]) -> dict[str, HeldPerson]:
    people: dict[str, HeldPerson] = {}
    for one in (one for one in resources if one.kind in PERSON_TYPES):
        try:
            people[persons.key_of(one)] = persons.person_of(one)
        except BadField as bad:
            unread.append(bad.at(one.file, one.entry))
    for one in resources:
        people |= {held.ref: held for held in persons.displayed(one.plain, dict.fromkeys(people, ""))}
        unborn = persons.unborn_of(one) if one.kind == "Observation" else None
        people |= {unborn.ref: unborn} if unborn else {}
    return people


def _restricted(resources: tuple[Resource, ...]) -> frozenset[str]:
    patients = (one for one in resources if one.kind == "Patient")
    return frozenset(persons.key_of(one) for one in patients if persons.is_location_restricted(one))


def _refused(resources: tuple[Resource, ...]) -> frozenset[str]:
    """Give the patients who refused sharing. A permission opens nothing here: it would have to name the record."""
    consents = (one.plain for one in resources if one.kind == "Consent" and one.plain.get("status") == "active")
    return frozenset(
        persons.reference_of(plain.get("patient"))
        for plain in consents
        if plain.get("provision", {}).get("type") == _CONSENT_REFUSED
    )


def _groups(resources: tuple[Resource, ...]) -> Iterator[list[Resource]]:
    """Put each encounter with what belongs to it; a part with a heading or a label of its own stays alone."""
    encounters = {persons.key_of(one): [one] for one in resources if one.kind == "Encounter"}
    for one in resources:
        if one.kind not in CLINICAL_TYPES or one.kind in ("Encounter", "Appointment"):
            continue
        belongs = encounters.get(persons.reference_of(one.plain.get("encounter")))
        if belongs is not None and not _stands_alone(one) and _patient(one) == _patient(belongs[0]):
            belongs.append(one)
        else:
            yield [one]
    yield from encounters.values()


def _stands_alone(resource: Resource) -> bool:
    meta = frozenset(codes.codes_of(resource.plain.get("meta", {})))
    return bool(meta & codes.RECORD_TYPES.keys()) or bool(codes.flags_of(meta)) or codes.is_confidential(meta)


def _patient(resource: Resource) -> str:
    return persons.reference_of(resource.plain.get("subject") or resource.plain.get("patient"))


def _is_child(ref: str, reading: _Reading) -> bool:
    """Say whether the patient is known to be under 18; an unknown age is an adult's, whose record is in confidence."""
    born = reading.people[ref].dob if ref in reading.people else None
    if born is None:
        return False
    birthday_to_come = (reading.on.month, reading.on.day) < (born.month, born.day)
    return reading.on.year - born.year - birthday_to_come < _ADULT


def _record(group: list[Resource], reading: _Reading) -> HeldRecord:
    first, patient = group[0], _patient(group[0])
    if patient not in reading.people:
        raise BadField(f"{first.kind}.subject", "points to nobody who is in this export", "export the patient with it")
    text = "; ".join(said for one in group if (said := words(one)))
    if not text:
        raise BadField(first.kind, "says nothing in words or codes")
    found = frozenset(code for one in group for code in codes.codes_of(one.plain))
    fields = {
        "record_type": _record_type(first, found, reading),
        "category": "sex_life" if "act|SEX" in found else "health",
        "text": text,
        "nature": _nature(group),
        "event_on": _event_on(group),
        "answers": reading.answers.answers(("code", code) for one in group for code in codes.codes_of(one.plain)),
        **_restrictions(patient, found, reading),
        **_origin(found),
    }
    record_id = str(first.plain.get("id") or first.source)
    subjects = (*_unborn(group, patient, reading), patient)
    return HeldRecord(record_id, f"{reading.source}/{first.source}", subjects, fields, _mentions(group, reading))


def _restrictions(patient: str, found: frozenset[str], reading: _Reading) -> dict[str, Any]:
    place = ["location_protected"] if patient in reading.restricted else []
    refused = {"consent": "refused"} if patient in reading.refused else {}
    flags = list(dict.fromkeys((*codes.flags_of(found), *place)))
    return {"in_confidence": codes.is_confidential(found), "flags": flags, **refused}


def _origin(found: frozenset[str]) -> dict[str, Any]:
    """Give whose the information is; more than one originator is no originator, which closes the record."""
    origin, obtained = codes.of_system(found, "origin"), codes.of_system(found, "obtained")
    stated: dict[str, Any] = {"originator": " and ".join(origin)} if origin else {}
    return stated | ({"obtained": " and ".join(obtained).replace("-", "_")} if obtained else {})


def _record_type(first: Resource, found: frozenset[str], reading: _Reading) -> str:
    coded = next((kind for code, kind in codes.RECORD_TYPES.items() if code in found), None)
    by_source = codes.SOURCE_TYPES.get(reading.source)
    letter = "clinical_letter" if first.kind in codes.LETTERS else None
    by_age = "child_clinical" if _is_child(_patient(first), reading) else "adult_clinical"
    return coded or by_source or letter or by_age


def _nature(group: list[Resource]) -> str:
    """Give the one nature of a record told from several resources: the weakest, or an unknown one if one is unknown."""
    natures = [codes.nature_of(frozenset(codes.codes_of(one.plain))) for one in group]
    unknown = [nature for nature in natures if nature not in codes.NATURES_WEAKEST_LAST]
    return unknown[0] if unknown else max(natures, key=codes.NATURES_WEAKEST_LAST.index)


def _event_on(group: list[Resource]) -> date | None:
    for one in group:
        period = one.plain.get("period", {})
        stated = (period.get("start"), *(one.plain.get(name) for name in _DATES))
        if found := next((day for day in map(persons.date_of, stated) if day), None):
            return found
    return None


def _unborn(group: list[Resource], patient: str, reading: _Reading) -> tuple[str, ...]:
    ref = persons.unborn_ref(patient)
    told = any(one.kind == "Observation" and persons.unborn_of(one) for one in group)
    return (ref,) if told and ref in reading.people else ()


def _mentions(group: list[Resource], reading: _Reading) -> tuple[str, ...]:
    pointed = (
        party.get(name)
        for one in group
        for party in (*one.plain.get("participant", []), one.plain)
        for name in ("individual", "actor", "sender")
    )
    refs = (persons.reference_of(one) for one in pointed if isinstance(one, Mapping))
    return tuple(dict.fromkeys(ref for ref in refs if ref in reading.people and ref != _patient(group[0])))
