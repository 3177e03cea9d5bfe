"""The directory of a sandbox: one unsigned file, for trying the product on one machine with nobody else on it.

It proves nothing about anybody's keys. Therefore it is read only where the hub is the embedded one, which cannot carry
a message off this machine; an adapter that is connected to a real hub and finds such a file does not start.
"""

import json
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from schemas.directory import AgencyRecord, Directory, Pair

FORMAT: Final = "mash.sandbox-directory.v1"


class NotASandbox(Exception):
    """The directory is an unsigned sandbox file and the hub a real one; name the signed directory in adapter.toml."""


class DirectoryUnreadable(Exception):
    """The directory cannot be read; fetch it again. Nothing is sent or received until then."""


def write_unsigned_directory(path: Path, directory: Directory) -> None:
    """Write a directory for a sandbox, in the shape that the hub's own commands read too."""
    plain: dict[str, Any] = {
        "format": FORMAT,
        "version": directory.version,
        "records": {name: record.model_dump(mode="json") for name, record in directory.records.items()},
        "pairs": [directory.pairs[ends].model_dump(mode="json") for ends in sorted(directory.pairs)],
        "suspended": sorted(directory.suspended),
    }
    path.write_text(json.dumps(plain), "utf-8")


def read_unsigned_directory(path: Path, *, hub: str) -> Directory:
    """Read a sandbox's directory. Raises `NotASandbox` for any hub but the embedded one, and `DirectoryUnreadable`."""
    if not hub.startswith("embedded:"):
        raise NotASandbox(str(path))
    try:
        plain = json.loads(path.read_text("utf-8"))
        records = [AgencyRecord.model_validate_json(json.dumps(record)) for record in plain["records"].values()]
        pairs = [Pair.model_validate_json(json.dumps(pair)) for pair in plain["pairs"]]
        return Directory.build(plain["version"], records, pairs, suspended=plain["suspended"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ValidationError):
        raise DirectoryUnreadable(str(path)) from None
