from hashlib import sha256
from pathlib import Path

import pytest

from broker.directory.proof import Archive
from schemas.directory import Directory
from tests.support.parties import NOW, Party, make_party
from tests.support.registry import Registry
from tests.unit.directory.verifying import World


@pytest.fixture
def police() -> Party:
    return make_party("testford-police", kind="police")


@pytest.fixture
def council() -> Party:
    return make_party("testford-la", kind="la")


@pytest.fixture
def registry(tmp_path: Path, police: Party, council: Party) -> Registry:
    made = Registry(tmp_path, now=NOW)
    made.enrol(police, council, now=NOW)
    return made


@pytest.fixture
def archive(registry: Registry, tmp_path: Path) -> Archive:
    registry.client("reader").refresh(registry.source, now=NOW)
    return Archive(tmp_path / "reader" / "archive")


@pytest.fixture
def directory(registry: Registry) -> Directory:
    found = registry.client("reader").refresh(registry.source, now=NOW).directory
    assert found is not None
    return found


@pytest.fixture
def pinned(registry: Registry) -> bytes:
    return sha256((registry.folder / "metadata" / "1.root.json").read_bytes()).digest()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Made once, because keys are slow; whoever changes what was published makes a registry of their own."""
    folder = tmp_path_factory.mktemp("findings")
    council, police = make_party("testford-la", weeks=14), make_party("testford-police", kind="police")
    registry = Registry(folder, now=NOW)
    registry.enrol(police, council, now=NOW)
    directory = registry.client("reader").refresh(registry.source, now=NOW).directory
    assert directory is not None
    pinned = sha256((registry.folder / "metadata" / "1.root.json").read_bytes()).digest()
    return World(council, police, registry, directory, Archive(folder / "reader" / "archive"), pinned)
