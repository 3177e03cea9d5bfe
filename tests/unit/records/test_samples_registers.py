"""The scenario's look-ups in the plain registers bring out exactly the family's records."""

import importlib
from datetime import timedelta

import pytest

from adapters.kit.lookup.records import Lookup, TraceStatus
from tests.support.ashgrove import ISSUED, request_to, sample

EXPECTED = {
    "housing": {
        "HOU-01": (("carys", "tilly", "rowan"), {"tenancy_condition", "neglect"}),
        "HOU-02": (("carys", "dean"), {"antisocial_behaviour", "domestic_abuse"}),
        "HOU-03": (("carys",), {"tenancy_stability"}),
    },
    "probation": {
        "PRO-01": (("dean",), {"supervision_status", "risk_to_children"}),
        "PRO-02": (("dean",), {"contact_restriction"}),
    },
    "substance_misuse": {"SUB-04": (("dean", "tilly", "rowan"), {"substance_misuse", "risk_to_children"})},
    "yot": {},
    "dwp": {},
    "ambulance": {},
    "fire": {},
    "voluntary": {},
    "ukvi": {},
}


def look_up(kind: str) -> Lookup:
    records = importlib.import_module(f"adapters.{kind}.records").open_records(str(sample(kind)))
    found = records.lookup(request_to(kind), as_of=ISSUED + timedelta(minutes=5))
    assert isinstance(found, Lookup)
    return found


@pytest.mark.parametrize("kind", sorted(EXPECTED))
def test_register_gives_exactly_the_familys_records_when_the_scenario_asks(kind: str) -> None:
    """Record ids, subjects and answers are the scenario's, and no decoy comes along."""
    found = look_up(kind)
    assert EXPECTED[kind] == {record.record_id: (record.subjects, set(record.answers)) for record in found.records}
    assert {"confirmed"} >= {record.match for record in found.records}
    assert found.unread == ()


def test_housing_keeps_the_neighbour_a_third_party_when_she_complains() -> None:
    """Who is mentioned and not in the request is labelled as somebody else, so that the rules can take her out."""
    complaint = next(record for record in look_up("housing").records if record.record_id == "HOU-02")
    assert complaint.mentions == ("other:Joyce Pelham-Test",)
    assert complaint.summary is not None


def test_housing_finds_no_trace_of_the_grandmother_when_only_namesakes_are_held() -> None:
    """A shared surname at another address is not a trace."""
    traces = look_up("housing").traces
    assert traces["ruth"].status is TraceStatus.NO_TRACE
    assert traces["dean"].status is TraceStatus.TRACE
    assert traces["dean"].agreed == ("forename", "surname", "dob", "address")


def test_substance_misuse_record_shows_the_refusal_when_the_client_refused() -> None:
    """The refusal and the confidence reach the rules; they decide about it, not the reader."""
    (record,) = look_up("substance_misuse").records
    assert (record.consent, record.in_confidence) == ("refused", True)
