"""`mash sla`: when an answer is due, and whether a request is urgent, by the area's own calendar.

It guarantees: what it prints is what the clocks of requester and hub compute, because it calls the same functions.
Nothing about a child goes in or comes out: a rating, two times and a participant id.
"""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Due times and urgency by the working calendar.", no_args_is_help=True)

Rag = Annotated[str, typer.Option(help="red, amber or green; blue asks nobody")]
Issued = Annotated[str, typer.Option(help="when the request was issued: 2026-11-27T15:40, London time unless it says")]
Agency = Annotated[str, typer.Option(help="participant id of the recipient")]
CalendarFile = Annotated[Path | None, typer.Option("--calendars", envvar="MASH_CALENDARS", help="settings (TOML)")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command()
def due(rag: Rag, issued: Issued, agency: Agency = "", calendars: CalendarFile = None, as_json: AsJson = False) -> None:
    """Say when the answer to a request is due."""
    from adapters.cli.sla_facts import say_due

    say_due(rag=rag, issued=issued, agency=agency, calendars=calendars, as_json=as_json)


@app.command()
def urgent(
    issued: Issued,
    due: Annotated[str, typer.Option(help="when the answer is due; or say --rag")] = "",
    rag: Rag = "",
    agency: Agency = "",
    calendars: CalendarFile = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a request is urgent: less than 24 hours of office time until it is due (SLA-02)."""
    from adapters.cli.sla_facts import say_urgent

    say_urgent(issued=issued, due=due, rag=rag, agency=agency, calendars=calendars, as_json=as_json)
