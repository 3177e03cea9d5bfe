"""Health: FHIR R4 UK Core, from folders of exported resources or over FHIR REST, source by source.

A health body is several record systems: general practice, health visiting, midwifery, acute care. Each is a source of
its own that can be asked alone, so that the MASH health representative can answer in parts (FAN-02, FAN-04).
`location` is a folder with a subfolder for each source (or with the documents of a single source), or the base
address of a FHIR server. `sources` names several servers or folders, by source.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from adapters.health.fhir_folder import read_folder
from adapters.health.fhir_records import holdings_of
from adapters.health.fhir_rest import FhirServer
from adapters.kit.lookup.annotations import annotated
from adapters.kit.lookup.answer_table import AnswerTable
from adapters.kit.lookup.holdings import Holdings
from adapters.kit.lookup.matching import DEFAULT_POLICY
from adapters.kit.lookup.records import LoadedRecords, Records
from schemas.content.rfi import RequestForInformation

SOURCES: Final = ("gp", "health_visiting", "midwifery", "acute", "school_nursing", "mental_health")
_SINGLE: Final = "health"
_Reader = Callable[[RequestForInformation, datetime], Holdings]


def open_records(location: str, *, sources: Mapping[str, str] | None = None, token: str | None = None) -> Records:
    """Open the health records at `location`, or those that `sources` names; `token` is the servers' bearer token."""
    answers = AnswerTable.of("adapters.health")
    places = sources or _found(location)
    return LoadedRecords(
        {name: _reader(name, place=place, answers=answers, token=token) for name, place in places.items()}
    )


def _found(location: str) -> dict[str, str]:
    if "://" in location:
        return {_SINGLE: location}
    folders = {name: str(Path(location) / name) for name in SOURCES if (Path(location) / name).is_dir()}
    return folders or {_SINGLE: location}


def _reader(source: str, *, place: str, answers: AnswerTable, token: str | None) -> _Reader:
    def from_server(request: RequestForInformation, as_of: datetime) -> Holdings:
        parsed = FhirServer(place, token).look_up(request, policy=DEFAULT_POLICY)
        found = holdings_of(parsed.resources, source=source, answers=answers, on=as_of.date())
        return Holdings(found.persons, found.records, (*parsed.unread, *found.unread))

    def from_folder(_request: RequestForInformation, as_of: datetime) -> Holdings:
        parsed = read_folder(Path(place))
        found = holdings_of(parsed.resources, source=source, answers=answers, on=as_of.date())
        return annotated(Holdings(found.persons, found.records, (*parsed.unread, *found.unread)), Path(place))

    return from_server if "://" in place else from_folder
