"""The program's own structure: every command and option explains itself, and none is loaded before it is called."""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from adapters.cli.main import COMMANDS, build

CLI = Path(__file__).parents[3] / "adapters" / "cli"
HEAVY = ("sqlalchemy", "cedarpy", "nacl", "lxml", "typst", "aio_pika", "cryptography", "yaml", "asyncio")


def _all() -> Iterator[tuple[str, Any]]:
    """Every command of the program with its whole name."""
    for name in COMMANDS:
        group = get_command(build([name])).commands[name]  # type: ignore[attr-defined]  # a group has commands
        yield from _below(name, group)


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for child, below in getattr(command, "commands", {}).items():
        yield from _below(f"{name} {child}", below)


@pytest.mark.parametrize(("name", "command"), list(_all()), ids=lambda value: value if isinstance(value, str) else "")
def test_every_command_and_every_option_explains_itself(name: str, command: Any) -> None:
    """A coordinator can follow `--help` without asking anybody."""
    assert len((command.help or "").split()) >= 4, name
    for parameter in command.params:
        assert len((getattr(parameter, "help", None) or "").split()) >= 2, f"{name} {parameter.name}"


def test_the_summary_in_the_table_is_the_help_of_the_command() -> None:
    """`mash --help` and `mash enquiry --help` say the same, though the first loads nothing."""
    for name, command in COMMANDS.items():
        module, _, attribute = command.target.partition(":")
        target = getattr(import_module(module), attribute)
        said = str(target.info.help if isinstance(target, typer.Typer) else target.__doc__)
        assert said.startswith(command.summary.rstrip(".")), name


def test_every_module_with_commands_is_in_the_table() -> None:
    """A command that nobody registered does not exist for anybody."""
    named = {command.target.partition(":")[0].rpartition(".")[2] for command in COMMANDS.values()}
    part_of_enquiry = {"deciding", "persons", "lawful"}
    with_commands = {path.stem for path in CLI.glob("*.py") if "typer.Typer(" in path.read_text("utf-8")}

    assert with_commands - named - part_of_enquiry == {"main"}


@pytest.mark.parametrize("arguments", [["--help"], ["enquiry", "--help"], ["respond", "send", "--help"]], ids=" ".join)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    """The structure behind "`mash --help` answers within 0.4 s"."""
    heavy = (*HEAVY, "pydantic") if arguments == ["--help"] else HEAVY  # typer reads options with pydantic
    program = (
        "import sys\n"
        "from adapters.cli.main import main\n"
        f"sys.argv = ['mash', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stderr.strip() == "[]"


def test_every_shape_that_the_program_names_is_documented_and_no_other() -> None:
    """SHAPES.md is complete, and holds no shape that is gone."""
    named = {
        name for path in CLI.glob("*.py") for name in re.findall(r'"(mash\.[a-z.-]+\.v\d+)"', path.read_text("utf-8"))
    }
    documented = set(re.findall(r"^## (mash\.\S+)$", (CLI / "SHAPES.md").read_text("utf-8"), re.MULTILINE))

    assert documented == named
