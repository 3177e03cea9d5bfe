"""The watch's clock, its directory, the hub's figures, and the log of alerts."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from broker import logs
from broker.alerts import Alert, AlertKind, Urgency
from broker.alerts.book import Entry
from broker.alerts.log import log_alert
from broker.timers import Reading
from broker.watch.clock import TrustedClock
from broker.watch.directory import DirectorySource, DirectoryUnreadable
from broker.watch.probe import figures_of
from schemas.directory import Directory
from schemas.routing import Lane
from tests.support.parties import NOW
from tests.support.registry import Registry
from tests.unit.watch.traffic import LA, POLICE, directory, parties


def test_a_clock_put_forward_a_week_moves_nothing_and_is_told() -> None:
    """Bad input of issue 7: no request is breached by somebody's `date -s`."""
    reading = [Reading(NOW, 0.0)]
    clock = TrustedClock(lambda: reading[0])
    reading[0] = Reading(NOW + timedelta(days=7), 10.0)
    assert (clock(), clock.stepped) == (NOW + timedelta(seconds=10), True)
    reading[0] = Reading(NOW + timedelta(seconds=20), 20.0)
    assert (clock(), clock.stepped) == (NOW + timedelta(seconds=20), False)


def test_a_clock_that_was_put_back_before_the_start_is_held_to_what_the_ledger_has_seen() -> None:
    """The last entry's time is the least that it can be."""
    clock = TrustedClock(lambda: Reading(NOW - timedelta(days=1), 0.0), floor=NOW)
    assert clock() == NOW


class Shelf:
    """What a source reads next."""

    def __init__(self, first: Directory) -> None:
        self.next: Directory | Exception = first

    def read(self) -> Directory:
        if isinstance(self.next, Exception):
            raise self.next
        return self.next


async def test_a_directory_that_cannot_be_read_leaves_the_last_good_one_in_use() -> None:
    """The world's fault: told, and retried."""
    shelf = Shelf(directory())
    source = DirectorySource(shelf.read)
    shelf.next = OSError("Tilly Ashgrove-Test")
    assert not await source.refresh(NOW)
    assert (source.fault, source.current.version) == ("OSError", 1)
    shelf.next = directory()
    assert not await source.refresh(NOW)
    assert source.fault == ""


@pytest.mark.parametrize(
    ("following", "fault"),
    [
        (directory(version=4), "rollback"),
        (directory(version=5, suspended=[POLICE]), "equivocation"),
    ],
)
async def test_a_directory_that_goes_back_or_changes_under_its_number_is_not_used(
    following: Directory, fault: str
) -> None:
    """M5, M6: also the hub's own reading of its own directory."""
    shelf = Shelf(directory(version=5))
    source = DirectorySource(shelf.read)
    shelf.next = following
    assert not await source.refresh(NOW)
    assert (source.fault, source.current.is_active(POLICE)) == (fault, True)


async def test_a_version_that_was_replaced_is_still_known_by_its_hash() -> None:
    """A stub sealed a minute before the new version is no stranger."""
    first = directory()
    shelf = Shelf(first)
    source = DirectorySource(shelf.read)
    shelf.next = directory(version=2)
    assert await source.refresh(NOW)
    past = source.current.past(1)
    assert past is not None
    assert past.superseded_at == int(NOW.timestamp())


def test_a_watch_reads_the_hubs_own_repository(tmp_path: Path) -> None:
    """What the registrar signed and the hub published."""
    registry = Registry(tmp_path, now=NOW)
    registry.enrol(*parties().values(), now=NOW)
    source = DirectorySource.at(registry.folder)
    expected = registry.client("reader").refresh(registry.source, now=NOW).directory
    assert expected is not None
    assert (source.current.version, source.current.hash) == (expected.version, expected.hash)


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1}', '{"version": 1, "records": {"a": 1}, "pairs": []}'])
def test_a_file_that_is_no_directory_is_refused_without_quoting_it(tmp_path: Path, text: str) -> None:
    """Nothing could be verified by it."""
    path = tmp_path / "directory.json"
    path.write_text(text)
    with pytest.raises(DirectoryUnreadable):
        DirectorySource.at(path)


def test_figures_are_read_off_queues_of_ours_alone() -> None:
    """A queue that has not reported is left out, and is not taken for an empty one."""
    rows: list[dict[str, Any]] = [
        {"name": f"mash.q.{POLICE}.urgent", "messages": 3, "consumers": 0},
        {"name": f"mash.q.{LA}.routine"},
        {"name": "mash.q.dead", "messages": 2, "consumers": 0},
        {"name": "mash.q.Tilly Ashgrove-Test.urgent", "messages": 9, "consumers": 9},
        {"name": "somebody.elses", "messages": 9, "consumers": 9},
    ]
    figures = figures_of(rows)
    assert (figures.dead, figures.waiting) == (2, {(POLICE, Lane.URGENT): 3})
    assert figures.consumers == {(POLICE, Lane.URGENT): 0}


async def test_an_alert_is_logged_with_a_reference_and_without_a_number_to_ring(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Content-free: every key is on the list, and a telephone number is on none (SEC-02)."""
    logs.configure()
    alert = Alert(
        AlertKind.UNDELIVERED,
        POLICE,
        Urgency.NOW,
        peer=LA,
        reference="ABCDE-FGHIJ",
        code="RED",
        telephone="01632 960110",
    )
    entry = Entry(1, alert, NOW, None)
    await log_alert(entry)
    await log_alert(replace(entry, cleared_at=NOW))
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [("alert", "warning"), ("alert over", "info")]
    assert lines[0]["reference"] == "ABCDE-FGHIJ"
    assert not any("dropped" in line or "960110" in str(line) for line in lines)
