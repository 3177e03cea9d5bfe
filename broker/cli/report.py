"""`mash-hub report`: the month's figures and the inspection sample, from the hub's ledger.

    month 2026-11 --out DIR                              response times, changes of rating, the late list
    sample --month 2026-11 --size 20 --seed S --out DIR  requests for an inspector, with everything that proves them
    check SAMPLE.json [--db LEDGER]                      whether a sample is what it says

The whole ledger is verified first; a broken one makes no report. Exit codes: 0 done; 1 refused, or not as it should be,
with the reasons on standard error; 2 wrong usage.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from broker.calendars import Calendars
from broker.cli import at_ledger
from broker.cli.watch import DEFAULT_DB, AsJson, CalendarFile, Database
from broker.errors import HubError
from broker.ledger.ledger import Ledger
from broker.reports import Month, NotAMonth, sample_check, sample_paper
from broker.reports.from_ledger import traced
from broker.reports.month_report import MonthReport, as_plain, files_of, month_report, to_json
from broker.reports.reading import Reading, read_verified
from broker.reports.sample import Order, make_sample
from broker.reports.sample_check import SampleFault
from broker.reports.sample_file import SampleFile
from broker.reports.writing import write_files
from broker.watch.program import read_calendar_file

app = typer.Typer(help="The month's figures, and a sample for inspectors.", no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--out", file_okay=False, help="The folder that the files are put in.")]


@app.command()
def month(
    month: Annotated[str, typer.Argument(metavar="MONTH", help="The month in London, like 2026-11.")],
    out: Folder,
    db: Database = DEFAULT_DB,
    calendars: CalendarFile = None,
    as_json: AsJson = False,
) -> None:
    """Write the month's report: figures to publish in one folder, lists that name requests in another."""
    when = _month(month)
    with _saying_no():
        area = read_calendar_file(calendars)
        report = _report(when, at_ledger.as_found(db, read_verified), area=area)
        files = write_files(out, files_of(report))
    if as_json:
        typer.echo(to_json({**as_plain(report), "files": files}), nl=False)
        return
    _say_all(report.remarks)
    typer.echo("\n".join(files))


@app.command()
def sample(
    month: Annotated[str, typer.Option(help="The month in London, like 2026-11.")],
    out: Folder,
    seed: Annotated[str, typer.Option(help="Any words; let the inspector choose them.")],
    size: Annotated[int, typer.Option(min=1, max=1000, help="How many requests.")] = 20,
    db: Database = DEFAULT_DB,
    calendars: CalendarFile = None,
    as_json: AsJson = False,
) -> None:
    """Draw a sample of the month's requests for an inspector, with every entry, receipt and clock of each."""
    when = _month(month)
    if not seed.strip() or len(seed) > 200 or not seed.isprintable():
        raise typer.BadParameter("a seed is one line of up to 200 signs", param_hint="--seed")
    with _saying_no():
        order, area = Order(when, size, seed, _now()), read_calendar_file(calendars)
        made = at_ledger.as_found(db, lambda ledger: _drawn(ledger, order, area=area))
        files = write_files(out, sample_paper.files_of(made))
    plain = {
        "schema": "mash.report.sample.v1",
        "month": made.month,
        "drawn": len(made.requests),
        "of": len(made.frame),
        "references": [one.reference for one in made.requests],
        "files": files,
    }
    typer.echo(json.dumps(plain, indent=2) if as_json else "\n".join(files))


@app.command()
def check(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The sample's JSON file.")],
    db: Annotated[str | None, typer.Option("--db", help="Draw it again from this ledger, too.")] = None,
    calendars: CalendarFile = None,
    as_json: AsJson = False,
) -> None:
    """Verify a sample: signatures, hashes, clocks and the draw. Ends with 1 if anything is not as it says."""
    with _saying_no():
        held, area = sample_check.read_sample(file.read_bytes()), read_calendar_file(calendars)
        faults = sample_check.faults_of(held, calendars=area)
        if db is not None and not faults:
            faults = at_ledger.as_found(db, lambda ledger: sample_check.against_ledger(held, ledger, calendars=area))
    if as_json:
        typer.echo(json.dumps(_checked(held, faults, ledger=db is not None), indent=2))
    elif not faults:
        entries = sum(len(one.entries) for one in held.requests)
        typer.echo(f"The sample is what it says: {len(held.requests)} requests, {entries} entries, every one signed.")
        if db is None:
            typer.echo("That nothing was left out is proved with --db, by the ledger it was drawn from.")
    _say_all(f"{one.where}: {one.reason} ({one.code})" for one in faults)
    raise typer.Exit(1 if faults else 0)


def _report(when: Month, reading: Reading, *, area: Calendars) -> MonthReport:
    histories = tuple(one.history for one in traced(reading.passages))
    agreed = {one.agency: area.allowances_of(one.agency) for one in histories}
    return month_report(when, histories, source=reading.source, now=_now(), calendar=area.area, allowances=agreed)


async def _drawn(ledger: Ledger, order: Order, *, area: Calendars) -> SampleFile:
    return await make_sample(ledger, await read_verified(ledger), order, calendars=area)


def _checked(held: SampleFile, faults: tuple[SampleFault, ...], *, ledger: bool) -> dict[str, object]:
    return {
        "schema": "mash.report.check.v1",
        "requests": len(held.requests),
        "against_ledger": ledger,
        "directories": [{"version": one.version, "digest": one.digest} for one in held.directories],
        "faults": [asdict(one) for one in faults],
    }


def _month(text: str) -> Month:
    try:
        when = Month.read(text)
    except NotAMonth as no:
        raise typer.BadParameter(str(no)) from None
    if when.begins_at > _now():
        raise typer.BadParameter("that month has not begun")
    return when


def _now() -> datetime:
    return datetime.now(UTC)


def _say_all(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(f"mash-hub: {line}", err=True)


@contextmanager
def _saying_no() -> Iterator[None]:
    try:
        yield
    except (HubError, ValueError) as no:
        _say_all([str(no)])
        raise typer.Exit(1) from None
