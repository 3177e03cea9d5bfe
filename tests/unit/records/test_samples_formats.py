"""The scenario's look-ups in real formats: police POLE, school files, IDVA notes, bring out exactly its records."""

import importlib
import shutil
from pathlib import Path

import pytest

from adapters.kit.lookup.records import Lookup, TraceStatus
from schemas.content.record import Record
from tests.support.ashgrove import ISSUED, request_to, sample

EXPECTED = {
    "police": {
        "POL-01": (("dean",), {"domestic_abuse", "criminal_activity"}),
        "POL-02": (("dean",), {"weapons"}),
        "POL-03": (("dean",), {"substance_misuse", "criminal_activity"}),
        "POL-06": (("carys", "dean", "tilly", "rowan"), {"domestic_abuse", "neglect", "police_attendance"}),
        "POL-07": (("carys", "dean"), {"domestic_abuse"}),
    },
    "education": {
        "EDU-01": (("tilly",), {"attendance"}),
        "EDU-02": (("tilly",), {"child_voice", "domestic_abuse"}),
        "EDU-03": (("tilly",), {"concerns_at_school"}),
    },
    "la": {
        "LAC-01": (("tilly", "rowan", "carys"), {"early_help_history"}),
        "LAC-02": (("tilly", "other:Jordan Marsh-Test"), {"social_care_history"}),
    },
    "idva": {
        "IDV-01": (("dean",), set()),
        "IDV-02": (("carys", "tilly", "rowan"), {"domestic_abuse", "imminent_risk"}),
        "IDV-03": (("carys", "dean"), set()),
        "IDV-04": (("carys",), {"safe_contact", "domestic_abuse"}),
    },
}


def look_up(kind: str, folder: Path | None = None) -> Lookup:
    records = importlib.import_module(f"adapters.{kind}.records").open_records(str(folder or sample(kind)))
    found = records.lookup(request_to(kind), as_of=ISSUED)
    assert isinstance(found, Lookup)
    return found


def record(kind: str, record_id: str) -> Record:
    return next(one for one in look_up(kind).records if one.record_id == record_id)


@pytest.mark.parametrize("kind", sorted(EXPECTED))
def test_agency_gives_exactly_the_familys_records_when_the_scenario_asks(kind: str) -> None:
    """Record ids, subjects and answers are the scenario's, and no decoy comes along."""
    found = look_up(kind)
    assert EXPECTED[kind] == {one.record_id: (one.subjects, set(one.answers)) for one in found.records}
    assert {one.match for one in found.records} == {"confirmed"}
    assert found.unread == ()


def test_police_keep_handling_conditions_word_for_word_when_a_report_is_code_c() -> None:
    """What binds the report is copied, not paraphrased, and the live investigation is flagged."""
    report = record("police", "POL-03")
    assert report.grading is not None
    assert report.grading.model_dump() == {
        "source": 1,
        "assessment": "A",
        "handling": "C",
        "conditions": (
            "not to be disclosed beyond MASH sergeant and LA decision maker",
            "no action without reference to originator",
        ),
    }
    assert report.flags == ("live_investigation",)
    assert report.nature == "intelligence"


def test_police_leave_marac_minutes_to_marac_when_they_were_heard_there() -> None:
    """Whose the information is comes from the controller column."""
    minutes = record("police", "POL-07")
    assert (minutes.originator, minutes.obtained, minutes.flags) == ("marac", "meeting", ("marac",))


def test_police_name_the_victim_as_mentioned_when_the_event_has_an_offender() -> None:
    """A conviction is about the offender; the victim of the request stands in it by key."""
    assert record("police", "POL-01").mentions == ("carys",)


def test_police_trace_the_dead_father_when_both_sides_know_him_as_dead() -> None:
    """He is found as dead, and there is nothing about him."""
    assert look_up("police").traces["owen"].status is TraceStatus.TRACE


def test_school_knows_the_named_partner_when_he_stands_in_the_childs_own_entry() -> None:
    """A whole name in the file of a confirmed child of the request is that person, no stranger to redact."""
    assert record("education", "EDU-02").mentions == ("dean", "carys")
    assert record("education", "EDU-02").nature == "own_words"


def test_school_keeps_other_pupils_third_parties_when_they_are_linked() -> None:
    """Linked pupils who are not in the request are labelled, and the prepared wording comes along."""
    entry = record("education", "EDU-03")
    assert entry.mentions == ("other:Alfie Dunmore-Test", "other:Poppy Rees-Test", "other:Zane Iqbal-Test")
    assert entry.summary == "2026-10-14 Tilly was in a playground fight with other children and struck one"


def test_school_has_the_later_disclosure_when_the_later_export_is_put_in(tmp_path: Path) -> None:
    """The supplement of 26 November comes from one more export in the same folder."""
    shutil.copytree(sample("education"), tmp_path / "school")
    later = sample("education").with_name("sample_later") / "safeguarding_log_2026-11-26.csv"
    shutil.copy(later, tmp_path / "school")
    found = look_up("education", tmp_path / "school")
    assert {one.record_id for one in found.records} == {"EDU-01", "EDU-02", "EDU-03", "EDU-23"}
    disclosure = next(one for one in found.records if one.record_id == "EDU-23")
    assert (disclosure.subjects, disclosure.nature) == (("rowan",), "own_words")
    assert set(disclosure.answers) == {"child_voice", "physical_harm"}


def test_school_has_only_the_later_disclosure_when_the_later_export_is_opened_alone() -> None:
    """The later folder stands on its own."""
    found = look_up("education", sample("education").with_name("sample_later"))
    assert [one.record_id for one in found.records] == ["EDU-23"]
    assert found.unread == ()


def test_idva_says_whose_a_police_log_is_when_it_was_read_on_the_police_system() -> None:
    """The origin stands in the segment's own columns."""
    log = record("idva", "IDV-01")
    assert (log.originator, log.obtained) == ("police", "shared_system")


def test_idva_marks_the_refuge_as_a_protected_place() -> None:
    """The flag and the category by which the rules withhold it are there."""
    refuge = record("idva", "IDV-04")
    assert (refuge.category, refuge.flags) == ("contact_details", ("location_protected",))
