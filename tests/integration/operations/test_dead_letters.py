"""`mash-hub dead` on a live broker: what was really dead-lettered is verified again, and sent on or quarantined."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from broker.cli.main import build
from broker.dead_letters import Letter, Quarantine, judge, look
from broker.topology import DEAD_QUEUE
from broker.verify import Refusal, VerifiedStub
from deploy.local.rabbitmq import LocalRabbitMQ
from schemas import base64url
from schemas.directory import Directory, Past, canonical_bytes
from schemas.envelope import Malformed, read_envelope
from schemas.routing import Lane
from tests.integration.operations.dead import LA, POLICE, QUEUE, die, fates, hub_of
from tests.support.envelopes import sealed_by
from tests.support.hubs import until_depth
from tests.support.parties import NOW, Party, make_directory, make_party
from tests.support.trio import Inbox


async def test_an_operator_sends_on_what_verifies_through_its_signers_own_exchange(
    rabbitmq: LocalRabbitMQ, parties: tuple[Party, Party], directory: Directory, tmp_path: Path
) -> None:
    """The recipient gets the same bytes, from the exchange of the one who signed them, and the queue is empty."""
    la, police = parties
    sealed, inbox = sealed_by(la, police, directory=directory), Inbox()
    async with hub_of(rabbitmq, directory) as hub:
        await die(hub, sealed.body)
        assert await fates(hub, tmp_path / "quarantine", directory) == ["sent on"]
        await (await hub.connect(POLICE)).consume(Lane.URGENT, inbox)
        await inbox.until(1)
        assert [(each.ingress_owner, each.body) for each in inbox.taken] == [(LA, sealed.body)]
        await until_depth(hub, DEAD_QUEUE, depth=0)


async def test_a_look_changes_nothing_and_shows_the_stub_alone(
    rabbitmq: LocalRabbitMQ, parties: tuple[Party, Party], directory: Directory
) -> None:
    """Looking twice shows the same; the letter stays."""
    la, police = parties
    sealed = sealed_by(la, police, directory=directory)
    async with hub_of(rabbitmq, directory) as hub:
        await die(hub, sealed.body)
        first = await look(hub.management, directory=directory, now=NOW, limit=10)
        again = await look(hub.management, directory=directory, now=NOW, limit=10)
        assert first == again
        assert isinstance(first[0].verdict, VerifiedStub)
        assert (first[0].verdict.stub.mid, first[0].size) == (sealed.mid, len(sealed.body))
        await until_depth(hub, DEAD_QUEUE, depth=1)


async def test_what_does_not_verify_is_quarantined_and_what_is_behind_it_is_sent_on(
    rabbitmq: LocalRabbitMQ, parties: tuple[Party, Party], directory: Directory, tmp_path: Path
) -> None:
    """The attacks: a signature of zeros, and plain junk; neither holds up the letter behind it."""
    la, police = parties
    good = sealed_by(la, police, directory=directory).body
    frame = read_envelope(good)
    assert not isinstance(frame, Malformed)
    forged = good.replace(frame.signature, bytes(64))
    async with hub_of(rabbitmq, directory) as hub:
        await die(hub, forged, b"junk", good)
        assert await fates(hub, tmp_path / "q", directory) == ["E09", "E01", "sent on"]
        kept = Quarantine(tmp_path / "q").held
        assert [name.partition(".")[0] for name in kept] == ["E01", "E09"]
        assert {(tmp_path / "q" / name).stat().st_mode & 0o077 for name in kept} == {0}


async def test_a_letter_with_a_carbon_copy_header_is_quarantined(
    rabbitmq: LocalRabbitMQ, parties: tuple[Party, Party], directory: Directory, tmp_path: Path
) -> None:
    """The header that asks the broker for a second recipient survives dead-lettering, and is refused there (E00)."""
    la, police = parties
    body = sealed_by(la, police, directory=directory).body
    async with hub_of(rabbitmq, directory) as hub:
        await die(hub, body, headers={"CC": ["testford-la.urgent"]})
        assert await fates(hub, tmp_path, directory) == ["E00"]


@pytest.mark.parametrize(
    ("suspended", "pairs", "days", "code"),
    [
        ([LA], [(LA, POLICE), (POLICE, LA)], 0, "E07"),
        ([], [(POLICE, LA)], 0, "E07"),
        ([], [(LA, POLICE), (POLICE, LA)], 15, "E10"),
    ],
    ids=["suspended", "no agreement", "expired"],
)
async def test_a_letter_that_may_no_longer_travel_is_quarantined(
    rabbitmq: LocalRabbitMQ,
    parties: tuple[Party, Party],
    directory: Directory,
    tmp_path: Path,
    suspended: list[str],
    pairs: list[tuple[str, str]],
    days: int,
    code: str,
) -> None:
    """Dying is no way round a suspension, an agreement's end, or an expiry: today's directory and clock decide."""
    la, police = parties
    sealed_under = Past(version=1, digest=base64url.encode(directory.hash), superseded_at=int(NOW.timestamp()))
    newer = Directory.build(2, directory.records.values(), pairs, suspended=suspended, history=[sealed_under])
    body = sealed_by(la, police, directory=directory).body
    async with hub_of(rabbitmq, directory) as hub:
        await die(hub, body)
        assert await fates(hub, tmp_path, newer, after=timedelta(days=days)) == [code]
        await until_depth(hub, DEAD_QUEUE, depth=0)
        await until_depth(hub, QUEUE, depth=0)


async def test_the_commands_show_a_stub_and_send_it_on(rabbitmq: LocalRabbitMQ, tmp_path: Path) -> None:
    """`mash-hub dead list`, then `replay`, as an operator would; nothing of the content is shown."""
    now = datetime.now(UTC)
    la, police = make_party(LA, kind="la", now=now), make_party(POLICE, kind="police", now=now)
    directory = make_directory(la, police)
    exported = tmp_path / "directory.json"
    exported.write_bytes(canonical_bytes(1, directory.records, directory.pairs, directory.suspended))
    sealed = sealed_by(la, police, directory=directory, now=now)

    def mash_hub(*words: str) -> Result:
        arguments = ["dead", *words, "--vhost", hub.management.vhost, "--json"]
        return CliRunner().invoke(build(arguments), arguments, env={"MASH_HUB_MANAGEMENT": rabbitmq.management_url})

    async with hub_of(rabbitmq, directory) as hub:
        await die(hub, sealed.body)
        listed = await asyncio.to_thread(mash_hub, "list", str(exported))
        assert listed.exit_code == 0, listed.output
        [row] = json.loads(listed.stdout)["dead"]
        assert (row["mid"], row["from"], row["to"], row["lane"]) == (sealed.mid, LA, POLICE, "urgent")
        place = str(tmp_path / "quarantine")
        replayed = await asyncio.to_thread(mash_hub, "replay", str(exported), "--quarantine", place)
        assert (replayed.exit_code, json.loads(replayed.stdout)["replayed"][0]["fate"]) == (0, "sent on")
        assert b"Ashgrove" not in (listed.output + replayed.output).encode()
        await until_depth(hub, QUEUE, depth=1)


def test_a_letter_from_another_than_its_signer_is_refused(parties: tuple[Party, Party], directory: Directory) -> None:
    """The exchange's name is gone, so only the signature ties a letter to its sender: another's name does not pass."""
    la, police = parties
    body = sealed_by(la, police, directory=directory).body
    renamed = body.replace(b'"from":"testford-la"', b'"from":"testford-lb"')
    assert renamed != body
    verdict = judge(Letter(renamed, False), directory=directory, now=NOW)
    assert isinstance(verdict, Refusal)
