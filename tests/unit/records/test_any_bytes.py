"""Whatever bytes an export holds, a reader gives rows or gaps; it never raises, and never gives nothing at all."""

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.education.ctf import read_ctf
from adapters.education.safeguarding_log import COLUMNS, read_log
from adapters.health.fhir_parse import parse_document
from adapters.health.fhir_records import holdings_of
from adapters.kit.lookup.answer_table import AnswerTable
from adapters.kit.lookup.tables import read_table
from adapters.la.cin_census import read_census
from tests.support.ashgrove import sample

ANSWERS = AnswerTable({})
CTF = (sample("education") / "9992001_CTF_999LLLL_001.xml").read_bytes()
LOG = (sample("education") / "safeguarding_log.csv").read_bytes()
JSON = (sample("health") / "gp" / "gp-export.json").read_bytes()
XML = (sample("health") / "acute" / "acute-export.xml").read_bytes()
CENSUS = (
    b"<Message><Children><Child><ChildIdentifiers><LAchildID>1</LAchildID><PersonBirthDate>2015-03-27"
    b"</PersonBirthDate></ChildIdentifiers><CINdetails><CINreferralDate>2022-10-06</CINreferralDate></CINdetails>"
    b"</Child></Children></Message>"
)


def damaged(document: bytes) -> st.SearchStrategy[bytes]:
    """Give the document with up to three stretches replaced by other bytes, often ones that mean something."""
    meaning = st.sampled_from(
        [b"", b"\0", b"<", b">", b'"', b"&x;", b"{", b"[" * 2000, b"\xff", b"\n", b",", b"null", b"99"]
    )
    change = st.tuples(st.integers(0, len(document)), st.integers(0, 40), meaning | st.binary(max_size=8))
    return st.lists(change, min_size=1, max_size=3).map(lambda changes: _apply(document, changes))


def _apply(document: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for start, length, new in changes:
        document = document[:start] + new + document[start + length :]
    return document


@given(st.binary(max_size=400) | damaged(LOG))
@settings(max_examples=80, deadline=None)
def test_log_gives_rows_or_gaps_whatever_bytes_it_holds(raw: bytes) -> None:
    """Every row is read or named; a file never just comes out empty."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "safeguarding_log.csv"
        path.write_bytes(raw)
        table = read_table(path, COLUMNS)
        found = read_log(path, ANSWERS)
    assert table.rows or table.unread or len(raw.splitlines()) <= 1
    assert len(found.records) + len(found.unread) >= len(table.rows)


@given(st.binary(max_size=400) | damaged(CTF))
@settings(max_examples=80, deadline=None)
def test_ctf_gives_pupils_or_gaps_whatever_bytes_it_holds(raw: bytes) -> None:
    """A pupil is read or the gap is named."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.xml"
        path.write_bytes(raw)
        found = read_ctf(path, ANSWERS)
    assert found.persons or found.unread


@given(st.binary(max_size=400) | damaged(CENSUS))
@settings(max_examples=80, deadline=None)
def test_census_gives_children_or_gaps_whatever_bytes_it_holds(raw: bytes) -> None:
    """A child is read or the gap is named."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.xml"
        path.write_bytes(raw)
        found = read_census(path, ANSWERS, on=date(2026, 11, 24))
    assert found.persons or found.unread


@given(damaged(JSON))
@settings(max_examples=60, deadline=None)
def test_fhir_json_gives_resources_or_gaps_whatever_bytes_it_holds(raw: bytes) -> None:
    """A resource is read or the gap is named, and what was read can be made into records."""
    parsed = parse_document(raw, file="a.json", is_xml=False)
    assert parsed.resources or parsed.unread
    holdings_of(parsed.resources, source="gp", answers=ANSWERS, on=date(2026, 11, 24))


@given(damaged(XML))
@settings(max_examples=60, deadline=None)
def test_fhir_xml_gives_resources_or_gaps_whatever_bytes_it_holds(raw: bytes) -> None:
    """The same for XML."""
    parsed = parse_document(raw, file="a.xml", is_xml=True)
    assert parsed.resources or parsed.unread
    holdings_of(parsed.resources, source="gp", answers=ANSWERS, on=date(2026, 11, 24))
