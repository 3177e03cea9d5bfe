"""An operator's desk, and a broker with the production configuration to work on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.enrolment import Standing, State
from broker.enrolment_register import Register
from deploy.local.process import LocalServerError
from schemas.directory import Directory
from tests.conftest import cannot_be_had
from tests.integration.operations.desk import LA, NOW, POLICE, Office
from tests.support.parties import Party, make_directory, make_party
from tests.support.partnership import Partnership, partnership


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Two active agencies, staged and not yet published."""
    made = Office(tmp_path)
    for name in (LA, POLICE):
        listed = made.enrol(name, signed=False)
        assert listed.exit_code == 1, listed.output
    book = Register(tmp_path / "register")
    book.keep(Standing(participant=LA, state=State.ACTIVE, since=NOW.date()), book.dossier(LA))
    return made


@pytest.fixture(scope="session")
def parties() -> tuple[Party, Party]:
    """The council and the police."""
    return make_party(LA, kind="la"), make_party(POLICE, kind="police")


@pytest.fixture(scope="session")
def directory(parties: tuple[Party, Party]) -> Directory:
    """Both may write to each other."""
    return make_directory(*parties)


@pytest.fixture
def tls_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partnership]:
    """The production profile."""
    try:
        with partnership(tmp_path_factory.mktemp("partnership")) as where:
            yield where
    except LocalServerError as fault:
        cannot_be_had(str(fault))
