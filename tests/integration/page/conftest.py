"""The page on a stage, at three in the morning."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.page.stage import Stage, staged
from tests.unit.page.scene import night_glance


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, glances=[night_glance()]) as opened:
        yield opened
