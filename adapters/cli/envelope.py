"""`mash envelope`: check an implementation's vectors, or ours, against this one, with a line a file."""

from pathlib import Path
from typing import Annotated

import typer

from adapters.cli import say

app = typer.Typer(help="Check sealed envelopes against the specification.", no_args_is_help=True)


@app.callback()
def envelope() -> None:
    """Check sealed envelopes against the specification."""


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="A folder of vectors with directory.json and keys.json.")],
    quiet: Annotated[bool, typer.Option("--quiet", help="Say only what does not hold.")] = False,
) -> None:
    """Run every vector of FOLDER: name, expected code, found code. Exit code 1 if one does not hold."""
    from adapters.kit.envelope.conformance import NoVectors, run_folder

    failed = total = 0
    with say.refusing(NoVectors):
        for verdict in run_folder(folder):
            total, failed = total + 1, failed + (not verdict.holds)
            if not (quiet and verdict.holds):
                found = f"expected {verdict.expected:4} found {verdict.found:4}"
                say.line(f"{'ok  ' if verdict.holds else 'FAIL'} {found} {verdict.name} {verdict.detail}".rstrip())
    say.line(f"{total - failed} of {total} hold")
    if failed:
        raise typer.Exit(1)
