"""A school's safeguarding log as CPOMS and MyConcern export it: one row an incident, kept apart from the pupil file.

Guarantees: what an entry is (a child's words, an observation, a report) comes from its categories, never from its
text; an entry none of whose categories is known has an unknown nature, which closes it until somebody codes it.
Pupils are named with their UPN in brackets; adults by name and what they are to the pupil.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from adapters.kit.lookup.answer_table import AnswerTable
from adapters.kit.lookup.fields import day, required, several
from adapters.kit.lookup.holdings import HeldPerson, HeldRecord, Holdings
from adapters.kit.lookup.tables import Row, build_rows, read_table, unique

COLUMNS: Final = (
    *("incident_no", "date", "recorded_on", "pupil", "upn", "category", "incident", "action", "staff_initials"),
    *("linked_pupils", "adults_named"),
)
_UK_DATE: Final = "%d/%m/%Y"
_IN_BRACKETS: Final = re.compile(r"^(?P<name>[^()]+?)\s*(?:\((?P<note>[^()]*)\))?$")
# Category -> (record type, category of information, nature). The first category that is found decides.
KINDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "Staff conduct": ("staff_concern", "employment", "allegation"),
    "Counselling": ("counselling_note", "health", "professional_opinion"),
    "Body map": ("body_map", "images", "fact"),
    "Exclusion": ("exclusion", "education", "fact"),
    "Pupil voice": ("safeguarding_log", "education", "own_words"),
    "Third party": ("safeguarding_log", "education", "third_party_report"),
    "Observation": ("safeguarding_log", "education", "professional_opinion"),
    "Allegation": ("safeguarding_log", "education", "allegation"),
    "Peer conflict": ("safeguarding_log", "education", "fact"),
    "Behaviour": ("safeguarding_log", "education", "fact"),
    "Early help": ("safeguarding_log", "education", "fact"),
}
_UNCODED: Final = ("safeguarding_log", "education", "uncoded")


def read_log(path: Path, answers: AnswerTable) -> Holdings:
    """Read one export; what cannot be read is among `unread`."""
    table = unique(read_table(path, COLUMNS), "incident_no")
    people, _ = build_rows(table, lambda row: (*_pupils(row), *_adults(row)))
    records, unread = build_rows(table, lambda row: _entry(row, answers))
    return Holdings(tuple(one for group in people for one in group), records, unread)


def _entry(row: Row, answers: AnswerTable) -> HeldRecord:
    cells = row.cells
    categories = several(cells, "category")
    record_type, category, nature = next((kind for name, kind in KINDS.items() if name in categories), _UNCODED)
    required(cells, "pupil")
    pupil, *linked = (person.ref for person in _pupils(row))
    return HeldRecord(
        record_id=required(cells, "incident_no"),
        source=row.source,
        subjects=(pupil,),
        mentions=(*linked, *(person.ref for person in _adults(row))),
        fields={
            "record_type": record_type,
            "category": category,
            "text": required(cells, "incident"),
            "nature": nature,
            "event_on": day(cells, "date", pattern=_UK_DATE),
            "recorded_on": day(cells, "recorded_on", pattern=_UK_DATE),
            "answers": answers.answers(("category", name) for name in categories),
        },
    )


def _pupils(row: Row) -> Iterator[HeldPerson]:
    upn = row.cells["upn"]
    yield HeldPerson(f"{_entry_ref(row)} pupil", (row.cells["pupil"],), identifiers={"upn": upn} if upn else {})
    for number, (name, upn) in enumerate(_named(row, "linked_pupils"), start=1):
        yield HeldPerson(f"{_entry_ref(row)} linked {number}", (name,), identifiers={"upn": upn} if upn else {})


def _adults(row: Row) -> Iterator[HeldPerson]:
    pupil = (f"{_entry_ref(row)} pupil",)
    for number, (name, relationship) in enumerate(_named(row, "adults_named"), start=1):
        # Without a stated relationship an adult is anybody: staff, a passer-by, another child's parent.
        yield HeldPerson(f"{_entry_ref(row)} adult {number}", (name,), family_of=pupil if relationship else ())


def _entry_ref(row: Row) -> str:
    return f"{row.file}:{row.number}"


def _named(row: Row, column: str) -> Iterator[tuple[str, str]]:
    for part in several(row.cells, column):
        found = _IN_BRACKETS.match(part)
        yield (found["name"], found["note"] or "") if found else (part, "")
