"""`mash carry`: sealed messages as files, for the agreed secure mail or by hand, while the hub is down (SEC-04).

A file is the envelope itself: only its recipient can open it, and nobody can change it. The runbook's page is hub-down.
"""

from pathlib import Path
from typing import Annotated

import typer

from adapters.cli.frame import HERE, AsJson, Home, User, perform
from adapters.kit.delivery.carried import Way

app = typer.Typer(no_args_is_help=True, help="Carry sealed messages by secure mail or by hand while the hub is down.")

By = Annotated[Way, typer.Option("--by", help="How it travels; it is written down. Never by plain email.")]


@app.command()
def out(
    peer: Annotated[str, typer.Argument(help="The partner's directory id.")],
    folder: Annotated[Path, typer.Argument(help="Where to write the files, one a message.")],
    by: By,
    user: User,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Write what waits for a partner to files. With the hub back it goes there as well, and is dropped as known."""
    from adapters.cli.carry_work import carried_out

    perform(
        lambda adapter: carried_out(adapter, peer, folder, way=by, user=user),
        writes_files=True,
        home=home,
        as_json=as_json,
        schema="mash.carried.v1",
        show=lambda done: "\n".join(done["files"]) or f"Nothing waits for {peer}.",
    )


@app.command("in")
def in_(
    files: Annotated[list[Path], typer.Argument(help="The files that were brought.")],
    sender: Annotated[str, typer.Option("--from", help="Which partner they are from, as its carrier says.")],
    by: By,
    user: User,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Take in files that a partner has sent by hand: checked, stored and acted on as if the hub had brought them."""
    from adapters.cli.carry_work import carried_in

    perform(
        lambda adapter: carried_in(adapter, files, sender=sender, way=by, user=user),
        writes_files=True,  # none, but it works the inbox, message by message; a file that comes twice is known anyway
        home=home,
        as_json=as_json,
        schema="mash.carried-in.v1",
        show=lambda done: f"{done['taken_in']} taken in, {done['here_already']} were here already.",
    )


@app.command()
def reconcile(user: User, home: Home = HERE, as_json: AsJson = False) -> None:
    """With the hub back, let it carry what went by hand, and end the tasks (`mash alarms list`: carried-by-hand)."""
    from adapters.cli.carry_work import reconciled, reconciled_text

    perform(
        lambda adapter: reconciled(adapter, user=user),
        home=home,
        as_json=as_json,
        schema="mash.carried-reconciled.v1",
        show=reconciled_text,
    )
