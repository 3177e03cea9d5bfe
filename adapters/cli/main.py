"""The program `mash`: what an agency does with its adapter.

Exit codes: 0 done; 1 refused, the reasons on standard error; 2 wrong usage.
"""

import typer

from adapters.cli import enquiry, inbox, onward, phone, policy, respond, running, sla

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="Ask other agencies about a family, or answer what they ask. Sealed end to end; nothing leaves unapproved.",
    epilog="A coordinator starts with `mash enquiry form`; an agency that is asked, with `mash inbox list`.",
)
app.add_typer(enquiry.app, name="enquiry")
app.add_typer(inbox.app, name="inbox")
app.add_typer(respond.app, name="respond")
app.add_typer(phone.app, name="phone")
app.add_typer(onward.app, name="onward")
app.add_typer(policy.app, name="policy")
app.add_typer(sla.app, name="sla")
app.command("run")(running.run)


def main() -> None:
    """Run `mash`."""
    app()
