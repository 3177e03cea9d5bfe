import json
from collections import Counter
from pathlib import Path

import pytest

from adapters.kit.envelope.conformance import NoVectors, judge, load_world, run_folder
from tests.vectors.make import FOLDER, files

CODES_WITH_A_VECTOR = {f"E{number:02}" for number in range(24) if number not in (11, 12, 13)}


def test_the_vectors_in_the_tree_are_those_that_the_script_makes() -> None:
    """Style 17: nobody edits a vector by hand, and nobody changes the format without changing them."""
    stored = {file.name: file.read_bytes() for file in FOLDER.glob("*.json")}
    assert dict(files()) == stored


def test_every_vector_leads_where_it_says() -> None:
    """A second writer, made from SPEC.md, and this reader agree on every file, the answer outside included."""
    assert [verdict for verdict in run_folder(FOLDER) if not verdict.holds] == []


def test_there_are_enough_vectors_and_every_code_has_one() -> None:
    """Issue 3: at least 180 broken and 20 sound files."""
    counted = Counter(verdict.expected for verdict in run_folder(FOLDER))
    assert counted["OK"] >= 20
    assert counted.total() - counted["OK"] >= 180
    assert counted.keys() >= CODES_WITH_A_VECTOR


def test_a_folder_without_vectors_is_no_success(tmp_path: Path) -> None:
    """Empty means no: an implementation that produced nothing has not passed."""
    with pytest.raises(NoVectors):
        list(run_folder(tmp_path))
    for name in ("directory.json", "keys.json"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    with pytest.raises(NoVectors):
        list(run_folder(tmp_path))


def test_a_vector_that_is_refused_for_another_reason_does_not_hold() -> None:
    """The runner compares codes, and not merely refusals."""
    world = load_world(FOLDER)
    plain = dict(files())["E01-one-byte.json"]
    vector = json.loads(plain) | {"expect": "E09"}
    assert not judge("x", vector, world=world).holds
