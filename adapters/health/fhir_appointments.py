"""Appointments told together: one record a patient and year, how many of each service were missed.

A single missed appointment says little; the pattern is what a paediatrician would report. Only appointments whose
outcome is known are counted: what is booked, or was cancelled, is not a missed appointment.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Final

from adapters.health.fhir_codes import words_of
from adapters.health.fhir_parse import Resource
from adapters.health.fhir_persons import date_of, reference_of
from adapters.kit.lookup.answer_table import AnswerTable
from adapters.kit.lookup.holdings import HeldRecord

_MISSED: Final = "noshow"
_ATTENDED: Final = frozenset(("arrived", "checked-in", "fulfilled"))
_Kept = tuple[date, str, bool]


def appointment_records(
    appointments: tuple[Resource, ...], *, source: str, children: frozenset[str], answers: AnswerTable
) -> Iterator[HeldRecord]:
    """Give one record for each patient and year; `children` are the references of patients under 18."""
    groups: dict[tuple[str, int], list[_Kept]] = {}
    places: dict[tuple[str, int], str] = {}
    for one in appointments:
        start, missed = date_of(one.plain.get("start")), one.plain.get("status") == _MISSED
        if start is None or not (missed or one.plain.get("status") in _ATTENDED):
            continue
        for patient in _patients(one):
            groups.setdefault((patient, start.year), []).append((start, _service(one), missed))
            places.setdefault((patient, start.year), one.source)
    for (patient, year), kept in groups.items():
        place = f"{source}/{places[patient, year]}"
        yield _record((patient, year), kept, place, answers.answers(_codes(kept, is_child=patient in children)))


def _patients(appointment: Resource) -> Iterator[str]:
    for participant in appointment.plain.get("participant", []):
        ref = reference_of(participant.get("actor"))
        if ref.startswith("Patient/"):
            yield ref


def _service(appointment: Resource) -> str:
    plain = appointment.plain
    named = (words_of(one) for name in ("serviceType", "specialty") for one in plain.get(name, []))
    return next((name for name in named if name), "unnamed service")


def _codes(kept: list[_Kept], *, is_child: bool) -> list[tuple[str, str]]:
    if not any(missed for _, _, missed in kept):
        return []
    return [("appointments", "child_missed" if is_child else "adult_missed")]


def _record(of: tuple[str, int], kept: list[_Kept], place: str, answers: list[str]) -> HeldRecord:
    patient, year = of
    total = Counter(service for _, service, _ in kept)
    missed = Counter(service for _, service, was_missed in kept if was_missed)
    counts = ", ".join(f"{missed[service]} of {number} {service}" for service, number in total.items())
    fields = {
        "record_type": "appointment_history",
        "category": "health",
        "text": f"appointments missed in {year}: {counts}",
        "nature": "fact",
        "event_on": max(start for start, _, _ in kept),
        "answers": answers,
    }
    return HeldRecord(f"{patient} appointments {year}", place, (patient,), fields)
