"""The threat model names the tests that play the attacker; a guard whose test was renamed or lost is found here."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "deploy" / "threat-model.md"


def _named() -> list[str]:
    return re.findall(r"`(test_\w+)`", PAGE.read_text("utf-8"))


def test_every_test_that_the_threat_model_names_exists() -> None:
    """A page that promises a test which nobody runs would be worse than no page."""
    written = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)
    }
    assert [name for name in _named() if name not in written] == []


def test_every_attacker_but_the_publisher_of_releases_has_a_test() -> None:
    """M1 to M16: each with somebody who plays it."""
    sections = re.split(r"^### (M\d+)", PAGE.read_text("utf-8").partition("## What is not protected")[0], flags=re.M)
    played = {number for number, text in zip(sections[1::2], sections[2::2], strict=True) if "`test_" in text}
    assert played == {f"M{number}" for number in range(1, 17)}
