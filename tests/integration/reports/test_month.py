"""`mash-hub report month`: from a real ledger to files, and what is in which."""

import json
import shutil
import sqlite3
from pathlib import Path

import pypdf
import pytest

from tests.integration.reports.months import MONTH
from tests.integration.reports.program import pages, run, table


@pytest.fixture(scope="module")
def written(october: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of October, written once."""
    out = tmp_path_factory.mktemp("report")
    ran = run("month", MONTH, "--db", october, "--out", out)
    assert ran.exit_code == 0, ran.stderr
    return out


def test_a_month_is_written_to_two_folders_one_to_publish_and_one_to_keep(written: Path) -> None:
    """Each has its own PDF, because a file that holds both is published whole by mistake."""
    there = sorted(str(path.relative_to(written)) for path in written.rglob("*") if path.is_file())
    assert there == [
        f"internal/late-list-{MONTH}.csv",
        f"internal/lists-{MONTH}.pdf",
        f"internal/rerating-list-{MONTH}.csv",
        f"publication/report-{MONTH}.pdf",
        f"publication/reratings-{MONTH}.csv",
        f"publication/response-times-{MONTH}.csv",
    ]


def test_what_stays_inside_is_readable_by_its_owner_alone(written: Path) -> None:
    """The attack: a colleague on the same machine."""
    inside = written / "internal"
    assert inside.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in inside.iterdir())


def test_the_figures_are_those_of_the_ledger_with_small_ones_hidden(written: Path) -> None:
    """Thirty-seven were asked; police alone were late under GREEN, and how often cannot be read."""
    rows = table(written / "publication" / f"response-times-{MONTH}.csv")
    assert rows[-1]["agency"] == "all"
    assert rows[-1]["asked"] == "37"
    shown = [
        int(row[name]) for row in rows for name in ("answered", "answered_late", "breached") if row[name].isdigit()
    ]
    assert not any(1 <= count <= 5 for count in shown)


def test_the_late_list_has_every_late_request_of_the_ledger(written: Path) -> None:
    """Three of thirty-six never answered, and two of those answered after four days are past their time."""
    rows = table(written / "internal" / f"late-list-{MONTH}.csv")
    assert [row["answered"] == "no reply" for row in rows] == [True, True, True, False, False]
    assert {row["agency"] for row in rows} <= {"testford-police", "testford-health"}
    assert all(float(row["hours late"]) > 0 for row in rows)


def test_the_rerating_is_on_the_internal_list_and_hidden_in_the_table(written: Path) -> None:
    """One request rose from AMBER to RED: one is a small number."""
    (move,) = table(written / "internal" / f"rerating-list-{MONTH}.csv")
    assert (move["from"], move["to"], move["agency"]) == ("AMBER", "RED", "testford-police")
    amber = next(row for row in table(written / "publication" / f"reratings-{MONTH}.csv") if row["from"] == "AMBER")
    assert amber["to RED"] == "[c]"


def test_every_page_says_whether_it_may_be_published_and_the_paper_explains_what_is_hidden(written: Path) -> None:
    """On paper a page gets parted from its folder."""
    published, inside = (
        pages(written / "publication" / f"report-{MONTH}.pdf"),
        pages(written / "internal" / f"lists-{MONTH}.pdf"),
    )
    assert all("FOR PUBLICATION" in page and "NOT FOR PUBLICATION" not in page for page in published)
    assert all("NOT FOR PUBLICATION" in page for page in inside)
    assert "A count from 1 to 5 is shown as [c]" in " ".join(published)


def test_nothing_to_publish_names_a_request(written: Path) -> None:
    """The attack: a reference in a published file, by which a family's request could be asked after."""
    references = {row["reference"] for row in table(written / "internal" / f"late-list-{MONTH}.csv")}
    published = " ".join(pages(written / "publication" / f"report-{MONTH}.pdf"))
    published += "".join(path.read_text() for path in (written / "publication").glob("*.csv"))
    assert references
    assert not any(reference in published for reference in references)


def test_the_papers_are_tagged_titled_and_written_in_english(written: Path) -> None:
    """PDF/UA: a screen reader reads them as they are meant."""
    for path in written.rglob("*.pdf"):
        reader = pypdf.PdfReader(path)
        catalogue = reader.root_object
        assert "'/Marked': True" in repr(catalogue["/MarkInfo"])
        assert str(catalogue["/Lang"]) == "en-GB"
        assert reader.metadata is not None
        assert "October 2025" in (reader.metadata.title or "")


def test_json_gives_the_published_figures_and_only_counts_of_the_rest(october: Path, tmp_path: Path) -> None:
    """A program reads numbers; a hidden one is no number."""
    ran = run("month", MONTH, "--db", october, "--out", tmp_path, "--json")
    told = json.loads(ran.stdout)
    assert told["schema"] == "mash.report.month.v1"
    assert told["response_times"][-1]["asked"] == 37
    assert {"[c]"} == {value for row in told["reratings"] for value in row.values() if value == "[c]"}
    assert told["not_for_publication"] == {"late_list": 5, "rerating_list": 1}
    assert len(told["files"]) == 6


def test_a_month_without_requests_is_an_empty_report_and_not_an_error(october: Path, tmp_path: Path) -> None:
    """A month before the ledger began says so."""
    ran = run("month", "2025-08", "--db", october, "--out", tmp_path)
    assert ran.exit_code == 0
    assert "what was asked before is not in it" in ran.stderr
    assert "There is nothing to show for this month." in " ".join(
        pages(tmp_path / "publication" / "report-2025-08.pdf")
    )


def test_a_broken_ledger_makes_no_report(october: Path, tmp_path: Path) -> None:
    """The attack: somebody takes the late answers out and has the month reported."""
    copy = tmp_path / "ledger.sqlite"
    shutil.copy(october, copy)
    with sqlite3.connect(copy) as database:
        database.execute("DROP TRIGGER stub_ledger_DELETE")
        database.execute("DELETE FROM stub_ledger WHERE number = 20")
    database.close()
    ran = run("month", MONTH, "--db", copy, "--out", tmp_path / "out")
    assert ran.exit_code == 1
    assert "L1 at entry 20" in ran.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("month", ["2025-13", "October", "", "2025-10-01", "2099-01"])
def test_a_month_that_is_none_is_wrong_usage(october: Path, tmp_path: Path, month: str) -> None:
    """Exit code 2, and nothing is written."""
    assert run("month", month, "--db", october, "--out", tmp_path / "out").exit_code == 2
    assert not (tmp_path / "out").exists()


def test_a_ledger_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """An empty ledger would make an empty report, and nobody would be late."""
    ran = run("month", MONTH, "--db", tmp_path / "nowhere.sqlite", "--out", tmp_path / "out")
    assert ran.exit_code == 1
    assert "no ledger" in ran.stderr


def test_a_place_that_cannot_be_written_to_is_said_so(october: Path, tmp_path: Path) -> None:
    """A file where a folder should be."""
    (tmp_path / "publication").write_text("a file")
    ran = run("month", MONTH, "--db", october, "--out", tmp_path)
    assert ran.exit_code == 1
    assert "name another folder" in ran.stderr
