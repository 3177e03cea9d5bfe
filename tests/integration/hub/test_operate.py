"""`mash-hub diff`, `apply` and `doctor` on a live broker with the production configuration."""

import asyncio
import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiormq
import pytest
from typer.testing import CliRunner, Result

from broker.cli.main import build
from broker.definitions import definitions
from broker.management import open_management, read_state
from broker.provision import ByCertificate, desired_state, plan
from broker.topology import MONITOR
from broker.transport import connect
from deploy.local.rabbitmq import VHOST
from schemas import base64url
from schemas.routing import Lane, ingress_exchange, queue_name, routing_key
from tests.integration.hub.conftest import AGENCY, PARTNER, TABLE
from tests.support.hubs import FAST, until
from tests.support.parties import NOW, make_party
from tests.support.partnership import Partnership
from tests.support.registry import Registry
from tests.support.trio import Inbox


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The directory of `TABLE`, as exported."""
    pairs = {(each.source, each.destination) for each in TABLE.bindings}
    records = {
        name: {
            "participant": name,
            "kind": "la",
            "name": "A Testford agency",
            "identity": base64url.encode(bytes(32)),
            "signing": [],
            "roles": [],
        }
        for name in TABLE.participants
    }
    ends = [
        {"sender": sender, "recipient": recipient}
        for sender in TABLE.participants
        for recipient in TABLE.participants
        if sender != recipient and (ingress_exchange(sender), queue_name(recipient, Lane.URGENT)) in pairs
    ]
    path = tmp_path / "directory.json"
    suspended = sorted(TABLE.suspended)
    path.write_text(json.dumps({"version": 1, "records": records, "pairs": ends, "suspended": suspended}))
    return path


@pytest.fixture
def vhost(tls_hub: Partnership) -> Iterator[str]:
    """A name for a vhost that does not exist yet; removed at the end if the test made it."""
    name = f"test-{secrets.token_hex(6)}"
    yield name
    asyncio.run(remove(tls_hub, name))


async def remove(where: Partnership, vhost: str) -> None:
    async with open_management(where.server.management_url, vhost=vhost) as management:
        await management.delete(f"vhosts/{vhost}")


async def change(where: Partnership, method: str, path: str, body: dict[str, Any]) -> None:
    async with open_management(where.server.management_url, vhost=VHOST) as management:
        await (management.post if method == "POST" else management.put)(path, body)


def run(where: Partnership, vhost: str, *arguments: str) -> Result:
    env = {"MASH_HUB_MANAGEMENT": where.server.management_url}
    return CliRunner().invoke(build(arguments), [*arguments, "--vhost", vhost], env=env)


def deviations(result: Result) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in json.loads(result.stdout)["deviations"]:
        found.setdefault(row["code"], []).append(row["subject"])
    return found


def rewrite(directory: Path, *, suspended: list[str]) -> None:
    directory.write_text(json.dumps({**json.loads(directory.read_text()), "suspended": suspended}))


def when_named(where: Partnership, vhost: str, directory: Path, *, code: str, about: str) -> dict[str, list[str]]:
    """Ask the doctor until it says `code` of `about`: each queue reports what is in effect with a delay of seconds."""
    for _ in range(30):
        found = deviations(run(where, vhost, "doctor", str(directory), "--json"))
        if about in found.get(code, ()):
            return found
        time.sleep(1)
    raise AssertionError(f"the doctor never said {code} of {about}")


def test_an_operator_sees_the_changes_makes_them_and_finds_nothing_more_to_change(
    tls_hub: Partnership, vhost: str, directory: Path
) -> None:
    """Diff, apply, diff: the second time nothing, and nothing was changed by looking."""
    for _ in range(2):
        seen = run(tls_hub, vhost, "diff", str(directory))
        assert seen.exit_code == 1
        assert f"+ queue {queue_name(AGENCY, Lane.URGENT)}" in seen.stdout.splitlines()
    assert run(tls_hub, vhost, "apply", str(directory), "--yes").exit_code == 0
    again = run(tls_hub, vhost, "apply", str(directory), "--yes")
    assert (again.exit_code, again.stdout) == (0, "Nothing to change.\n")
    assert run(tls_hub, vhost, "diff", str(directory)).exit_code == 0


def test_an_operator_who_does_not_agree_changes_nothing(tls_hub: Partnership, vhost: str, directory: Path) -> None:
    """Apply asks first."""
    arguments = ("apply", str(directory), "--vhost", vhost)
    env = {"MASH_HUB_MANAGEMENT": tls_hub.server.management_url}
    assert CliRunner().invoke(build(arguments), arguments, env=env, input="n\n").exit_code == 1
    assert "+ queue" in run(tls_hub, vhost, "diff", str(directory)).stdout


def test_the_doctor_finds_what_was_changed_by_hand(tls_hub: Partnership, vhost: str, directory: Path) -> None:
    """A tap, a policy that wins over ours, and queues that nobody reads."""
    run(tls_hub, vhost, "apply", str(directory), "--yes")
    before = deviations(run(tls_hub, vhost, "doctor", str(directory), "--json"))
    assert set(before) == {"D30"}  # nobody consumes yet, and everything else is as in production
    tap = f"bindings/{vhost}/e/{ingress_exchange(AGENCY)}/q/{queue_name(AGENCY, Lane.ROUTINE)}"
    key = routing_key(PARTNER, Lane.ROUTINE)
    asyncio.run(change(tls_hub, "POST", tap, {"routing_key": key, "arguments": {}}))
    winner = {"pattern": r"^mash\.q\.", "priority": 99, "apply-to": "queues", "definition": {"message-ttl": 1000}}
    asyncio.run(change(tls_hub, "PUT", f"policies/{vhost}/winner", winner))
    after = when_named(tls_hub, vhost, directory, code="D20", about=f"queue {queue_name(PARTNER, Lane.URGENT)}")
    assert set(after) == {"D03", "D20", "D30"}
    assert f"binding {ingress_exchange(AGENCY)} → {queue_name(AGENCY, Lane.ROUTINE)} → {key}" in after["D03"]
    assert f"queue {queue_name(PARTNER, Lane.URGENT)}" in after["D20"]
    assert run(tls_hub, vhost, "apply", str(directory), "--yes").exit_code == 0
    assert run(tls_hub, vhost, "diff", str(directory)).exit_code == 0


def test_a_queue_that_is_not_in_the_table_is_named_and_left_alone(
    tls_hub: Partnership, vhost: str, directory: Path
) -> None:
    """It may hold messages; a person drains it."""
    run(tls_hub, vhost, "apply", str(directory), "--yes")
    stray = {"durable": True, "auto_delete": False, "arguments": {"x-queue-type": "quorum"}}
    asyncio.run(change(tls_hub, "PUT", f"queues/{vhost}/mash.q.left.routine", stray))
    for _ in range(2):
        result = run(tls_hub, vhost, "apply", str(directory), "--yes")
        assert result.exit_code == 1
        assert "mash.q.left.routine must be drained" in result.stderr


def test_a_file_that_is_no_directory_is_refused_without_quoting_it(
    tls_hub: Partnership, vhost: str, tmp_path: Path
) -> None:
    """One line, no traceback, and nothing of the file in it."""
    path = tmp_path / "directory.json"
    path.write_text('{"version": 1, "records": {"a": "canary"}, "pairs": [], "suspended": []}')
    result = run(tls_hub, vhost, "diff", str(path))
    assert result.exit_code == 1
    assert result.stderr.strip() == f"{path} is no directory: ValidationError"


async def test_a_participant_whose_access_ends_is_disconnected_at_once(
    tls_hub: Partnership, vhost: str, directory: Path
) -> None:
    """REC-06: RabbitMQ does not ask again about a running consumer, so suspending closes its connections."""
    url = tls_hub.url.replace(f"/{VHOST}", f"/{vhost}")
    assert (await asyncio.to_thread(run, tls_hub, vhost, "apply", str(directory), "--yes")).exit_code == 0
    context = tls_hub.context(PARTNER)
    police = await connect(url, participant=PARTNER, ssl_context=context, settings=FAST)
    await police.consume(Lane.ROUTINE, Inbox())
    await until(lambda: police.alive(Lane.ROUTINE))
    lurker = await aiormq.connect(f"{url}?auth=external", context=context)
    assert not lurker.is_closed
    rewrite(directory, suspended=[*TABLE.suspended, PARTNER])
    suspended = await asyncio.to_thread(run, tls_hub, vhost, "apply", str(directory), "--yes")
    assert suspended.exit_code == 0
    await until(lambda: lurker.is_closed)  # it only listened, and no canary would have told
    await until(lambda: not police.alive(Lane.ROUTINE))
    rewrite(directory, suspended=sorted(TABLE.suspended))
    reinstated = await asyncio.to_thread(run, tls_hub, vhost, "apply", str(directory), "--yes")
    assert reinstated.exit_code == 0
    await until(lambda: police.alive(Lane.ROUTINE))
    await police.close()


def test_the_table_is_made_from_the_directory_that_the_registrar_signed(tmp_path: Path) -> None:
    """The operator's verified copy is what is applied; a folder without one is refused."""
    police, council = make_party("testford-police", kind="police"), make_party("testford-la", kind="la")
    registry = Registry(tmp_path, now=NOW)
    registry.enrol(police, council, now=NOW)
    copy = registry.client("operator")
    folder = str(tmp_path / "operator")
    before = CliRunner().invoke(build(["table", folder]), ["table", folder])
    assert (before.exit_code, before.stderr.strip()) == (1, f"{folder} is no directory: NoDirectory")
    copy.refresh(registry.source, now=NOW)
    text = CliRunner().invoke(build(["table", folder]), ["table", folder]).stdout
    key = routing_key("testford-police", Lane.URGENT)
    assert f"| `{ingress_exchange('testford-la')}` | `{key}` | `{queue_name('testford-police', Lane.URGENT)}` |" in text


def test_the_document_of_the_table_names_every_queue_and_every_permission(directory: Path) -> None:
    """What a reviewer reads is generated from what is applied."""
    arguments = ("table", str(directory))
    text = CliRunner().invoke(build(arguments), arguments).stdout
    for queue in TABLE.queues:
        assert f"`{queue.name}`" in text
    for permission in TABLE.permissions:
        assert permission.read.replace("|", "\\|") in text
    assert f"| {MONITOR} |" in text


async def test_a_broker_that_loaded_the_definitions_file_has_nothing_to_change(
    tls_hub: Partnership, vhost: str
) -> None:
    """What `mash-hub table --definitions` writes is what `mash-hub apply` would make, policies and limits included."""
    written = json.loads(definitions(TABLE, vhost=vhost))
    await change(tls_hub, "POST", "definitions", written)
    async with open_management(tls_hub.server.management_url, vhost=vhost) as management:
        desired = desired_state(TABLE, accounts=ByCertificate())
        assert plan(desired, await read_state(management)) == ()
