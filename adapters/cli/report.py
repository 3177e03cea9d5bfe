"""`mash report`: the council's own figures of a month, and what the hub speaks of under a reference.

    mash report month 2026-11 --user p-example --out DIR    response times, overrides, changes of rating, the late list
    mash report find NRSYJ-37GAQ --user p-example           which enquiry or request of ours that is

The hub's own report is `mash-hub report`. What may be published is in one folder, what names enquiries in another.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapters.cli.frame import HERE, AsJson, Home, User, at_console, perform

if TYPE_CHECKING:
    from adapters.la.console.month_office import FoundRequest, Written

app = typer.Typer(help="The month's figures, and what a reference of the hub is.", no_args_is_help=True)


@app.command()
def month(
    month: Annotated[str, typer.Argument(metavar="MONTH", help="The month in London, like 2026-11.")],
    user: User,
    out: Annotated[Path, typer.Option("--out", file_okay=False, help="The folder that the files are put in.")],
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Write the month's report: figures to publish in one folder, lists that name enquiries in another."""
    from adapters.la.console.month_office import write_month
    from broker.reports import Month, NotAMonth

    try:
        when = Month.read(month)
    except NotAMonth as no:
        raise typer.BadParameter(str(no)) from None
    perform(
        at_console(lambda console: write_month(console, when, out, user=user)),
        home=home,
        as_json=as_json,
        schema="mash.report.v1",
        show=lambda written: "\n".join((*written.report.remarks, *written.files)),
        plain=_plain,
    )


@app.command()
def find(
    reference: Annotated[str, typer.Argument(help="A reference as the hub's alerts and reports have it.")],
    user: User,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Say which of our enquiries, or which request that we were asked, the hub speaks of."""
    from adapters.la.console.month_office import find_reference

    perform(
        lambda adapter: find_reference(adapter, reference, user=user),
        home=home,
        as_json=as_json,
        schema="mash.reference.v1",
        show=_found,
    )


def _plain(written: "Written") -> dict[str, Any]:
    from broker.reports.month_report import as_plain

    plain = {name: value for name, value in as_plain(written.report).items() if name != "schema"}
    return {**plain, "files": list(written.files)}


def _found(one: "FoundRequest") -> str:
    asked = f"we asked {one.peer}" if one.asked == "by us" else f"{one.peer} asked us"
    return (
        f"{one.reference}: {asked}, enquiry {one.enquiry}, request {one.rfi}.\n"
        f"Its evidence: mash evidence export {one.thread} --out FILE"
    )
