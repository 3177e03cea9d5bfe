"""A reader's copy of the directory: pinned root, verified refresh, and what is remembered between refreshes.

`refresh` lets python-tuf fetch and verify, lets `directory.admit` decide, writes down what was decided, and only then
gives it out. Whatever fails leaves the last good directory in use and raises an alarm; nothing unsigned is ever used.
`current` reads the last good one without any network.
"""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError
from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    ExpiredMetadataError,
    RepositoryError,
)

from broker.directory.fetch import fetcher_for
from broker.directory.proof import Archive
from broker.directory.repository import history_in
from broker.directory.rules import (
    Admission,
    Alarm,
    Freshness,
    Known,
    NotMine,
    Published,
    Raised,
    admit,
    directory_of,
    freshness,
    may_send,
    record_of,
)
from broker.directory.shelf import MEMBERS, target_path
from broker.directory.tuf import Metadata, Snapshot, Timestamp, Updater, UpdaterConfig
from schemas.directory import AgencyRecord, Directory
from schemas.members import Member, Members
from schemas.routing import Lane

LIMITS: Final = UpdaterConfig(
    max_delegations=1024,
    root_max_length=65_536,
    timestamp_max_length=8_192,
    snapshot_max_length=262_144,
    targets_max_length=4_194_304,
)


class NotPinned(Exception):
    """No root is pinned: get root.json from the registrar, compare its fingerprint, and run `mash directory pin`."""


class NoDirectory(Exception):
    """No directory has been accepted yet: run `mash directory refresh`."""


class DirectoryDamaged(Exception):
    """The kept directory is damaged: bytes on the disk are not what was written (runbook: directory-damaged)."""


class _State(BaseModel):
    """What is kept on disk between refreshes; a flipped bit in it could be a partner's key."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    known: Known = Known()
    members: Members = Members(members=(), pairs=())
    published: dict[str, AgencyRecord] = {}
    stopped: bool = False
    checksum: str = ""

    def whole(self) -> bytes:
        """Write it down with its checksum."""
        return self.model_copy(update={"checksum": self._sum()}).model_dump_json().encode()

    def is_whole(self) -> bool:
        """Say whether this is what was written."""
        return self.checksum == self._sum()

    def _sum(self) -> str:
        return sha256(self.model_dump_json(exclude={"checksum"}).encode()).hexdigest()


@dataclass(frozen=True)
class Refreshed:
    """The directory to use from now on (None before the first), how fresh it is, and what to tell people."""

    directory: Directory | None
    freshness: Freshness
    alarms: tuple[Raised, ...]


class DirectoryClient:
    """One reader's copy, in one folder; `context` is the TLS context for https sources."""

    def __init__(self, folder: Path, *, context: ssl.SSLContext | None = None) -> None:
        self._folder, self._context = folder, context
        self._metadata, self._targets, self._file = folder / "metadata", folder / "targets", folder / "known.json"

    def pin(self, root: bytes) -> None:
        """Trust this root from now on and forget what another one led to."""
        Metadata.from_bytes(root)
        self._metadata.mkdir(parents=True, exist_ok=True)
        self._targets.mkdir(parents=True, exist_ok=True)
        for stale in (*self._metadata.glob("*.json"), *self._metadata.glob("root_history/*.json"), self._file):
            stale.unlink(missing_ok=True)
        (self._metadata / "root.json").write_bytes(root)

    def refresh(self, source: str, *, now: datetime) -> Refreshed:
        """Fetch, verify, decide, remember. Raises `NotPinned`, `DirectoryDamaged`; every other failure is an alarm."""
        if not (self._metadata / "root.json").exists():
            raise NotPinned
        self._state()
        with _failures() as alarms:
            published = self._fetch(source, now=now)
            alarms += self._take(published, now=now)
        return Refreshed(self._current(), self.freshness(now), tuple(alarms))

    def _take(self, published: Published, *, now: datetime) -> tuple[Raised, ...]:
        state = self._state()
        admission = admit(published, known=state.known, now=now)
        self._remember(state, published, admission)
        return admission.alarms

    def _remember(self, state: _State, published: Published, admission: Admission) -> None:
        if admission.directory is None:
            stopped = any(raised.alarm is Alarm.EQUIVOCATION for raised in admission.alarms)
            self._write(state.model_copy(update={"stopped": state.stopped or stopped}))
            return
        self._write(
            _State(
                known=admission.known,
                members=published.members,
                published=dict(published.records),
                stopped=state.stopped,
            )
        )
        Archive(self._folder / "archive").keep(self._folder)

    def _fetch(self, source: str, *, now: datetime) -> Published:
        fetcher, base = fetcher_for(source, context=self._context)
        updater = Updater(
            str(self._metadata),
            f"{base}/metadata/",
            str(self._targets),
            f"{base}/targets/",
            fetcher,
            LIMITS,
            bootstrap=None,
        )
        # TUF 5.1: the time is fixed once at the start. python-tuf takes the machine's; ours is an argument.
        updater._trusted_set.reference_time = now.astimezone(UTC)
        updater.refresh()
        members = Members.model_validate_json(_content(updater, MEMBERS))
        records = {member.participant: _record(updater, member) for member in members.members}
        snapshot = Metadata[Snapshot].from_bytes((self._metadata / "snapshot.json").read_bytes()).signed
        usable = {name: record for name, record in records.items() if record is not None}
        return Published(snapshot.version, members, usable, history_in(snapshot))

    def current(self) -> Directory:
        """Give the last good directory, without any network. Raises `NoDirectory`, `DirectoryDamaged`."""
        directory = self._current()
        if directory is None:
            raise NoDirectory
        return directory

    def _current(self) -> Directory | None:
        state = self._state()
        if not state.known.version:
            return None
        published = Published(state.known.version, state.members, state.published, ())
        kept = {name: state.known.records[name] for name in state.known.pending if name in state.known.records}
        used = directory_of(published).holding(state.known.pending, earlier=kept)
        return used.remembering(state.known.history)

    def mark(self) -> tuple[int, int]:
        """Give something that changes whenever what is kept on disk does."""
        try:
            kept = self._file.stat()
        except FileNotFoundError:
            return (0, 0)
        return (kept.st_mtime_ns, kept.st_ino)

    def freshness(self, now: datetime) -> Freshness:
        """Say how fresh the copy is; without a timestamp it is stale."""
        try:
            timestamp = Metadata[Timestamp].from_bytes((self._metadata / "timestamp.json").read_bytes()).signed
        except (OSError, RepositoryError):
            return Freshness.STALE
        return freshness(timestamp.expires, now)

    def may_send(self, lane: Lane, *, now: datetime) -> bool:
        """Say whether this reader may send: not after an equivocation, not with a stale directory (M5, M6)."""
        return not self._state().stopped and may_send(lane, self.freshness(now))

    def stop_sending(self) -> None:
        """Stop all sending: an envelope has shown another directory at our version (E06, EQUIVOCATION)."""
        self._write(self._state().model_copy(update={"stopped": True}))

    def resume_sending(self) -> None:
        """Go on after two people have cleared the equivocation with the registrar."""
        self._write(self._state().model_copy(update={"stopped": False}))

    def _state(self) -> _State:
        try:
            state = _State.model_validate_json(self._file.read_bytes())
        except FileNotFoundError:
            return _State()
        except ValidationError:
            raise DirectoryDamaged(str(self._file)) from None
        if not state.is_whole():
            raise DirectoryDamaged(str(self._file))
        return state

    def _write(self, state: _State) -> None:
        beside = self._file.with_name(self._file.name + ".new")
        with beside.open("wb") as file:
            file.write(state.whole())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._file)


@contextmanager
def _failures() -> Iterator[list[Raised]]:
    """Turn what python-tuf raises into an alarm, the most telling one first."""
    alarms: list[Raised] = []
    meanings: tuple[tuple[type[Exception], Alarm], ...] = (
        (ExpiredMetadataError, Alarm.FROZEN),
        (BadVersionNumberError, Alarm.ROLLBACK),
        (DownloadError, Alarm.UNREACHABLE),
        (RepositoryError, Alarm.FORGED),
        (NotMine, Alarm.FORGED),
        (ValueError, Alarm.FORGED),
    )
    try:
        yield alarms
    except tuple(kind for kind, _ in meanings) as failed:
        alarms.append(Raised(next(alarm for kind, alarm in meanings if isinstance(failed, kind))))


def _content(updater: Updater, path: str) -> bytes:
    target = updater.get_targetinfo(path)
    if target is None:
        raise RepositoryError("a file that the registrar does not name")
    return Path(updater.find_cached_target(target) or updater.download_target(target)).read_bytes()


def _record(updater: Updater, member: Member) -> AgencyRecord | None:
    """Give a member's record, or None where it does not verify: one agency's fault must not stop the others."""
    try:
        return record_of(_content(updater, target_path(member.participant)), member)
    except (RepositoryError, NotMine):
        return None
