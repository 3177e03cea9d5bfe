"""Bad input in the real formats: the file, row and field are named, the rest is read, and nobody is "not here"."""

import importlib
import shutil
from pathlib import Path

import pytest

from adapters.kit.lookup.records import Lookup, TraceStatus
from tests.support.ashgrove import ISSUED, request_to, sample

CTF = "9992001_CTF_999LLLL_001.xml"
BOMB = "".join(f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9))


def spoilt(kind: str, folder: Path, file: str, old: str, new: str) -> Lookup:
    """Look up in a copy of the sample in which one `old` in `file` has become `new`."""
    shutil.copytree(sample(kind), folder / kind)
    path = folder / kind / file
    text = path.read_bytes().decode()
    assert old in text
    # cp1252 writes a lone accented letter as a byte that is not UTF-8.
    path.write_bytes(text.replace(old, new, 1).encode("cp1252"))
    records = importlib.import_module(f"adapters.{kind}.records").open_records(str(folder / kind))
    found = records.lookup(request_to(kind), as_of=ISSUED)
    assert isinstance(found, Lookup)
    return found


CASES = [
    ("police", "event.csv", "event_id,", "event_id,secret_note,", (1, "stray column")),
    ("police", "event.csv", "markers,", "", (1, "markers")),
    ("police", "event.csv", "08/11/2025", "2025-11-08", (2, "occurred_on")),
    ("police", "event.csv", "FACT,2025-11", ",2025-11", (2, "statement_kind")),
    ("police", "event.csv", "POL-02,", "POL-01,", (3, "event_id")),
    ("police", "event.csv", "common assault", "common assault é", (2, "narrative")),
    ("police", "person.csv", "03/11/1990", "3 November", (2, "date_of_birth")),
    ("police", "link.csv", "N1001,offender", "N9999,offender", (10, "from_id")),
    ("police", "link.csv", "subject,event,POL-02", "subject,event,POL-99", (12, "to_id")),
    ("education", "safeguarding_log.csv", "incident_no,", "incident_no,extra,", (1, "stray column")),
    ("education", "safeguarding_log.csv", "23/11/2026", "31/11/2026", (2, "date")),
    ("education", "safeguarding_log.csv", "Tilly said", "Tilly said é", (2, "incident")),
    ("education", CTF, "<DOB>2017-03-14", "<DOB>14/03/2017", (21, "DOB")),
    ("education", CTF, "<SessionsAttended>80", "<SessionsAttended>800", (21, "SessionsAttended")),
    ("education", CTF, "<SessionsAttended>80", "<SessionsAttended>many", (21, "SessionsAttended")),
    ("education", CTF, "<Sex>F</Sex>", "<Sex>F</Sex>stray", (26, "Pupil")),
    ("education", CTF, "</CTfile>", "", (None, None)),
    ("education", CTF, "<CTfile>", f"<!DOCTYPE CTfile [<!ENTITY a 'aaaa'>{BOMB}]><CTfile>&j;", (None, "DOCTYPE")),
    ("education", CTF, "<CTfile>", "<!DOCTYPE CTfile SYSTEM 'http://127.0.0.1:9/x'><CTfile>", (None, "DOCTYPE")),
    ("idva", "notes.csv", "note_id,", "note_id,origin_unknown,", (1, "stray column")),
    ("idva", "notes.csv", "originator,", "", (1, "originator")),
    ("idva", "notes.csv", "2026-11-23", "Monday", (3, "happened_on")),
    ("idva", "notes.csv", "I-58;I-58-C1;I-58-C2", "I-58;I-99", (3, "subjects")),
]


@pytest.mark.parametrize(("kind", "file", "old", "new", "place"), CASES, ids=[f"{c[0]} {c[1]} {c[4]}" for c in CASES])
def test_agency_names_file_row_and_field_when_its_export_is_bad(
    kind: str, file: str, old: str, new: str, place: tuple[int | None, str | None], tmp_path: Path
) -> None:
    """Whoever exports it finds the place, and nobody is reported as unknown to the agency meanwhile."""
    found = spoilt(kind, tmp_path, file, old, new)
    assert (file, *place) in [(gap.file, gap.row, gap.field) for gap in found.unread]
    assert TraceStatus.NO_TRACE not in {trace.status for trace in found.traces.values()}
    assert not found.may_answer(accepted=False)


def ids(found: Lookup) -> set[str | None]:
    return {record.record_id for record in found.records}


def test_police_leave_an_event_out_when_one_of_its_links_is_bad(tmp_path: Path) -> None:
    """A conviction that lost its victim on the way would read as a different one."""
    found = spoilt("police", tmp_path, "link.csv", "N1002,victim", "N9999,victim")
    assert "POL-01" not in ids(found)
    assert ("event.csv", 2) in [(gap.file, gap.row) for gap in found.unread]


def test_police_pass_an_unknown_marker_on_when_they_meet_one(tmp_path: Path) -> None:
    """A marker that the reader does not know must reach the rules, which close the record."""
    found = spoilt("police", tmp_path, "event.csv", ",LIVE,", ",LIVE;THICKET,")
    report = next(record for record in found.records if record.record_id == "POL-03")
    assert report.flags == ("live_investigation", "thicket")


def test_police_pass_an_unknown_event_type_on_when_they_meet_one(tmp_path: Path) -> None:
    """A type that no table has is not taken for a crime."""
    found = spoilt("police", tmp_path, "event.csv", "POL-01,CONVICTION", "POL-01,SOMETHING")
    assert next(record for record in found.records if record.record_id == "POL-01").record_type == "something"


def test_police_pass_an_incomplete_grading_on_when_a_grade_is_missing(tmp_path: Path) -> None:
    """Half a grading is not completed by the reader."""
    found = spoilt("police", tmp_path, "event.csv", ",2,C,P,", ",2,,X,")
    grading = next(record for record in found.records if record.record_id == "POL-02").grading
    assert grading is not None
    assert (grading.source, grading.assessment, grading.handling) == (2, None, "X")


def test_school_closes_an_entry_when_none_of_its_categories_is_known(tmp_path: Path) -> None:
    """An uncoded entry has no nature that the rules know, so that it is not taken for a fact."""
    found = spoilt("education", tmp_path, "safeguarding_log.csv", "Pupil voice; Domestic abuse", "New category")
    entry = next(record for record in found.records if record.record_id == "EDU-02")
    assert (entry.nature, entry.answers) == ("uncoded", ())


def test_school_takes_a_passer_by_for_nobody_when_no_relationship_is_given(tmp_path: Path) -> None:
    """A name without what the adult is to the child stays a third party, though it may be the partner's."""
    found = spoilt(
        "education", tmp_path, "safeguarding_log.csv", "Dean Holloway-Test (mother's partner)", "Dean Holloway-Test"
    )
    entry = next(record for record in found.records if record.record_id == "EDU-02")
    assert entry.mentions == ("other:Dean Holloway-Test", "carys")


def test_school_says_which_export_is_missing_when_there_is_no_log(tmp_path: Path) -> None:
    """A pupil file without the safeguarding log is half a school."""
    shutil.copytree(sample("education"), tmp_path / "school")
    (tmp_path / "school" / "safeguarding_log.csv").unlink()
    records = importlib.import_module("adapters.education.records").open_records(str(tmp_path / "school"))
    found = records.lookup(request_to("education"), as_of=ISSUED)
    assert "safeguarding_log*.csv" in [gap.file for gap in found.unread]


NOTE = "note_id,segment,note_type,subjects,people_named,happened_on,written_on,nature,text,prepared_wording,originator,"
NOTE += "obtained,contains_other_origin,in_confidence,consent,markers,topics\n"


def notes(folder: Path, *rows: str) -> Lookup:
    shutil.copytree(sample("idva"), folder / "idva")
    (folder / "idva" / "notes.csv").write_text(NOTE + "".join(f"{row}\n" for row in rows), "utf-8")
    records = importlib.import_module("adapters.idva.records").open_records(str(folder / "idva"))
    found = records.lookup(request_to("idva"), as_of=ISSUED)
    assert isinstance(found, Lookup)
    return found


HERS = "N7,1,case_note,I-58,,2026-11-17,,third_party_report,He checks her phone.,,,,,,,,DA"
THEIRS = "N7,2,case_note,I-58,,2026-11-17,,third_party_report,He has a firearms marker.,,police,told_by_partner,,,,,DA"
HERS_TOO = "N7,3,case_note,I-58,,2026-11-17,,third_party_report,She sleeps badly.,,,,,,,,SUPPORT"


def test_idva_keeps_police_words_out_of_the_clients_record_when_a_note_is_split(tmp_path: Path) -> None:
    """Segments of one origin stand together; those of another stand alone, with their originator (invariant 7)."""
    own, police = notes(tmp_path, HERS, THEIRS, HERS_TOO).records
    assert (own.record_id, own.text, own.originator) == ("N7", "He checks her phone. She sleeps badly.", None)
    assert set(own.answers) == {"domestic_abuse", "interventions"}
    assert (police.record_id, police.originator, police.obtained) == ("N7/2", "police", "told_by_partner")
    assert "firearms" not in own.text


def test_idva_says_that_a_note_is_mixed_when_nobody_split_it(tmp_path: Path) -> None:
    """The note's own column says so, and the rules then let no text of it out."""
    mixed = HERS.replace("He checks her phone.,,,,,", "He checks. Police told me more.,,,,police,")
    (record,) = notes(tmp_path, mixed).records
    assert record.contains_other_origin == ("police",)


def test_idva_leaves_a_whole_note_out_when_one_segment_cannot_be_read(tmp_path: Path) -> None:
    """The unreadable segment may be the one that says whose the words are."""
    found = notes(tmp_path, HERS, THEIRS.replace("2026-11-17", "last week"))
    assert found.records == ()
    assert [(gap.row, gap.field) for gap in found.unread] == [(3, "happened_on")]


def test_idva_leaves_the_neighbouring_notes_out_when_a_row_is_ragged(tmp_path: Path) -> None:
    """A row of which not even the note is known may have been part of the note before it."""
    assert notes(tmp_path, HERS, "N7,2,case_note").records == ()
