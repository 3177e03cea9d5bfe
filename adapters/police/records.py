"""Police: an export of the force's system in POLE shape, five CSV tables of persons, objects, locations, events, links.

Guarantees: an event keeps its classification, its 3x5x2 grading and its handling conditions word for word; a code that
this file does not know is passed on as it stands, so that the rules close the record (§3.1a); an event that loses a
person to a bad link is unread, not shortened. Refuses to know: what may leave.
Shape after the NPCC POLE Data Standards Catalogue; dates as forces export them, 24/11/2026.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from adapters.kit.lookup.answer_table import AnswerTable
from adapters.kit.lookup.fields import day, optional, required, several
from adapters.kit.lookup.holdings import HeldPerson, HeldRecord, Holdings
from adapters.kit.lookup.records import LoadedRecords, Records
from adapters.kit.lookup.tables import Row, Table, build_rows, read_table, unique
from adapters.kit.lookup.unread import BadField, Unread
from schemas.content.rfi import RequestForInformation

_UK_DATE: Final = "%d/%m/%Y"
Linked = TypeVar("Linked")
TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "person": ("person_id", "surname", "forename", "aliases", "date_of_birth", "date_of_death", "sex", "pnc_id"),
    "object": ("object_id", "object_type", "description"),
    "location": ("location_id", "address", "postcode"),
    "event": (
        *("event_id", "event_type", "occurred_on", "recorded_on", "qualifiers", "statement_kind", "narrative"),
        *("sanitised_text", "gsc", "source_grade", "information_grade", "handling_code", "handling_conditions"),
        *("markers", "controller", "obtained"),
    ),
    "link": ("link_id", "from_type", "from_id", "relationship", "to_type", "to_id"),
}
_CRIMINAL: Final = "criminal"
EVENTS: Final[Mapping[str, tuple[str, str]]] = {
    "CRIME": ("crime", _CRIMINAL),
    "CONVICTION": ("conviction", _CRIMINAL),
    "INCIDENT": ("incident_log", _CRIMINAL),
    "PPN": ("ppn", _CRIMINAL),
    "CUSTODY": ("custody_record", _CRIMINAL),
    "BAIL": ("bail_condition", _CRIMINAL),
    "MISPER": ("missing_report", _CRIMINAL),
    "WARNING": ("warning_marker", _CRIMINAL),
    "INTEL": ("intelligence_report", "police_intelligence"),
    "DVDS": ("dvds_application", _CRIMINAL),
    "CSODS": ("csods_application", _CRIMINAL),
    "VISOR": ("visor_record", _CRIMINAL),
    "MARAC": ("marac_minutes", "police_intelligence"),
}
NATURES: Final[Mapping[str, str]] = {
    "FACT": "fact",
    "OPINION": "professional_opinion",
    "ALLEGATION": "allegation",
    "INTELLIGENCE": "intelligence",
    "REPORT": "third_party_report",
    "OWN WORDS": "own_words",
}
FLAGS: Final[Mapping[str, str]] = {
    "LIVE": "live_investigation",
    "CHIS": "covert_source",
    "ACQUITTED": "acquittal",
    "MAPPA": "mappa",
    "MARAC": "marac",
    "COURT": "court_restricted",
    "LPP": "legal_privilege",
    "REFUGE": "location_protected",
    "PROTECT-ID": "identity_protected",
    "ANON": "anonymous_referrer",
    "VOC": "victim_of_other_case",
    "DRAFT": "draft",
}
_SUBJECT_ROLES: Final = frozenset(("offender", "suspect", "subject", "detainee", "child_present", "missing_person"))
_VICTIM: Final = "victim"


def open_records(location: str) -> Records:
    """Open the export in the folder `location`: `person.csv`, `object.csv`, `location.csv`, `event.csv`, `link.csv`."""
    answers = AnswerTable.of("adapters.police")

    def load(_request: RequestForInformation, _as_of: datetime) -> Holdings:
        return read_export(Path(location), answers)

    return LoadedRecords({"police": load})


@dataclass(frozen=True)
class _Links:
    """Who stands in an event in which role, what belongs to it, and where a person lives; by the agency's ids."""

    in_event: Mapping[str, tuple[tuple[str, str], ...]]
    objects: Mapping[str, tuple[str, ...]]
    homes: Mapping[str, tuple[str, ...]]
    spoilt: frozenset[str]


def read_export(folder: Path, answers: AnswerTable) -> Holdings:
    """Read the five tables; what cannot be read is among `unread`."""
    tables = {
        name: unique(read_table(folder / f"{name}.csv", columns), f"{name}_id") for name, columns in TABLES.items()
    }
    homes, bad_homes = build_rows(tables["location"], lambda row: (required(row.cells, "location_id"), _address(row)))
    objects, bad_objects = build_rows(tables["object"], lambda row: (required(row.cells, "object_id"), _object(row)))
    people = _readable_people(tables["person"])
    known = {"person": frozenset(people), "object": frozenset(dict(objects)), "location": frozenset(dict(homes))}
    known["event"] = frozenset(row.cells["event_id"] for row in tables["event"].rows)
    links, bad_links = _links(tables["link"], known)
    persons, bad_persons = build_rows(tables["person"], lambda row: _person(row, links=links, homes=dict(homes)))
    events, bad_events = build_rows(
        tables["event"], lambda row: _event(row, links=links, objects=dict(objects), answers=answers)
    )
    return Holdings(persons, events, (*bad_persons, *bad_objects, *bad_homes, *bad_links, *bad_events))


def _address(row: Row) -> str:
    return f"{row.cells['address']} {row.cells['postcode']}".strip()


def _object(row: Row) -> str:
    return f"{required(row.cells, 'object_type')}: {row.cells['description']}"


def _readable_people(table: Table) -> frozenset[str]:
    nowhere = _Links({}, {}, {}, frozenset())
    people, _ = build_rows(table, lambda row: _person(row, links=nowhere, homes={}))
    return frozenset(person.ref for person in people)


def _person(row: Row, *, links: _Links, homes: Mapping[str, str]) -> HeldPerson:
    cells = row.cells
    name = f"{cells['forename']} {cells['surname']}".strip()
    ref = required(cells, "person_id")
    return HeldPerson(
        ref=ref,
        names=tuple(one for one in (name, *several(cells, "aliases")) if one),
        dob=day(cells, "date_of_birth", pattern=_UK_DATE),
        died_on=day(cells, "date_of_death", pattern=_UK_DATE),
        sex=optional(cells, "sex"),
        addresses=tuple(homes[home] for home in links.homes.get(ref, ())),
        identifiers={"pnc_id": cells["pnc_id"]} if cells["pnc_id"] else {},
    )


def _links(table: Table, known: Mapping[str, frozenset[str]]) -> tuple[_Links, tuple[Unread, ...]]:
    in_event: dict[str, list[tuple[str, str]]] = {}
    objects: dict[str, list[str]] = {}
    homes: dict[str, list[str]] = {}
    spoilt: set[str] = set()

    def sort_in(row: Row) -> None:
        cells = row.cells
        kind, source, target_kind, target = (cells[name] for name in ("from_type", "from_id", "to_type", "to_id"))
        for column, of_kind, entity in (("from_id", kind, source), ("to_id", target_kind, target)):
            if entity not in known.get(of_kind, frozenset()):
                spoilt.update((source, target))
                raise BadField(column, "refers to something that is not listed or could not be read")
        if (kind, target_kind) == ("person", "event"):
            in_event.setdefault(target, []).append((source, cells["relationship"]))
        elif (kind, target_kind) == ("object", "event"):
            objects.setdefault(target, []).append(source)
        elif (kind, cells["relationship"], target_kind) == ("person", "lives_at", "location"):
            homes.setdefault(source, []).append(target)

    _, unread = build_rows(table, sort_in)
    return _Links(_frozen(in_event), _frozen(objects), _frozen(homes), frozenset(spoilt)), unread


def _frozen(lists: Mapping[str, list[Linked]]) -> dict[str, tuple[Linked, ...]]:
    return {key: tuple(values) for key, values in lists.items()}


def _event(row: Row, *, links: _Links, objects: Mapping[str, str], answers: AnswerTable) -> HeldRecord:
    cells = row.cells
    event = required(cells, "event_id")
    if event in links.spoilt:
        raise BadField("event_id", "has a link in link.csv that cannot be read", "correct the link and export again")
    subjects, mentions = _subjects_and_mentions(links.in_event.get(event, ()))
    if not subjects:
        raise BadField("event_id", "is linked to no person", "link the event to whom it is about")
    seized = " ".join(f"[{objects[one]}]" for one in links.objects.get(event, ()))
    fields = _fields(cells) | {"text": f"{required(cells, 'narrative')} {seized}".strip()}
    return HeldRecord(event, row.source, subjects, fields | {"answers": answers.answers(_codes(cells))}, mentions)


def _subjects_and_mentions(people: tuple[tuple[str, str], ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tell whom an event is about from whom it names; it is about its victims where nobody else is its subject."""
    subjects = [person for person, role in people if role in _SUBJECT_ROLES]
    subjects = subjects or [person for person, role in people if role == _VICTIM]
    return tuple(subjects), tuple(person for person, _ in people if person not in subjects)


def _codes(cells: Mapping[str, str]) -> list[tuple[str, str]]:
    return [("event_type", cells["event_type"]), *(("qualifier", code) for code in several(cells, "qualifiers"))]


def _fields(cells: Mapping[str, str]) -> dict[str, object]:
    kind = required(cells, "event_type")
    # Unknown codes go through as they are: the rules treat what they do not know as the strictest.
    record_type, category = EVENTS.get(kind, (kind.casefold(), _CRIMINAL))
    stated = {
        "summary": optional(cells, "sanitised_text"),
        "originator": optional(cells, "controller"),
        "obtained": optional(cells, "obtained"),
        "event_on": day(cells, "occurred_on", pattern=_UK_DATE),
        "recorded_on": day(cells, "recorded_on", pattern=_UK_DATE),
        "gsc": required(cells, "gsc"),
        "grading": _grading(cells),
    }
    return {
        "record_type": record_type,
        "category": category,
        "nature": NATURES.get(required(cells, "statement_kind"), cells["statement_kind"].casefold()),
        "flags": [FLAGS.get(marker, marker.casefold()) for marker in several(cells, "markers")],
        **{name: value for name, value in stated.items() if value is not None},
    }


def _grading(cells: Mapping[str, str]) -> dict[str, object] | None:
    """Give the 3x5x2 as it stands, conditions word for word (a condition ends at a vertical bar), or None if empty."""
    names = ("source_grade", "information_grade", "handling_code", "handling_conditions")
    if not any(cells[name] for name in names):
        return None
    source = cells["source_grade"]
    return {
        "source": int(source) if source.isdecimal() else source or None,
        "assessment": optional(cells, "information_grade"),
        "handling": optional(cells, "handling_code"),
        "conditions": [one.strip() for one in cells["handling_conditions"].split("|") if one.strip()],
    }
