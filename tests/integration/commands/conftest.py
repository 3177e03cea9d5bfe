"""Fixtures: an area of three adapters over the embedded hub, in this process; and a sandbox for the command line."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broker.embedded import EmbeddedHub
from deploy.demo.area import Area, make_homes, topology_of
from deploy.demo.sandbox import make_sandbox
from tests.integration.commands.office import START, THREE


@pytest.fixture
async def area(tmp_path: Path) -> AsyncIterator[Area]:
    """A council, a housing service and a police force, with nothing asked yet."""
    directory = make_homes(tmp_path, hub="embedded:hub.db", now=START, agencies=THREE)
    async with (
        EmbeddedHub(topology_of(directory)) as hub,
        Area.opened(tmp_path, directory, hub, start=START) as opened,
    ):
        yield opened


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nine adapters, as `python -m deploy.demo.sandbox` makes it. Tests that break it take a copy."""
    folder = tmp_path_factory.mktemp("sandbox")
    make_sandbox(folder)
    return folder
