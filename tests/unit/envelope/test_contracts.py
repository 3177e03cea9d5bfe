import json
import re
from dataclasses import fields
from itertools import dropwhile, takewhile

import pytest

from adapters.kit.envelope.manifest import Manifest
from adapters.kit.evidence.bundle import Bundle
from schemas.directory import AgencyRecord
from schemas.members import Members
from schemas.receipt import Receipt
from schemas.routing import Lane
from schemas.stub import Event
from tests.vectors import cores
from tests.vectors.contracts import FOLDER, files
from tests.vectors.writer import core_fields

NAMES = [name for name, _ in files()]
SPECIFICATION = FOLDER.parent / "SPEC.md"
DESCRIBED: dict[str, list[str]] = {
    "5.2": list(core_fields()),
    "6.2": [*(field.name.rstrip("_") for field in fields(Manifest)), "v"],
    "7.1": list(AgencyRecord.model_fields),
    "7.9": list(Members.model_fields),
    "8.1": list(Receipt.model_fields),
    "11.2": list(Bundle.model_fields),
}


def rows_of(clause: str) -> list[list[str]]:
    """Give the rows of the first table of a clause of SPEC.md, without its head."""
    lines = SPECIFICATION.read_text("utf-8").split(f"\n{clause} ")[1].splitlines()
    table = list(dropwhile(lambda line: not line.startswith("|"), lines))
    rows = [line.strip("|").split(" | ") for line in takewhile(lambda line: line.startswith("|"), table)]
    return [[cell.strip() for cell in row] for row in rows[2:]]


@pytest.mark.parametrize("clause", DESCRIBED)
def test_the_specification_describes_every_field_and_no_other(clause: str) -> None:
    """Issue 3: whoever implements it again finds each field, what it may be, who sees it and what vouches for it."""
    described = [name for row in rows_of(clause) for name in re.findall(r"`([a-z_]+)`", row[0])]
    assert sorted(described) == sorted(DESCRIBED[clause])
    assert len({len(row) for row in rows_of(clause)}) == 1
    assert all(cell for row in rows_of(clause) for cell in row)


@pytest.mark.parametrize("name", NAMES)
def test_the_exported_schema_is_that_of_the_code(name: str) -> None:
    """An implementer's schema does not drift from what is accepted."""
    assert (FOLDER / name).read_bytes() == dict(files())[name]


def test_the_words_of_the_core_are_those_of_the_specification() -> None:
    """SPEC 5.2: lanes and events are for ever; a word more or another spelling would be E03 at every partner."""
    values = {row[0].strip("`"): row[1].replace("`", "").replace(",", "").split() for row in rows_of("5.2")}
    assert values["ev"] == [event.value for event in Event]
    assert values["lane"] == [lane.value for lane in Lane]
    meanings = {
        "REQUEST": "REQ",
        "RERATED": "RRT",
        "RECALLED": "RCL",
        "ACKNOWLEDGED": "ACK",
        "QUESTION": "QRY",
        "HELD": "HOLD",
        "PART_ANSWER": "PRT",
        "ANSWER": "ANS",
        "REFUSED": "REF",
        "SUPPLEMENT": "SUP",
        "NOTICE": "NTC",
        "CLOSED": "CLS",
        "RECEIPT": "RCP",
        "HEARTBEAT": "HB",
    }
    assert {event.name: event.value for event in Event} == meanings


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
