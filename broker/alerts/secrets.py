"""Secrets of the alerts: the signing key of acknowledgements, passwords and keys of mail, Notify and webhooks.

It guarantees: a secret is read from a file or from the environment and from nowhere else, has no printable form, and is
never empty. A file is looked for first: a folder given by hand, or the one systemd names in `CREDENTIALS_DIRECTORY`.
`mail.password` is the file of that name, or the variable `MASH_SECRET_MAIL_PASSWORD`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

from broker.errors import HubError

CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"
SHORTEST_KEY: Final = 16
"""Bytes of a signing secret, below which it could be guessed."""


class SecretMissing(HubError):
    """A secret that the duty file names is neither in the secrets' folder nor in the environment, or is empty."""


class SecretTooShort(HubError):
    """A signing secret has to have 16 bytes at least, else it can be guessed: make one with `openssl rand -hex 32`."""


class Secret:
    """Text that only `reveal()` shows."""

    __slots__ = ("_held",)

    def __init__(self, text: str) -> None:
        self._held = text

    def reveal(self) -> str:
        """Hand out the text; keep it in no variable that outlives the call."""
        return self._held

    def __repr__(self) -> str:
        return "<Secret>"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not to be pickled or copied")


@dataclass(frozen=True)
class Secrets:
    """Where secrets are read. `folder` goes before the environment."""

    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)

    def read(self, name: str) -> Secret:
        """Read a secret by its name, `[a-z0-9.-]`. Raises `SecretMissing`, which names it and where it was sought."""
        text = self._from_folder(name) or self.environment.get(variable_of(name), "")
        if not text.strip():
            raise SecretMissing(f"({name}: neither a file of that name nor {variable_of(name)})")
        return Secret(text.strip())

    def signing_keys(self, name: str) -> tuple[bytes, ...]:
        """Read signing keys, one a line: the first signs, all of them verify, so that a key can be changed."""
        keys = tuple(line.strip().encode() for line in self.read(name).reveal().splitlines() if line.strip())
        if min(map(len, keys)) < SHORTEST_KEY:
            raise SecretTooShort(f"({name})")
        return keys

    def _from_folder(self, name: str) -> str:
        named = self.environment.get(CREDENTIALS)
        folder = self.folder or (Path(named) if named else None)
        try:
            return (folder / name).read_text("utf-8") if folder else ""
        except FileNotFoundError:
            return ""
        except (OSError, ValueError) as fault:
            raise SecretMissing(f"({name}: {type(fault).__name__})") from None


def variable_of(name: str) -> str:
    """Give the environment variable of a secret."""
    return "MASH_SECRET_" + name.upper().replace(".", "_").replace("-", "_")
