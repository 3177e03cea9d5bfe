from pathlib import Path

import pytest

from tests.support.parties import NOW, Party, make_party
from tests.support.registry import Registry


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
