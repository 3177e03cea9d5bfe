"""What the doctor names on a live broker on which everything is wrong that can be: PLAIN, guest, an old certificate."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from broker.doctor import diagnose, observe
from broker.management import apply, ensure_vhost, open_management, read_state
from broker.provision import ByCertificate, desired_state, plan
from deploy.local.process import LocalServerError
from deploy.local.rabbitmq import VHOST, LocalRabbitMQ, TlsFiles, rabbitmq
from deploy.rabbitmq.certificates import CERTIFICATE_LIFE, Authority
from tests.conftest import cannot_be_had
from tests.integration.hub.conftest import TABLE


@pytest.fixture(scope="module")
def neglected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRabbitMQ]:
    """A broker whose certificate has expired and that lets passwords in."""
    authority = Authority.create(tmp_path_factory.mktemp("authority") / "ca", now=datetime.now(UTC))
    long_ago = datetime.now(UTC) - CERTIFICATE_LIFE - timedelta(days=1)
    certificate, key = authority.certify_hub(["127.0.0.1"], now=long_ago)
    tls = TlsFiles(authority.certificate_path, certificate, key)
    with ExitStack() as stack:
        try:
            server = stack.enter_context(rabbitmq(tls=tls, extra={"auth_mechanisms.2": "PLAIN"}))
        except LocalServerError as fault:
            cannot_be_had(str(fault))
        yield server


async def neglect(server: LocalRabbitMQ) -> None:
    """Provision it well, then make it as a broker is that nobody looked after."""
    async with open_management(server.management_url, vhost=VHOST) as management:
        await ensure_vhost(management)
        desired = desired_state(TABLE, accounts=ByCertificate())
        await apply(management, plan(desired, await read_state(management)))
        await management.put("users/guest", {"password": "guest", "tags": "administrator"})
        await management.put("users/another.operator", {"password": "x", "tags": "administrator"})
        await management.put("vhosts/%2F", {})


async def named(server: LocalRabbitMQ) -> set[tuple[str, str]]:
    async with open_management(server.management_url, vhost=VHOST) as management:
        found = diagnose(TABLE, await observe(management), accounts=ByCertificate())
    return {(each.code, each.subject) for each in found}


def test_the_doctor_names_plain_guest_a_second_operator_the_old_vhost_and_an_expired_certificate(
    neglected: LocalRabbitMQ,
) -> None:
    """Each by the word that an operator would search for."""
    asyncio.run(neglect(neglected))
    found = asyncio.run(named(neglected))
    assert {
        ("D10", "mechanism PLAIN"),
        ("D13", "user guest"),
        ("D14", "user another.operator"),
        ("D15", "vhost /"),
        ("D23", "the broker's certificate"),
    } <= found
    assert {code for code, _ in found} <= {"D03", "D10", "D13", "D14", "D15", "D23", "D30"}


def test_the_doctor_of_a_development_broker_says_that_amqp_without_tls_is_open(rabbitmq: LocalRabbitMQ) -> None:
    """SEC-01; and that nobody could log in with a certificate there."""
    found = asyncio.run(named(rabbitmq))
    assert {"D11", "D12"} <= {code for code, _ in found}
