"""Fixtures: a council, a housing service and a police force over the embedded hub, in this process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broker.embedded import EmbeddedHub
from deploy.demo.area import Area, make_homes, topology_of
from tests.integration.commands.office import START, THREE


@pytest.fixture
async def area(tmp_path: Path) -> AsyncIterator[Area]:
    """An area with nothing asked yet."""
    directory = make_homes(tmp_path, hub="embedded:hub.db", now=START, agencies=THREE)
    async with (
        EmbeddedHub(topology_of(directory)) as hub,
        Area.opened(tmp_path, directory, hub, start=START) as opened,
    ):
        yield opened
