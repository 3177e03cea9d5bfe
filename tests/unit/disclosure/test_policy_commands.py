"""`mash policy`: decide, check, explain, diff and lint, as a lead uses them at a keyboard."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from adapters.cli.policy import app
from adapters.kit.disclosure import installed_files, load_pack
from adapters.kit.disclosure.lint import applies, idle_in
from tests.unit.disclosure.asking import CASES, CONTEXT, pack_with, plain_record

RUN = CliRunner()
NOTED = '@id("fire-odd") @says("Odd.") @source("a test") @reason("NOT_RELEVANT")'
WITHHOLD = 'forbid (principal, action in Action::"more_open_than_withhold", resource)'


def _case(**changes: Any) -> str:
    return json.dumps({"id": "C-1", "record": plain_record(), "request": CONTEXT, **changes}, default=str)


def _write_cases(folder: Path, *, outcome: str) -> Path:
    (folder / "context.yaml").write_text((CASES / "context.yaml").read_text())
    case = {"id": "C-1", "title": "a fire", "agency": "fire", "record": plain_record(), "expect": {"outcome": outcome}}
    path = folder / "cases.yaml"
    path.write_text(yaml.safe_dump([case]))
    return path


def test_a_lead_decides_on_one_case_from_standard_input() -> None:
    """The decision comes out under the field names of the worked cases."""
    result = RUN.invoke(app, ["decide", "--agency", "fire", "--json"], input=_case())
    decision = json.loads(result.stdout)

    assert result.exit_code == 0
    assert decision["outcome"] == "share"
    assert decision["approvals_needed"] == ["fire_safeguarding_lead"]
    assert decision["pack_hash"] == load_pack("fire").hash
    assert decision["schema"] == "mash.policy.decision.v1"


def test_a_lead_reads_a_decision_as_text() -> None:
    """Only what is there is printed."""
    result = RUN.invoke(app, ["decide", "--agency", "fire"], input=_case(rfi={"reason": ""}))

    assert result.exit_code == 0
    assert "INCOMPLETE_RFI" in result.stdout
    assert "onward" not in result.stdout


def test_a_case_is_laid_over_the_request_of_a_file() -> None:
    """Cases share a request, which lies in a file of its own."""
    context = str(CASES / "context.yaml")
    case = json.dumps({"id": "C-1", "record": plain_record(), "rfi": {"audience": "family"}})
    result = RUN.invoke(app, ["decide", "--agency", "fire", "--context", context, "--json"], input=case)

    assert json.loads(result.stdout)["grounds"] == ["WRONG_ROUTE"]


@pytest.mark.parametrize(
    ("agency", "given", "said"),
    [
        ("fire", "not json", "not JSON"),
        ("fire", "[]", "give the request"),
        ("fire", json.dumps({"record": {}}), "give the request"),
        ("fire", json.dumps({"request": {"enquiry": "E"}}), "a record"),
        ("fire", _case(agency="police"), "another agency"),
        ("post_office", _case(), "fourteen"),
    ],
)
def test_what_is_no_case_is_refused_with_a_reason(agency: str, given: str, said: str, tmp_path: Path) -> None:
    """Exit 1, the reason on standard error, nothing on standard output."""
    result = RUN.invoke(app, ["decide", "--agency", agency], input=given)

    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stdout == ""


def test_a_wrong_usage_is_told_from_a_refusal() -> None:
    """Exit 2 is the keyboard's fault, exit 1 the rules' answer."""
    assert RUN.invoke(app, ["decide"]).exit_code == 2
    assert RUN.invoke(app, ["check", "--cases", "absent.yaml"]).exit_code == 2


def test_a_check_prints_a_line_a_case_and_a_total(tmp_path: Path) -> None:
    """All agree: exit 0."""
    result = RUN.invoke(app, ["check", "--cases", str(_write_cases(tmp_path, outcome="share"))])

    assert result.exit_code == 0
    assert result.stdout.splitlines() == ["agrees   C-1  a fire", "1 of 1 cases agree"]


def test_a_check_fails_when_one_case_differs_and_says_where(tmp_path: Path) -> None:
    """A rule change that breaks a case is a change of policy."""
    result = RUN.invoke(app, ["check", "--cases", str(_write_cases(tmp_path, outcome="withhold"))])

    assert result.exit_code == 1
    assert "DIFFERS  C-1" in result.stdout
    assert result.stderr == "C-1: outcome: expected withhold, decided share\n"


def test_a_check_of_nothing_agrees_with_nothing() -> None:
    """The shared request alone is no case; a check of it may not pass."""
    result = RUN.invoke(app, ["check", "--cases", str(CASES / "context.yaml")])

    assert result.exit_code == 1
    assert "no case" in result.stderr


def test_a_check_takes_several_files_after_one_option() -> None:
    """`--cases *.yaml`, as a shell expands it, the shared request among them."""
    files = [str(path) for path in sorted(CASES.glob("*.yaml"))]
    result = RUN.invoke(app, ["check", "--json", "--cases", *files])
    plain = json.loads(result.stdout)

    assert result.exit_code == 0
    assert plain["agree"] == len(plain["cases"]) > 250


def test_an_explanation_names_rules_sources_and_what_would_have_to_change() -> None:
    """A lead reads why, in the words of the rules themselves."""
    case = _case(record=plain_record(flags=["live_investigation"], answers=["danger"]))
    result = RUN.invoke(app, ["explain", "--agency", "fire"], input=case)

    assert result.exit_code == 0
    assert result.stdout.startswith("C-1: indicate_only. Only that confidential information is held may leave")
    assert "live-investigation; rules §3.4; Southwark" in result.stdout
    assert "The investigation would have to be over and the flag removed." in result.stdout
    assert "senior_investigating_officer" in result.stdout


def test_an_explanation_says_what_a_request_lacks() -> None:
    """A request that goes back is explained by its gaps."""
    result = RUN.invoke(app, ["explain", "--agency", "fire"], input=_case(rfi={"reason": ""}))

    assert "Say why the agencies are asked. (RFI-07)" in result.stdout


def test_an_explanation_says_where_the_list_of_types_is_the_limit() -> None:
    """Not every limit is a rule: some are a line of agency.toml."""
    record = plain_record(record_type="treatment_summary", category="health", answers=["harm"])
    result = RUN.invoke(app, ["explain", "--agency", "substance_misuse"], input=_case(record=record))

    assert "substance_misuse lists treatment_summary as one for summarise at most" in result.stdout


def test_an_explanation_as_json_holds_the_decision_that_it_explains() -> None:
    """What is explained is what was decided."""
    decided = RUN.invoke(app, ["decide", "--agency", "fire", "--json"], input=_case())
    explained = RUN.invoke(app, ["explain", "--agency", "fire", "--json"], input=_case())
    decision = {key: value for key, value in json.loads(decided.stdout).items() if key != "schema"}

    assert json.loads(explained.stdout)["decision"] == decision


def _rules(folder: Path, *, change: tuple[str, str] | None = None) -> Path:
    folder.mkdir()
    files = installed_files("fire")
    (folder / "agency.toml").write_text(files.facts.replace(*change) if change else files.facts)
    (folder / "rules.cedar").write_text(files.own)
    return folder


def test_a_diff_shows_that_a_change_of_rules_opens_a_record(tmp_path: Path) -> None:
    """Before it is signed, with its direction."""
    old = _rules(tmp_path / "old")
    new = _rules(tmp_path / "new", change=('false_alarm = { allows = "share" }', 'crime = { allows = "share" }'))
    arguments = [str(old), str(new), "--agency", "fire", "--cases", str(CASES / "unknown.yaml")]
    result = RUN.invoke(app, ["diff", *arguments])

    assert result.exit_code == 1
    assert result.stdout.splitlines()[0].startswith("opens   UNK-02")
    assert result.stdout.splitlines()[-1] == "2 decisions change"


def test_a_diff_of_the_same_rules_changes_nothing(tmp_path: Path) -> None:
    """Exit 0: there is nothing to sign."""
    old, new = _rules(tmp_path / "old"), _rules(tmp_path / "new")
    case_file = str(CASES / "unknown.yaml")
    result = RUN.invoke(app, ["diff", str(old), str(new / "rules.cedar"), "--agency", "fire", "--cases", case_file])

    assert (result.exit_code, result.stdout) == (0, "0 decisions change\n")


def test_a_diff_of_a_common_file_concerns_every_agency(tmp_path: Path) -> None:
    """A common rule that is lost opens records at all of them."""
    kit = Path(__file__).parents[3] / "adapters" / "kit" / "disclosure"
    (tmp_path / "common_record.cedar").write_text(
        (kit / "common_record.cedar").read_text().replace('contains("draft")', 'contains("marac")')
    )
    weighing = (kit / "common_weighing.cedar").read_text().replace('flags.contains("draft")', 'flags.contains("mappa")')
    (tmp_path / "common_weighing.cedar").write_text(weighing)
    arguments = [str(kit), str(tmp_path), "--cases", str(CASES / "weighing.yaml"), "--json"]
    result = RUN.invoke(app, ["diff", *arguments])
    altered = json.loads(result.stdout)["altered"]

    assert {(change["case"], change["direction"]) for change in altered} >= {("EXC-03", "opens")}


def test_a_diff_of_rules_that_do_not_start_is_refused(tmp_path: Path) -> None:
    """What may not run may not be signed either."""
    old = _rules(tmp_path / "old")
    new = _rules(tmp_path / "new", change=("fire_safeguarding_lead", ""))
    (new / "rules.cedar").write_text("forbid everything")
    arguments = [str(old), str(new), "--agency", "fire", "--cases", str(CASES / "unknown.yaml")]

    assert RUN.invoke(app, ["diff", *arguments]).exit_code == 1


def test_a_diff_has_to_know_whose_rules_it_compares(tmp_path: Path) -> None:
    """A folder that says nothing is not taken for all fourteen agencies."""
    old, new = _rules(tmp_path / "old"), _rules(tmp_path / "new")
    result = RUN.invoke(app, ["diff", str(old), str(new), "--cases", str(CASES / "unknown.yaml")])

    assert result.exit_code == 1
    assert "--agency" in result.stderr


def test_every_installed_rule_can_apply_to_something() -> None:
    """A rule that never applies is a door that everybody believes to be shut."""
    result = RUN.invoke(app, ["lint"])

    assert (result.exit_code, result.stdout) == (0, "0 rules can never apply\n")


IDLE = {
    "names a type of another agency": 'resource.record_type == "crime"',
    "names a flag that there is not": 'resource.flags.contains("secret_garden")',
    "asks for two values of one field": 'resource.nature == "fact" && resource.nature == "own_words"',
    "asks for a window that the agency does not have": "resource.too_old",
    "asks for an answer that protects and is none": "resource.protects && resource.answered.isEmpty()",
    "asks for a young child where there is no child": "resource.about_child_under_13 && !resource.about_child",
    "asks for a handling code that there is not": 'resource has grading && resource.grading.handling == "Q"',
    "contradicts itself": "resource.ours && !resource.ours",
    "asks for counselling out of confidence": 'resource.flags.contains("counselling") && !resource.in_confidence',
    "speaks of an addressee that there is not": 'context.addressee == "newspaper"',
}


@pytest.mark.parametrize("condition", IDLE.values(), ids=IDLE)
def test_lint_finds_a_rule_that(condition: str) -> None:
    """It passes validation, and closes nothing."""
    findings = idle_in(pack_with("fire", own=f"{NOTED} {WITHHOLD} when {{ {condition} }};"))

    assert [finding.rule for finding in findings] == ["fire-odd"]
    assert findings[0].line().startswith("fire: fire-odd can never apply: ")


def test_lint_leaves_alone_a_rule_that_can_apply() -> None:
    """A warning that cries wolf is switched off."""
    condition = 'resource.record_type == "incident_report" && resource.flags.contains("draft") && !resource.outsiders'
    pack = pack_with("fire", own=f"{NOTED} {WITHHOLD} when {{ {condition} }};")

    assert all(applies(policy, pack=pack) for policy in pack.own)


def test_lint_says_which_word_no_record_can_have() -> None:
    """The usual cause is a slip of the keyboard, and it is shown."""
    findings = idle_in(pack_with("fire", own=f'{NOTED} {WITHHOLD} when {{ resource.record_type == "incidnt" }};'))

    assert findings[0].why == "no record here can have incidnt"
