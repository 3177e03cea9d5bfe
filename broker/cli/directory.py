"""`mash-hub directory`: make keys, stage, sign and publish the partners' directory.

    key FILE                    on each signer's machine: FILE stays there, FILE.pub goes to the hub
    init REPO --root-key ...    stage the first root, or its successor
    members REPO MEMBERS.toml   stage members and pairs, each member checked by two people
    hub-key REPO FILE.pub       stage the key with which the hub signs its daily manifests
    sign STAGED --key FILE      on each signer's machine, on the staged file that travels
    publish REPO --hub-key FILE verify everything as a client would, then publish

Nothing is published that does not carry its threshold of signatures; the hub's key signs snapshot and timestamp only.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from schemas.directory import SigningKey
    from schemas.members import Members

app = typer.Typer(help="Make, sign and publish the partners' directory.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="The repository's folder.")]
KeyFiles = Annotated[
    list[Path], typer.Option(exists=True, help="A public key file (.pub); give the option once a key.")
]


def _say(text: str) -> None:
    print(text)  # noqa: T201  # standard output is where a program answers


@contextmanager
def _refusing() -> Iterator[None]:
    """Say a plain "no" on standard error with exit code 1; anything else is a fault of ours."""
    from pydantic import ValidationError

    from broker.directory.keys import KeyReadableByOthers
    from broker.directory.repository import NotEnoughSignatures, NothingPublished

    try:
        yield
    except ValidationError as wrong:
        reasons = [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in wrong.errors(include_input=False)]
    except (FileNotFoundError, FileExistsError) as world:
        reasons = [f"{world.strerror}: {world.filename}"]
    except (KeyReadableByOthers, NotEnoughSignatures, NothingPublished) as no:
        reasons = [f"{' '.join((type(no).__doc__ or '').split())} ({no})"]
    except ValueError as wrong_value:
        reasons = [str(wrong_value)]
    else:
        return
    for reason in reasons:
        print(f"mash-hub: {reason}", file=sys.stderr)  # noqa: T201  # standard error is where a program says no
    raise typer.Exit(1)


def _now() -> datetime:
    return datetime.now(UTC)


@app.command()
def key(
    file: Annotated[Path, typer.Argument(help="Where the private key goes; FILE.pub is written beside it.")],
) -> None:
    """Make a signing key on this machine."""
    from broker.directory.keys import make_key, public_path

    with _refusing():
        made = make_key(file)
    _say(f"{made.keyid}\nkeep {file} here; hand over {public_path(file)}")


@app.command()
def init(
    repository: Folder,
    root_key: KeyFiles,
    registrar_key: KeyFiles,
    hub_key: Annotated[Path, typer.Option(exists=True, help="The hub's public key file.")],
    root_threshold: Annotated[int, typer.Option(min=1, help="So many root keys must sign.")] = 3,
    registrar_threshold: Annotated[int, typer.Option(min=1, help="So many registrar keys must sign.")] = 2,
) -> None:
    """Stage the first root, or the one that follows; a successor needs the signatures of both."""
    from broker.directory.keys import load_public
    from broker.directory.repository import Repository, Threshold

    with _refusing():
        staged = Repository(repository).stage_root(
            root=Threshold(tuple(load_public(path) for path in root_key), root_threshold),
            registrar=Threshold(tuple(load_public(path) for path in registrar_key), registrar_threshold),
            hub=load_public(hub_key),
            now=_now(),
        )
    _say(f"have {staged} signed with {root_threshold} root keys")


@app.command()
def members(
    repository: Folder,
    file: Annotated[Path, typer.Argument(exists=True, help="TOML with [[members]] and [[pairs]].")],
) -> None:
    """Stage members and pairs. Each member carries the fingerprint and the two who compared it out of band."""
    import tomllib

    from broker.directory.repository import Repository
    from broker.members_staged import members_of
    from schemas.members import Members

    with _refusing():
        entered = Members.from_plain(tomllib.loads(file.read_text("utf-8")))
        if not entered.hub_keys:  # they are entered by `hub-key`, and a list of members does not take them away
            entered = entered.model_copy(update={"hub_keys": members_of(repository).hub_keys})
        staged = Repository(repository).stage_members(entered, now=_now())
    _say(f"have {staged} signed by the registrar's threshold")


@app.command(name="hub-key")
def hub_key(
    repository: Folder,
    file: Annotated[Path, typer.Argument(exists=True, help="The public half (.pub) of the hub's manifest key.")],
    days: Annotated[int, typer.Option(min=1, max=1100, help="How long it is valid, from now.")] = 400,
) -> None:
    """Stage the members with one more key of the hub's; the ones before stay until their time is over."""
    from broker.directory.keys import load_public
    from broker.hub_word import entry_of
    from broker.members_staged import members_of

    with _refusing():
        now = _now()
        before = members_of(repository)
        entry = entry_of(load_public(file), begins=now, life=timedelta(days=days))
        staged = _staged(repository, before.model_copy(update={"hub_keys": _renewed(before.hub_keys, entry, now)}), now)
    _say(f"key {entry.kid}: have {staged} signed by the registrar's threshold")


def _renewed(keys: "tuple[SigningKey, ...]", entry: "SigningKey", now: datetime) -> "tuple[SigningKey, ...]":
    kept = (key for key in keys if key.kid != entry.kid and key.not_after > now.timestamp())
    return (*kept, entry)


def _staged(repository: Path, members: "Members", now: datetime) -> Path:
    from broker.directory.repository import Repository

    return Repository(repository).stage_members(members, now=now)


@app.command()
def sign(
    staged: Annotated[Path, typer.Argument(exists=True, help="A staged root.json or targets.json.")],
    key: Annotated[Path, typer.Option(help="The private key file.")],
) -> None:
    """Add one signature to a staged file, on the machine where the key is."""
    from broker.directory.keys import load_signer
    from broker.directory.repository import sign_staged

    with _refusing():
        count = sign_staged(staged, load_signer(key))
    _say(f"{staged} carries {count} signatures")


@app.command()
def publish(repository: Folder, hub_key: Annotated[Path, typer.Option(help="The hub's private key file.")]) -> None:
    """Publish what is staged and what agencies have handed in (incoming/); run it daily, for the timestamp."""
    from broker.directory.keys import load_signer
    from broker.directory.repository import Repository
    from broker.directory.rules import directory_of

    with _refusing():
        published = Repository(repository).publish(load_signer(hub_key), now=_now())
    missing = sorted({member.participant for member in published.members.members} - published.records.keys())
    _say(
        f"version {published.version} with {len(published.records)} agencies, hash {directory_of(published).hash.hex()}"
    )
    for name in missing:
        _say(f"no record of {name} verifies under its key")
