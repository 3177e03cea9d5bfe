"""Codes in FHIR resources: their systems, and what they say of a record's type, nature, flags, origin and confidence.

Standard codes are used where there are any: encounter classes, the HL7 confidentiality and sensitivity labels
(`meta.security`), Condition.verificationStatus. For the rest an organisation tags its resources (`meta.tag`) in the
systems below, as its own record system's template is mapped to on export. What no code says is not guessed.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

Plain = Mapping[str, Any]
NHS_NUMBER: Final = "https://fhir.nhs.uk/Id/nhs-number"
_OURS: Final = "https://mash.example/fhir/CodeSystem"
SYSTEMS: Final[Mapping[str, str]] = {
    "http://snomed.info/sct": "snomed",
    "http://terminology.hl7.org/CodeSystem/v3-ActCode": "act",
    "http://terminology.hl7.org/CodeSystem/v3-Confidentiality": "confidentiality",
    "http://terminology.hl7.org/CodeSystem/condition-ver-status": "verification",
    f"{_OURS}/heading": "heading",
    f"{_OURS}/topic": "topic",
    f"{_OURS}/nature": "nature",
    f"{_OURS}/restriction": "restriction",
    f"{_OURS}/origin": "origin",
    f"{_OURS}/obtained": "obtained",
}
# What a coding makes of a record, the strictest first: a sexual health entry in a midwife's system is still one.
RECORD_TYPES: Final[Mapping[str, str]] = {
    "act|STD": "sexual_health",
    "act|SEX": "sexual_health",
    "heading|safeguarding-disclosure": "safeguarding_disclosure",
    "heading|marac-minutes": "marac_minutes",
    "heading|cp-is": "cpis_flag",
    "heading|complaint": "complaint_file",
    "heading|record-export": "record_export",
    "heading|registration": "registration_status",
    "act|EMER": "ae_attendance",
}
SOURCE_TYPES: Final[Mapping[str, str]] = {
    "health_visiting": "health_visiting",
    "midwifery": "maternity",
    "school_nursing": "school_nursing",
}
LETTERS: Final = frozenset(("Communication", "DocumentReference"))
RESTRICTIONS: Final[Mapping[str, str]] = {
    "gender-recognition": "gender_recognition",
    "adoption": "adoption",
    "fertility": "fertility_treatment",
    "location": "location_protected",
    "identity": "identity_protected",
    "marac": "marac",
    "court": "court_restricted",
    "counselling": "counselling",
    "heightened": "heightened",
}
_CONFIDENTIAL: Final = frozenset(("confidentiality|R", "confidentiality|V", "act|SDV"))
_UNSURE: Final = frozenset(("verification|provisional", "verification|differential", "verification|unconfirmed"))
NATURES_WEAKEST_LAST: Final = (*("fact", "own_words", "professional_opinion", "third_party_report", "allegation"),)


def codes_of(plain: Any) -> Iterator[str]:
    """Give every coding anywhere in a resource as `system|code`; a system that is not known keeps its whole name."""
    if isinstance(plain, Mapping):
        if isinstance(plain.get("code"), str):
            yield f"{SYSTEMS.get(plain.get('system', ''), plain.get('system', ''))}|{plain['code']}"
        for value in plain.values():
            yield from codes_of(value)
    elif isinstance(plain, list):
        for value in plain:
            yield from codes_of(value)


def of_system(codes: frozenset[str], system: str) -> tuple[str, ...]:
    """Give the codes of one system, in order."""
    return tuple(sorted(code.partition("|")[2] for code in codes if code.startswith(f"{system}|")))


def nature_of(codes: frozenset[str]) -> str:
    """Say what kind of statement it is: as tagged, else an opinion where a condition is not verified, else a fact."""
    tagged = of_system(codes, "nature")
    if len(tagged) == 1:
        # A tag that is not in the list goes through as it stands: the rules close the record.
        return tagged[0].replace("-", "_")
    if tagged:
        return "ambiguous"
    return "professional_opinion" if codes & _UNSURE else "fact"


def is_confidential(codes: frozenset[str]) -> bool:
    """Say whether a confidentiality or sensitivity label marks it as given in confidence."""
    return bool(codes & _CONFIDENTIAL)


def flags_of(codes: frozenset[str]) -> list[str]:
    """Give the flags that restriction tags stand for; one that is not known goes through and closes the record."""
    return [RESTRICTIONS.get(code, code.replace("-", "_")) for code in of_system(codes, "restriction")]


def words_of(concept: Plain | None) -> str:
    """Give a CodeableConcept in words: its text, else the first display, else the first code."""
    if not concept:
        return ""
    codings = concept.get("coding", [])
    shown = [coding.get("display") or coding.get("code", "") for coding in codings]
    return str(concept.get("text") or next(iter(shown), ""))
