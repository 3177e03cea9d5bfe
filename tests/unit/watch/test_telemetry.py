"""Metrics that can name no person, and rules and panels that name no metric that is not there."""

import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from adapters.kit.envelope.sealing import Event
from broker.alerts import AlertKind
from broker.alerts.rules import judge
from broker.expiries import EndingKind
from broker.telemetry import ALLOWED_LABELS, COUNTERS, GAUGES, HISTOGRAMS, UNKNOWN, Sample, Telemetry, served
from broker.watch.samples import Ledgers, samples
from schemas.routing import Lane
from tests.conftest import cannot_be_had
from tests.unit.watch.test_alerts import view_of
from tests.unit.watch.traffic import LA, POLICE, Story

DEPLOY = Path(__file__).parents[3] / "deploy"
RULES = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
TESTS = DEPLOY / "prometheus" / "tests" / "mash.test.yml"
DASHBOARD = DEPLOY / "grafana" / "mash-hub.json"
METRICS = {**COUNTERS, **HISTOGRAMS, **GAUGES}


def known() -> Telemetry:
    telemetry = Telemetry()
    telemetry.know([LA, POLICE])
    return telemetry


def everything_shown() -> str:
    """A scrape in which every metric has been used."""
    telemetry = known()
    for name, one in COUNTERS.items():
        telemetry.count(name, **dict.fromkeys(one.labels, "x"))
    for name, one in HISTOGRAMS.items():
        telemetry.observe(name, 1.0, **dict.fromkeys(one.labels, "x"))
    telemetry.show(Sample(name, 1.0, dict.fromkeys(one.labels, "x")) for name, one in GAUGES.items())
    return generate_latest(telemetry.registry).decode()


def sample_names() -> set[str]:
    families = text_string_to_metric_families(everything_shown())
    return {sample.name for family in families for sample in family.samples}


def test_no_metric_has_a_label_that_is_not_on_the_list() -> None:
    """Structure: participant, lane, kind, code, rag; `le` is the histogram's own."""
    assert {"participant", "lane", "kind", "code", "rag"} == ALLOWED_LABELS
    for family in text_string_to_metric_families(everything_shown()):
        for sample in family.samples:
            assert set(sample.labels) <= ALLOWED_LABELS | {"le"}, sample.name
    for name, one in METRICS.items():
        assert set(one.labels) <= ALLOWED_LABELS, name


@pytest.mark.parametrize("label", sorted(ALLOWED_LABELS))
def test_a_name_can_become_no_label(label: str) -> None:
    """Attack: a name in a header, in a thread id, in a class or in an exchange's name."""
    telemetry, name = known(), "Tilly-Ashgrove-Test"
    for metric, one in COUNTERS.items():
        if label in one.labels:
            telemetry.count(metric, **dict.fromkeys(one.labels, name))
    for metric, one in HISTOGRAMS.items():
        if label in one.labels:
            telemetry.observe(metric, 1.0, **dict.fromkeys(one.labels, name))
    telemetry.show(Sample(metric, 1.0, dict.fromkeys(one.labels, name)) for metric, one in GAUGES.items())
    shown = generate_latest(telemetry.registry).decode()
    assert "Ashgrove" not in shown
    assert f'{label}="{UNKNOWN}"' in shown


def test_a_participant_that_nobody_knows_makes_no_series_of_its_own() -> None:
    """Attack: ten thousand invented senders would fill Prometheus."""
    telemetry = known()
    for number in range(100):
        telemetry.count("mash_stubs_refused", participant=f"invented-{number}", code="E05")
    shown = [line for line in generate_latest(telemetry.registry).decode().splitlines() if "refused_total{" in line]
    assert shown == [f'mash_stubs_refused_total{{code="E05",participant="{UNKNOWN}"}} 100.0']


def test_the_gauges_of_a_moment_replace_those_before() -> None:
    """A request that is answered no longer shows as open: nothing stale is left standing."""
    telemetry = known()
    story = Story()
    story.say(LA, POLICE, Event.REQUEST, mid="rfi")
    story.pass_(minutes=2)
    show(telemetry, story)
    labels = {"participant": POLICE, "rag": "AMBER"}
    assert telemetry.registry.get_sample_value("mash_requests", {**labels, "kind": "undelivered"}) == 1
    assert telemetry.registry.get_sample_value("mash_alerts", {"kind": "undelivered"}) == 1
    assert telemetry.registry.get_sample_value("mash_oldest_unseen_seconds", {"participant": POLICE}) == 120
    story.say(POLICE, LA, Event.ANSWER)
    show(telemetry, story)
    assert telemetry.registry.get_sample_value("mash_requests", {**labels, "kind": "undelivered"}) is None
    assert telemetry.registry.get_sample_value("mash_requests", {**labels, "kind": "answered"}) == 1
    assert telemetry.registry.get_sample_value("mash_time_to_breach_seconds", labels) is None
    assert telemetry.registry.get_sample_value("mash_alerts", {"kind": "undelivered"}) is None


def show(telemetry: Telemetry, story: Story) -> None:
    view = view_of(story)
    ledgers = Ledgers(len(story.passages), 0, True, True, frozenset(Lane))
    telemetry.show(samples(view, judge(view), ledgers))


def test_metrics_are_served_on_the_loopback_address_and_the_port_is_given_back() -> None:
    """Nobody outside the machine reads them unless somebody says so."""
    telemetry = known()
    telemetry.show([Sample("mash_ledger_up", 1.0)])
    with served(telemetry.registry, port=0) as port:
        first = port()
        with urllib.request.urlopen(f"http://127.0.0.1:{first}/metrics", timeout=5) as answer:
            assert b"mash_ledger_up 1.0" in answer.read()
    with pytest.raises(OSError), urllib.request.urlopen(f"http://127.0.0.1:{first}/metrics", timeout=5):  # noqa: PT011 - any refusal to connect
        pass


def rules() -> Iterator[dict[str, Any]]:
    for path in RULES:
        for group in yaml.safe_load(path.read_text("utf-8"))["groups"]:
            yield from group["rules"]


def panels() -> list[dict[str, Any]]:
    return [panel for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"] if panel["type"] != "row"]


def queries() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel["targets"]]


NAMES = re.compile(r"\bmash[_:][a-z0-9_:]+")


def recorded() -> set[str]:
    return {rule["record"] for rule in rules() if "record" in rule}


def test_every_query_of_every_panel_and_rule_names_metrics_that_exist() -> None:
    """A panel that shows nothing looks like a quiet day."""
    exist = sample_names() | recorded()
    for query in (*queries(), *(rule["expr"] for rule in rules())):
        named = set(NAMES.findall(query))
        assert named, query
        assert named <= exist, query


def test_every_metric_is_on_the_dashboard_or_in_a_rule_that_is() -> None:
    """A figure that nobody looks at is not watched."""
    looked_at = set(NAMES.findall(" ".join([*queries(), *(rule["expr"] for rule in rules())])))
    for name in METRICS:
        assert any(one.startswith(name) for one in looked_at), name


def test_queries_select_and_group_by_labels_and_values_that_exist() -> None:
    """A misspelt kind would never match."""
    words = {word.value for word in AlertKind} | {"breached", "undelivered", "unread", "answered", "answered_late"}
    words |= {kind.value for kind in EndingKind}
    words |= {"closed", "nobody_reading", "urgent", "monitor", "hub", "E00", "E05", "E09"}
    for query in (*queries(), *(rule["expr"] for rule in rules())):
        for label, values in re.findall(r'([a-z]+)!?=~?"([^"]*)"', query):
            assert label in ALLOWED_LABELS, query
            assert set(values.split("|")) <= words, query
        for grouped in re.findall(r"by \(([^)]*)\)", query):
            assert set(grouped.split(", ")) <= ALLOWED_LABELS | {"le"}, query


def test_every_panel_says_what_it_shows_and_takes_its_data_source_from_the_viewer() -> None:
    """No identifier of one installation in the file."""
    assert len({panel["id"] for panel in panels()}) == len(panels())
    for panel in panels():
        assert panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    found = shutil.which("promtool")
    if found is None:
        cannot_be_had("promtool is missing: sudo apt-get install prometheus")
    return subprocess.run([found or "", *arguments], capture_output=True, text=True, check=False)


def test_promtool_finds_the_configuration_and_every_rule_in_order() -> None:
    """Prometheus itself reads them."""
    for arguments in (
        ("check", "config", str(DEPLOY / "prometheus" / "prometheus.yml")),
        ("check", "rules", *map(str, RULES)),
    ):
        result = promtool(*arguments)
        assert result.returncode == 0, result.stdout + result.stderr


def test_promtools_unit_tests_of_the_rules_pass() -> None:
    """Every alert fires on its cause, and on nothing else."""
    result = promtool("test", "rules", str(TESTS))
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_query_of_the_dashboard_is_one_that_prometheus_understands(tmp_path: Path) -> None:
    """Checked as rules, which promtool parses in full."""
    checked = [{"record": f"panel:number:{number}", "expr": query} for number, query in enumerate(queries())]
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": checked}]}))
    result = promtool("check", "rules", str(path))
    assert result.returncode == 0, result.stdout + result.stderr
    path.write_text(yaml.safe_dump({"groups": [{"name": "broken", "rules": [replace_expr(checked[0])]}]}))
    assert promtool("check", "rules", str(path)).returncode != 0


def replace_expr(rule: dict[str, str]) -> dict[str, str]:
    return {**rule, "expr": "sum(by mash_alerts"}


def test_every_alerting_rule_has_a_unit_test_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    """Structure: a rule without a test is a rule that may never fire."""
    cases = [
        case for one in yaml.safe_load(TESTS.read_text("utf-8"))["tests"] for case in one.get("alert_rule_test", ())
    ]
    fires = {case["alertname"] for case in cases if case.get("exp_alerts")}
    quiet = {case["alertname"] for case in cases if not case.get("exp_alerts")}
    alerting = {rule["alert"] for rule in rules() if "alert" in rule}
    assert (fires, quiet) == (alerting, alerting)


def test_every_alerting_rule_says_what_to_do() -> None:
    """An alert without an action is noise."""
    for rule in rules():
        if "alert" in rule:
            assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
            assert rule["labels"]["severity"] in ("page", "ticket")


def test_a_moment_that_cannot_be_shown_is_not_half_shown() -> None:
    """All gauges of a moment or none."""
    telemetry = known()
    telemetry.show([Sample("mash_ledger_up", 1.0)])
    with pytest.raises(KeyError):
        telemetry.show([Sample("mash_ledger_up", 0.0), replace(Sample("mash_ledger_up", 0.0), name="mash_nonsense")])
    assert telemetry.registry.get_sample_value("mash_ledger_up") == 1.0
