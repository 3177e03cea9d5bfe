"""The program `mash-hub`."""

import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from broker.cli.main import COMMANDS, build

ROOT = Path(__file__).parents[3]


def test_every_command_is_listed_with_its_line_of_help() -> None:
    """An operator finds everything from `--help`."""
    listed = CliRunner().invoke(build(["--help"]), ["--help"]).stdout
    for name, command in COMMANDS.items():
        assert name in listed
        assert command.summary.split(" ", 1)[0] in listed


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_imported_and_explains_itself(name: str) -> None:
    """The table names functions that exist."""
    assert CliRunner().invoke(build([name]), [name, "--help"]).exit_code == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_an_operator_reads_the_whole_of_a_commands_own_help(name: str) -> None:
    """The table's line is for the list: what a command says beyond it (exit codes, `@FILE`) is not hidden by it."""
    module, _, attribute = COMMANDS[name].target.partition(":")
    target = getattr(import_module(module), attribute)
    own = COMMANDS[name].summary if isinstance(target, typer.Typer) else inspect.getdoc(target)
    shown = CliRunner().invoke(build([name]), [name, "--help"], env={"COLUMNS": "300"}).stdout
    assert " ".join(str(own).split()) in " ".join(shown.split())


def test_help_imports_no_command_and_nothing_heavy() -> None:
    """`mash-hub --help` answers at once because it loads nothing it does not need."""
    code = (
        "import sys; sys.argv = ['mash-hub', '--help']\n"
        "import broker.cli.main\n"
        "try: broker.cli.main.main()\n"
        "except SystemExit: pass\n"
        "print([name for name in ('aio_pika', 'httpx2', 'pydantic', 'sqlalchemy', 'nacl') if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert printed.splitlines()[-1] == "[]"


def test_an_unknown_command_is_wrong_usage() -> None:
    """Exit code 2."""
    assert CliRunner().invoke(build(["frobnicate"]), ["frobnicate"]).exit_code == 2
