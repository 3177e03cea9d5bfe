"""`mash directory`: pin the registrar's root, refresh, show, and hand in this agency's own record.

The folder is that of adapter.toml (`directory`). Exit code 1 when a refresh raised an alarm.
"""

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapters.cli import say
from adapters.cli.frame import HERE, AsJson, Home

if TYPE_CHECKING:
    from broker.directory.client import DirectoryClient
    from broker.directory.rules import Raised
    from schemas.directory import Directory

app = typer.Typer(help="Pin, refresh and show the partners' directory.", no_args_is_help=True)
Source = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="An https address, or a folder with metadata/ and targets/; else adapter.toml's directory_source.",
    ),
]


def _refusing() -> AbstractContextManager[None]:
    from adapters.kit.keys import keyfile, protectors
    from adapters.kit.running.settings import SettingsUnreadable
    from broker.directory.client import DirectoryDamaged, NoDirectory, NotPinned

    return say.refusing(
        DirectoryDamaged,
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
    from broker.directory.client import DirectoryClient
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
    as_json: AsJson = False,
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
    say.answer("mash.directory-pin.v1", {"fingerprint": found}, lines=[f"pinned {found}"], as_json=as_json)


@app.command()
def refresh(source: Source = None, home: Home = HERE, as_json: AsJson = False) -> None:
    """Fetch, verify and take over the current directory."""
    now = _now()
    with _refusing():
        done = _client(home).refresh(source or _own_source(home), now=now)
    lines = [_version_line(done.directory, done.freshness)] if done.directory is not None else []
    lines += [f"ALARM {raised.alarm} {raised.about}".rstrip() for raised in done.alarms]
    say.answer("mash.directory.v1", _plain(done.directory, done.freshness, done.alarms), lines=lines, as_json=as_json)
    if done.alarms or done.directory is None:
        raise typer.Exit(1)


def _own_source(home: Path) -> str:
    from adapters.kit.running.settings import load_settings

    source = load_settings(home).file.directory_source
    if source is None:
        raise say.refuse("adapter.toml names no directory_source: say with --from where the directory is")
    return source


def _version_line(directory: "Directory", freshness: str) -> str:
    return f"version {directory.version}, {freshness}, hash {directory.hash.hex()}"


def _plain(directory: "Directory | None", freshness: str, alarms: "tuple[Raised, ...]" = ()) -> dict[str, Any]:
    from schemas.fingerprint import fingerprint

    records = sorted(directory.records.items()) if directory else ()
    return {
        "version": directory.version if directory else None,
        "hash": directory.hash.hex() if directory else None,
        "freshness": freshness,
        "participants": [
            {
                "participant": name,
                "kind": record.kind,
                "active": directory is not None and directory.is_active(name),
                "fingerprint": fingerprint(record.identity),
            }
            for name, record in records
        ],
        "alarms": [{"alarm": raised.alarm, "about": raised.about} for raised in alarms],
    }


@app.command()
def show(home: Home = HERE, as_json: AsJson = False) -> None:
    """Show the directory in use: version, age, and every participant with its fingerprint."""
    with _refusing():
        client = _client(home)
        directory = client.current()
    freshness = client.freshness(_now())
    plain = _plain(directory, freshness)
    lines = [_version_line(directory, freshness)]
    for one in plain["participants"]:
        state = "active" if one["active"] else "suspended or held"
        lines.append(f"{one['participant']:40} {one['kind']:16} {state:18} {one['fingerprint']}")
    say.answer("mash.directory.v1", plain, lines=lines, as_json=as_json)


@app.command("publish-record")
def publish_record(
    to: Annotated[Path, typer.Option(help="Where to put the two files; the repository's incoming/, or a carrier.")],
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Sign this agency's record with its identity key and hand it in."""
    from adapters.cli.keys import open_keyring
    from adapters.kit.running.directory_client import sign_record

    now = _now()
    with _refusing():
        files = sign_record(open_keyring(home, now), folder=to, now=now)
    names = [str(file) for file in files]
    lines = ["handed in: " + ", ".join(names)]
    say.answer("mash.directory-record.v1", {"files": names}, lines=lines, as_json=as_json)


@app.command()
def resume(home: Home = HERE, as_json: AsJson = False) -> None:
    """Send again after an equivocation alarm that two people have cleared with the registrar."""
    with _refusing():
        _client(home).resume_sending()
    say.answer("mash.directory-resumed.v1", {"sending": True}, lines=["sending may go on"], as_json=as_json)
