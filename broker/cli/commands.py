"""The commands of a program, imported when they are called and not before, so that `--help` answers at once.

A command whose packages are not installed breaks no other. This knows neither which commands a program has nor
how it ends.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import NamedTuple

import typer


class Command(NamedTuple):
    """Where a command is (`module:name` of a function or a `typer.Typer`), and its one line of help."""

    target: str
    summary: str


def add_commands(app: typer.Typer, commands: Mapping[str, Command], *, arguments: Sequence[str]) -> None:
    """Add all `commands` for one call: the one that `arguments` name is imported, of the others only the name is."""
    app.callback()(_stand_in)
    chosen = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name, command in commands.items():
        if name == chosen:
            _add_imported(app, name=name, command=command)
        else:
            app.command(name, help=command.summary)(_stand_in)


def _add_imported(app: typer.Typer, *, name: str, command: Command) -> None:
    module, _, attribute = command.target.partition(":")
    target = getattr(import_module(module), attribute)
    if isinstance(target, typer.Typer):
        app.add_typer(target, name=name, help=command.summary)
    else:
        app.command(name)(target)


def _stand_in() -> None:
    """Stand in for what this call does not need."""
