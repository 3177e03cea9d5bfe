"""The files of a report on the disk: each whole or not at all, and what stays inside readable by its owner alone."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from broker.errors import HubError

INSIDE: Final = "internal"
_OWNER_ONLY: Final = 0o600
_OPEN: Final = 0o644


class CannotWrite(HubError):
    """The report cannot be written there; name another folder."""


def write_files(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    """Write every file under `folder` and give the paths. Raises `CannotWrite`."""
    try:
        return [str(_write(folder / name, content, private=name.startswith(INSIDE))) for name, content in files.items()]
    except OSError as fault:
        raise CannotWrite(f"({fault.strerror or type(fault).__name__})") from None


def _write(path: Path, content: bytes, *, private: bool) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if private:
        path.parent.chmod(0o700)
    mode = _OWNER_ONLY if private else _OPEN
    unfinished = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
    unfinished.replace(path)
    return path
