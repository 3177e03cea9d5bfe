"""The program `mash-hub`: what the hub's operators do.

A command is imported when it is called and not before, so that `--help` answers at once and a command that is not
installed (the hub's image holds no adapters) breaks no other.
Exit codes: 0 done; 1 refused, or something is not as it should be, the reasons on standard error; 2 wrong usage.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Final, NamedTuple

import typer


class Command(NamedTuple):
    """Where a command is (`module:name` of a function or a `typer.Typer`), and its one line of help."""

    target: str
    summary: str


COMMANDS: Final[Mapping[str, Command]] = {
    "diff": Command("broker.operate:diff", "Show what apply would change on the broker."),
    "apply": Command("broker.operate:apply", "Make the broker equal to the table of the directory."),
    "follow": Command("broker.operate:follow", "Take away what the directory grants no more, within a minute."),
    "doctor": Command("broker.operate:doctor", "Name everything about the broker that is not as it should be."),
    "table": Command("broker.operate:table", "Print the table of exchanges, queues, bindings and permissions."),
    "watch": Command("broker.cli.watch:watch", "Watch what passes: ledger, clocks, alerts, metrics."),
    "ledger": Command("broker.cli.watch:app", "Verify the ledger of what passed, and read it."),
    "report": Command("broker.cli.report:app", "The month's figures, and a sample for inspectors."),
    "clock": Command("broker.cli.clock:app", "Start the clocks that a person starts: a breach, an access request."),
    "alerts": Command("broker.cli.alerts:app", "See alerts, acknowledge them, and check who would be told."),
    "dead": Command("broker.cli.dead:app", "See and send on what the hub gave up delivering."),
    "enrol": Command("broker.cli.enrolment:enrol", "List an agency, and admit it once nothing is missing."),
    "suspend": Command("broker.cli.enrolment:suspend", "Put an agency out, at once if it must be."),
    "leave": Command("broker.cli.enrolment:leave", "Give an agency's notice, and let it leave once it has run out."),
    "reinstate": Command("broker.cli.enrolment:reinstate", "Take a suspended agency back."),
    "directory": Command("broker.cli.directory:app", "Make, sign and publish the partners' directory."),
}
"""Every command of `mash-hub`, in the order of `--help`. Whoever adds one adds a line here and nothing else."""


def build(arguments: Sequence[str]) -> typer.Typer:
    """Make the program for one call: the command that `arguments` name is imported, of the others only the name is."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,
        help="Operate the hub: provision the broker, watch it, prove what it did.",
    )
    app.callback()(_hub)
    chosen = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name, command in COMMANDS.items():
        _add(app, name=name, command=command, called=name == chosen)
    return app


def main() -> None:
    """Run `mash-hub`."""
    build(sys.argv[1:])(prog_name="mash-hub")


def _add(app: typer.Typer, *, name: str, command: Command, called: bool) -> None:
    if not called:
        app.command(name, help=command.summary)(_hub)
        return
    module, _, attribute = command.target.partition(":")
    target = getattr(import_module(module), attribute)
    if isinstance(target, typer.Typer):
        app.add_typer(target, name=name, help=command.summary)
    else:
        app.command(name)(target)


def _hub() -> None:
    """Stand in for what this call does not need."""
