"""The files of a published directory: metadata by version, targets by the hash of their content. No decisions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tuf.api.exceptions import RepositoryError
from tuf.api.serialization import DeserializationError

from broker.directory.tuf import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp
from schemas.members import Member, Members

MEMBERS: Final = "members.json"


def role_name(participant: str) -> str:
    """Name the delegated role of an agency."""
    return f"agency-{participant}"


def target_path(participant: str) -> str:
    """Name the file in which an agency's record is published."""
    return f"agency/{participant}.json"


def is_signed_by_its_agency(metadata: "Metadata[Targets]", targets: Targets, participant: str) -> bool:
    """Say whether an agency's own key, and no other, vouches for its record."""
    try:
        targets.verify_delegate(role_name(participant), metadata.signed_bytes, metadata.signatures)
    except (RepositoryError, ValueError):
        return False
    return True


class Shelf:
    """One folder with `metadata/` and `targets/`."""

    def __init__(self, folder: Path) -> None:
        self.metadata, self._targets = folder / "metadata", folder / "targets"
        for place in (self.metadata, self._targets / "agency"):
            place.mkdir(parents=True, exist_ok=True)

    def latest_version(self, name: str) -> int | None:
        """Give the highest published version of a role."""
        numbers = (file.name.partition(".")[0] for file in self.metadata.glob(f"*.{name}.json"))
        return max((int(number) for number in numbers if number.isdigit()), default=None)

    def root(self) -> "Metadata[Root] | None":
        """Give the latest root."""
        return self._latest("root")

    def targets(self, name: str = "targets", *, version: int | None = None) -> "Metadata[Targets] | None":
        """Give the registrar's metadata, or an agency's: the latest, or one version."""
        return self._latest(name) if version is None else read_metadata(self.metadata / f"{version}.{name}.json")

    def snapshot(self) -> "Metadata[Snapshot] | None":
        """Give the latest snapshot."""
        return self._latest("snapshot")

    def timestamp(self) -> "Metadata[Timestamp] | None":
        """Give the timestamp, of which there is one."""
        return read_metadata(self.metadata / "timestamp.json")

    def _latest(self, name: str) -> "Metadata[Any] | None":
        version = self.latest_version(name)
        return None if version is None else read_metadata(self.metadata / f"{version}.{name}.json")

    def put(self, name: str, metadata: "Metadata[Any]") -> None:
        """Write a version beside those before it."""
        _replace(self.metadata / f"{metadata.signed.version}.{name}.json", metadata.to_file)

    def put_timestamp(self, metadata: "Metadata[Timestamp]") -> None:
        """Replace the timestamp, by which clients see everything else."""
        _replace(self.metadata / "timestamp.json", metadata.to_file)

    def content(self, targets: Targets, path: str) -> bytes:
        """Give a target's content. Raises `KeyError`, `FileNotFoundError` or a `RepositoryError`."""
        target = targets.targets[path]
        content = self._file(target).read_bytes()
        target.verify_length_and_hashes(content)
        return content

    def put_content(self, target: TargetFile, content: bytes) -> None:
        """Write a target's content."""
        self._file(target).write_bytes(content)

    def _file(self, target: TargetFile) -> Path:
        folder, _, name = target.path.rpartition("/")
        return self._targets / folder / f"{target.hashes['sha256']}.{name}"

    def members(self, targets: Targets) -> tuple[Member, ...]:
        """Give the members that the registrar's metadata names."""
        return Members.model_validate_json(self.content(targets, MEMBERS)).members


def read_metadata(path: Path) -> "Metadata[Any] | None":
    """Read a metadata file, or give None if there is none or it is broken. Nothing in it is verified."""
    try:
        return Metadata.from_bytes(path.read_bytes())
    except (OSError, DeserializationError, RepositoryError):
        return None


def _replace(path: Path, write: Callable[[str], None]) -> None:
    beside = path.with_name(path.name + ".new")
    write(str(beside))
    beside.replace(path)
