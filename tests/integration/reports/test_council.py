"""`mash report`: the council's own figures, and finding what the hub speaks of; on a real store, with real messages."""

from datetime import timedelta
from pathlib import Path

import pytest

from adapters.kit.refusal import Refused
from adapters.la.console.month_office import Written, find_reference, write_month
from broker.reports import Month
from broker.watch.threads import reference_of
from deploy.demo.agencies import COUNCIL, MANAGER
from deploy.demo.area import Area
from deploy.demo.scenario import at
from tests.integration.clocks.conftest import area as area
from tests.integration.commands.office import ENQUIRY, HOUSING, POLICE, answered, enquiry_of, issued, ledger_of, opened
from tests.integration.reports.program import pages, table

NOVEMBER = Month(2026, 11)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The folder that the report is put in."""
    return tmp_path / "report"


def everything_in(folder: Path) -> str:
    """Read every file of a report."""
    papers = [text for path in folder.rglob("*.pdf") for text in pages(path)]
    return " ".join([*papers, *(path.read_text("utf-8") for path in folder.rglob("*.csv"))])


async def report(area: Area, out: Path) -> Written:
    """Write the report of November."""
    return await write_month(area.console, NOVEMBER, out, user=MANAGER)


async def test_the_council_counts_overrides_and_reratings_by_enquiry(area: Area, out: Path) -> None:
    """Two were asked and one override was recorded: it is one, however many were asked; so is the new rating."""
    await issued(area, POLICE, HOUSING)
    area.time = at(24, 14, 0)
    await area.console.coordinator.rerate(ENQUIRY, "RED", "more is known", user=MANAGER)
    await report(area, out)
    (override,) = table(out / "internal" / "override-list-2026-11.csv")
    (move,) = table(out / "internal" / "rerating-list-2026-11.csv")
    assert (override["enquiry"], override["ground"]) == (ENQUIRY, "would increase risk")
    assert (move["enquiry"], move["from"], move["to"]) == (ENQUIRY, "AMBER", "RED")
    published = {row["reason"]: row["overrides"] for row in table(out / "internal/provisional-overrides-2026-11.csv")}
    assert published["would_increase_risk"] == published["all"] == "[c]"


async def test_the_councils_late_list_goes_by_the_due_time_that_was_promised(area: Area, out: Path) -> None:
    """The attack: a due time set sooner by hand, which the hub's list cannot know, and an answer that missed it."""
    await opened(area, POLICE, HOUSING)
    await area.console.coordinator.issue(ENQUIRY, user=MANAGER, due_at=at(24, 12, 0))
    await area.settle()
    area.time = at(24, 13, 0)
    await answered(area, POLICE)
    await report(area, out)
    rows = {row["agency"]: row for row in table(out / "internal" / "late-list-2026-11.csv")}
    assert rows[POLICE]["enquiry"] == ENQUIRY
    assert rows[POLICE]["answered"] != "no reply"
    assert rows[HOUSING]["answered"] == "no reply"
    assert rows[POLICE]["due"] == "2026-11-24 12:00"


async def test_no_file_of_the_report_holds_a_word_about_a_person(area: Area, out: Path) -> None:
    """The attack: the rationale of an override in a list that goes to a meeting."""
    await issued(area, POLICE, HOUSING)
    await report(area, out)
    text = everything_in(out)
    assert ENQUIRY in text
    assert not any(word in text for word in ("Ashgrove", "Tilly", "Carys", "monitor", "Example Row"))


async def test_making_a_report_is_in_the_ledger_with_whoever_made_it(area: Area, out: Path) -> None:
    """REC-05: every enquiry was read for it."""
    await issued(area, POLICE)
    await report(area, out)
    assert await ledger_of(area.adapters[COUNCIL], "report made") == [{"month": "2026-11", "user": MANAGER}]


async def test_a_month_that_has_not_begun_is_refused(area: Area, out: Path) -> None:
    """Nothing is written."""
    with pytest.raises(Refused, match="not begun"):
        await write_month(area.console, Month(2027, 1), out, user=MANAGER)
    assert everything_in(out) == ""


async def test_both_ends_find_what_the_hub_speaks_of(area: Area) -> None:
    """The inspector's reference, typed in small letters, at the council and at the police."""
    await issued(area, POLICE)
    (request,) = (await enquiry_of(area)).issued
    reference = reference_of(request.thread)
    ours = await find_reference(area.adapters[COUNCIL], reference.lower(), user=MANAGER)
    theirs = await find_reference(area.adapters[POLICE], f" {reference} ", user="ppd-sergeant")
    assert (ours.asked, ours.enquiry, ours.rfi, ours.peer) == ("by us", ENQUIRY, request.rfi, POLICE)
    assert (theirs.asked, theirs.rfi, theirs.peer, theirs.thread) == ("of us", request.rfi, COUNCIL, request.thread)


async def test_a_reference_of_somebody_else_is_refused(area: Area) -> None:
    """Housing was not asked."""
    await issued(area, POLICE)
    reference = reference_of((await enquiry_of(area)).issued[0].thread)
    with pytest.raises(Refused, match="nothing that we asked"):
        await find_reference(area.adapters[HOUSING], reference, user="housing-lead")


async def test_nothing_of_a_month_that_is_running_is_put_among_what_may_be_published(area: Area, out: Path) -> None:
    """The attack: the figures of Tuesday set against those of Wednesday, and the difference is one family."""
    await issued(area, POLICE)
    area.time = at(24, 10, 0) + timedelta(hours=1)
    written = await report(area, out)
    assert "not over" in " ".join(written.report.remarks)
    assert {Path(file).parent.name for file in written.files} == {"internal"}
    provisional = next(Path(file) for file in written.files if file.endswith("provisional-report-2026-11.pdf"))
    assert all("NOT FOR PUBLICATION" in page for page in pages(provisional))


async def test_a_month_that_is_over_may_be_published(area: Area, out: Path) -> None:
    """On the first of December."""
    await issued(area, POLICE)
    area.time = at(30, 23, 0) + timedelta(hours=10)
    folders = [Path(file).parent.name for file in (await report(area, out)).files]
    assert (folders.count("publication"), folders.count("internal")) == (4, 4)
