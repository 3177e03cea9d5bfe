"""`mash inbox`: what this agency has been asked."""

from typing import Annotated

import typer

from adapters.cli.frame import HERE, AsJson, Home, User, perform

app = typer.Typer(no_args_is_help=True, help="See what this agency has been asked, and until when it has to answer.")


@app.command("list")
def list_(home: Home = HERE, as_json: AsJson = False) -> None:
    """List the requests, the one that is due soonest first. Listing does not count as having seen them."""
    from adapters.cli.desk_views import inbox_entries, inbox_table

    perform(
        lambda adapter: adapter.desk.list(),
        home=home,
        as_json=as_json,
        schema="mash.inbox.v1",
        show=inbox_table,
        plain=inbox_entries,
    )


@app.command()
def show(
    rfi: Annotated[str, typer.Argument(help="The request's reference, from `mash inbox list`.")],
    user: User,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Open one request. The requester learns that a person has seen it; the look is logged."""
    from adapters.cli.desk_views import request_text

    perform(
        lambda adapter: adapter.desk.show(rfi, user=user),
        home=home,
        as_json=as_json,
        schema="mash.request.v1",
        show=request_text,
    )
