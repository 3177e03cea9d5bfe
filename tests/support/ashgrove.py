"""The scenario's request, as each recipient gets it: minimised to the identifiers it can use (RFI-06).

The file beside this one has the shape of the shared request of the worked cases, so that tests need nothing outside
the repository.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from adapters.kit.questions import asked_by_default, catalogue
from schemas.content.rfi import RequestForInformation

ISSUED = datetime(2026, 11, 24, 10, 12, tzinfo=UTC)
AGENCIES = Path(__file__).resolve().parents[2] / "adapters"


@cache
def _plain() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    return loaded


def sample(kind: str) -> Path:
    """Give the folder of an agency's synthetic records."""
    return AGENCIES / kind / "sample"


def request_to(kind: str, **persons: Mapping[str, Any] | None) -> RequestForInformation:
    """Give the request as `kind` receives it; `persons` are changes to single persons, None takes one out."""
    plain = {key: value for key, value in _plain().items() if key != "recipients"}
    recipient = dict(_plain()["recipients"][kind])
    sees = recipient.pop("sees")
    asked = list(asked_by_default(kind))
    recipient = {"agency": kind, "signatory": "active", "regime": "uk_gdpr", "questions": asked, **recipient}
    questions = {code: question.model_dump(mode="json") for code, question in catalogue().items()}
    changed = _merged(plain["persons"], persons)
    seen = {key: _seen(person, sees) for key, person in changed.items() if sees["unborn"] or "edd" not in person}
    return RequestForInformation.from_plain({**plain, "questions": questions, "recipient": recipient, "persons": seen})


def _merged(persons: dict[str, Any], changes: Mapping[str, Mapping[str, Any] | None]) -> dict[str, Any]:
    merged = {**persons, **{key: {**persons.get(key, {}), **(change or {})} for key, change in changes.items()}}
    return {key: person for key, person in merged.items() if changes.get(key, {}) is not None}


def _seen(person: dict[str, Any], sees: dict[str, Any]) -> dict[str, Any]:
    identifiers = person.get("identifiers", {})
    return {**person, "identifiers": {name: identifiers[name] for name in sees["identifiers"] if name in identifiers}}
