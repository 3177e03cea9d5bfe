"""`mash-hub enrol`, `suspend`, `leave` and `reinstate`, from the dossier to the broker, on a live one."""

import asyncio
import json

from broker.enrolment import State
from broker.enrolment_register import Register
from broker.hub import Outcome
from broker.topology import Topology
from broker.transport import connect
from deploy.local.rabbitmq import LocalRabbitMQ
from schemas.routing import Lane
from tests.integration.operations.desk import HEALTH, LA, NOW, POLICE, Office
from tests.support.hubs import FAST, rabbit_hub, until
from tests.support.partnership import Partnership
from tests.support.registry import member_of
from tests.support.trio import Inbox


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
