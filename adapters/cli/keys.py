"""`mash keys`: make, show, rotate, erase, back up and revoke an agency's keys. Nothing private is ever printed.

Whose keys and how they are locked stands in adapter.toml (`keys`, and `credentials` or `passphrase_file`).
After `rotate`, `revoke`, `renew-identity`, `add-role` and `duty-telephone` the record must be published, or partners go
on with the old one.
"""

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapters.cli import say
from adapters.cli.frame import HERE, AsJson, Home

if TYPE_CHECKING:
    from adapters.kit.keys.keyring import Keyring

app = typer.Typer(help="Make, rotate, erase and revoke this agency's keys.", no_args_is_help=True)
AFTERWARDS = "publish the record now: mash directory publish-record"


def _refusing() -> AbstractContextManager[None]:
    from adapters.kit.keys import keyerrors, keyfile, protectors
    from adapters.kit.running.settings import SettingsUnreadable

    return say.refusing(
        SettingsUnreadable,
        keyfile.DamagedKeyFile,
        keyerrors.AlreadyThere,
        keyerrors.NoSigningKey,
        keyerrors.NoSuchKey,
        keyerrors.NoSuchRole,
        keyerrors.NotToBePublished,
        keyerrors.NotToBeRevoked,
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
    home: Home = HERE,
    name: Annotated[str, typer.Option(help="The agency's name, as partners see it.")] = "",
    duty_telephone: Annotated[str | None, typer.Option(help="Whom the hub's operators ring, day and night.")] = None,
    as_json: AsJson = False,
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
            duty_telephone=duty_telephone,
        )
    _answer(ring, lines=_fingerprint_lines(ring), as_json=as_json)


def _answer(ring: "Keyring", *, lines: list[str], as_json: bool, faults: tuple[str, ...] = ()) -> None:
    say.answer("mash.keys.v1", _plain(ring, faults), lines=lines, as_json=as_json)


def _plain(ring: "Keyring", faults: tuple[str, ...]) -> dict[str, Any]:
    from adapters.kit.keys.keyhealth import expiries
    from schemas.fingerprint import fingerprint

    warnings = [expiry for expiry in expiries(ring, _now()) if expiry.is_warning]
    roles = {role.id: role.name for role in ring.stored.roles}
    return {
        "participant": ring.participant,
        "fingerprint": fingerprint(ring.directory_record().identity),
        "keys": [
            {"use": key.use, "id": key.id, "role": roles.get(key.role or "", ""), "until": _at(key.not_after)}
            for key in ring.stored.keys
        ],
        "warnings": [{"use": one.use, "role": one.role, "days": round(one.days, 1)} for one in warnings],
        "faults": faults,
        "published": None,
    }


def _at(moment: int) -> datetime:
    return datetime.fromtimestamp(moment, UTC)


def _fingerprint_lines(ring: "Keyring") -> list[str]:
    from schemas.fingerprint import fingerprint

    return [
        f"{ring.participant}: {fingerprint(ring.directory_record().identity)}",
        "two people compare this fingerprint by telephone or in person before anybody trusts it",
    ]


@app.command()
def show(
    home: Home = HERE,
    metrics: Annotated[
        Path | None, typer.Option(help="Write the figures to this file too, for Prometheus' textfile collector.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say which keys there are, for how long, and whether they fit; exit code 1 if somebody has to act."""
    from adapters.kit.keys.keyhealth import self_test, write_metrics

    now = _now()
    with _refusing():
        ring = open_keyring(home, now)
        if metrics is not None:
            write_metrics(ring, metrics, now=now)
    faults = tuple(str(fault) for fault in self_test(ring, now))
    plain = {**_plain(ring, faults), "published": _is_published(home, ring)}
    lines = _fingerprint_lines(ring)
    lines += [f"{key['use']:9} {key['id']} until {key['until']:%Y-%m-%d %H:%M} {key['role']}" for key in plain["keys"]]
    lines += [f"WARNING {one['use']} {one['role']} lasts {one['days']:.1f} days" for one in plain["warnings"]]
    lines += [f"WARNING {fault} does not fit its published half" for fault in faults]
    lines += (
        [f"partners see another record until the registrar has this one; {AFTERWARDS}"]
        if plain["published"] is False
        else []
    )
    say.answer("mash.keys.v1", plain, lines=lines, as_json=as_json)
    if plain["warnings"] or faults:
        raise typer.Exit(1)


def _is_published(home: Path, ring: "Keyring") -> bool | None:
    """Say whether partners see these keys, by this adapter's copy of the directory; None where it has none to use."""
    from adapters.kit.running.partners import partners_of
    from adapters.kit.running.sandbox_directory import NotASandbox
    from adapters.kit.running.settings import load_settings
    from broker.directory.client import DirectoryDamaged, NoDirectory

    try:
        seen = partners_of(load_settings(home)).current().participant(ring.participant)
    except (NoDirectory, DirectoryDamaged, NotASandbox, FileNotFoundError):
        return None
    return seen == ring.directory_record()


def _changed(made: int, erased: int, *, line: str, as_json: bool) -> None:
    """Say what was made and erased; whatever was made has to be published."""
    plain = {"made": made, "erased": erased, "publish_record": made > 0}
    say.answer("mash.keys-changed.v1", plain, lines=[f"{line}; {AFTERWARDS}" if made else line], as_json=as_json)


def _made(before: set[str], ring: "Keyring") -> int:
    return len({key.id for key in ring.stored.keys} - before)


@app.command()
def rotate(home: Home = HERE, as_json: AsJson = False) -> None:
    """Make every key that is due."""
    now = _now()
    with _refusing():
        made = open_keyring(home, now).rotate(now)
    _changed(made, 0, line=f"{made} keys made" if made else "no key is due", as_json=as_json)


@app.command("renew-identity")
def renew_identity(home: Home = HERE, as_json: AsJson = False) -> None:
    """Make a new identity key. Partners hold it in quarantine for 72 hours."""
    now = _now()
    with _refusing():
        ring = open_keyring(home, now)
        ring.renew_identity(now)
    _answer(ring, lines=_fingerprint_lines(ring), as_json=as_json)


@app.command("erase-expired")
def erase_expired(home: Home = HERE, as_json: AsJson = False) -> None:
    """Erase private keys whose window has passed. Opening the keyring does so too."""
    from adapters.kit.keys import keyfile
    from adapters.kit.running.settings import load_settings

    now = _now()
    with _refusing():
        settings = load_settings(home)
        before = len(keyfile.load(settings.path(settings.file.keys)).keys)
        erased = before - len(open_keyring(home, now).stored.keys)
    _changed(0, erased, line=f"{erased} keys erased", as_json=as_json)


@app.command()
def backup(
    path: Annotated[Path, typer.Argument(help="The file to write.")], home: Home = HERE, as_json: AsJson = False
) -> None:
    """Write a backup without prekeys, for the owner only; its keys are wrapped as in the keyring."""
    with _refusing():
        open_keyring(home, _now()).back_up(path)
    lines = [f"written to {path}; after restoring it run: mash keys rotate"]
    say.answer("mash.keys-backup.v1", {"file": str(path)}, lines=lines, as_json=as_json)


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The key's id, as `mash keys show` says it.")],
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Declare a key untrustworthy from now on, and make its successor."""
    now = _now()
    with _refusing():
        ring = open_keyring(home, now)
        before = {one.id for one in ring.stored.keys}
        ring.revoke(key, now=now)
    _changed(_made(before, ring), 0, line="revoked", as_json=as_json)


@app.command("duty-telephone")
def duty_telephone(
    number: Annotated[str, typer.Argument(help="Whom the hub's operators ring, day and night.")],
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Say whom the hub rings about this agency; it is published with the keys."""
    with _refusing():
        open_keyring(home, _now()).set_duty_telephone(number)
    plain = {"made": 0, "erased": 0, "publish_record": True}
    say.answer("mash.keys-changed.v1", plain, lines=[f"changed; {AFTERWARDS}"], as_json=as_json)


@app.command("add-role")
def add_role(
    name: Annotated[str, typer.Argument(help="The role, in small letters.")],
    opens: Annotated[list[int], typer.Option(help="A section it opens: 1 team, 2 decision maker, 3 protected.")],
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Add an audience inside this agency."""
    now = _now()
    with _refusing():
        ring = open_keyring(home, now)
        before = {one.id for one in ring.stored.keys}
        ring.add_role(name, opens=opens, now=now)
    _changed(_made(before, ring), 0, line="added", as_json=as_json)
