"""`mash store`: look after this adapter's store. The runbook (`deploy/runbook/`) says which command when.

Nothing here shows content: references, counts, times and states alone. What changes the course of things is done in a
named user's name and is in the ledger.
"""

from pathlib import Path
from typing import Annotated

import typer

from adapters.cli.frame import HERE, AsJson, Home, User
from adapters.cli.store_session import at_store

app = typer.Typer(no_args_is_help=True, help="Look after the store: check, back up, reconcile, retention.")

Seen = Annotated[
    list[str], typer.Option("--seen", help="PARTNER=NUMBER, our highest number that the partner has; repeat it.")
]
Peer = Annotated[str, typer.Argument(help="The partner's directory id.")]


@app.command("set-up")
def set_up(home: Home = HERE, as_json: AsJson = False) -> None:
    """Make the store that adapter.toml names, or bring it up to date. The adapter must not be running."""
    from adapters.cli.store_work import checked, checked_text

    at_store(checked, home=home, as_json=as_json, schema="mash.store.v1", show=checked_text, exclusive=True)


@app.command()
def check(home: Home = HERE, as_json: AsJson = False) -> None:
    """Read the whole store, its ledger and its keys, and say what does not hold. Works beside a running adapter."""
    from adapters.cli.store_work import checked, checked_text

    at_store(checked, home=home, as_json=as_json, schema="mash.store.v1", show=checked_text)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where to write the copy; it must not exist yet.")],
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Copy a SQLite store while the adapter runs. For PostgreSQL use pg_dump; the runbook says how."""
    from adapters.cli.store_work import backed_up

    at_store(
        lambda adapter: backed_up(adapter, file),
        home=home,
        as_json=as_json,
        schema="mash.backup.v1",
        show=lambda done: f"Wrote {done['file']}. It opens only with this adapter's keys; keep those elsewhere.",
    )


@app.command("accept-clock")
def accept_clock(user: User, home: Home = HERE, as_json: AsJson = False) -> None:
    """Say that this machine's clock is right now although the store has seen a later time. Stop the adapter first."""
    from adapters.cli.store_work import checked, checked_text

    at_store(
        checked,
        home=home,
        as_json=as_json,
        schema="mash.store.v1",
        show=checked_text,
        exclusive=True,
        clock_accepted_by=user,
    )


@app.command()
def seen(home: Home = HERE, as_json: AsJson = False) -> None:
    """Say up to which number each partner has told us that it has seen our messages, and how far we have counted."""
    from adapters.cli.store_work import seen_text, seen_up_to

    at_store(seen_up_to, home=home, as_json=as_json, schema="mash.seen.v1", show=seen_text)


@app.command()
def reconcile(user: User, numbers: Seen, home: Home = HERE, as_json: AsJson = False) -> None:
    """End recovery after a restore, with what every partner says it has. Held messages are cancelled, with an alarm."""
    from adapters.cli.store_work import checked_text, numbers_given, reconciled

    asked = numbers_given(numbers)
    at_store(
        lambda adapter: reconciled(adapter, asked, user=user),
        home=home,
        as_json=as_json,
        schema="mash.store.v1",
        show=checked_text,
    )


@app.command("send-again")
def send_again(
    peer: Peer,
    first: Annotated[int, typer.Argument(min=1, help="The first number that the partner lacks.")],
    last: Annotated[int, typer.Argument(min=1, help="The last one.")],
    user: User,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Repeat stored messages for a partner whose own store was restored; it drops what it has already."""
    from adapters.cli.store_work import sent_again

    at_store(
        lambda adapter: sent_again(adapter, peer, first=first, last=last, user=user),
        home=home,
        as_json=as_json,
        schema="mash.again.v1",
        show=lambda done: f"{done['again']} messages to {peer} go out again.",
    )


@app.command()
def unpark(
    peer: Peer,
    mid: Annotated[str, typer.Argument(help="The message's id, from the alarm `parked`.")],
    user: User,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Take up again a message that could not be acted on, once its cause is mended."""
    from adapters.cli.store_work import unparked

    at_store(
        lambda adapter: unparked(adapter, peer, mid, user=user),
        home=home,
        as_json=as_json,
        schema="mash.unparked.v1",
        show=lambda done: "It is taken up again." if done["taken_up"] else "Nothing is parked under that name.",
    )


@app.command()
def retention(home: Home = HERE, as_json: AsJson = False) -> None:
    """Say how long each class of content is kept, what has a date, what is due, and what is erased."""
    from adapters.cli.store_work import retention_lines, retention_text

    at_store(retention_lines, home=home, as_json=as_json, schema="mash.retention.v1", show=retention_text)


@app.command()
def erase(home: Home = HERE, as_json: AsJson = False) -> None:
    """Erase now what is due, as the running adapter does every hour; what is not settled is kept."""
    from adapters.cli.store_work import erased_now, erased_text

    at_store(erased_now, home=home, as_json=as_json, schema="mash.erased.v1", show=erased_text)
