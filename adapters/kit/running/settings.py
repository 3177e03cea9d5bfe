"""An adapter's own file, `adapter.toml`: who it is, where its records, keys, store and hub are, and who works with it.

Relative paths are relative to the file. An unknown setting is an error, because a misspelt one would be silent.
"""

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from adapters.kit.lawful.standing import Standing
from adapters.kit.running.retention import RetentionSchedule
from adapters.kit.users import User, Users, VettingClass
from schemas.agency import AGENCY_KINDS, ParticipantId
from schemas.content.base import Content


class Answers(Content):
    """Whom a requester rings about something that is only indicated."""

    contact: str
    telephone: str


class TlsFiles(Content):
    """The adapter's certificate for the hub: our authority, our certificate, our key (PEM files)."""

    authority: str
    certificate: str
    key: str


class TokenSettings(Content):
    """A PKCS#11 token that locks the key file: the library, the token's label, and the file with the PIN."""

    module: str
    label: str
    pin_file: str


class AdapterFile(Content):
    """The settings as they stand in the file."""

    participant: ParticipantId
    kind: Literal[AGENCY_KINDS]  # type: ignore[valid-type]  # the table of kinds is the one list
    hub: str
    directory: str
    directory_source: str | None = None
    keys: str = "keys"
    credentials: str | None = None
    passphrase_file: str | None = None
    token: TokenSettings | None = None
    records: str | None = None
    store: str = "store.db"
    register_file: str | None = None
    tls: TlsFiles | None = None
    answers: Answers
    retention: RetentionSchedule = RetentionSchedule()
    lawful: Standing = Standing()
    untrained_approvers: Literal["block", "warn"] = "block"
    vetting_for: dict[str, VettingClass] = {}
    users: dict[str, User] = {}


class AdapterSettings:
    """The settings of the adapter whose folder is `home`."""

    def __init__(self, home: Path, file: AdapterFile) -> None:
        self.home = home
        self.file = file
        self.users = Users(by_id=file.users, untrained_approvers=file.untrained_approvers, vetting_for=file.vetting_for)

    def path(self, relative: str) -> Path:
        """Give a path of the file as an absolute one."""
        return (self.home / relative).resolve()

    @property
    def store_url(self) -> str:
        """The store as an SQLAlchemy URL; a plain path means SQLite."""
        place = self.file.store
        return place if "://" in place else f"sqlite+aiosqlite:///{self.path(place)}"

    @property
    def hub_url(self) -> str:
        """The hub's URL; `embedded:PATH` is the hub of one machine, in one file."""
        scheme, _, place = self.file.hub.partition(":")
        return f"embedded:{self.path(place)}" if scheme == "embedded" else self.file.hub

    @property
    def records_location(self) -> str | None:
        """Where the agency's records are: a folder, a database URL or an http address."""
        place = self.file.records
        return place if place is None or "://" in place else str(self.path(place))


class SettingsUnreadable(Exception):
    """adapter.toml cannot be read; mend what the message names. The adapter does not start until then."""


def load_settings(home: Path) -> AdapterSettings:
    """Read `home`/adapter.toml. Raises `SettingsUnreadable`, which says what, where and what to do."""
    path = home / "adapter.toml"
    try:
        return AdapterSettings(home, AdapterFile.from_plain(tomllib.loads(path.read_text("utf-8"))))
    except FileNotFoundError:
        raise SettingsUnreadable(
            f"{path} is not there; name the adapter's folder with --home or the variable MASH_HOME"
        ) from None
    except ValidationError as fault:
        lines = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in fault.errors(include_input=False))
        raise SettingsUnreadable(f"{path}: {'; '.join(lines)}") from None
    except (OSError, ValueError) as fault:
        raise SettingsUnreadable(f"{path}: {fault.strerror if isinstance(fault, OSError) else fault}") from None
