"""The program `mash-hub`: what the hub's operators do.

Exit codes: 0 done; 1 refused, or something is not as it should be, the reasons on standard error; 2 wrong usage.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Final

import typer

from broker.cli.commands import Command, add_commands

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
    add_commands(app, COMMANDS, arguments=arguments)
    return app


def main() -> None:
    """Run `mash-hub`."""
    build(sys.argv[1:])(prog_name="mash-hub")
