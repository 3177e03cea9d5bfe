"""`mash-hub watch` and `mash-hub ledger`: see what passes, and show that nothing about it was changed.

    mash-hub watch --hub amqps://hub:5671/mash --directory REPOSITORY --authority ... --certificate ... --key ...
    mash-hub ledger verify
    mash-hub ledger manifest --participant testford-police --day 2026-11-24
    mash-hub ledger standing | alerts | refused | readmit

Exit codes: 0 as it should be; 1 not, with the reason on standard error; 2 wrong usage.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from broker.alerts import book
from broker.calendar import LONDON
from broker.cli import at_ledger
from broker.ledger.chain import Passage
from broker.ledger.ledger import Ledger, LedgerCheck
from broker.manifests import manifest as make_manifest
from broker.page.serving import PageOptions
from broker.watch import quarantine
from broker.watch.directory import DirectorySource
from broker.watch.picture import standing as standing_of
from broker.watch.program import TlsFiles, WatchOptions, read_calendar_file, watch_until_told

DEFAULT_DB: Final = "mash-hub-ledger.sqlite"

app = typer.Typer(help="Verify the ledger of what passed, and read it.", no_args_is_help=True)

Database = Annotated[
    str, typer.Option("--db", envvar="MASH_HUB_DB", help="A SQLite file, or postgresql://user@host/database.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
CalendarFile = Annotated[
    Path | None, typer.Option("--calendars", exists=True, help="TOML with the area's hours and service levels.")
]
DutyFile = Annotated[
    Path | None,
    typer.Option(
        "--duty", exists=True, envvar="MASH_DUTY", help="TOML: who is told of alerts (deploy/alerts/README.md)."
    ),
]
SecretsFolder = Annotated[
    Path | None,
    typer.Option("--secrets", exists=True, help="Folder of secrets; else $CREDENTIALS_DIRECTORY, MASH_SECRET_*."),
]


def watch(  # noqa: PLR0913 - the options of a command are its arguments
    hub: Annotated[str, typer.Option(envvar="MASH_HUB", help="amqps://host:5671/mash, or embedded:FILE.")],
    directory: Annotated[
        Path, typer.Option(exists=True, help="The hub's repository, or an exported directory (JSON).")
    ],
    db: Database = DEFAULT_DB,
    calendars: CalendarFile = None,
    metrics: Annotated[str, typer.Option(help="Where Prometheus reads, host:port, or off.")] = "127.0.0.1:9464",
    management: Annotated[
        str, typer.Option(envvar="MASH_HUB_MONITORING", help="http://account:password@host:15672, tag monitoring.")
    ] = "",
    http: Annotated[str, typer.Option(help="Where the operations page is served, host:port, or off.")] = "off",
    http_settings: Annotated[
        Path | None, typer.Option(exists=True, help="TOML: who may see the page, TLS, names (deploy/web/README.md).")
    ] = None,
    agreements: Annotated[
        Path | None, typer.Option(exists=True, help="TOML with the dates of agreements, notices and attestations.")
    ] = None,
    duty: DutyFile = None,
    secrets: SecretsFolder = None,
    manifest_key: Annotated[
        Path | None, typer.Option(exists=True, help="The hub's key for daily manifests (mash-hub directory key).")
    ] = None,
    authority: Annotated[Path | None, typer.Option(exists=True, help="The partnership's authority (PEM).")] = None,
    certificate: Annotated[Path | None, typer.Option(exists=True, help="The monitor's certificate (PEM).")] = None,
    key: Annotated[Path | None, typer.Option(exists=True, help="The monitor's key (PEM).")] = None,
) -> None:
    """Watch what passes until interrupted: ledger, clocks, alerts, metrics."""
    tls = TlsFiles(authority, certificate, key) if authority and certificate and key else None

    async def work() -> None:
        page = PageOptions.read(http, http_settings) if http != "off" else None
        options = WatchOptions(hub, directory, db, calendars=calendars, metrics=metrics, management=management, tls=tls)
        options = replace(options, page=page, agreements=agreements, duty=duty, secrets=secrets)
        await watch_until_told(replace(options, manifest_key=manifest_key))

    at_ledger.or_end(work)


@app.command()
def verify(db: Database = DEFAULT_DB, as_json: AsJson = False) -> None:
    """Recompute every link and verify every stub again; names the first that is not as it was written."""
    check = at_ledger.as_found(db, lambda ledger: ledger.verify())
    typer.echo(json.dumps(_plain(check), indent=2) if as_json else _sentence(check))
    raise typer.Exit(1 if check.fault else 0)


@app.command()
def manifest(
    participant: Annotated[str, typer.Option(help="Whose manifest.")],
    day: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day in London.")],
    db: Database = DEFAULT_DB,
) -> None:
    """Print what one agency sent and was sent on a day, and which are missing, as JSON. Ends with 1 if any is."""

    async def work(ledger: Ledger) -> Any:
        head = await ledger.head()
        passages = await _all(lambda after: ledger.passages_of(participant, after=after))
        at = date(day.year, day.month, day.day)
        return make_manifest(passages, participant=participant, day=at, now=_now(), ledger=(head.entries, head.hash))

    made = at_ledger.as_found(db, work)
    typer.echo(made.to_bytes().decode())
    raise typer.Exit(0 if made.is_whole else 1)


@app.command()
def standing(
    db: Database = DEFAULT_DB,
    calendars: CalendarFile = None,
    at: Annotated[datetime | None, typer.Option(help="As of this moment (London), for looking back.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show who owes what by when, soonest due first."""
    moment = at.replace(tzinfo=LONDON).astimezone(UTC) if at else _now()

    async def work(ledger: Ledger) -> Any:
        passages = await _all(lambda after: ledger.passages(after=after))
        return standing_of(passages, now=moment, calendars=read_calendar_file(calendars))

    rows = [
        {
            "reference": one.reference,
            "responder": one.responder,
            "requester": one.requester,
            "rag": one.rating.value,
            "phase": one.phase.value,
            "due": one.due_at.astimezone(LONDON).isoformat(timespec="minutes"),
        }
        for one in at_ledger.as_found(db, work)
    ]
    _print(rows, as_json=as_json, nothing="Nothing has been asked.")


@app.command()
def alerts(
    db: Database = DEFAULT_DB,
    past: Annotated[bool, typer.Option("--past", help="Also those that are over, youngest first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the alerts that stand and whom to ring. Ends with 1 if any stands."""
    entries = at_ledger.as_found(db, book.recent if past else book.standing)
    rows = [
        {
            "since": one.raised_at.astimezone(LONDON).isoformat(timespec="minutes"),
            "kind": one.alert.kind.value,
            "urgency": one.alert.urgency.value,
            "participant": one.alert.participant,
            "telephone": one.alert.telephone,
            "peer": one.alert.peer,
            "reference": one.alert.reference,
            "code": one.alert.code,
            "over": one.cleared_at.astimezone(LONDON).isoformat(timespec="minutes") if one.cleared_at else "",
        }
        for one in entries
    ]
    _print(rows, as_json=as_json, nothing="No alert stands.")
    raise typer.Exit(1 if any(not row["over"] for row in rows) else 0)


@app.command()
def refused(db: Database = DEFAULT_DB, as_json: AsJson = False) -> None:
    """Show what was refused, by who brought it in and why. Ends with 1 if anything was."""
    rows = [
        {
            "participant": one.ingress_owner,
            "code": one.code,
            "why": one.detail,
            "times": str(one.total),
            "last": one.last_at.astimezone(LONDON).isoformat(timespec="minutes"),
        }
        for one in at_ledger.as_found(db, quarantine.tallies)
    ]
    _print(rows, as_json=as_json, nothing="Nothing was refused.")
    raise typer.Exit(1 if rows else 0)


@app.command()
def readmit(
    directory: Annotated[Path, typer.Option(exists=True, help="The hub's repository, or an exported directory.")],
    db: Database = DEFAULT_DB,
    as_json: AsJson = False,
) -> None:
    """Verify what was refused again, by today's directory, and enter what verifies. Ends with 1 if any does not."""
    source = DirectorySource.at(directory)
    rows = [
        {
            "number": str(one.held.number),
            "participant": one.held.ingress_owner,
            "was": one.held.code,
            "now": one.refusal.code if one.refusal else "entered",
        }
        for one in at_ledger.as_found(db, lambda ledger: quarantine.readmit(ledger, source.current))
    ]
    _print(rows, as_json=as_json, nothing="Nothing that was refused can be verified again.")
    raise typer.Exit(1 if any(row["now"] != "entered" for row in rows) else 0)


def _now() -> datetime:
    return datetime.now(UTC)


async def _all(page: Callable[[int], Awaitable[list[Passage]]]) -> list[Passage]:
    found: list[Passage] = []
    while some := await page(found[-1].number if found else 0):
        found += some
    return found


def _plain(check: LedgerCheck) -> dict[str, Any]:
    fault = check.fault
    return {
        "entries": check.entries,
        "hash": check.hash.hex(),
        "directories": [{"version": version, "digest": digest.hex()} for version, digest in check.directories],
        "fault": {"number": fault.number, "code": fault.code, "reason": fault.reason} if fault else None,
    }


def _sentence(check: LedgerCheck) -> str:
    if check.fault:
        return (
            f"BROKEN at entry {check.fault.number}: {check.fault.reason} ({check.fault.code}). "
            f"The {check.entries} entries before it are whole."
        )
    return f"The ledger is whole: {check.entries} entries, last hash {check.hash.hex()}."


def _print(rows: list[dict[str, str]], *, as_json: bool, nothing: str) -> None:
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        typer.echo(nothing)
        return
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in rows[0]}
    for row in ({name: name for name in rows[0]}, *rows):
        typer.echo("  ".join(row[name].ljust(width) for name, width in widths.items()).rstrip())
