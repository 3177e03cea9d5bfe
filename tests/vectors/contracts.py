"""Writes the JSON Schemas of what travels in the open and in receipts: `python -m tests.vectors.contracts`.

They are a help for implementers; SPEC.md is the rule, and says more than a schema can (one spelling, no escapes).
"""

import json
from collections.abc import Iterator
from dataclasses import fields
from inspect import getdoc
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from adapters.kit.envelope.manifest import MAX_LINE, Manifest
from schemas.agency import PARTICIPANT_ID_PATTERN, RESERVED_PARTICIPANT_IDS
from schemas.directory import ROLE_NAME_PATTERN, AgencyRecord
from schemas.members import Members
from schemas.receipt import Receipt
from schemas.routing import Lane
from schemas.stub import MAX_INTEGER, SERVICE_CLASS, Event

FOLDER = Path(__file__).parents[2] / "schemas" / "json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
MODELS: dict[str, type[BaseModel]] = {
    "agency-record": AgencyRecord,
    "members": Members,
    "receipt": Receipt,
}
ID = {"type": "string", "pattern": "^[A-Za-z0-9_-]{21}[AQgw]$"}
DIGEST = {"type": "string", "pattern": "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$"}
NATURAL = {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER}
PARTICIPANT = {"type": "string", "pattern": PARTICIPANT_ID_PATTERN, "not": {"enum": sorted(RESERVED_PARTICIPANT_IDS)}}


def core_schema() -> dict[str, Any]:
    """Give the schema of the core (SPEC 5.2)."""
    properties: dict[str, Any] = {"v": {"const": 1}, "mid": ID, "thread": ID, "from": PARTICIPANT, "to": PARTICIPANT}
    properties |= {
        "kid": ID,
        "seq": {**NATURAL, "minimum": 1},
        "prev": DIGEST,
        "irt": {"anyOf": [ID, {"type": "null"}]},
    }
    properties |= {"lane": {"enum": [lane.value for lane in Lane]}, "ev": {"enum": [event.value for event in Event]}}
    properties |= {"cls": {"type": "string", "pattern": f"^{SERVICE_CLASS.pattern}$"}, "t": NATURAL, "exp": NATURAL}
    properties["dir"] = _closed({"ver": NATURAL, "sha256": DIGEST})
    return {"title": "Core", **_closed(properties)}


def manifest_schema() -> dict[str, Any]:
    """Give the schema of the manifest (SPEC 6.2)."""
    line = {"maxLength": MAX_LINE, "minLength": 1, "pattern": r"^[^\x00-\x1f\x7f]+$"}
    rules: dict[str, dict[str, Any]] = {
        "purpose": line,
        "role": {"pattern": f"^{ROLE_NAME_PATTERN}$"},
        "sections": {"type": "array", "items": {"maximum": 7, "minimum": 1, "type": "integer"}},
        "user": line,
    }
    names = [field.name.rstrip("_") for field in fields(Manifest)]
    properties = {name: {"title": name.capitalize(), "type": "string", **rules.get(name, {})} for name in names}
    version = {"const": 1, "default": 1, "title": "V", "type": "integer"}
    whole = _closed(properties) | {"properties": {**properties, "v": version}}
    return {"title": "Manifest", "description": getdoc(Manifest), **whole}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": sorted(properties), "additionalProperties": False}


def files() -> Iterator[tuple[str, bytes]]:
    """Give every file's name and content."""
    schemas = {name: model.model_json_schema(mode="serialization") for name, model in MODELS.items()}
    schemas |= {"core": core_schema(), "manifest": manifest_schema()}
    for name, schema in sorted(schemas.items()):
        whole = {"$schema": DIALECT, "$id": f"urn:mash:mse1:{name}", **schema}
        yield f"{name}.schema.json", (json.dumps(whole, indent=2, sort_keys=True) + "\n").encode()


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    for name, content in files():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
