"""`mash-hub alerts`: see what waits for a human, say that it is seen, and try whether everybody can be told.

    mash-hub alerts list [--past] [--json]
    mash-hub alerts acknowledge 17 --by control-room [--json]
    mash-hub alerts check --duty duty.toml [--secrets DIR] [--try] [--json]

Exit codes: 0 as it should be; 1 not (an alert waits, a desk has nobody, a way fails), with the reason; 2 wrong usage.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from broker.alerts.acknowledging import Acknowledgement, NotAcknowledged, acknowledge
from broker.alerts.checking import Checked, check_duty
from broker.alerts.listing import Listed, listed_recent, listed_standing
from broker.alerts.secrets import Secrets
from broker.calendar import LONDON
from broker.cli import at_ledger
from broker.watch.program import read_calendar_file

WHY: Final = {
    NotAcknowledged.NO_SUCH_ALERT: "There is no alert of that number.",
    NotAcknowledged.POST_UNFIT: "Name a post in small letters (--by duty-sergeant), never a person.",
}

app = typer.Typer(help="See alerts, acknowledge them, and check who would be told.", no_args_is_help=True)

Database = Annotated[
    str, typer.Option("--db", envvar="MASH_HUB_DB", help="A SQLite file, or postgresql://user@host/database.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DEFAULT_DB: Final = "mash-hub-ledger.sqlite"


@app.command("list")
def list_alerts(
    db: Database = DEFAULT_DB,
    past: Annotated[bool, typer.Option("--past", help="Also those that are over, youngest first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show alerts, who was told, and who has seen them. Ends with 1 if any waits for a human."""
    found = at_ledger.brought_up_to_date(db, listed_recent if past else listed_standing)
    if as_json:
        typer.echo(json.dumps([_plain(one) for one in found], indent=2))
    for one in () if as_json else found:
        typer.echo(_line(one))
    if not found and not as_json:
        typer.echo("No alert stands.")
    raise typer.Exit(1 if any(one.waits_for_a_human for one in found) else 0)


@app.command("acknowledge")
def acknowledge_alert(
    number: Annotated[int, typer.Argument(help="The alert's number, from `alerts list`.")],
    by: Annotated[str, typer.Option(help="The post that has seen it, never a person's name.")],
    db: Database = DEFAULT_DB,
    as_json: AsJson = False,
) -> None:
    """Say that an alert is seen; nobody else is told of it. The first word stands."""
    done = at_ledger.brought_up_to_date(db, lambda ledger: acknowledge(ledger, number, by=by, now=_now()))
    if isinstance(done, NotAcknowledged):
        typer.echo(f"mash-hub: {WHY[done]}", err=True)
        raise typer.Exit(1)
    typer.echo(json.dumps(_acknowledged(done), indent=2) if as_json else _sentence(done))


@app.command()
def check(
    duty: Annotated[Path, typer.Option(exists=True, envvar="MASH_DUTY", help="The duty file.")],
    secrets: Annotated[Path | None, typer.Option(exists=True, help="Folder of secrets.")] = None,
    calendars: Annotated[Path | None, typer.Option(exists=True, help="TOML with the area's hours.")] = None,
    really: Annotated[bool, typer.Option("--try", help="Try every way, without telling anybody anything.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show who would be told of an urgent alert now, desk by desk. Ends with 1 if somewhere nobody would be."""

    async def work() -> tuple[Checked, ...]:
        found = read_calendar_file(calendars)
        return await check_duty(duty, secrets=Secrets(secrets), calendars=found, now=_now(), try_ways=really)

    checked = at_ledger.or_end(work)
    rows = [one.plain() for one in checked]
    typer.echo(json.dumps(rows, indent=2) if as_json else "\n".join(one.sentence() for one in checked))
    raise typer.Exit(0 if all(one.is_well for one in checked) else 1)


def _now() -> datetime:
    return datetime.now(UTC)


def _local(moment: datetime | None) -> str:
    return moment.astimezone(LONDON).isoformat(timespec="minutes") if moment else ""


def _acknowledged(one: Acknowledgement) -> dict[str, Any]:
    return {"alert": one.alert, "desk": one.desk, "by": one.by, "at": _local(one.at), "first": one.is_first}


def _sentence(one: Acknowledgement) -> str:
    if one.is_first:
        return f"Alert {one.alert} is acknowledged by {one.by}."
    return f"Alert {one.alert} was acknowledged before, by {one.by} of {one.desk} at {_local(one.at)}."


def _plain(one: Listed) -> dict[str, Any]:
    alert = one.entry.alert
    return {
        "number": one.entry.number,
        "since": _local(one.entry.raised_at),
        "over": _local(one.entry.cleared_at),
        "urgency": alert.urgency.value,
        "kind": alert.kind.value,
        "participant": alert.participant,
        "peer": alert.peer,
        "reference": alert.reference,
        "code": alert.code,
        "telephone": alert.telephone,
        "acknowledged": _acknowledged(one.acknowledgement) if one.acknowledgement else None,
        "told": [
            {
                "desk": told.desk,
                "rung": told.rung,
                "post": told.post,
                "way": told.way,
                "state": told.state,
                "fault": told.fault,
                "at": _local(told.told_at),
            }
            for told in one.told
        ],
    }


def _line(one: Listed) -> str:
    alert, seen = one.entry.alert, one.acknowledgement
    about = " ".join(word for word in (alert.participant, alert.peer, alert.reference, alert.code) if word)
    told = ", ".join(f"{told.rung} by {told.way} {told.state}" for told in one.told) or "nobody told"
    state = "over" if one.entry.cleared_at else f"seen by {seen.by}" if seen else "WAITS"
    start = f"{one.entry.number}  {_local(one.entry.raised_at)}  {alert.urgency.value}  {alert.kind.value}"
    return f"{start}  {about}  [{state}; {told}]"
