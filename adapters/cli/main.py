"""The program `mash`: what an agency does with its adapter.

Exit codes: 0 done; 1 refused, the reasons on standard error; 2 wrong usage. What is said on standard error never
repeats a text that was typed: it may be a person's name without its quotation marks.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from traceback import extract_tb
from typing import Final

import typer
from typer.exceptions import TyperException

from broker.cli.commands import Command, add_commands

COMMANDS: Final[Mapping[str, Command]] = {
    "enquiry": Command(
        "adapters.cli.enquiry:app", "Ask many agencies about a family, and read what they answer together."
    ),
    "phone": Command(
        "adapters.cli.phone:app", "Write down telephone calls: the ones we owe, and answers given by telephone."
    ),
    "inbox": Command("adapters.cli.inbox:app", "See what this agency has been asked, and until when it has to answer."),
    "respond": Command(
        "adapters.cli.respond:app", "Answer a request: rules propose, you decide, nothing leaves by itself."
    ),
    "onward": Command(
        "adapters.cli.onward:app", "Ask an originator, or answer as one, whether somebody else may have an item."
    ),
    "run": Command("adapters.cli.running:run", "Connect to the hub: send what is waiting, receive what arrives."),
    "carry": Command(
        "adapters.cli.carry:app", "Carry sealed messages by secure mail or by hand while the hub is down."
    ),
    "alarms": Command("adapters.cli.alarms:app", "See which clocks have rung and what else needs a person."),
    "report": Command("adapters.cli.report:app", "The month's figures, and what a reference of the hub is."),
    "store": Command("adapters.cli.store:app", "Look after the store: check, back up, reconcile, retention."),
    "policy": Command("adapters.cli.policy:app", "Ask, check, explain and compare the disclosure rules."),
    "sla": Command("adapters.cli.sla:app", "Due times and urgency by the working calendar."),
    "keys": Command("adapters.cli.keys:app", "Make, rotate, erase and revoke this agency's keys."),
    "directory": Command("adapters.cli.directory:app", "Pin, refresh and show the partners' directory."),
    "envelope": Command("adapters.cli.envelope:app", "Check sealed envelopes against the specification."),
    "evidence": Command("adapters.cli.evidence:app", "Prove who asked and answered what, and when."),
}
"""Every command of `mash`, in the order of `--help`. Whoever adds one adds a line here and nothing else."""


def build(arguments: Sequence[str]) -> typer.Typer:
    """Make the program for one call: the command that `arguments` name is imported, of the others only the name is."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Ask agencies about a family, or answer what they ask. Sealed end to end; nothing leaves unapproved.",
        epilog="A coordinator starts with `mash enquiry form`; an agency that is asked, with `mash inbox list`.",
    )
    add_commands(app, COMMANDS, arguments=arguments)
    return app


def main() -> None:
    """Run `mash`."""
    arguments = sys.argv[1:]
    try:
        sys.exit(build(arguments)(arguments, prog_name="mash", standalone_mode=False))
    except TyperException as fault:
        sys.exit(_say_usage(fault))
    except Exception as fault:
        sys.exit(_say_ours(fault))


def _say_usage(fault: TyperException) -> int:
    """Say what is wrong with what was typed, and how to learn more."""
    context = getattr(fault, "ctx", None)
    said = fault.format_message()
    if type(fault).__name__ == "NoArgsIsHelpError" or not said:
        return fault.exit_code
    if "unexpected extra argument" in said:
        said = "There are more words than the command takes: put a text with spaces into quotation marks."
    _say(f"mash: {said}")
    if context is not None:
        _say(f"{context.get_usage()}\nTry '{context.command_path} --help'.")
    return fault.exit_code


def _say_ours(fault: Exception) -> int:
    """Say where our own fault is, and nothing of what it was about: its text may be content."""
    frame = extract_tb(fault.__traceback__)[-1]
    where = f"{Path(frame.filename).name}, line {frame.lineno}"
    _say(f"mash: a fault of the program itself ({type(fault).__name__} in {where}). Please report it with this line.")
    return 1


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201  # standard error is where a program says no
