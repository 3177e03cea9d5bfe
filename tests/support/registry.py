"""A registrar, its root and a hub for tests: a whole TUF repository with keys in separate files.

registry = Registry(tmp_path, now=NOW)
registry.enrol(police, council)
registry.publish(NOW)
client = registry.client("reader")
directory = client.refresh(registry.source, now=NOW).directory
"""

import shutil
from copy import copy
from datetime import datetime, timedelta
from pathlib import Path

from adapters.kit.running.directory_client import sign_record
from broker.directory.client import DirectoryClient
from broker.directory.keys import load_public, load_signer, make_key, public_path
from broker.directory.repository import Repository, Threshold, sign_staged
from broker.directory.rules import Alarm, Published
from schemas.directory import Pair
from schemas.fingerprint import fingerprint
from schemas.members import Member, Members
from tests.support.parties import NOW, Party

ROOT_KEYS = ("root-1", "root-2", "root-3")
REGISTRAR_KEYS = ("registrar-1", "registrar-2", "registrar-3")


def member_of(party: Party, **changes: object) -> Member:
    """The registrar's entry of a party, as two people would make it."""
    record = party.record
    plain = {"participant": party.name, "kind": record.kind, "name": record.name, "identity": record.identity}
    checked = {"fingerprint": fingerprint(record.identity), "checked_by": ("registrar-1", "registrar-2")}
    return Member.model_validate({**plain, **checked, **changes})


def members_of(*parties: Party) -> Members:
    """All parties, each of which may write to each."""
    names = [party.name for party in parties]
    pairs = tuple(Pair(sender=one, recipient=other) for one in names for other in names if one != other)
    return Members(members=tuple(member_of(party) for party in parties), pairs=pairs)


def alarms(client: DirectoryClient, source: str, *, after: timedelta = timedelta(0)) -> list[Alarm]:
    """The alarms that a refresh raises, so long after the beginning."""
    return [raised.alarm for raised in client.refresh(source, now=NOW + after).alarms]


class Registry:
    """A repository whose keys lie in separate files, as if on separate machines."""

    def __init__(self, folder: Path, *, now: datetime) -> None:
        self._keys, self.folder = folder / "keys", folder / "repository"
        self._keys.mkdir()
        for name in (*ROOT_KEYS, *REGISTRAR_KEYS, "hub"):
            make_key(self._keys / name)
        self.repository = Repository(self.folder)
        self.stage_root(now)
        self.sign("root", *ROOT_KEYS[:2])

    @property
    def source(self) -> str:
        return str(self.folder)

    def private(self, name: str) -> Path:
        return self._keys / name

    def stage_root(self, now: datetime) -> None:
        root = Threshold(tuple(load_public(public_path(self._keys / name)) for name in ROOT_KEYS), 2)
        registrar = Threshold(tuple(load_public(public_path(self._keys / name)) for name in REGISTRAR_KEYS), 2)
        self.repository.stage_root(
            root=root, registrar=registrar, hub=load_public(public_path(self._keys / "hub")), now=now
        )

    def sign(self, staged: str, *names: str) -> None:
        for name in names:
            sign_staged(self.repository.staging / f"{staged}.json", load_signer(self._keys / name))

    def stage(self, members: Members, *, now: datetime, signers: tuple[str, ...] = REGISTRAR_KEYS[:2]) -> None:
        self.repository.stage_members(members, now=now)
        self.sign("targets", *signers)

    def submit(self, *parties: Party, now: datetime) -> None:
        for party in parties:
            sign_record(party.keyring, folder=self.repository.incoming, now=now)

    def enrol(self, *parties: Party, now: datetime) -> Published:
        """Members, records, publication: everything at once."""
        self.stage(members_of(*parties), now=now)
        self.submit(*parties, now=now)
        return self.publish(now)

    def publish(self, now: datetime) -> Published:
        return self.repository.publish(load_signer(self._keys / "hub"), now=now)

    def client(self, name: str) -> DirectoryClient:
        client = DirectoryClient(self.folder.parent / name)
        client.pin((self.folder / "metadata" / "1.root.json").read_bytes())
        return client

    def elsewhere(self, folder: Path) -> "Registry":
        """The same keys over another copy of the repository."""
        other = copy(self)
        other.folder, other.repository = folder, Repository(folder)
        return other

    def copy(self, name: str) -> str:
        """Keep the repository as it is now, for a hub that lies."""
        target = self.folder.parent / name
        shutil.copytree(self.folder, target)
        return str(target)
