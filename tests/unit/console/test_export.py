"""The JSON export: its shape is the exported schema, its keys are stable, and nothing sealed is in it."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.la.console.export import CollationDocument, collation_json, document, schema_text
from schemas.content.response import Refusal
from tests.unit.console.ashgrove import ashgrove
from tests.unit.console.office import DUE, answered, collation, decided, indicator, item, judged, marking, owed

SCHEMA = Path(__file__).resolve().parents[3] / "schemas" / "json" / "collation.v1.json"


def _full() -> dict[str, Any]:
    arrived = answered(
        "testford-police",
        item("POL-01", "police"),
        indicators=(indicator(),),
        refusals=(Refusal(reasons=("EXCESSIVE",)),),
        outstanding=(owed("gp"),),
        judgement=judged("3"),
    )
    plain: dict[str, Any] = json.loads(collation_json(collation(arrived, decided=decided())))
    return plain


def test_the_schema_in_the_repository_is_the_shape_that_is_written() -> None:
    """Renew it with: python -c "from adapters.la.console.export import schema_text as s; print(s(), end='')"."""
    assert SCHEMA.read_text("utf-8") == schema_text()


def test_every_key_is_required_and_no_other_is_allowed() -> None:
    """A case system may rely on every key: null or empty, never missing."""
    schema = json.loads(schema_text())
    shapes = [schema, *(each for each in schema["$defs"].values() if each["type"] == "object")]
    assert len(shapes) == 9
    for shape in shapes:
        assert shape["required"] == list(shape["properties"])
        assert shape["additionalProperties"] is False


def test_the_keys_are_the_same_whether_there_is_much_or_nothing() -> None:
    """The top level, an agency that is silent and one that answered have the same keys."""
    empty = json.loads(collation_json(collation(asked=("testford-police",))))
    full = _full()
    assert list(empty) == list(full)
    assert list(empty["agencies"][0]) == list(full["agencies"][0])
    assert list(full["held_back"][0]) == list(full["held_back"][1])


def test_what_is_written_can_be_read_as_what_the_schema_says() -> None:
    """The text reads back strictly into the same document."""
    text = collation_json(ashgrove(open_sealed=True, decided=decided()))
    assert CollationDocument.model_validate_json(text) == document(ashgrove(open_sealed=True, decided=decided()))


def test_the_shape_names_itself_and_its_purpose() -> None:
    """DIS-08: each export says what it is for, and that it is a snapshot."""
    full = _full()
    assert full["schema"] == "mash.collation.v1"
    assert full["purpose"] == "MASH_RISK_ASSESSMENT"
    assert full["notice"].startswith("A snapshot")


def test_times_are_in_utc_and_the_same_whatever_the_zone_of_the_writer() -> None:
    """One moment has one text."""
    assert _full()["agencies"][0]["owed"] == [{"source": "gp", "due_at": "2026-11-24T18:20:00Z"}]
    assert DUE.isoformat() == "2026-11-24T18:20:00+00:00"


@pytest.mark.parametrize("for_screen", [False, True])
def test_a_sealed_item_never_enters_an_export_for_the_team(for_screen: bool) -> None:
    """Attack: the decision maker has opened it; the team's export takes it along, on the screen or in a file."""
    for view in (ashgrove(), ashgrove(open_sealed=True).model_copy(update={"reader": ashgrove().reader})):
        text = collation_json(view, for_screen=for_screen)
        assert "controlled drugs" not in text
        assert "A warrant is planned" not in text


def test_the_decision_maker_exports_what_lists_them_and_not_what_lists_nobody() -> None:
    """The sealed part behind an indicator lists nobody: it may be read on the screen and taken away by nobody."""
    view = ashgrove(open_sealed=True)
    assert "controlled drugs" in collation_json(view)
    assert "A warrant is planned" not in collation_json(view)
    assert "A warrant is planned" in collation_json(view, for_screen=True)
    assert document(view).left_out == {"nobody_listed": 1}


def test_every_item_bears_its_marking_in_codes_and_in_words() -> None:
    """The marking travels with the item, so that a paste from the case system still says who may have it."""
    marks = marking("police", conditions=("refer_back_before_action",), handling_conditions=("ring first",))
    written = document(collation(answered("testford-housing", item("HOU-01", marks=marks)))).items[0].marking
    assert written.audiences == ("police",)
    assert written.audiences_in_words == "police"
    assert written.conditions_in_words == ("Ring the agency before acting on it.",)
    assert written.handling_conditions == ("ring first",)


def test_a_collation_is_never_marked_lower_than_official_sensitive() -> None:
    """DIS-15: what is held back and what agencies think is sensitive even where every item is not."""
    low = item("HOU-01", marks=marking("police", gsc="OFFICIAL"))
    assert document(collation(answered("testford-housing", low))).classification == "OFFICIAL-SENSITIVE"


def test_levels_are_exported_side_by_side_and_not_averaged() -> None:
    """There is no figure in the export that no agency gave."""
    made = document(
        collation(
            answered("testford-police", judgement=judged("4")), answered("testford-housing", judgement=judged("2"))
        )
    )
    assert [one.level_of_need for one in made.levels_of_need] == ["4", "2"]
    assert made.levels_differ
