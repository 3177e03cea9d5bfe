"""Where the watch gets the partners' directory: an exported file, or the hub's own repository; the last good one stays.

What cannot be read leaves the directory in use and becomes an alert. A version that was replaced while the watch ran is
remembered, so that a stub sealed under it is still known (E06).
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError
from tuf.api.exceptions import RepositoryError

from broker.directory.repository import NothingPublished, Repository
from broker.directory.rules import directory_of
from broker.errors import HubError
from schemas import base64url
from schemas.directory import AgencyRecord, Directory, Pair, Past, SigningKey

_FAULTS = (OSError, ValueError, KeyError, TypeError, ValidationError, RepositoryError, NothingPublished)


class DirectoryUnreadable(HubError):
    """The partners' directory cannot be read; nothing can be verified without one, so the watch does not start."""


def read_exported(path: Path) -> Directory:
    """Read an exported directory (JSON); `history` is optional."""
    plain = json.loads(path.read_bytes())
    directory = Directory.build(
        plain["version"],
        [AgencyRecord.model_validate_json(json.dumps(each)) for each in plain["records"].values()],
        [Pair.model_validate_json(json.dumps(each)) for each in plain["pairs"]],
        suspended=plain["suspended"],
        hub_keys=[SigningKey.model_validate_json(json.dumps(each)) for each in plain.get("hub_keys", ())],
        left=plain.get("left", {}),
    )
    return directory.remembering(Past.model_validate_json(json.dumps(each)) for each in plain.get("history", ()))


def read_repository(folder: Path) -> Directory:
    """Read what the hub's repository has published, with the versions before it."""
    return directory_of(Repository(folder).published())


def read_expiries(folder: Path) -> Mapping[str, datetime]:
    """Read when each part of the hub's repository expires; an exported file says nothing about it."""
    return Repository(folder).expiries() if folder.is_dir() else {}


class DirectorySource:
    """The directory that the watch verifies by. `fault` names the kind of the last failure, or nothing.

    `metadata` says when each part of the hub's own repository expires; an exported directory has none.
    """

    def __init__(self, read: Callable[[], Directory], *, expiries: Callable[[], Mapping[str, datetime]] = dict) -> None:
        self._read, self._expiries = read, expiries
        self.fault = ""
        try:
            self.current, self.metadata = read(), expiries()
        except _FAULTS as fault:
            raise DirectoryUnreadable(f"({type(fault).__name__})") from None

    @classmethod
    def at(cls, path: Path) -> "DirectorySource":
        """Read from `path`: a file is an export, a folder a repository. Raises `DirectoryUnreadable`."""
        read = read_repository if path.is_dir() else read_exported
        return cls(lambda: read(path), expiries=lambda: read_expiries(path))

    async def refresh(self, now: datetime) -> bool:
        """Read again, and say whether the directory changed."""
        try:
            found, metadata = await asyncio.to_thread(lambda: (self._read(), self._expiries()))
        except _FAULTS as fault:
            self.fault = type(fault).__name__
            return False
        before = self.current
        if found.version < before.version or (found.version == before.version and found.hash != before.hash):
            self.fault = "rollback" if found.version < before.version else "equivocation"
            return False
        self.fault, self.metadata = "", metadata
        if found.hash == before.hash:
            return False
        self.current = _remembering(found, before, now)
        return True


def _remembering(found: Directory, before: Directory, now: datetime) -> Directory:
    past = {one.version: one for one in (*before.history, *found.history)}
    replaced = Past(version=before.version, digest=base64url.encode(before.hash), superseded_at=int(now.timestamp()))
    past.setdefault(before.version, replaced)
    return found.remembering(past[version] for version in sorted(past))
