"""`mash-hub clock`: start the clocks that nothing on the wire begins, see what runs, and stop them.

    mash-hub clock start breach --began 2026-11-24T09:05 --whose testford-health
    mash-hub clock list
    mash-hub clock stop BR-7K2QFX

A breach of personal data rings at 24, 48, 60 and 72 hours from awareness (SLA-11); a subject access request 14 and 7
days before its month is over (SLA-13); a professional disagreement at the end of its stage (SLA-14); the minutes of a
MARAC after three working days. The running watch takes a new clock up within ten seconds and raises the alerts.
Nothing about a person goes in: a kind, a moment, a participant's id.
Exit codes: 0 done; 1 refused, with the reason on standard error; 2 wrong usage.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from broker.calendar import LONDON
from broker.cli import at_ledger
from broker.cli.watch import DEFAULT_DB, AsJson, CalendarFile, Database
from broker.ledger.ledger import Ledger
from broker.sla.started import Started, StartedKind
from broker.timers import rows as timer_rows
from broker.timers import started as book
from broker.timers.rows import TimerRow
from broker.watch.program import read_calendar_file
from schemas.agency import is_participant_id

OLDEST = timedelta(days=366)

app = typer.Typer(help="Clocks that somebody starts by hand: breaches, access requests.", no_args_is_help=True)


@app.command()
def start(
    kind: Annotated[StartedKind, typer.Argument(help="What has begun.")],
    began: Annotated[
        str, typer.Option("--began", "--aware-at", help="When, like 2026-11-24T09:05; London unless it says.")
    ],
    whose: Annotated[str, typer.Option(help="The participant it is about; without one, the hub itself.")] = "",
    db: Database = DEFAULT_DB,
    calendars: CalendarFile = None,
    as_json: AsJson = False,
) -> None:
    """Start a clock. For a breach, the moment at which somebody became aware of it."""
    if whose and not is_participant_id(whose):
        raise typer.BadParameter("that is no participant id", param_hint="--whose")
    clock = book.named(kind, whose=whose, began_at=_began(began))

    async def work(ledger: Ledger) -> tuple[TimerRow, ...]:
        return await book.start(ledger, clock, calendar=read_calendar_file(calendars).area)

    made = at_ledger.brought_up_to_date(db, work)
    if as_json:
        typer.echo(json.dumps({"schema": "mash.clock.v1", **_plain(clock), "timers": _timers(made)}, indent=2))
        return
    typer.echo(f"{clock.name} has started.")
    for row in made:
        typer.echo(f"  {row.key.rsplit('/', 1)[-1]}  {_local(row.due_at)}")


@app.command("list")
def show(
    past: Annotated[bool, typer.Option("--past", help="Also those that were stopped.")] = False,
    db: Database = DEFAULT_DB,
    as_json: AsJson = False,
) -> None:
    """Show the clocks that run, and when each rings next."""

    async def work(ledger: Ledger) -> tuple[tuple[Started, ...], tuple[TimerRow, ...]]:
        return await book.all_of(ledger), await timer_rows.standing(ledger)

    found, standing = at_ledger.brought_up_to_date(db, work)
    clocks = [one for one in found if past or one.stopped_at is None]
    of = {one.name: [row for row in standing if row.subject == one.subject] for one in clocks}
    if as_json:
        items = [{**_plain(one), "timers": _timers(of[one.name])} for one in clocks]
        typer.echo(json.dumps({"schema": "mash.clocks.v1", "items": items}, indent=2))
        return
    typer.echo("\n".join(_line(one, of[one.name]) for one in clocks) or "No clock is running.")


@app.command()
def stop(
    name: Annotated[str, typer.Argument(help="The clock's name.")], db: Database = DEFAULT_DB, as_json: AsJson = False
) -> None:
    """Stop a clock, because what it waited for is done. Its alert is over with it."""
    stopped = at_ledger.brought_up_to_date(db, lambda ledger: book.stop(ledger, name, now=datetime.now(UTC)))
    typer.echo(json.dumps({"schema": "mash.clock.v1", **_plain(stopped)}, indent=2) if as_json else f"{name} stopped.")


def _began(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a time reads like 2026-11-24T09:05", param_hint="--began") from None
    if len(text) <= len("2026-11-24"):
        raise typer.BadParameter("a time has a clock time, like 2026-11-24T09:05", param_hint="--began")
    at = (moment if moment.tzinfo else moment.replace(tzinfo=LONDON)).astimezone(UTC)
    now = datetime.now(UTC)
    if not now - OLDEST <= at <= now:
        raise typer.BadParameter("a clock begins in the past, and within a year", param_hint="--began")
    return at


def _line(one: Started, rows: list[TimerRow]) -> str:
    waiting = [row.due_at for row in rows if row.fired_at is None]
    rings = (
        "stopped" if one.stopped_at else f"rings {_local(min(waiting))}" if waiting else "has rung for the last time"
    )
    return f"{one.name}  {one.kind}  {one.whose or 'hub'}  since {_local(one.began_at)}  {rings}"


def _plain(one: Started) -> dict[str, object]:
    stopped = one.stopped_at.isoformat() if one.stopped_at else None
    plain = {"name": one.name, "kind": one.kind.value, "whose": one.whose}
    return {**plain, "began_at": one.began_at.isoformat(), "stopped_at": stopped}


def _timers(rows: list[TimerRow] | tuple[TimerRow, ...]) -> list[dict[str, object]]:
    return [
        {
            "timer": row.key.rsplit("/", 1)[-1],
            "due_at": row.due_at.isoformat(),
            "fired_at": row.fired_at.isoformat() if row.fired_at else None,
        }
        for row in rows
    ]


def _local(moment: datetime) -> str:
    return moment.astimezone(LONDON).isoformat(timespec="minutes")
