"""Patients, related persons and unborn children out of FHIR resources.

An unborn child has no Patient of its own: it stands in the mother's record as an estimated date of delivery, and is
held as a person through her. Somebody who is only pointed to, and whose resource was not exported, is held by the
displayed name alone, so that a record never loses a person on the way.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from adapters.health.fhir_codes import NHS_NUMBER, codes_of, of_system
from adapters.health.fhir_parse import Resource
from adapters.kit.lookup.fields import day
from adapters.kit.lookup.holdings import HeldPerson

Plain = Mapping[str, Any]
_ESTIMATED_DELIVERY: Final = "snomed|161714006"
# HL7 v3-RoleCode: the relationships that make somebody one of the family.
_FAMILY: Final = frozenset(
    [
        *("MTH", "NMTH", "FTH", "NFTH", "PRN", "STPPRN", "WIFE", "HUSB", "SPS", "DOMPART", "SIGOTH"),
        *("GRMTH", "GRFTH", "SIB", "BRO", "SIS", "AUNT", "UNCLE", "FAMMEMB"),
    ]
)


def reference_of(plain: Plain | None) -> str:
    """Give a reference as `Type/id` or as it stands (`urn:uuid:...`); an absolute address loses its server."""
    text = str((plain or {}).get("reference", ""))
    return "/".join(text.split("/")[-2:]) if "/" in text else text


def key_of(resource: Resource) -> str:
    """Give a resource's own key, to which references point."""
    return f"{resource.kind}/{resource.plain.get('id', '')}"


def date_of(value: object) -> date | None:
    """Give the calendar day of a FHIR date or dateTime as its source wrote it; a year or month alone is no day."""
    text = str(value or "")[:10]
    return day({"date": text}, "date") if len(text) == 10 else None


def person_of(resource: Resource) -> HeldPerson:
    """Make a person of a Patient or RelatedPerson."""
    plain = resource.plain
    identifiers = {one["value"]: one.get("system") for one in plain.get("identifier", []) if one.get("value")}
    numbers = [value for value, system in identifiers.items() if system == NHS_NUMBER]
    return HeldPerson(
        ref=key_of(resource),
        names=tuple(name for one in plain.get("name", []) if (name := _name(one))),
        dob=date_of(plain.get("birthDate")),
        died_on=date_of(plain.get("deceasedDateTime")),
        family_of=_family_of(resource),
        sex=_sex(plain.get("gender")),
        addresses=tuple(_address(one) for one in plain.get("address", [])),
        identifiers={"nhs_number": numbers[0]} if numbers else {},
    )


def unborn_of(observation: Resource) -> HeldPerson | None:
    """Make the unborn child of an estimated date of delivery, or None for any other observation."""
    if _ESTIMATED_DELIVERY not in codes_of(observation.plain.get("code", {})):
        return None
    expected = date_of(observation.plain.get("valueDateTime"))
    mother = reference_of(observation.plain.get("subject"))
    return HeldPerson(unborn_ref(mother), edd=expected, mother_ref=mother) if expected and mother else None


def unborn_ref(mother: str) -> str:
    """Name the unborn child of a mother."""
    return f"unborn child of {mother}"


def is_location_restricted(patient: Resource) -> bool:
    """Say whether the demographic record is marked sensitive: its whereabouts are restricted (PDS)."""
    labels = frozenset(codes_of(patient.plain.get("meta", {}).get("security", [])))
    return bool(labels & {"confidentiality|R", "confidentiality|V"})


def displayed(plain: Plain, known: Mapping[str, str]) -> Iterator[HeldPerson]:
    """Give whoever a resource points to as its patient or subject and who is not among the `known` references."""
    for name in ("subject", "patient"):
        pointed = plain.get(name) or {}
        ref = reference_of(pointed)
        if ref and ref not in known and ref.startswith(("Patient/", "urn:")):
            yield HeldPerson(ref, (str(pointed["display"]),) if pointed.get("display") else ())


def _name(name: Plain) -> str:
    if name.get("family"):
        return " ".join((*name.get("given", []), name["family"]))
    return str(name.get("text", ""))


def _sex(gender: object) -> str | None:
    return {"male": "M", "female": "F"}.get(str(gender))


def _address(address: Plain) -> str:
    parts = (*address.get("line", []), address.get("city", ""), address.get("postalCode", ""))
    return str(address.get("text") or " ".join(part for part in parts if part))


def _family_of(resource: Resource) -> tuple[str, ...]:
    if resource.kind != "RelatedPerson":
        return ()
    codes = frozenset(codes_of(resource.plain.get("relationship", [])))
    role = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
    return (reference_of(resource.plain.get("patient")),) if _FAMILY & set(of_system(codes, role)) else ()
