"""`mash-hub report sample` and `check`: what a sample holds, and every way in which it could be made up."""

import asyncio
import json
import shutil
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from broker.calendars import Calendars
from broker.ledger.ledger import Ledger
from broker.reports import sample_check
from broker.reports.sample_check import REASONS, faults_of, read_sample
from schemas.stub import Event
from tests.integration.reports.months import BEGAN, MONTH, STARTS, October
from tests.integration.reports.program import pages, run, table
from tests.unit.watch.traffic import HEALTH

SEED = "the inspector's own words"


@pytest.fixture(scope="module")
def drawn(october: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample of ten, drawn once; its folder."""
    out = tmp_path_factory.mktemp("sample")
    ran = run("sample", "--month", MONTH, "--size", "10", "--seed", SEED, "--db", october, "--out", out)
    assert ran.exit_code == 0, ran.stderr
    return out / "internal"


@pytest.fixture
def plain(drawn: Path) -> dict[str, Any]:
    """The sample's file, to be changed."""
    read: dict[str, Any] = json.loads((drawn / f"sample-{MONTH}.json").read_bytes())
    return read


def codes(plain: dict[str, Any]) -> set[str]:
    """Check a file as it is read."""
    return {one.code for one in faults_of(read_sample(json.dumps(plain).encode()), calendars=Calendars())}


def test_a_sample_is_what_it_says_alone_and_beside_its_ledger(drawn: Path, october: Path) -> None:
    """Every signature and hash, every clock, and the draw."""
    file = drawn / f"sample-{MONTH}.json"
    assert run("check", file).exit_code == 0
    told = run("check", file, "--db", october)
    assert told.exit_code == 0, told.stderr
    assert "10 requests" in told.stdout


def test_the_same_seed_draws_the_same_requests(drawn: Path, october: Path, tmp_path: Path) -> None:
    """Another day, the same references."""
    run("sample", "--month", MONTH, "--size", "10", "--seed", SEED, "--db", october, "--out", tmp_path)
    again, before = (table(where / f"sample-{MONTH}.csv") for where in (tmp_path / "internal", drawn))
    assert [row["reference"] for row in again] == [row["reference"] for row in before]


def test_a_request_is_there_with_its_stubs_receipts_and_clocks(plain: dict[str, Any]) -> None:
    """A request that was answered in time: four entries, the receipt met, the telephone call the requester's."""
    answered = next(one for one in plain["requests"] if one["outcome"] == "in time" and len(one["entries"]) == 4)
    clocks = {one["clock"]: one["verdict"] for one in answered["clocks"]}
    assert (clocks["receipt"], clocks["seen by a person"], clocks["answer"]) == ("met", "met", "met")
    assert clocks.get("telephone call", "known to the requester") == "known to the requester"
    silent = next(one for one in plain["requests"] if one["outcome"] == "no reply")
    assert {one["clock"]: one["verdict"] for one in silent["clocks"]}["answer"] == "missed"


def test_the_paper_names_the_seed_how_to_prove_it_and_every_request(drawn: Path, plain: dict[str, Any]) -> None:
    """And says on every page that it is not for publication."""
    text = pages(drawn / f"sample-{MONTH}.pdf")
    assert all("NOT FOR PUBLICATION" in page for page in text)
    assert SEED in text[0]
    assert "mash-hub report check" in text[0]
    whole = " ".join(text)
    assert all(one["reference"] in whole for one in plain["requests"])


def entry(plain: dict[str, Any]) -> dict[str, Any]:
    """Give the last entry of the first request."""
    found: dict[str, Any] = plain["requests"][0]["entries"][-1]
    return found


def another_draw(plain: dict[str, Any]) -> None:
    """A request that was drawn is left out."""
    plain["requests"].pop()


def another_seed(plain: dict[str, Any]) -> None:
    """The seed is another than the inspector's."""
    plain["seed"] = "mine"


def shorter_list(plain: dict[str, Any]) -> None:
    """A late request is struck off the list."""
    plain["frame"] = [row for row in plain["frame"] if row[4] != "no reply"]


def no_stub(plain: dict[str, Any]) -> None:
    """An entry's bytes are something else."""
    entry(plain)["stub"] = b64encode(b"nothing of the kind").decode()


def changed_stub(plain: dict[str, Any]) -> None:
    """One bit of the answer is changed."""
    raw = bytearray(b64decode(entry(plain)["stub"]))
    raw[-1] ^= 1
    entry(plain)["stub"] = b64encode(raw).decode()


def earlier_arrival(plain: dict[str, Any]) -> None:
    """The hub says that it came an hour sooner."""
    entry(plain)["received"] -= 3_600_000_000


def other_directory(plain: dict[str, Any]) -> None:
    """The directory in the file is not the one that the entries name."""
    plain["directories"][0]["body"] = b64encode(b"{}").decode()


def better_outcome(plain: dict[str, Any]) -> None:
    """What was late is said to have been in time, in the list and in the request."""
    for row in plain["frame"]:
        row[4] = "in time"
    for one in plain["requests"]:
        one["outcome"] = "in time"


def met_clock(plain: dict[str, Any]) -> None:
    """A clock that was missed is said to have been met."""
    for one in plain["requests"]:
        for clock in one["clocks"]:
            clock["verdict"] = "met" if clock["verdict"] in ("missed", "late") else clock["verdict"]


def dropped_entry(plain: dict[str, Any]) -> None:
    """The answer of a late request is left out."""
    late = next(one for one in plain["requests"] if one["outcome"] == "late")
    late["entries"].pop()


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        (another_draw, "S1"),
        (another_seed, "S1"),
        (shorter_list, "S1"),
        (no_stub, "S2"),
        (changed_stub, "S3"),
        (earlier_arrival, "S3"),
        (other_directory, "S3"),
        (better_outcome, "S5"),
        (met_clock, "S5"),
        (dropped_entry, "S5"),
    ],
)
def test_a_sample_that_was_changed_is_found_out_from_the_file_alone(
    plain: dict[str, Any], attack: Callable[[dict[str, Any]], None], code: str
) -> None:
    """Each attack is told in the line below its name."""
    attack(plain)
    assert code in codes(plain)


def test_every_fault_that_can_be_found_is_explained() -> None:
    """Structure: a code without a sentence says nothing to an inspector."""
    source = Path(sample_check.__file__).read_text("utf-8")
    assert {code for code in ("S1", "S2", "S3", "S4", "S5", "S6", "S7") if f'SampleFault("{code}"' in source} == set(
        REASONS
    )


def test_a_sample_from_another_ledger_is_found_out(drawn: Path, october: Path, tmp_path: Path) -> None:
    """The attack: the hub keeps a second ledger for inspectors, without the late ones."""
    other = tmp_path / "other.sqlite"

    async def make() -> None:
        async with Ledger.opened(str(other), now=BEGAN) as ledger:
            october_again = October(ledger)
            for number in range(150):
                await october_again.pass_("testford-la", HEALTH, Event.REQUEST, thread=f"other-{number}", at=STARTS)

    asyncio.run(make())
    told = run("check", drawn / f"sample-{MONTH}.json", "--db", other)
    assert told.exit_code == 1
    assert "(S6)" in told.stderr


def test_a_ledger_that_has_grown_still_proves_its_samples(drawn: Path, october: Path, tmp_path: Path) -> None:
    """What passed later does not change what stood then."""
    grown = tmp_path / "grown.sqlite"
    shutil.copy(october, grown)

    async def grow() -> None:
        async with Ledger.opened(str(grown), now=None) as ledger:
            late = STARTS + timedelta(days=25)
            await October(ledger).ask(HEALTH, "later", at=late, after=timedelta(hours=1))

    asyncio.run(grow())
    told = run("check", drawn / f"sample-{MONTH}.json", "--db", grown)
    assert told.exit_code == 0, told.stderr


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"schema": "mash.sample.v2"}', b"\xff", b"9" * 5000])
def test_a_file_that_is_no_sample_is_refused_without_its_content(tmp_path: Path, content: bytes) -> None:
    """Exit code 1 and one line."""
    file = tmp_path / "sample.json"
    file.write_bytes(content)
    told = run("check", file)
    assert told.exit_code == 1
    assert "no sample" in told.stderr


@pytest.mark.parametrize("seed", ["", "  ", "two\nlines", "x" * 201])
def test_a_seed_that_is_none_is_wrong_usage(october: Path, tmp_path: Path, seed: str) -> None:
    """A seed that cannot be read out over the telephone cannot be named by an inspector."""
    assert run("sample", "--month", MONTH, "--seed", seed, "--db", october, "--out", tmp_path).exit_code == 2
