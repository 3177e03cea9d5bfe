"""What a register must do with input that is not as agreed: name file, row and column, and never say "no trace"."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.kit.lookup.csv_register import PERSON_COLUMNS, RECORD_COLUMNS, open_register
from adapters.kit.lookup.records import Lookup, TraceStatus
from tests.support.ashgrove import request_to

NOW = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
PERSON = {"ref": "P1", "forename": "Carys", "surname": "Ashgrove-Test", "dob": "1994-05-19"}
RECORD = {
    "record_id": "R1",
    "record_type": "tenancy_status",
    "category": "housing",
    "subjects": "P1",
    "text": "Sole tenant.",
    "nature": "fact",
}


def lines(columns: tuple[str, ...], *rows: dict[str, str]) -> str:
    return "".join(",".join(cells) + "\n" for cells in (columns, *([row.get(c, "") for c in columns] for row in rows)))


def look_up(folder: Path, persons: str | bytes, records: str | bytes) -> Lookup:
    for name, content in (("persons.csv", persons), ("records.csv", records)):
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_register(str(folder), kind="housing").lookup(request_to("housing"), as_of=NOW)


GOOD_PERSONS = lines(PERSON_COLUMNS, PERSON)
GOOD_RECORDS = lines(RECORD_COLUMNS, RECORD)


def spoil(change: Callable[[str], str | bytes]) -> tuple[str, str | bytes]:
    return GOOD_PERSONS, change(GOOD_RECORDS)


ATTACKS: dict[str, tuple[str, str | bytes, tuple[str, int | None, str | None]]] = {
    "stray column": (*spoil(lambda t: t.replace("text,", "text,covert,")), ("records.csv", 1, "stray column")),
    "missing column": (*spoil(lambda t: t.replace(",consent", "")), ("records.csv", 1, "consent")),
    "column named twice": (*spoil(lambda t: t.replace("consent", "consent,text")), ("records.csv", 1, "stray column")),
    "wrong encoding": (*spoil(lambda t: t.replace("Sole", "Solé").encode("cp1252")), ("records.csv", 2, "text")),
    "utf-16": (*spoil(lambda t: t.encode("utf-16")), ("records.csv", 1, None)),
    "ragged row": (*spoil(lambda t: t + "R2,only,three\n"), ("records.csv", 3, None)),
    "impossible date": (
        GOOD_PERSONS,
        lines(RECORD_COLUMNS, RECORD | {"event_on": "2026-02-30"}),
        ("records.csv", 2, "event_on"),
    ),
    "date of another country": (
        GOOD_PERSONS,
        lines(RECORD_COLUMNS, RECORD | {"event_on": "24/11/2026"}),
        ("records.csv", 2, "event_on"),
    ),
    "NUL byte": (*spoil(lambda t: t.replace("Sole", "So\0le")), ("records.csv", 2, "text")),
    "open quote": (*spoil(lambda t: t.replace("Sole", '"Sole')), ("records.csv", 2, None)),
    "neither yes nor no": (
        GOOD_PERSONS,
        lines(RECORD_COLUMNS, RECORD | {"in_confidence": "perhaps"}),
        ("records.csv", 2, "in_confidence"),
    ),
    "subject who is not listed": (
        GOOD_PERSONS,
        lines(RECORD_COLUMNS, RECORD | {"subjects": "P1;P9"}),
        ("records.csv", 2, "subjects"),
    ),
    "no subject": (GOOD_PERSONS, lines(RECORD_COLUMNS, RECORD | {"subjects": ""}), ("records.csv", 2, "subjects")),
    "record id given twice": (*spoil(lambda t: t + t.splitlines()[1] + "\n"), ("records.csv", 3, "record_id")),
    "empty file": (GOOD_PERSONS, "", ("records.csv", 1, None)),
}


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_register_names_file_row_and_field_when_input_is_bad(attack: str, tmp_path: Path) -> None:
    """A bad cell is found by whoever has to correct it, and its content is not repeated."""
    persons, records, expected = ATTACKS[attack]
    found = look_up(tmp_path, persons, records)
    places = [(gap.file, gap.row, gap.field) for gap in found.unread]
    assert expected in places
    assert "Sol" not in " ".join(str(gap) for gap in found.unread)


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_register_never_says_no_trace_when_something_could_not_be_read(attack: str, tmp_path: Path) -> None:
    """Somebody who was not found in half a file may stand in the other half."""
    persons, records, _ = ATTACKS[attack]
    found = look_up(tmp_path, persons, records)
    assert TraceStatus.NO_TRACE not in {trace.status for trace in found.traces.values()}
    assert found.traces["dean"].status is TraceStatus.UNKNOWN


def test_register_reads_the_good_rows_when_one_row_is_bad(tmp_path: Path) -> None:
    """One bad row does not hide the others; whether they suffice is for a person."""
    bad = RECORD | {"record_id": "R2", "event_on": "yesterday"}
    found = look_up(tmp_path, GOOD_PERSONS, lines(RECORD_COLUMNS, RECORD, bad))
    assert [record.record_id for record in found.records] == ["R1"]
    assert not found.may_answer(accepted=False)
    assert found.may_answer(accepted=True)


def test_register_leaves_out_the_record_when_its_persons_row_could_not_be_read(tmp_path: Path) -> None:
    """A record that lost a subject on the way could be taken for one about the others alone."""
    bad_person = PERSON | {"ref": "P2", "forename": "Dean", "surname": "Holloway-Test", "dob": "3 Nov 1990"}
    shared = RECORD | {"subjects": "P1;P2"}
    found = look_up(tmp_path, lines(PERSON_COLUMNS, PERSON, bad_person), lines(RECORD_COLUMNS, shared))
    assert found.records == ()
    assert [(gap.file, gap.row, gap.field) for gap in found.unread] == [
        ("persons.csv", 3, "dob"),
        ("records.csv", 2, "subjects"),
    ]


def test_register_says_which_file_is_missing_when_the_folder_is_empty(tmp_path: Path) -> None:
    """An empty folder is a gap, not an agency that knows nobody."""
    found = open_register(str(tmp_path), kind="housing").lookup(request_to("housing"), as_of=NOW)
    assert [gap.file for gap in found.unread] == ["persons.csv", "records.csv"]
    assert {trace.status for trace in found.traces.values()} == {TraceStatus.UNKNOWN}


def test_register_may_answer_at_once_when_everything_was_read(tmp_path: Path) -> None:
    """Nothing unread, nothing to accept; and only then is a person "not here"."""
    found = look_up(tmp_path, "\ufeff" + GOOD_PERSONS, GOOD_RECORDS)
    assert found.may_answer(accepted=False)
    assert found.traces["dean"].status is TraceStatus.NO_TRACE


def test_register_refuses_a_source_that_it_does_not_have(tmp_path: Path) -> None:
    """Asking a source that is not there would read as "no trace" in it."""
    with pytest.raises(ValueError, match="no such source"):
        open_register(str(tmp_path), kind="housing").lookup(request_to("housing"), as_of=NOW, sources={"gp"})


def test_register_says_unknown_when_no_source_was_asked(tmp_path: Path) -> None:
    """An empty list of sources looked nowhere: nobody was found absent."""
    found = open_register(str(tmp_path), kind="housing").lookup(request_to("housing"), as_of=NOW, sources=frozenset())
    assert {trace.status for trace in found.traces.values()} == {TraceStatus.UNKNOWN}


def test_lookup_shows_nobodys_name_or_number_when_printed(tmp_path: Path) -> None:
    """A look-up may land in a traceback or a log; what it found must not."""
    found = look_up(tmp_path, GOOD_PERSONS, GOOD_RECORDS)
    assert "Ashgrove" not in repr(found)
    assert "1994" not in repr(found)
