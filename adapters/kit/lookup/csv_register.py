"""The plain register: two CSV files whose columns are the fields of a record and what identifies a person.

For agencies whose systems have no exchange format of their own. `persons.csv` lists persons by the agency's own
reference; `records.csv` refers to them. Lists are separated by semicolons, dates are ISO 8601, yes/no is said in words.
A record that refers to somebody who is not in `persons.csv`, or whose row could not be read, is itself unread: a
record must not lose a person on the way.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from adapters.kit.lookup.answer_table import AnswerTable
from adapters.kit.lookup.fields import day, optional, required, several, yes_no
from adapters.kit.lookup.holdings import HeldPerson, HeldRecord, Holdings
from adapters.kit.lookup.records import LoadedRecords
from adapters.kit.lookup.tables import Row, build_rows, read_table, unique
from adapters.kit.lookup.unread import BadField
from schemas.content.rfi import RequestForInformation

IDENTIFIERS: Final = ("nhs_number", "upn", "nino", "agency_reference")
PERSON_COLUMNS: Final = (
    *("ref", "forename", "surname", "aliases", "dob", "edd", "mother_ref", "died_on", "sex", "addresses"),
    *IDENTIFIERS,
)
RECORD_COLUMNS: Final = (
    *("record_id", "record_type", "category", "subjects", "mentions", "text", "summary", "nature", "originator"),
    *("obtained", "in_confidence", "event_on", "recorded_on", "gsc", "flags", "codes", "contains_other_origin"),
    "consent",
)


def open_register(location: str, *, kind: str) -> LoadedRecords:
    """Open the register in the folder `location` for an agency of `kind`, with the answers table of its package."""
    table = AnswerTable.of(f"adapters.{kind}")

    def load(_request: RequestForInformation, _as_of: datetime) -> Holdings:
        return read_register(Path(location), table)

    return LoadedRecords({kind: load})


def read_register(folder: Path, table: AnswerTable) -> Holdings:
    """Read `persons.csv` and `records.csv` in `folder`; what cannot be read is among `unread`."""
    people = unique(read_table(folder / "persons.csv", PERSON_COLUMNS), "ref")
    persons, bad_persons = build_rows(people, person_of)
    known = frozenset(person.ref for person in persons)
    listed = unique(read_table(folder / "records.csv", RECORD_COLUMNS), "record_id")
    records, bad_records = build_rows(listed, lambda row: record_of(row, known=known, table=table))
    return Holdings(persons, records, (*bad_persons, *bad_records))


def person_of(row: Row) -> HeldPerson:
    """Make a person from a row. Raises `BadField`."""
    cells = row.cells
    name = f"{cells['forename']} {cells['surname']}".strip()
    return HeldPerson(
        ref=required(cells, "ref"),
        names=tuple(one for one in (name, *several(cells, "aliases")) if one),
        dob=day(cells, "dob"),
        edd=day(cells, "edd"),
        mother_ref=optional(cells, "mother_ref"),
        died_on=day(cells, "died_on"),
        sex=optional(cells, "sex"),
        addresses=several(cells, "addresses"),
        identifiers={scheme: cells[scheme] for scheme in IDENTIFIERS if cells[scheme]},
    )


def record_of(row: Row, *, known: frozenset[str], table: AnswerTable) -> HeldRecord:
    """Make a record from a row; `known` are the references of the persons that could be read. Raises `BadField`."""
    cells = row.cells
    if not several(cells, "subjects"):
        raise BadField("subjects", "is empty and must not be", "say whom the record is about")
    return HeldRecord(
        record_id=required(cells, "record_id"),
        source=row.source,
        subjects=references(cells, "subjects", known=known),
        mentions=references(cells, "mentions", known=known),
        fields=_fields(cells) | {"answers": table.answers(_codes(cells))},
    )


def references(cells: Mapping[str, str], column: str, *, known: frozenset[str]) -> tuple[str, ...]:
    """Give the person references in `column`. Raises `BadField` if one is not among the persons that could be read."""
    found = several(cells, column)
    if not known.issuperset(found):
        raise BadField(column, "refers to a person who is not listed or could not be read", "list the person")
    return found


def _fields(cells: Mapping[str, str]) -> dict[str, object]:
    # Codes are passed on as they stand: one that the rules do not know must reach the rules (§3.1a).
    stated = {
        "summary": optional(cells, "summary"),
        "originator": optional(cells, "originator"),
        "obtained": optional(cells, "obtained"),
        "event_on": day(cells, "event_on"),
        "recorded_on": day(cells, "recorded_on"),
        "gsc": optional(cells, "gsc"),
        "consent": optional(cells, "consent"),
    }
    return {
        "record_type": required(cells, "record_type"),
        "category": required(cells, "category"),
        "text": required(cells, "text"),
        "nature": required(cells, "nature"),
        "in_confidence": yes_no(cells, "in_confidence"),
        "flags": several(cells, "flags"),
        "contains_other_origin": several(cells, "contains_other_origin"),
        **{name: value for name, value in stated.items() if value is not None},
    }


def _codes(cells: Mapping[str, str]) -> list[tuple[str, str]]:
    return [("record_type", cells["record_type"]), *(("code", code) for code in several(cells, "codes"))]
