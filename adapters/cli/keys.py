"""`mash keys`: make, show, rotate, erase, back up and revoke an agency's keys. Nothing private is ever printed.

Whose keys and how they are locked stands in adapter.toml (`keys`, and `credentials` or `passphrase_file`).
After `rotate`, `revoke`, `renew-identity` and `add-role` the record must be published, or partners go on with the old.
"""

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli import say
from adapters.cli.frame import HERE, Home

if TYPE_CHECKING:
    from adapters.kit.keys.keyring import Keyring

app = typer.Typer(help="Make, rotate, erase and revoke this agency's keys.", no_args_is_help=True)
AFTERWARDS = "publish the record now: mash directory publish-record"


def _refusing() -> AbstractContextManager[None]:
    from adapters.kit.keys import keyfile, keyring, protectors
    from adapters.kit.running.settings import SettingsUnreadable

    return say.refusing(
        SettingsUnreadable,
        keyfile.DamagedKeyFile,
        keyring.AlreadyThere,
        keyring.NoSigningKey,
        keyring.NoSuchKey,
        keyring.NoSuchRole,
        protectors.CannotUnlock,
        protectors.ReadableByOthers,
        protectors.TooWeak,
    )


def open_keyring(home: Path, now: datetime) -> "Keyring":
    """Open the keyring that adapter.toml names. Raises what `Keyring.open` and `load_settings` raise."""
    from adapters.kit.keys.keyring import Keyring
    from adapters.kit.running.adapter import protector_of
    from adapters.kit.running.settings import load_settings

    settings = load_settings(home)
    return Keyring.open(settings.path(settings.file.keys), protector=protector_of(settings), now=now)


def _now() -> datetime:
    return datetime.now(UTC)


@app.command()
def init(
    home: Home = HERE, name: Annotated[str, typer.Option(help="The agency's name, as partners see it.")] = ""
) -> None:
    """Make the keyring: identity, signing key, and prekeys of the four roles."""
    from adapters.kit.keys.keyring import Keyring
    from adapters.kit.running.adapter import protector_of
    from adapters.kit.running.settings import load_settings

    with _refusing():
        settings = load_settings(home)
        ring = Keyring.create(
            settings.path(settings.file.keys),
            participant=settings.file.participant,
            protector=protector_of(settings),
            now=_now(),
            kind=settings.file.kind,
            name=name,
        )
    _say_fingerprint(ring)


def _say_fingerprint(ring: "Keyring") -> None:
    from schemas.fingerprint import fingerprint

    say.line(f"{ring.participant}: {fingerprint(ring.directory_record().identity)}")
    say.line("two people compare this fingerprint by telephone or in person before anybody trusts it")


@app.command()
def show(home: Home = HERE) -> None:
    """Say which keys there are, for how long, and whether they fit; exit code 1 if somebody has to act."""
    from adapters.kit.keys.keyhealth import expiries, self_test

    now = _now()
    with _refusing():
        ring = open_keyring(home, now)
    _say_fingerprint(ring)
    for key in ring.stored.keys:
        until = datetime.fromtimestamp(key.not_after, UTC)
        say.line(f"{key.use:9} {key.id} until {until:%Y-%m-%d %H:%M}")
    warnings = [expiry for expiry in expiries(ring, now) if expiry.is_warning]
    for expiry in warnings:
        say.line(f"WARNING {expiry.use} {expiry.role} lasts {expiry.days:.1f} days")
    faults = self_test(ring, now)
    for fault in faults:
        say.line(f"WARNING {fault} does not fit its published half")
    if warnings or faults:
        raise typer.Exit(1)


@app.command()
def rotate(home: Home = HERE) -> None:
    """Make every key that is due."""
    now = _now()
    with _refusing():
        made = open_keyring(home, now).rotate(now)
    say.line(f"{made} keys made; {AFTERWARDS}" if made else "no key is due")


@app.command("renew-identity")
def renew_identity(home: Home = HERE) -> None:
    """Make a new identity key. Partners hold it in quarantine for 72 hours."""
    now = _now()
    with _refusing():
        ring = open_keyring(home, now)
        ring.renew_identity(now)
    _say_fingerprint(ring)


@app.command("erase-expired")
def erase_expired(home: Home = HERE) -> None:
    """Erase private keys whose window has passed. Opening the keyring does so too."""
    from adapters.kit.keys import keyfile
    from adapters.kit.running.settings import load_settings

    now = _now()
    with _refusing():
        settings = load_settings(home)
        before = len(keyfile.load(settings.path(settings.file.keys)).keys)
        erased = before - len(open_keyring(home, now).stored.keys)
    say.line(f"{erased} keys erased")


@app.command()
def backup(path: Annotated[Path, typer.Argument(help="The file to write.")], home: Home = HERE) -> None:
    """Write a backup without prekeys, for the owner only; its keys are wrapped as in the keyring."""
    with _refusing():
        open_keyring(home, _now()).back_up(path)
    say.line(f"written to {path}; after restoring it run: mash keys rotate")


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The key's id, as `mash keys show` says it.")], home: Home = HERE
) -> None:
    """Declare a key untrustworthy from now on, and make its successor."""
    now = _now()
    with _refusing():
        open_keyring(home, now).revoke(key, now=now)
    say.line(f"revoked; {AFTERWARDS}")


@app.command("add-role")
def add_role(
    name: Annotated[str, typer.Argument(help="The role, in small letters.")],
    opens: Annotated[list[int], typer.Option(help="A section it opens: 1 team, 2 decision maker, 3 protected.")],
    home: Home = HERE,
) -> None:
    """Add an audience inside this agency."""
    now = _now()
    with _refusing():
        open_keyring(home, now).add_role(name, opens=opens, now=now)
    say.line(f"added; {AFTERWARDS}")
