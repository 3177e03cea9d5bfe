"""The commands of `mash-hub` about the broker: `diff`, `apply`, `follow`, `doctor` and `table`.

All read the hub's own repository of the signed directory, the operator's verified copy of it (the folder of a
`DirectoryClient`), or one written out as JSON where none is signed yet; and the management address from `--management`
or `MASH_HUB_MANAGEMENT`, so that no password need stand on a command line.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer
from tuf.api.exceptions import RepositoryError

from broker import logs
from broker.definitions import definitions as as_definitions
from broker.directory.client import DirectoryClient, NoDirectory
from broker.directory.repository import NothingPublished
from broker.doctor import Observation, diagnose, observe
from broker.errors import HubError, Unreachable
from broker.follow import LOOK_EVERY, DirectoryAway, Follower
from broker.management import Management, ensure_vhost, open_management, read_state
from broker.management import apply as apply_changes
from broker.provision import Action, ByCertificate, Change, desired_state, plan
from broker.table import document
from broker.topology import Topology
from broker.watch.directory import read_repository
from schemas.directory import AgencyRecord, Directory, Pair

Result = TypeVar("Result")
ACCOUNTS: Final = ByCertificate()
_UNREADABLE: Final = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    RepositoryError,
    NothingPublished,
    NoDirectory,
    HubError,
)

DirectoryFile = Annotated[
    Path, typer.Argument(metavar="DIRECTORY", help="The folder of the verified directory, or a JSON file.")
]
ManagementUrl = Annotated[
    str,
    typer.Option("--management", envvar="MASH_HUB_MANAGEMENT", help="http://operator:password@127.0.0.1:15672"),
]
Vhost = Annotated[str, typer.Option(help="The vhost of the hub.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def diff(directory: DirectoryFile, management: ManagementUrl, vhost: Vhost = "mash", as_json: AsJson = False) -> None:
    """Show what apply would change, and change nothing. Ends with 1 if anything would."""
    changes = at_broker(management, vhost, lambda broker: _changes(broker, _topology(directory)))
    _print(changes, as_json=as_json)
    raise typer.Exit(1 if changes else 0)


def apply(
    directory: DirectoryFile,
    management: ManagementUrl,
    vhost: Vhost = "mash",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make the broker equal to the table, after showing what changes. Ends with 1 if something must be done by hand."""
    topology = _topology(directory)
    changes = at_broker(management, vhost, lambda broker: _changes(broker, topology))
    _print(changes, as_json=as_json)
    if not changes:
        return
    if not yes:
        typer.confirm("Make these changes?", abort=True)
    conflicts = at_broker(management, vhost, lambda broker: _make(broker, changes))
    for conflict in conflicts:
        typer.echo(f"{conflict.item} must be drained and removed by hand", err=True)
    raise typer.Exit(1 if conflicts else 0)


def follow(
    directory: DirectoryFile,
    management: ManagementUrl,
    vhost: Vhost = "mash",
    every: Annotated[float, typer.Option(min=0.1, max=60.0, help="Seconds between two looks.")] = LOOK_EVERY,
    once: Annotated[bool, typer.Option("--once", help="Look once, and end.")] = False,
) -> None:
    """Take away what the published directory grants no more, and cut off whoever lost it, until interrupted.

    Nothing is granted by this; what the directory newly grants waits for apply. `--management @FILE` reads the address
    from a file, so that a service need not have it in its environment.
    """
    logs.configure()
    try:
        follower = Follower(lambda: _followed(directory), _address(management), vhost, ACCOUNTS)
        asyncio.run(_look_once(follower) if once else follower.run(every=every))
    except HubError as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _address(given: str) -> str:
    try:
        return Path(given[1:]).read_text("utf-8").strip() if given.startswith("@") else given
    except (OSError, ValueError) as fault:
        raise Unreachable(f"({type(fault).__name__} at the file of the management address)") from None


async def _look_once(follower: Follower) -> None:
    look = await follower.look()
    _print(look.taken if look else (), as_json=False)


def _followed(path: Path) -> Directory:
    try:
        return _directory(path)
    except _UNREADABLE as fault:
        raise DirectoryAway(f"({type(fault).__name__})") from None


def doctor(directory: DirectoryFile, management: ManagementUrl, vhost: Vhost = "mash", as_json: AsJson = False) -> None:
    """Name everything that is not as it should be. Ends with 1 if anything is not."""
    topology = _topology(directory)
    seen: Observation = at_broker(management, vhost, observe)
    deviations = diagnose(topology, seen, accounts=ACCOUNTS)
    if as_json:
        rows = [{"code": each.code, "subject": each.subject, "sentence": each.sentence} for each in deviations]
        typer.echo(json.dumps({"deviations": rows}, indent=2))
    else:
        typer.echo("\n".join(str(each) for each in deviations) or "The broker is as it should be.")
    raise typer.Exit(1 if deviations else 0)


def table(
    directory: DirectoryFile,
    definitions: Annotated[bool, typer.Option("--definitions", help="As a RabbitMQ definitions file.")] = False,
) -> None:
    """Print the table as a document in Markdown, or as the definitions that a new node may load."""
    topology = _topology(directory)
    typer.echo(as_definitions(topology) if definitions else document(topology), nl=False)


def at_broker(url: str, vhost: str, work: Callable[[Management], Awaitable[Result]]) -> Result:
    """Do `work` with the broker's management interface; ends the program with 1 and the reason if it cannot be done."""

    async def run() -> Result:
        async with open_management(url, vhost=vhost) as broker:
            return await work(broker)

    try:
        return asyncio.run(run())
    except HubError as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(1) from None


def _topology(path: Path) -> Topology:
    try:
        return Topology.of(_directory(path))
    except _UNREADABLE as fault:
        typer.echo(f"{path} is no directory: {type(fault).__name__}", err=True)
        raise typer.Exit(1) from None


def _directory(path: Path) -> Directory:
    """Read the hub's own repository, the folder of a verified copy, or an exported file.

    Of a copy it is the last one that was verified; who is in quarantine there is in nobody's reach.
    """
    if not path.is_dir():
        return _written_out(path)
    return read_repository(path) if (path / "staging").is_dir() else DirectoryClient(path).current()


def _written_out(path: Path) -> Directory:
    plain = json.loads(path.read_bytes())
    return Directory.build(
        plain["version"],
        [AgencyRecord.model_validate_json(json.dumps(each)) for each in plain["records"].values()],
        [Pair.model_validate_json(json.dumps(each)) for each in plain["pairs"]],
        suspended=plain["suspended"],
        left=plain.get("left", {}),
    )


async def _changes(broker: Management, topology: Topology) -> tuple[Change, ...]:
    return plan(desired_state(topology, accounts=ACCOUNTS), await read_state(broker), drained=topology.drained)


async def _make(broker: Management, changes: Iterable[Change]) -> tuple[Change, ...]:
    await ensure_vhost(broker)
    return await apply_changes(broker, changes)


def _print(changes: Iterable[Change], *, as_json: bool) -> None:
    if as_json:
        rows: list[dict[str, Any]] = [
            {"action": each.action, "kind": each.item.kind, "name": list(each.item.name)} for each in changes
        ]
        typer.echo(json.dumps({"changes": rows}, indent=2))
        return
    signs = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-", Action.CONFLICT: "!", Action.DRAIN: "-"}
    notes = {Action.DRAIN: " (its messages to the dead letters first)"}
    lines = [f"{signs[each.action]} {each.item}{notes.get(each.action, '')}" for each in changes]
    typer.echo("\n".join(lines) or "Nothing to change.")
