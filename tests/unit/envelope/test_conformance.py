"""The runner of vectors itself: what it must not call a success."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.kit.envelope import conformance
from adapters.kit.envelope.conformance import NoVectors, Verdict, World, judge, load_world, run_folder
from adapters.kit.envelope.verification import Opened
from tests.vectors.make import FOLDER


@pytest.fixture(scope="module")
def world() -> World:
    return load_world(FOLDER)


def vector(name: str) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_bytes())
    return plain


def test_a_vector_that_opens_to_other_texts_does_not_hold(world: World) -> None:
    """Accepting is not enough: a second implementation has to read what was written."""
    sound = vector("OK-heartbeat") | {"sections": {"team": "AAAA"}}
    assert judge("x", sound, world=world) == Verdict("x", "OK", "other texts", "")
    assert not judge("x", sound, world=world).holds
    del sound["sections"]
    assert judge("x", sound, world=world) == Verdict("x", "OK", "OK", "")


def test_a_vector_that_is_answered_otherwise_does_not_hold(world: World) -> None:
    """The answer outside is part of the rule: E14 to E22 are one, and unauthenticated input gets none."""
    refused = vector("E09-signature-last-byte")
    assert judge("x", refused, world=world).holds
    told = judge("x", refused | {"answer": "REJ-CRYPTO"}, world=world)
    assert (told.expected, told.found, told.holds) == ("E09", "another answer", False)


def test_a_reader_of_a_vector_has_the_prekeys_of_its_roles_and_no_others(world: World) -> None:
    """A vector that says which roles read must not be opened with another's keys."""
    team = world.only(frozenset({"team"}))
    assert [role.name for role in team.roles.values()] == ["team"]
    assert {prekey.role_id for prekey in team.prekeys.values()} == set(team.roles)
    assert 0 < len(team.prekeys) < len(world.keys.prekeys)
    assert "prekeys" not in repr(world)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("directory.json", "{"),
        ("directory.json", "{}"),
        ("directory.json", "[]"),
        ("keys.json", "{}"),
        ("keys.json", '{"participant":"x","roles":{"A=":{"name":"team","opens":[1]}},"prekeys":{}}'),
    ],
)
def test_a_folder_whose_world_cannot_be_read_is_no_success(file: str, content: str, tmp_path: Path) -> None:
    """Broken keys or a broken directory are an error with the folder's name, and not an empty list of verdicts."""
    for name in ("directory.json", "keys.json", "OK-heartbeat.json"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    (tmp_path / file).write_text(content)
    with pytest.raises(NoVectors, match="not base64url" if "A=" in content else str(tmp_path)):
        list(run_folder(tmp_path))


def test_files_are_run_in_the_order_of_their_names_and_named_without_their_ending(tmp_path: Path) -> None:
    """Two implementations' lines can be compared with a diff."""
    for name in ("directory.json", "keys.json"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    for name in ("b", "a", "c"):
        (tmp_path / f"{name}.json").write_bytes((FOLDER / "OK-heartbeat.json").read_bytes())
    assert [verdict.name for verdict in run_folder(tmp_path)] == ["a", "b", "c"]


def test_a_large_vector_is_stored_without_its_zeros(world: World) -> None:
    """2 MiB of zeros are a number in the file, and that many bytes when it is run."""
    assert conformance.body_of({"body": "TVNF", "zeros": 3}) == b"MSE\0\0\0"
    assert conformance.body_of({"body": "TVNF"}) == b"MSE"
    with pytest.raises(NoVectors):
        conformance.body_of({"body": "A="})


def test_an_opener_that_gives_neither_is_a_fault_of_ours(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A third kind of outcome must never be counted as a vector that holds."""
    for outcome in ((None, None), (Opened.__new__(Opened), None)):
        monkeypatch.setattr(conformance, "_run", lambda vector, *, world, given=outcome: given)
        with pytest.raises(TypeError, match="neither"):
            judge("x", vector("OK-heartbeat"), world=world)
