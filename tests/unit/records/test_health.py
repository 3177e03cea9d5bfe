"""The health look-up: FHIR R4 UK Core from folders and over REST, source by source."""

import json
import logging
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.health.fhir_folder import read_folder
from adapters.health.records import open_records
from adapters.kit.lookup.records import Lookup, TraceStatus
from schemas.content.record import Record
from tests.support.ashgrove import ISSUED, request_to, sample
from tests.unit.records.fhir_server import serving

EXAMPLES = Path(__file__).resolve().parents[4] / "shared" / "data" / "ukcore"
EXPECTED = {
    "HLT-01": (("tilly",), {"missed_appointments", "neglect"}, "appointment_history"),
    "HLT-11": (("rowan",), {"ae_attendance", "physical_harm"}, "ae_attendance"),
    "HLT-14": (("unborn", "carys"), {"missed_appointments", "neglect"}, "maternity"),
    "HLT-HV1": (("rowan",), {"last_seen", "missed_appointments"}, "health_visiting"),
    "HLT-02": (("carys",), {"mental_health", "medication_compliance", "last_seen"}, "adult_clinical"),
    "HLT-05": (("carys",), {"domestic_abuse"}, "safeguarding_disclosure"),
    "HLT-03": (("carys",), set(), "sexual_health"),
}
GP = {"HLT-02", "HLT-03", "HLT-05"}


def look_up(location: Path | str, *, sources: set[str] | None = None, **persons: dict[str, Any] | None) -> Lookup:
    return open_records(str(location)).lookup(request_to("health", **persons), as_of=ISSUED, sources=sources)


def ids(found: Lookup) -> set[str | None]:
    return {record.record_id for record in found.records}


def record(record_id: str) -> Record:
    return next(one for one in look_up(sample("health")).records if one.record_id == record_id)


def test_health_gives_exactly_the_familys_records_when_the_scenario_asks() -> None:
    """Record ids, subjects, answers and types are the scenario's, from four sources, and no decoy comes along."""
    found = look_up(sample("health"))
    assert {one.record_id: (one.subjects, set(one.answers), one.record_type) for one in found.records} == EXPECTED
    assert found.unread == ()


def test_health_answers_without_the_practice_when_only_the_other_sources_are_asked() -> None:
    """A partial answer holds what the asked sources hold and says which they were (FAN-02, FAN-04)."""
    others = {"acute", "health_visiting", "midwifery"}
    found = look_up(sample("health"), sources=others)
    assert ids(found) == EXPECTED.keys() - GP
    assert found.sources == others


def test_health_gives_the_practices_records_when_it_answers_later() -> None:
    """The late sub-request to the practice brings its records and nobody else's."""
    assert ids(look_up(sample("health"), sources={"gp"})) == GP


def test_health_says_which_source_a_record_comes_from() -> None:
    """The representative must be able to say who holds it."""
    assert record("HLT-14").source == "midwifery/Encounter-HLT-14.xml"


def test_health_finds_the_unborn_child_in_the_mothers_maternity_record() -> None:
    """The estimated date of delivery is the child's only trace, and it leads through the mother."""
    trace = look_up(sample("health")).traces["unborn"]
    assert (trace.status, trace.agreed) == (TraceStatus.TRACE, ("mother", "edd"))


def test_health_takes_the_childs_words_as_own_words_and_in_confidence_when_labelled() -> None:
    """Nature and confidence come from labels, and the words are not touched."""
    disclosure = record("HLT-05")
    assert (disclosure.nature, disclosure.in_confidence) == ("own_words", True)
    assert disclosure.text == "Dean strangled me, please don't tell anyone"


def test_health_calls_an_unverified_finding_an_opinion() -> None:
    """A provisional condition makes the attendance an opinion, not a fact."""
    assert record("HLT-11").nature == "professional_opinion"


def test_health_counts_only_appointments_whose_outcome_is_known() -> None:
    """What is booked for December has not been missed."""
    assert record("HLT-01").text == "appointments missed in 2026: 4 of 5 Dental, 2 of 2 Paediatrics"
    assert record("HLT-01").event_on == date(2026, 10, 6)


def everything(source: str) -> list[dict[str, Any]]:
    return [dict(one.plain) for one in read_folder(sample("health") / source).resources]


@pytest.mark.parametrize("as_xml", [False, True], ids=["json", "xml"])
@pytest.mark.parametrize("source", ["gp", "acute", "midwifery", "health_visiting"])
def test_health_finds_the_same_over_rest_as_in_the_folder(source: str, as_xml: bool) -> None:
    """The server pages its answers, and the same resources give the same records."""
    expected = look_up(sample("health"), sources={source})
    with serving(everything(source), as_xml=as_xml) as server:
        records = open_records(server.base_url, sources={source: server.base_url})
        found = records.lookup(request_to("health"), as_of=ISSUED)
    assert found.unread == ()
    assert sorted(one.text for one in found.records) == sorted(one.text for one in expected.records)
    assert {key: one.status for key, one in found.traces.items()} == {
        key: one.status for key, one in expected.traces.items()
    }


def test_health_puts_no_name_or_number_into_an_address_when_it_searches(caplog: pytest.LogCaptureFixture) -> None:
    """Servers and proxies log addresses; so does the client, and both must stay empty of persons."""
    caplog.set_level(logging.DEBUG)
    with serving(everything("gp")) as server:
        open_records(server.base_url).lookup(request_to("health"), as_of=ISSUED)
    logged = " ".join((*server.seen, caplog.text))
    assert "Patient/_search" in " ".join(server.seen)
    for private in ("9990100144", "Ashgrove", "1994-05-19"):
        assert private not in logged


def test_health_logs_no_address_of_a_next_page_when_the_server_puts_a_name_in_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The server chooses what stands in the address of a next page; the client's log must not repeat it."""
    caplog.set_level(logging.INFO)
    with serving(everything("gp")) as server:
        server.loose = True
        open_records(server.base_url).lookup(request_to("health"), as_of=ISSUED)
    assert any("Ashgrove" in line for line in server.seen)
    assert "Ashgrove" not in caplog.text


def test_health_fetches_nothing_about_a_patient_who_does_not_match() -> None:
    """A server that answers with too many patients does not make us ask for their records."""
    with serving(everything("gp")) as server:
        server.loose = True
        open_records(server.base_url).lookup(request_to("health", carys=None), as_of=ISSUED)
    assert any("Patient/_search" in line for line in server.seen)
    assert not any("Condition" in line for line in server.seen)


def test_health_never_says_no_trace_when_the_server_refuses_a_search() -> None:
    """A refused search is not an empty one."""
    with serving(everything("gp")) as server:
        server.broken = frozenset({"Patient"})
        found = open_records(server.base_url).lookup(request_to("health"), as_of=ISSUED)
    assert {gap.file for gap in found.unread} == {"search for Patient"}
    assert {trace.status for trace in found.traces.values()} == {TraceStatus.UNKNOWN}


def test_health_names_the_search_when_one_kind_of_record_is_refused() -> None:
    """What could be read is there, and a person decides about the rest."""
    with serving(everything("gp")) as server:
        server.broken = frozenset({"Condition"})
        found = open_records(server.base_url).lookup(request_to("health"), as_of=ISSUED)
    assert {gap.file for gap in found.unread} == {"search for Condition"}
    assert "HLT-05" in ids(found)
    assert not found.may_answer(accepted=False)


def spoilt(tmp_path: Path, change: str) -> Lookup:
    """Look up in the practice's export after one `old=>new` change of its text."""
    old, new = change.split("=>")
    folder = tmp_path / "gp"
    shutil.copytree(sample("health") / "gp", folder)
    path = folder / "gp-export.json"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    return look_up(tmp_path)


@pytest.mark.parametrize(
    ("change", "entry", "field"),
    [
        ('"sent": "2026-11-02T11:05:00+00:00"=>"sent": "in November"', 6, "Communication.sent"),
        ('"resourceType": "Communication"=>"resourceType": "Kommunikation"', 6, "Kommunikation"),
        ('"payload"=>"payloads"', 6, "Communication.payloads"),
        ('"birthDate": "1994-05-19"=>"birthDate": "1994-05-39"', 1, "Patient.birthDate"),
        ('"reference": "Patient/gp-carys"=>"reference": "Group/all"', 4, "Encounter.subject"),
    ],
    ids=["bad date", "unknown type", "unknown element", "impossible birth date", "no patient"],
)
def test_health_names_file_entry_and_element_when_a_bundle_is_malformed(
    tmp_path: Path, change: str, entry: int, field: str
) -> None:
    """Whoever exports it finds the place, and nobody is said to be unknown to the practice meanwhile."""
    found = spoilt(tmp_path, change)
    assert ("gp-export.json", entry, field) in [(gap.file, gap.row, gap.field) for gap in found.unread]
    assert TraceStatus.NO_TRACE not in {trace.status for trace in found.traces.values()}
    assert "November" not in " ".join(str(gap) for gap in found.unread)


def test_health_reads_the_other_entries_when_one_is_malformed(tmp_path: Path) -> None:
    """One bad entry does not take the bundle with it."""
    found = spoilt(tmp_path, '"sent": "2026-11-02T11:05:00+00:00"=>"sent": "in November"')
    assert ids(found) == GP - {"HLT-05"}


BOMB = (
    "<?xml version='1.0'?><!DOCTYPE Bundle [<!ENTITY a 'aaaaaaaaaa'>"
    + "".join(f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9))
    + "]><Bundle xmlns='http://hl7.org/fhir'><id value='&j;'/></Bundle>"
)
ATTACKS = {
    "bomb": (BOMB, ("DOCTYPE",)),
    "external entity": (
        "<!DOCTYPE Patient [<!ENTITY x SYSTEM 'file:///etc/hostname'>]>"
        "<Patient xmlns='http://hl7.org/fhir'><id value='a'/><name><family value='&#38;x;'/></name></Patient>",
        ("DOCTYPE",),
    ),
    "external dtd": (
        "<!DOCTYPE Patient SYSTEM 'http://127.0.0.1:9/x.dtd'><Patient xmlns='http://hl7.org/fhir'/>",
        ("DOCTYPE",),
    ),
    "in utf-16": (BOMB.replace("<?xml version='1.0'?>", ""), ("DOCTYPE", None)),
    "no namespace": ("<Patient><id value='a'/></Patient>", ("Patient",)),
    "cut off": ("<Patient xmlns='http://hl7.org/fhir'><id value='a'/>", (None,)),
}


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_health_refuses_the_document_when_it_is_an_xml_attack(tmp_path: Path, attack: str) -> None:
    """Neither a bomb nor an entity is expanded, and the refusal names the file."""
    text, fields = ATTACKS[attack]
    (tmp_path / "attack.xml").write_bytes(text.encode("utf-16" if attack == "in utf-16" else "utf-8"))
    found = look_up(tmp_path)
    assert [gap.file for gap in found.unread] == ["attack.xml"]
    assert found.unread[0].field in fields
    assert {trace.status for trace in found.traces.values()} == {TraceStatus.UNKNOWN}


def test_health_says_unknown_when_a_source_folder_is_empty(tmp_path: Path) -> None:
    """No export is a gap, not an absence of patients."""
    (tmp_path / "gp").mkdir()
    assert [gap.file for gap in look_up(tmp_path).unread] == ["gp"]


def test_health_protects_every_place_when_the_demographic_record_is_sensitive(tmp_path: Path) -> None:
    """The sensitive flag stands on the patient and binds all her records."""
    found = spoilt(
        tmp_path,
        '"id": "gp-carys",=>"id": "gp-carys", "meta": {"security": [{"system": '
        '"http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]},',
    )
    assert {one.flags for one in found.records} == {("location_protected",)}


def test_health_shows_the_refusal_on_every_record_when_a_consent_denies(tmp_path: Path) -> None:
    """A denying Consent is the patient's stance on all her records; a permitting one opens nothing."""
    folder = tmp_path / "gp"
    shutil.copytree(sample("health") / "gp", folder)
    consent = json.loads((folder / "gp-export.json").read_text("utf-8"))
    refusal = {
        "resourceType": "Consent",
        "id": "refusal",
        "status": "active",
        "scope": {"text": "privacy"},
        "category": [{"text": "information access"}],
        "patient": {"reference": "Patient/gp-carys"},
        "policyRule": {"text": "opt out"},
        "provision": {"type": "deny"},
    }
    consent["entry"].append({"resource": refusal})
    (folder / "gp-export.json").write_text(json.dumps(consent), "utf-8")
    assert {one.consent for one in look_up(tmp_path).records} == {"refused"}
    refusal["provision"] = {"type": "permit"}
    (folder / "gp-export.json").write_text(json.dumps(consent), "utf-8")
    assert {one.consent for one in look_up(tmp_path).records} == {"not_asked"}


@pytest.mark.skipif(not EXAMPLES.exists(), reason="the UK Core examples are not beside the repository")
def test_health_reads_the_uk_core_examples_unchanged_when_asked_for_their_patient() -> None:
    """All seventeen are read without a gap, and what they say of the patient comes out."""
    richard = {"name": "Richard Smith", "dob": "1970-09-11", "identifiers": {"nhs_number": "9912003888"}}
    found = look_up(EXAMPLES, dean=richard)
    assert found.unread == ()
    assert found.traces["dean"].status is TraceStatus.TRACE
    assert {one.text for one in found.records} >= {
        "Bleeding from ear",
        "Alcohol units consumed per day: 20 per day",
        "Illicit drug use",
        "Care plan; Care Plan Report",
    }
    stay = next(one for one in found.records if one.record_id == "UKCore-Encounter-InpatientEncounter-Example")
    assert "Patient has a severe peanut allergy." in stay.text
    assert {one.record_type for one in found.records} == {"adult_clinical", "clinical_letter"}


@pytest.mark.skipif(not EXAMPLES.exists(), reason="the UK Core examples are not beside the repository")
def test_health_finds_the_uk_core_examples_over_rest() -> None:
    """The same seventeen, served by a server."""
    resources = [dict(one.plain) for one in read_folder(EXAMPLES).resources]
    richard = {"name": "Richard Smith", "dob": "1970-09-11", "identifiers": {"nhs_number": "9912003888"}}
    with serving(resources) as server:
        found = look_up(server.base_url, dean=richard)
    assert found.traces["dean"].status is TraceStatus.TRACE
    assert "Bleeding from ear" in {one.text for one in found.records}
