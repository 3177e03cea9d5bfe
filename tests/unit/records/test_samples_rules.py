"""The sample records, put through the disclosure rules with the scenario's request, come out as the scenario says."""

import importlib

import pytest

from adapters.kit.disclosure.pack import load_pack
from tests.support.ashgrove import ISSUED, request_to, sample

# Record -> outcome, whom to ask, alerts. The scenario's table, in the words of the worked cases.
SCENARIO = {
    "la": {"LAC-01": ("share", (), ()), "LAC-02": ("summarise", (), ())},
    "education": {
        "EDU-01": ("share", (), ()),
        "EDU-02": ("share", (), ()),
        "EDU-03": ("summarise", (), ()),
    },
    "housing": {
        "HOU-01": ("share", (), ()),
        "HOU-02": ("summarise", (), ()),
        "HOU-03": ("summarise", (), ()),
    },
    "probation": {"PRO-01": ("share", (), ()), "PRO-02": ("share", (), ("urgent_content",))},
    "idva": {
        "IDV-01": ("refer_to_originator", ("police",), ()),
        "IDV-02": ("share", (), ("re_rate", "urgent_content")),
        "IDV-03": ("refer_to_originator", ("marac",), ()),
        "IDV-04": ("withhold", (), ()),
    },
    "police": {
        "POL-01": ("share", (), ()),
        "POL-02": ("summarise", (), ()),
        "POL-03": ("indicate_only", (), ()),
        "POL-06": ("share", (), ()),
        "POL-07": ("refer_to_originator", ("marac",), ()),
    },
    "health": {
        "HLT-01": ("share", (), ()),
        "HLT-11": ("share", (), ()),
        "HLT-14": ("share", (), ()),
        "HLT-HV1": ("share", (), ()),
        "HLT-02": ("summarise", (), ()),
        "HLT-05": ("share", (), ()),
        "HLT-03": ("withhold", (), ()),
    },
    "substance_misuse": {"SUB-04": ("share", (), ())},
}


@pytest.mark.parametrize("kind", sorted(SCENARIO))
def test_sample_records_have_the_scenarios_outcomes_when_the_rules_judge_them(kind: str) -> None:
    """Reader and rules together give what the scenario's table says, record by record."""
    request = request_to(kind)
    records = importlib.import_module(f"adapters.{kind}.records").open_records(str(sample(kind)))
    found = records.lookup(request, as_of=ISSUED).records
    decisions = load_pack(kind).assess(request, found).decisions
    assert {
        one.record_id: (one.outcome.value, tuple(one.refer_to), tuple(sorted(one.alerts))) for one in decisions
    } == SCENARIO[kind]


def test_police_code_c_report_has_a_sealed_part_for_the_decision_maker_alone() -> None:
    """The prepared wording makes the sealed part possible, and nobody else gets it."""
    request = request_to("police")
    records = importlib.import_module("adapters.police.records").open_records(str(sample("police")))
    found = records.lookup(request, as_of=ISSUED).records
    report = load_pack("police").assess(request, found).by_record()["POL-03"]
    assert tuple(report.sealed_for) == ("decision_maker",)
