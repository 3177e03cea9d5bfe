"""`mash-hub enrol`, `suspend`, `leave` and `reinstate`, from the dossier to the broker, on a live one."""

import asyncio
import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from broker.cli import build
from broker.directory_client import DirectoryClient
from broker.enrolment import Standing, State
from broker.enrolment_register import Register
from broker.hub import Outcome
from broker.topology import Topology
from broker.transport import connect
from deploy.local.process import LocalServerError
from deploy.local.rabbitmq import LocalRabbitMQ
from deploy.rabbitmq.certificates import Authority, make_request
from schemas.routing import Lane
from tests.conftest import cannot_be_had
from tests.support.hubs import FAST, rabbit_hub, until
from tests.support.parties import make_party
from tests.support.partnership import Partnership, partnership
from tests.support.registry import Registry, member_of
from tests.support.trio import Inbox
from tests.unit.enrolment.test_enrolment import COMPLETE

LA, POLICE, HEALTH = "testford-la", "testford-police", "testford-health"
NOW = datetime.now(UTC)


class Office:
    """An operator's desk: the registry's repository, the register, the certificates."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.registry = Registry(folder, now=NOW)
        self.parties = {name: make_party(name, kind=name.partition("-")[2], now=NOW) for name in (LA, POLICE, HEALTH)}
        self.authority = Authority.create(folder / "ca", now=NOW)

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> Result:
        """Run `mash-hub`."""
        return CliRunner().invoke(build(arguments), list(arguments), env={"MASH_HUB_MANAGEMENT": None, **(env or {})})

    def enrol(self, name: str, *partners: str, signed: bool = True) -> Result:
        """Enrol an agency, with or without its signature."""
        _, request = make_request(name, folder=self.folder / f"{name}-{secrets.token_hex(4)}")
        dossier = {key: value for key, value in COMPLETE.items() if signed or key != "signature"}
        return self.run(
            "enrol", name, *self.places,
            "--member", str(self._toml(f"{name}.member", member_of(self.parties[name]).model_dump(mode="json"))),
            "--dossier", str(self._toml(f"{name}.dossier", dossier)),
            "--authority", str(self.authority.folder), "--request", str(request),
            *(word for partner in partners for word in ("--partner", partner)),
        )  # fmt: skip

    def certificates(self) -> list[str]:
        """Whom a certificate was made for."""
        return sorted(path.stem for path in self.folder.glob("testford-*/*.pem"))

    def publish(self, *names: str) -> DirectoryClient:
        """Let the registrar sign, the agencies hand in their records, and the hub publish."""
        self.registry.sign("targets", "registrar-1", "registrar-2")
        self.registry.submit(*(self.parties[name] for name in names), now=NOW)
        self.registry.publish(NOW)
        client = self.registry.client(f"reader-{secrets.token_hex(4)}")
        client.refresh(self.registry.source, now=NOW)
        return client

    @property
    def places(self) -> tuple[str, ...]:
        return ("--register", str(self.folder / "register"), "--repository", self.registry.source)

    def _toml(self, name: str, plain: dict[str, object]) -> Path:
        path = self.folder / f"{name}.toml"
        rows = [f"{key} = {_toml_value(value)}" for key, value in plain.items() if value is not None]
        path.write_text("\n".join(rows))
        return path


def _toml_value(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml_value(each)}" for key, each in value.items()) + "}"
    if isinstance(value, str | list | tuple):
        return json.dumps(value)
    return str(value)


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


async def test_an_agency_that_is_listed_and_has_not_signed_reaches_nobody(
    office: Office, rabbitmq: LocalRabbitMQ
) -> None:
    """GOV-01, to the broker itself: it has an entry and queues, and no way to anybody, nor anybody to it."""
    assert office.enrol(POLICE, LA).exit_code == 0
    refused = office.enrol(HEALTH, LA, POLICE, signed=False)
    assert refused.exit_code == 1
    assert "GOV-01" in refused.stderr
    assert office.certificates() == [POLICE]
    directory = office.publish(LA, POLICE, HEALTH).current()
    assert directory.is_active(HEALTH)
    async with rabbit_hub(rabbitmq, Topology.of(directory)) as hub:
        outcomes = {
            (sender, recipient): await (await hub.connect(sender)).publish(
                b"one", recipient=recipient, lane=Lane.URGENT, attempt_id="one.1"
            )
            for sender, recipient in [(HEALTH, LA), (HEALTH, POLICE), (LA, HEALTH), (LA, POLICE)]
        }
    assert outcomes == {
        (HEALTH, LA): Outcome.RETURNED,
        (HEALTH, POLICE): Outcome.RETURNED,
        (LA, HEALTH): Outcome.RETURNED,
        (LA, POLICE): Outcome.CONFIRMED,
    }


def test_nothing_is_staged_while_somebody_has_a_pair_and_is_no_signatory(office: Office) -> None:
    """The attack: a partner who is listed only is named on another's admission; no certificate is made either."""
    refused = office.enrol(HEALTH, POLICE)
    assert refused.exit_code == 1
    assert f"GOV-01: {POLICE}" in refused.stderr
    assert office.certificates() == []
    staged = json.loads((office.registry.repository.staging / "members.json").read_bytes())
    assert staged["pairs"] == []


def test_an_entry_that_two_people_have_not_checked_lists_nobody(office: Office) -> None:
    """One person's word is not enough, and the refusal says nothing of the key."""
    plain = member_of(office.parties[HEALTH]).model_dump(mode="json") | {"checked_by": ["registrar-1", "registrar-1"]}
    refused = office.run("enrol", HEALTH, *office.places, "--member", str(office._toml("one", plain)))
    assert refused.exit_code == 1
    assert "two people" in refused.stderr


def test_the_register_is_readable_by_its_owner_alone_and_output_names_nobody(office: Office) -> None:
    """It holds the names of post holders."""
    done = office.enrol(POLICE, LA)
    assert done.exit_code == 0
    assert "Ashgrove" not in done.output
    files = list((office.folder / "register").iterdir())
    assert files
    assert {path.stat().st_mode & 0o077 for path in files} == {0}


def test_a_notice_is_given_once_and_nobody_leaves_before_it_has_run_out(office: Office) -> None:
    """GOV-10: the pairs stay for 28 days."""
    assert office.enrol(POLICE, LA).exit_code == 0
    assert office.run("leave", POLICE, *office.places).exit_code == 0
    early = office.run("leave", POLICE, *office.places)
    assert (early.exit_code, "GOV-10" in early.stderr) == (1, True)
    assert office.publish(LA, POLICE).current().permits(LA, POLICE)
    book = Register(office.folder / "register")
    book.keep(book.standing(POLICE).model_copy(update={"leaves_on": NOW.date()}), book.dossier(POLICE))
    assert office.run("leave", POLICE, *office.places).exit_code == 0
    left = office.publish(LA, POLICE).current()
    assert not left.permits(LA, POLICE)
    assert not left.is_active(POLICE)
    assert office.enrol(POLICE, LA).exit_code == 1


@pytest.fixture
def tls_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partnership]:
    """The production profile."""
    try:
        with partnership(tmp_path_factory.mktemp("partnership")) as where:
            yield where
    except LocalServerError as fault:
        cannot_be_had(str(fault))


async def test_a_suspended_agency_is_cut_off_at_once_and_comes_back_when_reinstated(
    office: Office, tls_hub: Partnership
) -> None:
    """Before anybody has signed anything its consumer is dead and its requests arrive nowhere; neighbours go on."""
    env = {"MASH_HUB_MANAGEMENT": tls_hub.server.management_url}
    assert office.enrol(POLICE, LA).exit_code == 0
    client = office.publish(LA, POLICE)
    folder = next(path for path in office.folder.glob("reader-*"))
    applied = await asyncio.to_thread(office.run, "apply", str(folder), "--yes", env=env)
    assert applied.exit_code == 0, applied.output
    police = await connect(tls_hub.url, participant=POLICE, ssl_context=tls_hub.context(POLICE), settings=FAST)
    council = await connect(tls_hub.url, participant=LA, ssl_context=tls_hub.context(LA), settings=FAST)
    for connection in (police, council):
        await connection.consume(Lane.URGENT, Inbox())
    await until(lambda: police.alive(Lane.URGENT) and council.alive(Lane.URGENT))
    assert await police.publish(b"one", recipient=LA, lane=Lane.URGENT, attempt_id="1.1") is Outcome.CONFIRMED
    done = await asyncio.to_thread(office.run, "suspend", POLICE, *office.places, "--directory", str(folder), env=env)
    assert done.exit_code == 0, done.output
    await until(lambda: not police.alive(Lane.URGENT))
    assert await police.publish(b"two", recipient=LA, lane=Lane.URGENT, attempt_id="2.1") is not Outcome.CONFIRMED
    answered = await council.publish(b"three", recipient=POLICE, lane=Lane.URGENT, attempt_id="3.1")
    assert answered is Outcome.RETURNED, "not even the monitor's tap makes it look delivered"
    await until(lambda: council.alive(Lane.URGENT))
    assert Register(office.folder / "register").standing(POLICE).state is State.SUSPENDED
    assert client.current().is_active(POLICE), "the signed directory has not changed yet"
    assert not office.publish(LA, POLICE).current().is_active(POLICE)
    back = await asyncio.to_thread(office.run, "reinstate", POLICE, *office.places)
    assert back.exit_code == 0, back.output
    assert office.publish(LA, POLICE).current().permits(POLICE, LA)
    again = await asyncio.to_thread(office.run, "apply", str(folder), "--yes", env=env)
    assert again.exit_code == 0, again.output
    await until(lambda: police.alive(Lane.URGENT))
    for connection in (police, council):
        await connection.close()
