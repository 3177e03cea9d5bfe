"""Runs `mash-hub report` in this process and reads back what it wrote."""

import csv
import io
from pathlib import Path

import pypdf
from typer.testing import CliRunner, Result

from broker.cli.report import app

runner = CliRunner()


def run(*arguments: str | Path) -> Result:
    """Run a command."""
    return runner.invoke(app, [str(argument) for argument in arguments])


def table(path: Path) -> list[dict[str, str]]:
    """Read a CSV file; the line that marks one that is not for publication is left out."""
    lines = path.read_text("utf-8").splitlines(keepends=True)
    marked = "NOT FOR PUBLICATION" in lines[0]
    return list(csv.DictReader(io.StringIO("".join(lines[marked:]))))


def pages(path: Path) -> list[str]:
    """Read the text of every page of a PDF."""
    return [page.extract_text() for page in pypdf.PdfReader(path).pages]
