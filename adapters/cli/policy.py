"""`mash policy`: the disclosure rules asked, checked, explained and compared, without a server or a store.

Exit codes: 0 done or all agree; 1 refused or disagreeing, the reasons on standard error; 2 wrong usage.
Names of persons are printed only where the record that was handed in names them.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from adapters.kit.disclosure.cases import Case

app = typer.Typer(help="Ask, check, explain and compare the disclosure rules.", no_args_is_help=True)

Agency = Annotated[str, typer.Option("--agency", help="The kind of agency that holds the record: police, health, …")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON object instead of text.")]
CaseFiles = Annotated[list[Path], typer.Option("--cases", exists=True, dir_okay=False, help="A file of worked cases.")]
MoreFiles = Annotated[list[Path] | None, typer.Argument(exists=True, dir_okay=False, help="Further case files.")]
Context = Annotated[
    Path | None, typer.Option("--context", exists=True, dir_okay=False, help="The request that the cases share.")
]


@app.command()
def decide(agency: Agency, context: Context = None, as_json: AsJson = False) -> None:
    """Decide on one case-shaped JSON object from standard input: `record`, `approvals`, `rfi`, and `request`."""
    from adapters.kit.disclosure import load_pack
    from adapters.kit.disclosure.cases import decide_case

    with _refusals():
        decision = decide_case(_case_from_input(agency, context=context), pack=load_pack(agency))
    _print(decision.as_plain(), as_json=as_json, schema="mash.policy.decision.v1")


@app.command()
def explain(agency: Agency, context: Context = None, as_json: AsJson = False) -> None:
    """Say in plain English which rules decided on a case from standard input, and what would have to change."""
    from adapters.kit.disclosure import load_pack
    from adapters.kit.disclosure.explain import explain_case

    with _refusals():
        explanation = explain_case(_case_from_input(agency, context=context), pack=load_pack(agency))
    if as_json:
        _print(explanation.as_plain(), as_json=True, schema="mash.policy.explanation.v1")
    else:
        typer.echo("\n".join(explanation.lines()))


@app.command()
def check(cases: CaseFiles, more: MoreFiles = None, as_json: AsJson = False) -> None:
    """Hold the rules against worked cases: a line a case, a total, and exit 0 only if all agree."""
    from adapters.kit.disclosure.check import check_files

    with _refusals():
        results = check_files([*cases, *(more or [])])
    wrong = [result for result in results if result.differences]
    if as_json:
        rows = [{"case": result.id, "agency": result.agency, "differences": result.differences} for result in results]
        _print({"cases": rows, "agree": len(results) - len(wrong)}, as_json=True, schema="mash.policy.check.v1")
    else:
        for result in results:
            typer.echo(f"{'DIFFERS' if result.differences else 'agrees '}  {result.id}  {result.title}")
        typer.echo(f"{len(results) - len(wrong)} of {len(results)} cases agree")
    if not results:
        _end(["no case was found, so nothing agrees"])
    _end(f"{result.id}: {difference}" for result in wrong for difference in result.differences)


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(exists=True, help="The rules as they are: a rules.cedar, or its folder.")],
    new: Annotated[Path, typer.Argument(exists=True, help="The rules as they would be.")],
    cases: CaseFiles,
    agency: Annotated[str | None, typer.Option("--agency", help="Only this kind of agency's cases.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show which decisions a change of rules alters, before anybody signs it. Exit 1 when it alters any."""
    from adapters.kit.disclosure.diff import altered

    with _refusals():
        changes = altered(old, new, case_files=cases, agency=agency)
    if as_json:
        _print({"altered": [change.as_plain() for change in changes]}, as_json=True, schema="mash.policy.diff.v1")
    else:
        typer.echo("\n".join([*(change.line() for change in changes), f"{len(changes)} decisions change"]))
    _end(f"{change.case}: {change.direction}" for change in changes)


@app.command()
def lint(
    agency: Annotated[list[str] | None, typer.Option("--agency", help="Only this kind of agency.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find rules that can never apply, and say for each why. Exit 1 when there is one."""
    from adapters.kit.disclosure.lint import idle_rules
    from schemas.agency import AGENCY_KINDS

    with _refusals():
        findings = idle_rules(tuple(agency or AGENCY_KINDS))
    if as_json:
        _print({"findings": [finding.as_plain() for finding in findings]}, as_json=True, schema="mash.policy.lint.v1")
    else:
        typer.echo(f"{len(findings)} rules can never apply")
    _end(finding.line() for finding in findings)


@contextmanager
def _refusals() -> Iterator[None]:
    from adapters.kit.disclosure import RulePackInvalidError
    from adapters.kit.disclosure.cases import CaseFileError
    from adapters.kit.disclosure.reading import RecordUnreadableError

    try:
        yield
    except (RulePackInvalidError, CaseFileError) as error:
        _end(str(error).splitlines())
    except RecordUnreadableError as error:
        _end([str(error.__doc__)])


def _case_from_input(agency: str, *, context: Path | None) -> "Case":
    from adapters.kit.disclosure.cases import CaseFileError, case_from_plain, read_context

    try:
        plain = json.loads(sys.stdin.read())
    except ValueError:
        raise CaseFileError("standard input is not JSON") from None
    beside = Path("context.yaml")
    found = context or (beside if beside.is_file() else None)
    shared = read_context(found) if found else {}
    if not isinstance(plain, dict) or not (shared or plain.get("request") or plain.get("rfi")):
        raise CaseFileError("give the request under `request`, or the file that holds it with --context")
    if plain.get("agency", agency) != agency:
        raise CaseFileError(f"the case is of another agency than {agency}")
    return case_from_plain({**plain, "agency": agency}, context=shared)


def _print(answer: Mapping[str, Any], *, as_json: bool, schema: str) -> None:
    if as_json:
        typer.echo(json.dumps({"schema": schema, **answer}, ensure_ascii=False, sort_keys=True))
        return
    for name, value in answer.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        if shown:
            typer.echo(f"{name:<18}{shown}")


def _end(reasons: Iterator[str] | list[str]) -> None:
    lines = list(reasons)
    for line in lines:
        typer.echo(line, err=True)
    if lines:
        raise typer.Exit(1)
