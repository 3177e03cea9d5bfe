"""Whose information a record is (§3.3, §3.5, §6.7 to §6.11). Pure; decides nothing: the rules do, by what this says.

Only the agency that controls information may release it, however the record came here and whoever consents.
"""

from dataclasses import dataclass

from adapters.kit.disclosure.agency_facts import ORIGINATORS, AgencyFacts
from schemas.content.record import Record


@dataclass(frozen=True)
class Provenance:
    """Whose a record is. `controllers`: empty when it is the holder's own, else whom to ask.

    `mixed_with`: every originator that stands inside it, the holder itself included where it was entered by mistake;
    `others_inside`: those of them that can be asked. `unknown`: the fields that do not say whose it is.
    """

    controllers: tuple[str, ...]
    mixed_with: tuple[str, ...]
    others_inside: tuple[str, ...]
    unknown: frozenset[str]


def provenance(record: Record, *, agency: AgencyFacts, flags: frozenset[str]) -> Provenance:
    """Say whose `record` is; `flags` are its own and those its type implies."""
    mixed_with = tuple(dict.fromkeys(record.contains_other_origin))
    return Provenance(
        controllers=_controllers(record, agency=agency, flags=flags),
        mixed_with=mixed_with,
        others_inside=tuple(originator for originator in mixed_with if originator != agency.kind),
        unknown=_unknown(record, agency=agency, flags=flags),
    )


def _controllers(record: Record, *, agency: AgencyFacts, flags: frozenset[str]) -> tuple[str, ...]:
    holder = agency.kind
    originator = record.originator or holder
    if "marac" in flags:
        return ("marac",)
    first_hand = record.obtained == "first_hand" and originator == holder
    if "mappa" in flags:
        return () if agency.mappa_authority and first_hand else ("mappa",)
    owners = _owners_whatever_it_says(record, agency=agency)
    return owners or (() if originator == holder else (originator,))


def _owners_whatever_it_says(record: Record, *, agency: AgencyFacts) -> tuple[str, ...]:
    record_type = agency.record_types.get(record.record_type)
    by_type = record_type.belongs_to if record_type else None
    by_category = "police" if record.category == "police_intelligence" else None
    owners = dict.fromkeys(owner for owner in (by_type, by_category) if owner and owner != agency.kind)
    return tuple(owners)


def _unknown(record: Record, *, agency: AgencyFacts, flags: frozenset[str]) -> frozenset[str]:
    unknown = set()
    if record.originator and record.originator not in ORIGINATORS:
        unknown.add("originator")
    nobodys = record.obtained != "first_hand" and record.originator in (None, "", agency.kind)
    if nobodys and not flags & {"marac", "mappa"}:
        unknown.add("originator")
    if not set(record.contains_other_origin) <= ORIGINATORS:
        unknown.add("contains_other_origin")
    return frozenset(unknown)
