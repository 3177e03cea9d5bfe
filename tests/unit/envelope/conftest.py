"""Three participants that know each other, made once: making keys is the slow part."""

import pytest

from schemas.directory import Directory
from tests.support.parties import Party, make_directory, make_party


@pytest.fixture(scope="session")
def council() -> Party:
    return make_party("testford-la", kind="la")


@pytest.fixture(scope="session")
def police() -> Party:
    return make_party("testford-police", kind="police")


@pytest.fixture(scope="session")
def school() -> Party:
    return make_party("testford-education", kind="education")


@pytest.fixture(scope="session")
def directory(council: Party, police: Party, school: Party) -> Directory:
    return make_directory(council, police, school)
