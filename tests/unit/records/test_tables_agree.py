"""The readers' tables speak the rules' vocabulary: no type, question, flag or nature that the rules do not know."""

import tomllib
from itertools import chain
from pathlib import Path

import pytest

from adapters.education import safeguarding_log
from adapters.health import fhir_codes
from adapters.idva import records as idva
from adapters.kit.questions import asked_by_default, catalogue
from adapters.la.cin_census import WORDS
from adapters.la.ssd_kinds import KINDS
from adapters.police import records as police
from schemas.agency import AGENCY_KINDS
from schemas.content.codes import CATEGORIES, FLAGS, NATURES
from tests.support.ashgrove import AGENCIES


def toml(path: Path) -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(path.read_text("utf-8"))


def record_types(kind: str) -> frozenset[str]:
    return frozenset(toml(AGENCIES / kind / "agency.toml")["record_types"])


MADE = {
    "police": {record_type for record_type, _ in police.EVENTS.values()},
    "education": {kind[0] for kind in safeguarding_log.KINDS.values()} | {"attendance", "pupil_file"},
    "health": {
        *fhir_codes.RECORD_TYPES.values(),
        *fhir_codes.SOURCE_TYPES.values(),
        *("appointment_history", "child_clinical", "adult_clinical", "clinical_letter"),
    },
    "la": {kind.record_type for kind in KINDS.values()} | {kind[0] for kind in WORDS.values()},
}


@pytest.mark.parametrize("kind", AGENCY_KINDS)
def test_answers_table_names_only_questions_that_the_agency_is_asked(kind: str) -> None:
    """An answer to a question that is never put to this agency would release nothing, and hide that it does not."""
    table = toml(AGENCIES / kind / "answers.toml")
    answered = set(chain.from_iterable(chain.from_iterable(section.values() for section in table.values())))
    assert answered <= set(asked_by_default(kind))
    assert answered <= catalogue().keys()


@pytest.mark.parametrize("kind", sorted(MADE))
def test_reader_makes_only_types_that_the_rules_know(kind: str) -> None:
    """A type that the rules do not know closes every record of it."""
    assert MADE[kind] <= record_types(kind)


@pytest.mark.parametrize("kind", AGENCY_KINDS)
def test_register_answers_are_for_types_that_the_rules_know(kind: str) -> None:
    """A misspelt type in the table would answer nothing, unseen."""
    table = toml(AGENCIES / kind / "answers.toml")
    assert set(table.get("record_type", {})) | set(table.get("note_type", {})) <= record_types(kind)


def test_readers_use_the_agreed_natures_categories_and_flags() -> None:
    """What stands in the readers' own tables is on the lists, so that only a source's unknown code is unknown."""
    logged = safeguarding_log.KINDS.values()
    assert {*police.NATURES.values(), *(kind[2] for kind in logged), *fhir_codes.NATURES_WEAKEST_LAST} <= NATURES
    assert {*(kind[1] for kind in logged), *idva.CATEGORIES.values()} <= CATEGORIES
    assert {category for _, category in police.EVENTS.values()} <= CATEGORIES
    assert {*police.FLAGS.values(), *fhir_codes.RESTRICTIONS.values()} <= FLAGS
