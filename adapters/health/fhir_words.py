"""What a FHIR resource says in words: displays, texts, values and notes, in a fixed order for each type.

The narrative (`text.div`) is not read: it is generated, may be stale, and may say more than the coded record.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from adapters.health.fhir_codes import words_of
from adapters.health.fhir_parse import Resource

Plain = Mapping[str, Any]


def words(resource: Resource) -> str:
    """Give a resource in words, its parts separated by semicolons; empty if it says nothing that is read."""
    said = _BY_TYPE.get(resource.kind, _coded)(resource.plain)
    notes = (str(note.get("text", "")) for note in resource.plain.get("note", []))
    return "; ".join(part.strip() for part in (*said, *notes) if part and part.strip())


def _encounter(plain: Plain) -> Iterator[str]:
    kinds = [words_of(kind) for kind in plain.get("type", [])]
    yield from kinds or [str(plain.get("class", {}).get("display", ""))]
    for reason in plain.get("reasonCode", []):
        yield words_of(reason)


def _observation(plain: Plain) -> Iterator[str]:
    quantity = plain.get("valueQuantity", {})
    plain_value = next((plain[name] for name in _VALUES if name in plain), None)
    value = (
        f"{quantity['value']} {quantity.get('unit', '')}".strip()
        if "value" in quantity
        else words_of(plain.get("valueCodeableConcept"))
        if "valueCodeableConcept" in plain
        else plain_value
    )
    yield words_of(plain.get("code")) + ("" if value is None else f": {value}")


def _communication(plain: Plain) -> Iterator[str]:
    for payload in plain.get("payload", []):
        yield str(payload.get("contentString", ""))


def _document(plain: Plain) -> Iterator[str]:
    yield words_of(plain.get("type"))
    yield str(plain.get("description", ""))
    for content in plain.get("content", []):
        yield str(content.get("attachment", {}).get("title", ""))


def _episode(plain: Plain) -> Iterator[str]:
    for kind in plain.get("type", []):
        yield words_of(kind)


def _coded(plain: Plain) -> Iterator[str]:
    for name in ("code", "vaccineCode", "medicationCodeableConcept"):
        yield words_of(plain.get(name))


_VALUES: Final = ("valueString", "valueInteger", "valueBoolean", "valueDateTime")
_BY_TYPE: Final[Mapping[str, Callable[[Plain], Iterator[str]]]] = {
    "Encounter": _encounter,
    "Observation": _observation,
    "Communication": _communication,
    "DocumentReference": _document,
    "EpisodeOfCare": _episode,
}
