"""From the tables of the Standard Safeguarding Dataset to persons and records.

Guarantees: rows of one family that say the same (an early help episode entered for mother and children) become one
record with all its persons; a row with a value that cannot be read is named by table, id and column. No free text is
in the dataset, so that wordings are composed (`ssd_kinds.py`). A child in need episode is told by its assessment where
it has one. Addresses serve matching and stand in no record.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from adapters.kit.lookup.answer_table import AnswerTable
from adapters.kit.lookup.fields import day
from adapters.kit.lookup.holdings import HeldPerson, HeldRecord, Holdings
from adapters.kit.lookup.unread import BadField, Unread
from adapters.la.ssd_database import Extract
from adapters.la.ssd_kinds import KINDS, Cells, Kind

_NOT_AN_ADDRESS: Final = frozenset(("UPRN", "EASTING", "NORTHING"))
_SCHEMES: Final = {
    "Unique Pupil Number": "upn",
    "NHS Number": "nhs_number",
    "National Insurance Number": "nino",
}


@dataclass(frozen=True)
class _Index:
    """What other tables say of a person or an assessment, by id."""

    families: Mapping[str, str]
    mothers: Mapping[str, str]
    children: Mapping[str, tuple[str, ...]]
    addresses: Mapping[str, tuple[str, ...]] = field(repr=False)
    identifiers: Mapping[str, Mapping[str, str]] = field(repr=False)
    factors: Mapping[str, tuple[str, ...]]
    assessed: frozenset[str]


@dataclass(frozen=True)
class _Context:
    """What the making of a record needs: the other tables, the persons that could be read, the answers table."""

    index: _Index
    known: frozenset[str]
    answers: AnswerTable


def read_ssd(extract: Extract, answers: AnswerTable) -> Holdings:
    """Make persons and records of an extract; what cannot be read is among `unread`."""
    unread = list(extract.unread)
    index = _index(extract, unread)
    persons: list[HeldPerson] = []
    for cells in extract.tables.get("ssd_person", []):
        try:
            persons.append(_person(cells, index))
        except BadField as bad:
            unread.append(_at("ssd_person", key=cells["pers_person_id"], bad=bad))
    context = _Context(index, frozenset(person.ref for person in persons), answers)
    records = _records(extract, context=context, unread=unread)
    return Holdings(tuple(persons), tuple(records), tuple(unread))


def _at(table: str, *, key: object, bad: BadField) -> Unread:
    return bad.at(f"{table}, id {key}", None)


def _index(extract: Extract, unread: list[Unread]) -> _Index:
    tables = {name: extract.tables.get(name, []) for name in ("ssd_family", "ssd_mother", "ssd_cin_assessments")}
    mothers = {row["moth_childs_person_id"]: row["moth_person_id"] for row in tables["ssd_mother"]}
    return _Index(
        families={row["fami_person_id"]: row["fami_family_id"] for row in tables["ssd_family"]},
        mothers=mothers,
        children={mother: tuple(c for c, m in mothers.items() if m == mother) for mother in set(mothers.values())},
        addresses=_addresses(extract, unread),
        identifiers=_identifiers(extract),
        factors=_factors(extract, unread),
        assessed=frozenset(str(row["cina_referral_id"]) for row in tables["ssd_cin_assessments"]),
    )


def _json(cells: Cells, column: str) -> Any:
    try:
        return json.loads(cells[column] or "null")
    except (ValueError, TypeError):
        raise BadField(column, "is not JSON as the data model says") from None


def _addresses(extract: Extract, unread: list[Unread]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for cells in extract.tables.get("ssd_address", []):
        try:
            parts = _json(cells, "addr_address_json") or {}
            if not isinstance(parts, dict):
                raise BadField("addr_address_json", "is not JSON as the data model says")
        except BadField as bad:
            unread.append(_at("ssd_address", key=cells["addr_table_id"], bad=bad))
            continue
        words = (str(value).strip() for name, value in parts.items() if value and name not in _NOT_AN_ADDRESS)
        line = " ".join((*words, str(cells["addr_address_postcode"] or "")))
        person = cells["addr_person_id"]
        found[person] = (*found.get(person, ()), line)
    return found


def _identifiers(extract: Extract) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for cells in extract.tables.get("ssd_linked_identifiers", []):
        scheme = _SCHEMES.get(str(cells["link_identifier_type"]))
        if scheme and cells["link_identifier_value"]:
            found.setdefault(cells["link_person_id"], {})[scheme] = str(cells["link_identifier_value"])
    return found


def _factors(extract: Extract, unread: list[Unread]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for cells in extract.tables.get("ssd_assessment_factors", []):
        key = cells["cinf_assessment_id"]
        try:
            factors = _json(cells, "cinf_assessment_factors_json") or []
        except BadField as bad:
            unread.append(_at("ssd_assessment_factors", key=key, bad=bad))
            continue
        # Both shapes are in use: a list of codes, and an object of code and yes or no.
        chosen = [code for code, said in factors.items() if said == "Yes"] if isinstance(factors, dict) else factors
        found[key] = tuple(str(code) for code in chosen)
    return found


def _person(cells: Cells, index: _Index) -> HeldPerson:
    ref = cells["pers_person_id"]
    nhs_number = cells["pers_common_child_id"]
    name = f"{cells['pers_forename'] or ''} {cells['pers_surname'] or ''}".strip()
    born = date_in(cells, "pers_dob")
    expected = date_in(cells, "pers_expected_dob") if born is None else None
    return HeldPerson(
        ref=ref,
        names=(name,) if name else (),
        dob=born,
        edd=expected,
        mother_ref=index.mothers.get(ref),
        died_on=date_in(cells, "pers_death_date"),
        family_of=index.children.get(ref, ()),
        sex=cells["pers_sex"],
        addresses=index.addresses.get(ref, ()),
        identifiers={**({"nhs_number": str(nhs_number)} if nhs_number else {}), **index.identifiers.get(ref, {})},
    )


def date_in(cells: Cells, column: str) -> date | None:
    """Read a date that the driver gives as date, timestamp or text, the time of day left out. Raises `BadField`."""
    value = cells[column]
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else day({column: str(value)[:10]}, column)


def _records(extract: Extract, *, context: _Context, unread: list[Unread]) -> Iterable[HeldRecord]:
    made: list[HeldRecord] = []
    for table, kind in KINDS.items():
        rows = extract.tables.get(table, [])
        if table == "ssd_cin_episodes":
            # An episode is told by its assessment, where it has one.
            rows = [cells for cells in rows if str(cells["cine_referral_id"]) not in context.index.assessed]
        for group in _same_in_one_family(rows, kind=kind, families=context.index.families):
            try:
                made.append(_record(group, table=table, kind=kind, context=context))
            except BadField as bad:
                unread.append(_at(table, key=group[0][kind.key], bad=bad))
    return made


def _same_in_one_family(rows: Iterable[Cells], *, kind: Kind, families: Mapping[str, str]) -> Iterable[list[Cells]]:
    groups: dict[tuple[object, ...], list[Cells]] = {}
    for cells in rows:
        # Somebody without a family is a family of one.
        family = families.get(cells[kind.person], f"alone {cells[kind.person]}")
        groups.setdefault((family, *(cells[column] for column in kind.same)), []).append(cells)
    return groups.values()


def _record(group: list[Cells], *, table: str, kind: Kind, context: _Context) -> HeldRecord:
    first = group[0]
    subjects = tuple(dict.fromkeys(cells[kind.person] for cells in group))
    if not context.known.issuperset(subjects):
        raise BadField(kind.person, "refers to a person who is not in ssd_person or could not be read")
    start, end = date_in(first, kind.start), date_in(first, kind.end) if kind.end else None
    if start is None:
        raise BadField(kind.start, "is empty and must not be")
    factors = tuple(dict.fromkeys(code for cells in group for code in context.index.factors.get(cells[kind.key], ())))
    found = context.answers.answers([("table", table), *(("factor", code) for code in factors)])
    fields: dict[str, object] = {
        "record_type": kind.record_type,
        "category": "social_care",
        "text": kind.words(first, _span(start, end, is_span=kind.end is not None))
        + (f"; factors {', '.join(factors)}" if factors else ""),
        "nature": kind.nature,
        "event_on": end or start,
        "answers": found,
        **kind.more(first),
    }
    return HeldRecord(str(first[kind.key]), f"{table} {first[kind.key]}", subjects, fields)


def _span(start: date, end: date | None, *, is_span: bool) -> str:
    if not is_span:
        return f"on {start}"
    return f"opened {start}, closed {end}" if end else f"opened {start}, still open"
