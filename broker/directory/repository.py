"""The directory as a TUF repository on disk: what is staged, who has signed, what is published.

    metadata/   what clients fetch: N.root.json, N.targets.json, N.agency-ID.json, N.snapshot.json, timestamp.json
    targets/    members.json and agency/ID.json, each under the hash of its content
    staging/    the next root and the next targets, waiting for signatures made elsewhere
    incoming/   what agencies have signed about themselves, waiting for publication

The hub holds the keys of snapshot and timestamp and no others: it can publish what is signed, and forge nothing.
`publish` verifies everything as a client would before a client sees it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from tuf.api.exceptions import RepositoryError

from broker.directory.keys import key_of_identity, keys_by_id
from broker.directory.rules import NotMine, Published, directory_of, record_of
from broker.directory.shelf import MEMBERS, Shelf, is_signed_by_its_agency, read_metadata, role_name, target_path
from broker.directory.tuf import (
    DelegatedRole,
    Delegations,
    Key,
    Metadata,
    MetaFile,
    Role,
    Root,
    Signer,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from schemas import base64url
from schemas.directory import AgencyRecord, Past
from schemas.members import Member, Members

ROOT_LIFE: Final = timedelta(days=365)
TARGETS_LIFE: Final = timedelta(days=180)
SNAPSHOT_LIFE: Final = timedelta(days=7)
SNAPSHOT_RENEWED: Final = timedelta(days=3)
TIMESTAMP_LIFE: Final = timedelta(hours=48)
HISTORY_LIFE: Final = timedelta(days=30)
_HISTORY: Final = TypeAdapter(tuple[Past, ...])


class NotEnoughSignatures(Exception):
    """A staged file lacks signatures of its role, or does not follow the published version: have it signed first."""


class NothingPublished(Exception):
    """The repository has no root or no members yet: run init, have root and targets signed, then publish."""


@dataclass(frozen=True)
class Threshold:
    """Keys of which so many have to sign."""

    keys: tuple[Key, ...]
    threshold: int

    def role(self) -> Role:
        """Give the TUF role. Raises `ValueError` when the threshold cannot be met or is empty."""
        ids = list(keys_by_id(self.keys))
        if not 1 <= self.threshold <= len(ids):
            raise ValueError("a threshold that cannot be met")
        return Role(ids, self.threshold)


def sign_staged(path: Path, signer: Signer) -> int:
    """Add one signature to a staged file, wherever the file is, and say how many it has."""
    metadata: Metadata[Any] = Metadata.from_bytes(path.read_bytes())
    metadata.sign(signer, append=True)
    metadata.to_file(str(path))
    return len(metadata.signatures)


def history_in(snapshot: Snapshot) -> tuple[Past, ...]:
    """Read the earlier versions that a snapshot commits to; none if there are none or they are broken."""
    try:
        return _HISTORY.validate_python(tuple(snapshot.unrecognized_fields.get("history", ())), strict=False)
    except ValidationError:
        return ()


class Repository:
    """The repository in one folder."""

    def __init__(self, folder: Path) -> None:
        self._shelf = Shelf(folder)
        self.staging, self.incoming = folder / "staging", folder / "incoming"
        for place in (self.staging, self.incoming):
            place.mkdir(parents=True, exist_ok=True)

    def stage_root(self, *, root: Threshold, registrar: Threshold, hub: Key, now: datetime) -> Path:
        """Stage the first root, or one that follows the published one. Raises `ValueError`."""
        online = Role([hub.keyid], 1)
        signed = Root(
            version=(self._shelf.latest_version("root") or 0) + 1,
            expires=now + ROOT_LIFE,
            keys=keys_by_id([*root.keys, *registrar.keys, hub]),
            roles={"root": root.role(), "targets": registrar.role(), "snapshot": online, "timestamp": online},
            consistent_snapshot=True,
        )
        path = self.staging / "root.json"
        Metadata(signed).to_file(str(path))
        return path

    def stage_members(self, members: Members, *, now: datetime) -> Path:
        """Stage the registrar's next version: members, pairs, and a delegated role an agency."""
        keys = {member.participant: key_of_identity(member.identity) for member in members.members}
        roles = {
            role_name(name): DelegatedRole(role_name(name), [key.keyid], 1, True, paths=[target_path(name)])
            for name, key in keys.items()
        }
        content = members.to_bytes()
        signed = Targets(
            version=(self._shelf.latest_version("targets") or 0) + 1,
            expires=now + TARGETS_LIFE,
            targets={MEMBERS: TargetFile.from_data(MEMBERS, content, ["sha256"])},
            delegations=Delegations(keys_by_id(list(keys.values())), roles),
        )
        (self.staging / MEMBERS).write_bytes(content)
        path = self.staging / "targets.json"
        Metadata(signed).to_file(str(path))
        return path

    def expiries(self) -> dict[str, datetime]:
        """Say when each published part expires, by its role's name."""
        shelf = self._shelf
        parts = {"root": shelf.root(), "targets": shelf.targets(), "snapshot": shelf.snapshot()}
        published: dict[str, Metadata[Any] | None] = {**parts, "timestamp": shelf.timestamp()}
        return {name: part.signed.expires for name, part in published.items() if part is not None}

    def publish(self, hub: Signer, *, now: datetime) -> Published:
        """Publish what is staged and what has come in, under a new snapshot and timestamp.

        Raises `NotEnoughSignatures` or `NothingPublished`; clients, who read the timestamp first, find the old one.
        """
        self._publish_root()
        self._publish_targets()
        targets = self._shelf.targets()
        if self._shelf.root() is None or targets is None:
            raise NothingPublished
        for member in self._shelf.members(targets.signed):
            self._publish_agency(member, targets.signed)
        self._publish_snapshot(hub, targets.signed, now=now)
        self._publish_timestamp(hub, now=now)
        return self.published()

    def published(self) -> Published:
        """Give what the latest snapshot names, as the hub itself reads it. Raises `NothingPublished`."""
        snapshot = self._shelf.snapshot()
        targets = self._named("targets", snapshot.signed) if snapshot else None
        if snapshot is None or targets is None:
            raise NothingPublished
        members = Members.model_validate_json(self._shelf.content(targets.signed, MEMBERS))
        found = {one.participant: self._record(one, targets.signed, snapshot.signed) for one in members.members}
        records = {name: record for name, record in found.items() if record is not None}
        return Published(snapshot.signed.version, members, records, history_in(snapshot.signed))

    def _named(self, name: str, snapshot: Snapshot) -> "Metadata[Targets] | None":
        named = snapshot.meta.get(f"{name}.json")
        return self._shelf.targets(name, version=named.version) if named else None

    def _record(self, member: Member, targets: Targets, snapshot: Snapshot) -> AgencyRecord | None:
        agency = self._named(role_name(member.participant), snapshot)
        if agency is None or not is_signed_by_its_agency(agency, targets, member.participant):
            return None
        try:
            return record_of(self._shelf.content(agency.signed, target_path(member.participant)), member)
        except NotMine:
            return None

    def _publish_root(self) -> None:
        staged, before = read_metadata(self.staging / "root.json"), self._shelf.root()
        if staged is None:
            return
        try:
            for judge in (staged, before or staged):
                judge.signed.verify_delegate("root", staged.signed_bytes, staged.signatures)
        except RepositoryError as unsigned:
            raise NotEnoughSignatures("root") from unsigned
        self._commit("root", staged)

    def _publish_targets(self) -> None:
        staged, root = read_metadata(self.staging / "targets.json"), self._shelf.root()
        if staged is None or root is None:
            return
        content = (self.staging / MEMBERS).read_bytes()
        try:
            root.signed.verify_delegate("targets", staged.signed_bytes, staged.signatures)
            staged.signed.targets[MEMBERS].verify_length_and_hashes(content)
        except RepositoryError as unsigned:
            raise NotEnoughSignatures("targets") from unsigned
        self._shelf.put_content(staged.signed.targets[MEMBERS], content)
        self._commit("targets", staged)

    def _commit(self, name: str, staged: "Metadata[Any]") -> None:
        if staged.signed.version != (self._shelf.latest_version(name) or 0) + 1:
            raise NotEnoughSignatures(f"{name} does not follow the published version")
        self._shelf.put(name, staged)
        (self.staging / f"{name}.json").unlink()

    def _publish_agency(self, member: Member, targets: Targets) -> None:
        """Take in what an agency has signed; what does not verify stays where it is and harms nobody else."""
        name = member.participant
        path = self.incoming / f"{role_name(name)}.json"
        staged = read_metadata(path)
        if staged is None or not is_signed_by_its_agency(staged, targets, name):
            return
        try:
            content = (self.incoming / f"{name}.json").read_bytes()
            target = staged.signed.targets[target_path(name)]
            target.verify_length_and_hashes(content)
            record_of(content, member)
        except (RepositoryError, NotMine, KeyError, OSError):
            return
        if staged.signed.version > (self._shelf.latest_version(role_name(name)) or 0):
            self._shelf.put_content(target, content)
            self._shelf.put(role_name(name), staged)
            path.unlink()

    def _publish_snapshot(self, hub: Signer, targets: Targets, *, now: datetime) -> None:
        delegated = targets.delegations.roles if targets.delegations else None
        before = self._shelf.snapshot()
        shown = [name.removesuffix(".json") for name in before.signed.meta] if before else []
        versions = {name: self._shelf.latest_version(name) for name in ("targets", *(delegated or ()), *shown)}
        meta = {f"{name}.json": MetaFile(version) for name, version in versions.items() if version is not None}
        lasts = before is not None and before.signed.expires - now > SNAPSHOT_RENEWED
        if before and lasts and before.signed.meta == meta and self._is_signed_by_hub(before):
            return
        fields = {"history": [past.model_dump() for past in self._history(now)]} if before else {}
        version = before.signed.version + 1 if before else 1
        signed = Metadata(Snapshot(version, expires=now + SNAPSHOT_LIFE, meta=meta, unrecognized_fields=fields))
        signed.sign(hub)
        self._shelf.put("snapshot", signed)

    def _is_signed_by_hub(self, snapshot: "Metadata[Snapshot]") -> bool:
        """Say whether the hub's present key has signed it: after the key was replaced, everything is signed anew."""
        root = self._shelf.root()
        try:
            if root is not None:
                root.signed.verify_delegate("snapshot", snapshot.signed_bytes, snapshot.signatures)
        except RepositoryError:
            return False
        return root is not None

    def _history(self, now: datetime) -> Iterable[Past]:
        """Give the earlier versions and their hashes: the hub commits to what it has shown (SPEC 7.3)."""
        shown = self.published()
        oldest = int((now - HISTORY_LIFE).timestamp())
        yield from (past for past in shown.history if past.superseded_at >= oldest)
        digest = base64url.encode(directory_of(shown).hash)
        yield Past(version=shown.version, digest=digest, superseded_at=int(now.timestamp()))

    def _publish_timestamp(self, hub: Signer, *, now: datetime) -> None:
        before, version = self._shelf.timestamp(), self._shelf.latest_version("snapshot")
        number = before.signed.version + 1 if before else 1
        signed = Metadata(Timestamp(number, expires=now + TIMESTAMP_LIFE, snapshot_meta=MetaFile(version or 1)))
        signed.sign(hub)
        self._shelf.put_timestamp(signed)
