"""Reading FHIR R4 resources, XML or JSON, single or in bundles, strictly and one by one.

Guarantees: each resource is validated against the published model (`fhir.resources`, R4B, which reads the UK Core
examples unchanged) and comes out as one plain shape whichever form it had; one that cannot be read is named by file,
entry and element, and the others are read. No value is put into a message: the library's own messages quote values.
XML passes `parse_xml` first, so that entities and document types never reach the library's parser.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fhir.resources.R4B import get_fhir_model_class
from lxml import etree
from pydantic import ValidationError

from adapters.kit.lookup.unread import BadField, Unread
from adapters.kit.lookup.xml_safe import local_name, parse_xml

Plain = Mapping[str, Any]
_FHIR: Final = "http://hl7.org/fhir"
# Read for what they say about a patient, or known to say nothing that is asked for.
CLINICAL_TYPES: Final = (
    *("Encounter", "Condition", "Observation", "Appointment", "Communication", "DocumentReference", "Flag"),
    *("Immunization", "AllergyIntolerance", "EpisodeOfCare", "Procedure", "MedicationRequest", "MedicationStatement"),
)
PERSON_TYPES: Final = ("Patient", "RelatedPerson")
OTHER_TYPES: Final = ("Consent", "Organization", "Practitioner", "PractitionerRole", "Location", "Provenance", "List")
_KNOWN: Final = frozenset((*CLINICAL_TYPES, *PERSON_TYPES, *OTHER_TYPES))


@dataclass(frozen=True)
class Resource:
    """One validated resource as plain FHIR JSON, and where it was found; `entry` counts from 1 within a bundle."""

    file: str
    entry: int | None
    kind: str
    plain: Plain = field(repr=False)
    full_url: str | None = field(default=None, repr=False)

    @property
    def source(self) -> str:
        """Name the place, as a record's `source`."""
        return f"{self.file} entry {self.entry}" if self.entry else self.file


@dataclass(frozen=True)
class Parsed:
    """What one document held, what could not be read, and the address of the next page of a search, if any."""

    resources: tuple[Resource, ...] = ()
    unread: tuple[Unread, ...] = ()
    next_page: str | None = None


def parse_document(raw: bytes, *, file: str, is_xml: bool) -> Parsed:
    """Read a document that is one resource or a Bundle of them."""
    try:
        if is_xml:
            return _parsed(file, *_xml_parts(parse_xml(raw)))
        return _parsed(file, *_json_parts(_json(raw)))
    except BadField as bad:
        return Parsed(unread=(bad.at(file, None),))


@dataclass(frozen=True)
class _Part:
    """A resource that has not been validated yet, as bytes of its own."""

    kind: str
    raw: bytes = field(repr=False)
    is_xml: bool
    full_url: str | None = None
    entry: int | None = None


def _parsed(file: str, parts: Iterator[_Part | Unread], next_page: str | None) -> Parsed:
    resources: list[Resource] = []
    unread: list[Unread] = []
    for part in parts:
        if isinstance(part, Unread):
            unread.append(Unread(file, part.row, part.field, part.problem, part.remedy))
            continue
        try:
            resources.append(Resource(file, part.entry, part.kind, _validated(part), part.full_url))
        except BadField as bad:
            unread.append(bad.at(file, part.entry))
    return Parsed(tuple(resources), tuple(unread), next_page)


def _json(raw: bytes) -> Plain:
    try:
        plain = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadField(None, "is not JSON", "export it again") from None
    if not isinstance(plain, dict) or not isinstance(plain.get("resourceType"), str):
        raise BadField("resourceType", "is missing", "put only FHIR resources here")
    return plain


def _json_parts(plain: Plain) -> tuple[Iterator[_Part | Unread], str | None]:
    if plain["resourceType"] != "Bundle":
        return iter([_Part(plain["resourceType"], json.dumps(plain).encode(), False)]), None
    entries = plain.get("entry", [])
    if not isinstance(entries, list):
        raise BadField("entry", "is not a list")
    links = plain.get("link", [])
    following = [one.get("url") for one in links if isinstance(one, dict) and one.get("relation") == "next"]
    return _json_entries(entries), next(iter(following), None)


def _json_entries(entries: list[Any]) -> Iterator[_Part | Unread]:
    for number, entry in enumerate(entries, start=1):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            yield Unread("", number, "resource", "the entry holds no resource", "export it again")
        else:
            raw = json.dumps(resource).encode()
            yield _Part(resource["resourceType"], raw, False, entry.get("fullUrl"), number)


def _xml_parts(root: etree._Element) -> tuple[Iterator[_Part | Unread], str | None]:
    if etree.QName(root).namespace != _FHIR:
        raise BadField(local_name(root), "is not in the FHIR namespace", "put only FHIR resources here")
    if local_name(root) != "Bundle":
        return iter([_Part(local_name(root), etree.tostring(root), True)]), None
    return _xml_entries(root), _next_link(root)


def _next_link(root: etree._Element) -> str | None:
    for link in root.iterfind(f"{{{_FHIR}}}link"):
        if _value(link, "relation") == "next":
            return _value(link, "url")
    return None


def _xml_entries(root: etree._Element) -> Iterator[_Part | Unread]:
    for number, entry in enumerate(root.iterfind(f"{{{_FHIR}}}entry"), start=1):
        holder = entry.find(f"{{{_FHIR}}}resource")
        resource = next(iter(holder), None) if holder is not None else None
        if resource is None:
            yield Unread("", number, "resource", "the entry holds no resource", "export it again")
        else:
            raw = etree.tostring(resource, with_tail=False)
            yield _Part(local_name(resource), raw, True, _value(entry, "fullUrl"), number)


def _value(element: etree._Element, name: str) -> str | None:
    child = element.find(f"{{{_FHIR}}}{name}")
    return None if child is None else child.get("value")


def _validated(part: _Part) -> Plain:
    if part.kind == "OperationOutcome":
        raise BadField("OperationOutcome", "the server reports that something went wrong", "ask the server's operator")
    if part.kind not in _KNOWN:
        raise BadField(part.kind, "is a type of resource that this adapter does not read", "have it added or left out")
    model = get_fhir_model_class(part.kind)
    try:
        read = model.model_validate_xml(part.raw) if part.is_xml else model.model_validate_json(part.raw)
    except ValidationError as error:
        places = [".".join(str(step) for step in one["loc"]) for one in error.errors(include_input=False)]
        raise BadField(f"{part.kind}.{places[0]}", "does not follow the FHIR model") from None
    except (LookupError, TypeError, ValueError, AttributeError, AssertionError):
        # The library's XML reader stumbles in these ways over elements that it does not expect.
        raise BadField(part.kind, "does not follow the FHIR model") from None
    plain: Plain = json.loads(read.model_dump_json())
    return plain
