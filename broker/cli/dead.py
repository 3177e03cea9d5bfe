"""`mash-hub dead list|replay`: what the hub gave up delivering.

Shows stub facts of letters that verify, and of others no more than size, hash and the code of the refusal.
Ends with 1 if a letter did not verify or could not be sent on, and says why.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from broker.dead_letters import LARGEST_LIST, Done, Quarantine, Seen, look, replay
from broker.directory.client import DirectoryClient, NoDirectory
from broker.errors import HubError
from broker.management import Management
from broker.operate import AsJson, DirectoryFile, ManagementUrl, Vhost, at_broker
from broker.verify import Refusal
from broker.watch.directory import read_exported
from schemas.directory import Directory

app = typer.Typer(help="See and send on what the hub gave up delivering.", no_args_is_help=True)
Limit = Annotated[int, typer.Option(min=1, max=LARGEST_LIST, help="So many letters at most.")]


@app.command(name="list")
def listed(
    directory: DirectoryFile,
    management: ManagementUrl,
    vhost: Vhost = "mash",
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show the dead letters and leave them where they are."""
    partners, now = _directory(directory), datetime.now(UTC)
    seen = at_broker(management, vhost, lambda broker: look(broker, directory=partners, now=now, limit=limit))
    rows = [_row(each) for each in seen]
    if as_json:
        typer.echo(json.dumps({"dead": rows}, indent=2))
    else:
        typer.echo("\n".join(" ".join(str(value) for value in row.values()) for row in rows) or "No dead letters.")
    raise typer.Exit(1 if any("refused" in row for row in rows) else 0)


@app.command(name="replay")
def replayed(
    directory: DirectoryFile,
    management: ManagementUrl,
    quarantine: Annotated[Path, typer.Option(help="Folder for what does not verify; made if it is not there.")],
    vhost: Vhost = "mash",
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Verify each letter again, send on what verifies, and quarantine what does not."""
    partners, done, place = _directory(directory), list[Done](), Quarantine(quarantine)

    async def work(broker: Management) -> None:
        async for each in replay(broker, place, directory=partners, now=datetime.now(UTC), limit=limit):
            done.append(each)

    try:
        at_broker(management, vhost, work)
    finally:
        rows = [{"hash": each.digest, "fate": each.refusal.code if each.refusal else "sent on"} for each in done]
        text = "\n".join(f"{row['hash'][:16]} {row['fate']}" for row in rows) or "Nothing was sent on."
        typer.echo(json.dumps({"replayed": rows}, indent=2) if as_json else text)
    raise typer.Exit(1 if any(each.refusal for each in done) else 0)


def _row(seen: Seen) -> dict[str, Any]:
    row: dict[str, Any] = {"hash": seen.digest[:16], "bytes": seen.size}
    if isinstance(seen.verdict, Refusal):
        return {**row, "refused": seen.verdict.code}
    stub = seen.verdict.stub
    facts = {"from": stub.from_, "to": stub.to, "event": stub.event.value, "lane": stub.lane.value}
    return {**row, "mid": stub.mid, **facts, "sent": datetime.fromtimestamp(stub.t, UTC).isoformat()}


def _directory(path: Path) -> Directory:
    try:
        return DirectoryClient(path).current() if path.is_dir() else read_exported(path)
    except (OSError, ValueError, KeyError, TypeError, NoDirectory, HubError) as fault:
        typer.echo(f"{path} is no directory: {type(fault).__name__}", err=True)
        raise typer.Exit(1) from None
