"""What the page is drawn with: pinned, from no named registry, and without what only gov.uk may use."""

import json
from pathlib import Path

import pytest

from broker.page.assets import STATIC
from deploy.web.assets import NEVER, SYSTEM_SANS, NotAsExpected, without_the_reserved

WEB = Path(__file__).parents[3] / "deploy/web"


def test_every_package_is_pinned_by_version_and_by_hash() -> None:
    """An update is a change of this repository."""
    wanted, lock = json.loads((WEB / "package.json").read_text()), json.loads((WEB / "package-lock.json").read_text())
    named = wanted["dependencies"] | wanted["devDependencies"]
    locked = {name.removeprefix("node_modules/"): one for name, one in lock["packages"].items() if name}
    assert named == {"govuk-frontend": "6.3.0", "axe-core": "4.14.1"}
    assert {name: one["version"] for name, one in locked.items()} == named
    assert all(one["integrity"].startswith("sha512-") for one in locked.values())


def test_the_lock_names_no_registry() -> None:
    """It is installed from whichever registry its user trusts."""
    text = (WEB / "package-lock.json").read_text()
    assert "http" not in text
    assert "resolved" not in text


@pytest.mark.parametrize("word", NEVER)
def test_what_is_reserved_to_gov_uk_is_not_served(word: str) -> None:
    """The licence: neither the typeface nor the crest, in no file that a browser can ask for."""
    for path in STATIC.rglob("*"):
        if path.suffix in (".css", ".js", ".svg"):
            assert word not in path.read_text("utf-8") or (path.suffix == ".js" and word == "/assets/")
    assert {path.suffix for path in STATIC.rglob("*") if path.is_file()} <= {".css", ".js", ".svg", ".txt"}


def test_a_style_that_is_not_as_expected_is_not_written() -> None:
    """The attack: an update brings the typeface under another spelling."""
    good = "a{font-family:GDS Transport,arial,sans-serif}@font-face{font-family:GDS Transport;src:url(/assets/x)}"
    assert without_the_reserved(good) == f"a{{font-family:{SYSTEM_SANS}}}"
    for changed in ('a{font-family:"GDS Transport"}' + good, "a{color:red}", good + "b{background:url(/assets/y)}"):
        with pytest.raises(NotAsExpected):
            without_the_reserved(changed)
