"""`mash sla`: what a coordinator types and what comes back."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.sla import app
from tests.unit.clocks.test_calendars import SETTINGS


def run(*words: str) -> Result:
    """Type `mash sla` and these words, with no settings of the machine around it."""
    return CliRunner().invoke(app, list(words), env={"MASH_CALENDARS": None, "TERM": "dumb", "COLUMNS": "200"})


def read(*words: str) -> dict[str, Any]:
    """Type them and read the JSON that comes back."""
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    facts: dict[str, Any] = json.loads(result.stdout)
    return facts


@pytest.mark.parametrize(
    ("rag", "issued", "due", "urgent"),
    [
        ("amber", "2026-11-27T15:40", "2026-11-30T15:40:00+00:00", True),
        ("red", "2026-11-27T15:40", "2026-11-27T19:40:00+00:00", True),
        ("green", "2026-11-27T15:40", "2026-12-02T15:40:00+00:00", False),
        ("AMBER", "2027-03-25T12:00", "2027-03-30T12:00:00+01:00", True),
        ("red", "2027-03-27T23:00:00+00:00", "2027-03-28T04:00:00+01:00", True),
        ("red", "2026-10-25T01:30", "2026-10-25T04:30:00+00:00", True),
        ("red", "2026-10-25T01:30+00:00", "2026-10-25T05:30:00+00:00", True),
    ],
)
def test_a_coordinator_learns_when_an_answer_is_due(rag: str, issued: str, due: str, urgent: bool) -> None:
    """In JSON the due time is local, ISO 8601, with its offset; over Easter, and over both clock changes."""
    facts = read("due", "--rag", rag, "--issued", issued)
    assert (facts["due"], facts["urgent"]) == (due, urgent)


def test_a_coordinator_reads_it_as_a_sentence_too() -> None:
    """Without JSON: the due time, the urgency, and by when to telephone."""
    result = run("due", "--rag", "amber", "--issued", "2026-11-27T15:40")
    assert result.exit_code == 0
    assert "is due Mon 30 Nov 2026 15:40" in result.stdout
    assert "8 h of office time: URGENT" in result.stdout
    assert "telephone too, by Mon 30 Nov 2026 09:40" in result.stdout


def test_an_agency_has_its_own_hours_and_the_areas_due_time(tmp_path: Path) -> None:
    """SLA-07: a school's Christmas holidays move no due time; they bring a warning."""
    settings = tmp_path / "calendars.toml"
    settings.write_text(SETTINGS, encoding="utf-8")
    words = ["due", "--rag", "amber", "--issued", "2026-12-21T10:00", "--calendars", str(settings)]
    facts = read(*words, "--agency", "meadowbank-test-primary")
    assert facts["due"] == "2026-12-22T10:00:00+00:00"
    assert facts["agency_opens"] == "2027-01-04T08:30:00+00:00"
    assert any("out-of-hours" in warning for warning in facts["warnings"])


def test_an_agency_without_a_calendar_is_said_to_have_none() -> None:
    """The area's hours are taken, and that is no secret."""
    facts = read("due", "--rag", "amber", "--issued", "2026-11-27T15:40", "--agency", "testford-police")
    assert facts["due"] == "2026-11-30T15:40:00+00:00"
    assert any("no calendar of its own" in warning for warning in facts["warnings"])


def test_a_year_without_known_holidays_brings_a_warning() -> None:
    """The due time is still given, and may be too soon."""
    facts = read("due", "--rag", "amber", "--issued", "2033-12-30T15:40")
    assert any("2033" in warning for warning in facts["warnings"])


@pytest.mark.parametrize(
    ("words", "urgent"),
    [
        (("--due", "2026-11-27T10:12"), False),
        (("--due", "2026-11-27T10:11:59"), True),
        (("--rag", "green"), False),
        (("--rag", "amber"), True),
    ],
)
def test_urgent_is_less_than_24_hours_of_office_time(words: tuple[str, str], urgent: bool) -> None:
    """SLA-02 at its boundary, by due time and by rating."""
    assert read("urgent", "--issued", "2026-11-24T10:12", *words)["urgent"] is urgent


@pytest.mark.parametrize(
    "words",
    [
        ("due", "--rag", "blue", "--issued", "2026-11-27T15:40"),
        ("due", "--rag", "purple", "--issued", "2026-11-27T15:40"),
        ("due", "--rag", "amber", "--issued", "27/11/2026 15:40"),
        ("due", "--rag", "amber", "--issued", "2026-11-27"),
        ("due", "--rag", "amber", "--issued", "9999-12-31T15:40"),
        ("due", "--rag", "amber", "--issued", "2027-03-28T01:30"),
        ("due", "--rag", "amber", "--issued", "2026-11-27T15:40", "--calendars", "/nowhere/at/all.toml"),
        ("urgent", "--issued", "2026-11-24T10:12"),
        ("urgent", "--issued", "2026-11-24T10:12", "--due", "2026-11-24T09:00"),
        ("urgent", "--issued", "2026-11-24T10:12", "--due", "2026-11-25T09:00", "--rag", "red"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(words: tuple[str, ...]) -> None:
    """BLUE, unknown ratings, unreadable or impossible times: exit code 2, a reason, no traceback."""
    result = run(*words)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert result.stdout == ""


@pytest.mark.parametrize("text", ["[area]\nhours = 1\n", "not toml", "[area.week]\nmon = 'secret-looking value'\n"])
def test_settings_that_are_not_understood_stop_the_program_without_being_shown(tmp_path: Path, text: str) -> None:
    """A half-read calendar would be a wrong promise; the message names the place and not the value."""
    settings = tmp_path / "calendars.toml"
    settings.write_text(text, encoding="utf-8")
    result = run("due", "--rag", "amber", "--issued", "2026-11-27T15:40", "--calendars", str(settings))
    assert result.exit_code == 2
    assert "secret-looking" not in result.output


@pytest.mark.parametrize("command", ["due", "urgent"])
def test_an_agency_that_is_none_is_wrong_usage_and_is_not_said_again(command: str) -> None:
    """The attack: somebody types the child's name where the agency's id belongs."""
    result = run(command, "--rag", "amber", "--issued", "2026-11-27T15:40", "--agency", "Tilly Ashgrove-Test")
    assert result.exit_code == 2
    assert "Tilly" not in result.output


def test_json_names_its_shape() -> None:
    """As every command of `mash` with --json does."""
    assert read("due", "--rag", "red", "--issued", "2026-11-27T15:40")["schema"] == "mash.sla.due.v1"
    assert read("urgent", "--rag", "red", "--issued", "2026-11-27T15:40")["schema"] == "mash.sla.urgent.v1"
