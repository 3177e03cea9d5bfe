"""The council's look-up: the Standard Safeguarding Dataset by database and by extract, and a census return."""

import csv
import shutil
import sqlite3
from datetime import date
from pathlib import Path

import pytest

from adapters.kit.lookup.records import Lookup, RecordsUnavailableError, TraceStatus
from adapters.la.records import open_records
from adapters.la.ssd_database import load_folder
from adapters.la.ssd_tables import NEEDED, TABLES
from tests.support.ashgrove import ISSUED, request_to, sample

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
CENSUS = SHARED / "cin" / "CIN_Census_2026.xml"
FIELDS = SHARED / "ssd" / "ssd_fields.csv"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "ssd.sqlite"
    assert load_folder(sample("la"), f"sqlite:///{path}") == ()
    return path


def look_up(location: str, **persons: dict[str, object] | None) -> Lookup:
    return open_records(location).lookup(request_to("la", **persons), as_of=ISSUED)


def alter(database: Path, statement: str) -> None:
    connection = sqlite3.connect(database)
    with connection:
        connection.execute(statement)
    connection.close()


def test_la_finds_the_same_in_the_database_as_in_the_extract(database: Path) -> None:
    """The database and the folder of CSV files are one source in two forms."""
    from_database, from_folder = look_up(f"sqlite:///{database}"), look_up(str(sample("la")))
    assert from_database == from_folder
    assert [record.record_id for record in from_database.records] == ["LAC-01", "LAC-02"]


def test_la_keeps_the_half_brother_a_third_party_when_one_assessment_covers_both() -> None:
    """He is a subject who is not in the request, and the wording prepared for release comes along."""
    assessment = look_up(str(sample("la"))).records[1]
    assert assessment.subjects == ("tilly", "other:Jordan Marsh-Test")
    assert assessment.summary is not None
    assert "Jordan" not in assessment.summary


def test_la_names_the_table_when_it_is_missing(database: Path) -> None:
    """A council that does not extract a table has a gap, not a family without history."""
    alter(database, "drop table ssd_early_help_episodes")
    found = look_up(f"sqlite:///{database}")
    assert [(gap.file, gap.field) for gap in found.unread] == [("ssd_early_help_episodes", None)]
    assert found.traces["dean"].status is TraceStatus.UNKNOWN


def test_la_names_table_and_column_when_a_column_is_missing(database: Path) -> None:
    """The gap is where the data team will look for it, and nobody is "not here" meanwhile."""
    alter(database, "alter table ssd_person drop column pers_common_child_id")
    found = look_up(f"sqlite:///{database}")
    assert ("ssd_person", "pers_common_child_id") in [(gap.file, gap.field) for gap in found.unread]
    assert {trace.status for trace in found.traces.values()} == {TraceStatus.UNKNOWN}
    assert not found.may_answer(accepted=False)


def test_la_names_the_row_when_a_date_cannot_be_read(database: Path) -> None:
    """One bad date takes its own row out and no other."""
    alter(database, "update ssd_person set pers_dob = '14th March' where pers_person_id = 'P-7001'")
    found = look_up(f"sqlite:///{database}")
    assert ("ssd_person, id P-7001", "pers_dob") in [(gap.file, gap.field) for gap in found.unread]
    assert found.traces["rowan"].status is TraceStatus.TRACE
    assert "March" not in " ".join(str(gap) for gap in found.unread)


def test_la_reads_dates_when_they_were_loaded_as_timestamps(database: Path) -> None:
    """Councils load dates as dates, as timestamps and as text."""
    alter(database, "update ssd_person set pers_dob = pers_dob || ' 00:00:00.000' where pers_dob is not null")
    assert look_up(f"sqlite:///{database}").traces["tilly"].status is TraceStatus.TRACE


def test_la_says_unavailable_when_there_is_no_database(tmp_path: Path) -> None:
    """A wrong path must not create an empty database that knows nobody."""
    missing = tmp_path / "none.sqlite"
    with pytest.raises(RecordsUnavailableError):
        look_up(f"sqlite:///{missing}")
    assert not missing.exists()


def test_la_finds_the_unborn_child_through_the_mother(database: Path) -> None:
    """An unborn child has no number: the mother and the expected date are all there is."""
    alter(database, "insert into ssd_person (pers_person_id, pers_expected_dob) values ('P-7009', '2027-02-08')")
    alter(
        database,
        "insert into ssd_mother (moth_table_id, moth_person_id, moth_childs_person_id) "
        "values ('M-9', 'P-7003', 'P-7009')",
    )
    trace = look_up(f"sqlite:///{database}").traces["unborn"]
    assert (trace.status, trace.agreed) == (TraceStatus.TRACE, ("mother", "edd"))


def test_la_does_not_take_another_mothers_unborn_child_for_the_one_asked_about() -> None:
    """An expected date in the same week is no trace."""
    assert look_up(str(sample("la"))).traces["unborn"].status is TraceStatus.NO_TRACE


def test_la_leaves_out_a_record_when_its_note_cannot_be_read(tmp_path: Path) -> None:
    """A note may carry a restriction; without it the record must not go on."""
    shutil.copytree(sample("la"), tmp_path / "ssd")
    notes = tmp_path / "ssd" / "annotations.csv"
    notes.write_text(notes.read_text("utf-8").replace("2026-11-24", "Tuesday"), "utf-8")
    found = look_up(str(tmp_path / "ssd"))
    assert [record.record_id for record in found.records] == ["LAC-01"]
    assert [(gap.file, gap.row, gap.field) for gap in found.unread] == [("annotations.csv", 2, "prepared_on")]


def test_la_gives_no_record_when_the_notes_have_an_unknown_column(tmp_path: Path) -> None:
    """Notes that cannot be read at all may restrict anything."""
    shutil.copytree(sample("la"), tmp_path / "ssd")
    notes = tmp_path / "ssd" / "annotations.csv"
    notes.write_text(notes.read_text("utf-8").replace("record,", "record,secret,"), "utf-8")
    assert look_up(str(tmp_path / "ssd")).records == ()


@pytest.mark.skipif(not FIELDS.exists(), reason="the published data model is not beside the repository")
def test_la_tables_have_the_columns_of_the_published_data_model() -> None:
    """No column is invented and none is left out of a table that is created."""
    with FIELDS.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    published = {name: {row["field"] for row in rows if row["table"] == name} for name in TABLES}
    assert published == {name: set(columns) for name, columns in TABLES.items()}
    assert all(set(needed) <= published[name] for name, needed in NEEDED.items())


@pytest.mark.skipif(not CENSUS.exists(), reason="the published census return is not beside the repository")
def test_la_reads_a_census_with_its_blemishes_when_asked_for_a_child_in_it() -> None:
    """Stray text and impossible dates are named by line; a bad UPN never confirms the child."""
    child: dict[str, object] = {"dob": "2015-03-27", "name": None, "identifiers": {"upn": "A123456789123"}}
    found = look_up(str(CENSUS), tilly=child)
    places = {(gap.row, gap.field) for gap in found.unread}
    assert (23, "ChildIdentifiers") in places
    assert any(field == "AssessmentActualStartDate" for _, field in places)
    assert found.traces["tilly"].status is TraceStatus.POSSIBLE_MATCH
    assert found.traces["tilly"].disagreed == ("upn (fails its check)",)
    assert {record.record_type for record in found.records} == {"case_status"}
    assert {record.event_on for record in found.records} == {date(2023, 2, 27), date(2023, 3, 14)}


def test_la_names_the_census_when_it_holds_an_external_entity(tmp_path: Path) -> None:
    """A return that points at a local file is refused as a whole, and the file is not read."""
    secret = tmp_path / "secret.txt"
    secret.write_text("do not read me", "utf-8")
    census = tmp_path / "census.xml"
    census.write_text(
        f'<!DOCTYPE Message [<!ENTITY leak SYSTEM "{secret.as_uri()}">]><Message><Children>&leak;</Children></Message>',
        "utf-8",
    )
    found = look_up(str(census))
    assert [(gap.file, gap.field) for gap in found.unread] == [("census.xml", "DOCTYPE")]
    assert {trace.status for trace in found.traces.values()} == {TraceStatus.UNKNOWN}
