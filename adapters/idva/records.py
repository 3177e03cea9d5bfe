"""IDVA: case notes in segments, each with its own origin, and the people they are about.

`location` is a folder with `persons.csv` (columns of `adapters/kit/lookup/csv_register.py`) and `notes.csv`, one row a
segment. Guarantees: what the client said and what the police, MARAC or anybody else said never stand in one record
(invariant 7): segments are put together only where origin, way of obtaining and nature are the same. A note that was
never split says so in `contains_other_origin`, and its text then leaves in no form. A note of which one segment
cannot be read is unread as a whole, for that segment may be the one that says whose the words are.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Final

from adapters.kit.lookup.answer_table import AnswerTable
from adapters.kit.lookup.csv_register import PERSON_COLUMNS, person_of, references
from adapters.kit.lookup.fields import day, optional, required, several, yes_no
from adapters.kit.lookup.holdings import HeldRecord, Holdings
from adapters.kit.lookup.records import LoadedRecords, Records
from adapters.kit.lookup.tables import Row, build_rows, read_table, unique
from adapters.kit.lookup.unread import BadField, Unread
from schemas.content.rfi import RequestForInformation

COLUMNS: Final = (
    *("note_id", "segment", "note_type", "subjects", "people_named", "happened_on", "written_on", "nature", "text"),
    *("prepared_wording", "originator", "obtained", "contains_other_origin", "in_confidence", "consent", "markers"),
    "topics",
)
CATEGORIES: Final[Mapping[str, str]] = {
    "police_log": "criminal",
    "refuge_address": "contact_details",
    "counselling_note": "health",
}


def open_records(location: str) -> Records:
    """Open the case notes in the folder `location`."""
    answers = AnswerTable.of("adapters.idva")

    def load(_request: RequestForInformation, _as_of: datetime) -> Holdings:
        return read_notes(Path(location), answers)

    return LoadedRecords({"idva": load})


def read_notes(folder: Path, answers: AnswerTable) -> Holdings:
    """Read persons and notes; what cannot be read is among `unread`."""
    people = unique(read_table(folder / "persons.csv", PERSON_COLUMNS), "ref")
    persons, bad_persons = build_rows(people, person_of)
    known = frozenset(person.ref for person in persons)
    table = read_table(folder / "notes.csv", COLUMNS)
    segments, unread = build_rows(table, lambda row: _segment(row, known=known, answers=answers))
    spoilt = _spoilt(table.rows, unread)
    whole = [segment for segment in segments if segment.note not in spoilt]
    return Holdings(persons, tuple(_records(whole)), (*bad_persons, *unread))


class _Segment:
    """One row of `notes.csv`, with the key by which segments may stand together."""

    def __init__(self, row: Row, record: HeldRecord) -> None:
        self.note = row.cells["note_id"]
        self.record = record
        kept_apart = ("note_id", "note_type", "originator", "obtained", "nature", "consent", "contains_other_origin")
        self.key = tuple(row.cells[column] for column in kept_apart)


def _spoilt(rows: Iterable[Row], unread: Iterable[Unread]) -> frozenset[str]:
    bad = {gap.row for gap in unread if gap.row is not None}
    # A row of which not even the note is known may belong to the note before it or after it.
    unknown = bad - {row.number for row in rows}
    bad |= {number + step for number in unknown for step in (-1, 1)}
    return frozenset(row.cells["note_id"] for row in rows if row.number in bad)


def _segment(row: Row, *, known: frozenset[str], answers: AnswerTable) -> _Segment:
    cells = row.cells
    if not several(cells, "subjects"):
        raise BadField("subjects", "is empty and must not be", "say whom the note is about")
    if not cells["segment"].isdecimal():
        raise BadField("segment", "is not a number")
    record = HeldRecord(
        record_id=f"{required(cells, 'note_id')}/{cells['segment']}",
        source=row.source,
        subjects=references(cells, "subjects", known=known),
        mentions=references(cells, "people_named", known=known),
        fields=_fields(cells) | {"answers": answers.answers(_codes(cells))},
    )
    return _Segment(row, record)


def _codes(cells: Mapping[str, str]) -> list[tuple[str, str]]:
    return [("note_type", cells["note_type"]), *(("topic", topic) for topic in several(cells, "topics"))]


def _fields(cells: Mapping[str, str]) -> dict[str, object]:
    stated = {
        "summary": optional(cells, "prepared_wording"),
        "originator": optional(cells, "originator"),
        "obtained": optional(cells, "obtained"),
        "consent": optional(cells, "consent"),
        "event_on": day(cells, "happened_on"),
        "recorded_on": day(cells, "written_on"),
    }
    return {
        "record_type": required(cells, "note_type"),
        "category": CATEGORIES.get(cells["note_type"], "social_care"),
        "text": required(cells, "text"),
        "nature": required(cells, "nature"),
        "in_confidence": yes_no(cells, "in_confidence"),
        "flags": several(cells, "markers"),
        "contains_other_origin": several(cells, "contains_other_origin"),
        **{name: value for name, value in stated.items() if value is not None},
    }


def _records(segments: list[_Segment]) -> Iterable[HeldRecord]:
    seen: set[str] = set()
    for key, group in groupby(sorted(segments, key=_order), key=lambda segment: segment.key):
        together = [segment.record for segment in group]
        note = key[0]
        yield _joined(together, note if note not in seen else together[0].record_id)
        seen.add(note)


def _order(segment: _Segment) -> tuple[str, tuple[str, ...]]:
    # The service's own words come first and keep the note's id: an empty originator sorts before any other.
    return segment.note, segment.key


def _joined(parts: list[HeldRecord], record_id: str) -> HeldRecord:
    fields = dict(parts[0].fields)
    for name in ("flags", "answers"):
        fields[name] = list(dict.fromkeys(one for part in parts for one in part.fields[name]))
    fields["text"] = " ".join(part.fields["text"] for part in parts)
    fields["in_confidence"] = any(part.fields["in_confidence"] for part in parts)
    if wordings := [part.fields["summary"] for part in parts if "summary" in part.fields]:
        fields["summary"] = " ".join(wordings)
    subjects = tuple(dict.fromkeys(one for part in parts for one in part.subjects))
    mentions = tuple(dict.fromkeys(one for part in parts for one in part.mentions))
    return HeldRecord(record_id, parts[0].source, subjects, fields, mentions)
