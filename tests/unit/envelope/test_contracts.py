import json
import re

import pytest

from tests.vectors import cores
from tests.vectors.contracts import FOLDER, files
from tests.vectors.writer import core_fields

NAMES = [name for name, _ in files()]


@pytest.mark.parametrize("name", NAMES)
def test_the_exported_schema_is_that_of_the_code(name: str) -> None:
    """An implementer's schema does not drift from what is accepted."""
    assert (FOLDER / name).read_bytes() == dict(files())[name]


def test_the_cores_schema_names_every_field_and_closes_the_object() -> None:
    """SPEC 5.2: exactly these fields."""
    schema = json.loads((FOLDER / "core.schema.json").read_bytes())
    assert schema["required"] == sorted(core_fields())
    assert schema["additionalProperties"] is False


def test_the_cores_patterns_fit_a_sound_core_and_no_broken_identifier() -> None:
    """The patterns are the reader's rules, and not looser."""
    properties = json.loads((FOLDER / "core.schema.json").read_bytes())["properties"]
    sound = core_fields()
    patterned = [name for name, rule in properties.items() if "pattern" in rule]
    assert all(re.search(properties[name]["pattern"], sound[name]) for name in patterned)
    broken = [changes["mid"] for _, changes in cores.FIELD_VALUES if isinstance(changes.get("mid"), str)]
    assert len(broken) == 5
    assert not any(re.search(properties["mid"]["pattern"], value) for value in broken)
