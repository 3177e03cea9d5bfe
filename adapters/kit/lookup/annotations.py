"""What a holder has noted about a record that its own system has no column for, in `annotations.csv` beside the export.

A prepared wording, the person's stance, a confidence, a flag, the label by which the agency speaks of the record.
Guarantees: a note only ever narrows what the system itself says (flags are added, confidence is only switched on, the
stricter of two stances stands); a note that cannot be read takes its record out, and a row of which not even the
record is known takes all out; a note on a record that is not there is named, since a restriction may have lost its
record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from adapters.kit.lookup.fields import day, one_of, optional, required, several, yes_no
from adapters.kit.lookup.holdings import HeldRecord, Holdings
from adapters.kit.lookup.tables import Row, build_rows, read_table, unique
from adapters.kit.lookup.unread import BadField

FILE: Final = "annotations.csv"
COLUMNS: Final = (
    *("record", "reference", "wording", "in_confidence", "consent", "flags", "prepared_by", "prepared_on"),
)
_OPEN_TO_STRICT: Final = ("given", "not_asked", "withdrawn", "refused")


@dataclass(frozen=True)
class Note:
    """One row: the record's own id, and what is added to it."""

    record: str
    reference: str | None
    changes: Mapping[str, Any] = field(repr=False)


def annotated(holdings: Holdings, folder: Path) -> Holdings:
    """Give `holdings` with the notes in `folder` applied; without the file, as they are."""
    if not (folder / FILE).exists():
        return holdings
    read = read_table(folder / FILE, COLUMNS)
    if read.unread:
        return replace(holdings, records=(), unread=(*holdings.unread, *read.unread))
    table = unique(read, "record")
    known = frozenset(record.record_id for record in holdings.records)
    notes, unread = build_rows(table, lambda row: _note(row, known))
    by_record = {note.record: note for note in notes}
    spoilt = {row.cells["record"] for row in read.rows} - by_record.keys()
    spoilt |= {row.cells["record"] for row in read.rows if row not in table.rows}
    records = tuple(
        _apply(record, by_record.get(record.record_id)) for record in holdings.records if record.record_id not in spoilt
    )
    return replace(holdings, records=records, unread=(*holdings.unread, *unread))


def _note(row: Row, known: frozenset[str]) -> Note:
    cells = row.cells
    record = required(cells, "record")
    if record not in known:
        raise BadField("record", "names a record that is not there or could not be read", "correct or remove the note")
    if cells["wording"] and not (cells["prepared_by"] and day(cells, "prepared_on")):
        raise BadField("prepared_by", "a wording needs who prepared it and when", "fill in prepared_by and prepared_on")
    return Note(
        record,
        optional(cells, "reference"),
        {
            "summary": optional(cells, "wording"),
            "in_confidence": yes_no(cells, "in_confidence"),
            "consent": one_of(cells, "consent", allowed=("", *_OPEN_TO_STRICT)),
            "flags": several(cells, "flags"),
        },
    )


def _apply(record: HeldRecord, note: Note | None) -> HeldRecord:
    if note is None:
        return record
    had, adds = record.fields, note.changes
    fields = {
        **had,
        "summary": adds["summary"] or had.get("summary"),
        "in_confidence": adds["in_confidence"] or had.get("in_confidence", False),
        "flags": list(dict.fromkeys((*had.get("flags", ()), *adds["flags"]))),
    }
    stances = [stance for stance in (had.get("consent"), adds["consent"]) if stance]
    if stances:
        fields["consent"] = max(stances, key=_strictness)
    return replace(record, record_id=note.reference or record.record_id, fields=fields)


def _strictness(stance: str) -> int:
    # A stance that is not in the list is passed on: the rules close the record.
    return _OPEN_TO_STRICT.index(stance) if stance in _OPEN_TO_STRICT else len(_OPEN_TO_STRICT)
