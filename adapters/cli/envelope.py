"""`mash envelope`: check an implementation's vectors, or ours, against this one, with a line a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli import say
from adapters.cli.frame import AsJson

if TYPE_CHECKING:
    from adapters.kit.envelope.conformance import Verdict

app = typer.Typer(help="Check sealed envelopes against the specification.", no_args_is_help=True)


@app.callback()
def envelope() -> None:
    """Check sealed envelopes against the specification."""


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="A folder of vectors with directory.json and keys.json.")],
    quiet: Annotated[bool, typer.Option("--quiet", help="Say only what does not hold.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run every vector of FOLDER: name, expected code, found code. Exit code 1 if one does not hold."""
    from dataclasses import asdict

    verdicts = _verdicts(folder)
    holding = sum(verdict.holds for verdict in verdicts)
    shown = [verdict for verdict in verdicts if not (quiet and verdict.holds)]
    files = [{**asdict(verdict), "holds": verdict.holds} for verdict in shown]
    plain = {"total": len(verdicts), "holding": holding, "files": files}
    lines = [*(_line(verdict) for verdict in shown), f"{holding} of {len(verdicts)} hold"]
    say.answer("mash.envelope-check.v1", plain, lines=lines, as_json=as_json)
    if holding < len(verdicts):
        raise typer.Exit(1)


def _verdicts(folder: Path) -> "list[Verdict]":
    from adapters.kit.envelope.conformance import NoVectors, run_folder

    found: list[Verdict] = []
    with say.refusing(NoVectors):
        try:
            found.extend(run_folder(folder))
        except (KeyError, TypeError, ValueError) as wrong:
            after = f"the one after {found[-1].name}" if found else "the first"
            raise say.refuse(f"a file is no vector: {after} ({type(wrong).__name__})") from None
    return found


def _line(verdict: "Verdict") -> str:
    found = f"expected {verdict.expected:4} found {verdict.found:4}"
    return f"{'ok  ' if verdict.holds else 'FAIL'} {found} {verdict.name} {verdict.detail}".rstrip()
