"""`mash directory`: pin the registrar's root, refresh, show, and hand in this agency's own record.

The folder is that of adapter.toml (`directory`). Exit code 1 when a refresh raised an alarm.
"""

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli import say
from adapters.cli.frame import HERE, Home

if TYPE_CHECKING:
    from broker.directory_client import DirectoryClient

app = typer.Typer(help="Pin, refresh and show the partners' directory.", no_args_is_help=True)
Source = Annotated[str, typer.Option("--from", help="An https address, or a folder with metadata/ and targets/.")]


def _refusing() -> AbstractContextManager[None]:
    from adapters.kit.keys import keyfile, protectors
    from adapters.kit.running.settings import SettingsUnreadable
    from broker.directory_client import NoDirectory, NotPinned

    return say.refusing(
        NoDirectory,
        NotPinned,
        SettingsUnreadable,
        keyfile.DamagedKeyFile,
        protectors.CannotUnlock,
        protectors.ReadableByOthers,
        protectors.TooWeak,
    )


def _client(home: Path) -> "DirectoryClient":
    from adapters.kit.running.settings import load_settings
    from broker.directory_client import DirectoryClient
    from broker.tls import client_context

    settings = load_settings(home)
    files = settings.file.tls
    paths = {name: settings.path(getattr(files, name)) for name in ("authority", "certificate", "key")} if files else {}
    return DirectoryClient(settings.path(settings.file.directory), context=client_context(**paths) if paths else None)


def _now() -> datetime:
    return datetime.now(UTC)


@app.command()
def pin(
    root: Annotated[Path, typer.Argument(exists=True, help="The registrar's root.json.")],
    fingerprint: Annotated[str, typer.Option(help="Its fingerprint, as the registrar read it out: 40 digits.")],
    home: Home = HERE,
) -> None:
    """Trust this root, if its fingerprint is the one that was read out."""
    from hashlib import sha256

    from schemas import base64url
    from schemas import fingerprint as fingerprints

    content = root.read_bytes()
    found = fingerprints.fingerprint(base64url.encode(sha256(content).digest()))
    if fingerprint.split() != found.split():
        raise say.refuse("this is not the root whose fingerprint was read out; trust nothing and ring the registrar")
    with _refusing():
        _client(home).pin(content)
    say.line(f"pinned {found}")


@app.command()
def refresh(source: Source, home: Home = HERE) -> None:
    """Fetch, verify and take over the current directory."""
    now = _now()
    with _refusing():
        done = _client(home).refresh(source, now=now)
    if done.directory is not None:
        say.line(f"version {done.directory.version}, {done.freshness}, hash {done.directory.hash.hex()}")
    for raised in done.alarms:
        say.line(f"ALARM {raised.alarm} {raised.about}".rstrip())
    if done.alarms or done.directory is None:
        raise typer.Exit(1)


@app.command()
def show(home: Home = HERE) -> None:
    """Show the directory in use: version, age, and every participant with its fingerprint."""
    from schemas.fingerprint import fingerprint

    with _refusing():
        client = _client(home)
        directory = client.current()
    say.line(f"version {directory.version}, {client.freshness(_now())}, hash {directory.hash.hex()}")
    for name, record in sorted(directory.records.items()):
        state = "active" if directory.is_active(name) else "suspended or held"
        say.line(f"{name:40} {record.kind:16} {state:18} {fingerprint(record.identity)}")


@app.command("publish-record")
def publish_record(
    to: Annotated[Path, typer.Option(help="Where to put the two files; the repository's incoming/, or a carrier.")],
    home: Home = HERE,
) -> None:
    """Sign this agency's record with its identity key and hand it in."""
    from adapters.cli.keys import open_keyring
    from adapters.kit.running.directory_client import sign_record

    now = _now()
    with _refusing():
        files = sign_record(open_keyring(home, now), folder=to, now=now)
    say.line("handed in: " + ", ".join(str(file) for file in files))


@app.command()
def resume(home: Home = HERE) -> None:
    """Send again after an equivocation alarm that two people have cleared with the registrar."""
    with _refusing():
        _client(home).resume_sending()
    say.line("sending may go on")
