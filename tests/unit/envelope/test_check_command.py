import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.cli.envelope import app
from tests.vectors.make import FOLDER


def test_an_implementer_sees_a_line_for_every_file(tmp_path: Path) -> None:
    """Issue 3: `mash envelope check DIR` prints a line a file and ends well when all hold."""
    for name in ("directory.json", "keys.json", "OK-heartbeat.json", "E09-signature-last-byte.json"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    done = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert done.exit_code == 0
    assert len(done.output.splitlines()) == 3
    assert "2 of 2 hold" in done.output


def test_an_implementer_is_told_which_file_does_not_hold(tmp_path: Path) -> None:
    """A vector accepted here and refused there is a failure, by exit code too."""
    for name in ("directory.json", "keys.json"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    vector = json.loads((FOLDER / "OK-heartbeat.json").read_bytes())
    (tmp_path / "mine.json").write_text(json.dumps(vector | {"expect": "E09"}))
    done = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert done.exit_code == 1
    assert "FAIL" in done.output


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """Empty means no."""
    assert CliRunner().invoke(app, ["check", str(tmp_path)]).exit_code == 1


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"body": "A=", "expect": "OK"}', '{"body": 7}'])
def test_an_implementer_is_told_which_file_is_no_vector(content: str, tmp_path: Path) -> None:
    """A file that cannot be read is a refusal that says where to look, and no traceback."""
    for name in ("directory.json", "keys.json", "OK-heartbeat.json"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    (tmp_path / "mine.json").write_text(content)
    first = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert (first.exit_code, type(first.exception)) == (1, SystemExit)
    (tmp_path / "OK-heartbeat.json").rename(tmp_path / "a.json")
    second = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert second.exit_code == 1
    assert "no vector" in second.stderr or "not base64url" in second.stderr
