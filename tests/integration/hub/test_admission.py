"""Who gets a connection at all: a certificate of the authority, valid today, over TLS 1.3; and nobody else."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiormq
import pytest
from aiormq import spec
from aiormq.exceptions import AMQPError

from broker.errors import Misuse
from broker.hub import Outcome
from broker.topology import MONITOR
from broker.transport import connect
from deploy.rabbitmq.certificates import Authority, RequestRefused, make_request
from schemas.routing import Lane, ingress_exchange, routing_key
from tests.integration.hub.conftest import AGENCY, PARTNER
from tests.support.hubs import FAST
from tests.support.partnership import Partnership
from tests.support.trio import Inbox

REFUSED = (OSError, AMQPError)  # TLS alerts and resets arrive as either


async def admitted(url: str, context: ssl.SSLContext) -> str:
    """Connect with EXTERNAL and give the name by which the broker knows us: it accepts no other `user_id`."""
    connection = await aiormq.connect(url, context=context)
    try:
        channel = await connection.channel(publisher_confirms=True)
        properties = spec.Basic.Properties(user_id=AGENCY)
        await channel.basic_publish(
            b"probe", exchange=ingress_exchange(AGENCY), routing_key="nobody", properties=properties
        )
        return AGENCY
    finally:
        await connection.close()


async def knock(url: str, context: ssl.SSLContext) -> None:
    """Connect, and go again: to be refused is to be refused here, before anything is asked for."""
    await (await aiormq.connect(url, context=context)).close()


async def test_a_participant_is_its_certificate_whatever_name_the_address_claims(tls_hub: Partnership) -> None:
    """EXTERNAL ignores the user of the address."""
    address = tls_hub.url.replace("amqps://", f"amqps://{PARTNER}:secret@") + "?auth=external"
    assert await admitted(address, tls_hub.context(AGENCY)) == AGENCY


async def test_a_password_is_refused_even_over_a_good_certificate(tls_hub: Partnership) -> None:
    """With PLAIN on, B's password over A's certificate logs in as B: the broker does not offer it."""
    server = tls_hub.server
    address = tls_hub.url.replace("amqps://", f"amqps://{server.admin}:{server.admin_password}@")
    with pytest.raises(REFUSED):
        await knock(address + "?auth=plain", tls_hub.context(AGENCY))


async def test_a_certificate_of_another_authority_is_refused(tls_hub: Partnership, tmp_path: Path) -> None:
    """The right name by the wrong authority is nobody."""
    other = Authority.create(tmp_path / "other", now=datetime.now(UTC))
    with pytest.raises(REFUSED):
        await knock(tls_hub.url + "?auth=external", tls_hub.context(AGENCY, authority=other))


async def test_an_expired_certificate_is_refused(tls_hub: Partnership) -> None:
    """A certificate of last year names nobody today."""
    context = tls_hub.context(AGENCY, now=datetime.now(UTC) - timedelta(days=400))
    with pytest.raises(REFUSED):
        await knock(tls_hub.url + "?auth=external", context)


async def test_a_certificate_that_is_not_valid_yet_is_refused(tls_hub: Partnership) -> None:
    """Neither does one of next year."""
    context = tls_hub.context(AGENCY, now=datetime.now(UTC) + timedelta(days=2))
    with pytest.raises(REFUSED):
        await knock(tls_hub.url + "?auth=external", context)


async def test_a_certificate_for_a_name_without_an_account_is_refused(tls_hub: Partnership) -> None:
    """The authority's word is not enough: the operator made no such user."""
    with pytest.raises(REFUSED):
        await knock(tls_hub.url + "?auth=external", tls_hub.context("testford-unknown"))


async def test_a_client_without_a_certificate_is_refused(tls_hub: Partnership) -> None:
    """Mutual means both."""
    context = ssl.create_default_context(cafile=tls_hub.authority.certificate_path)
    with pytest.raises(REFUSED):
        await knock(tls_hub.url + "?auth=external", context)


async def test_tls_1_2_is_refused(tls_hub: Partnership) -> None:
    """TLS 1.3 and nothing older."""
    context = tls_hub.context(AGENCY)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(REFUSED):
        await knock(tls_hub.url + "?auth=external", context)


async def test_another_vhost_is_refused(tls_hub: Partnership) -> None:
    """The accounts are good for one vhost."""
    with pytest.raises(REFUSED):
        await knock(tls_hub.url.replace("/mash", "/%2F") + "?auth=external", tls_hub.context(AGENCY))


async def test_a_message_beyond_the_brokers_limit_closes_the_channel(tls_hub: Partnership) -> None:
    """A client that ignores our 2 MiB meets the broker's 4 MiB."""
    connection = await aiormq.connect(tls_hub.url + "?auth=external", context=tls_hub.context(AGENCY))
    channel = await connection.channel(publisher_confirms=True)
    with pytest.raises(AMQPError):
        await channel.basic_publish(
            bytes(5_000_000), exchange=ingress_exchange(AGENCY), routing_key=routing_key(PARTNER, Lane.ROUTINE)
        )
    await connection.close()


async def test_our_client_refuses_a_hub_of_another_authority(tls_hub: Partnership, tmp_path: Path) -> None:
    """The hub proves itself too: nothing is sent to a stranger in its place."""
    context = tls_hub.context(AGENCY)
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    stranger.load_verify_locations(Authority.create(tmp_path / "other", now=datetime.now(UTC)).certificate_path)
    assert context.check_hostname
    connection = await connect(tls_hub.url, participant=AGENCY, ssl_context=stranger, settings=FAST)
    outcome = await connection.publish(b"one", recipient=PARTNER, lane=Lane.ROUTINE, attempt_id="one.1")
    assert outcome is Outcome.UNKNOWN
    await connection.close()


async def test_our_client_refuses_a_tls_address_without_verification(tls_hub: Partnership) -> None:
    """The library's own EXTERNAL example turns verification off; ours cannot be made without it."""
    careless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
    for context in (None, careless):
        with pytest.raises(Misuse):
            await connect(tls_hub.url, participant=AGENCY, ssl_context=context)


async def test_a_request_travels_between_two_certificates(tls_hub: Partnership) -> None:
    """The production profile carries: publish, consume, acknowledge over mutual TLS 1.3."""
    inbox = Inbox()
    la = await connect(tls_hub.url, participant=AGENCY, ssl_context=tls_hub.context(AGENCY), settings=FAST)
    police = await connect(tls_hub.url, participant=PARTNER, ssl_context=tls_hub.context(PARTNER), settings=FAST)
    await police.consume(Lane.URGENT, inbox)
    outcome = await la.publish(b"one", recipient=PARTNER, lane=Lane.URGENT, attempt_id="one.1")
    assert outcome is Outcome.CONFIRMED
    await inbox.until(1)
    assert [(each.ingress_owner, each.body) for each in inbox.taken] == [(AGENCY, b"one")]
    await la.close()
    await police.close()


@pytest.mark.parametrize("name", ["hub.operator", "guest.", "Testford", "dead", "a", ".*"])
def test_no_certificate_is_made_for_a_name_that_is_no_participants(tmp_path: Path, name: str) -> None:
    """A certificate is a log-in: one in the operator's name would own the broker."""
    authority = Authority.create(tmp_path / "authority", now=datetime.now(UTC))
    _, request = make_request(name, folder=tmp_path / "somebody")
    with pytest.raises(RequestRefused):
        authority.approve(request.read_bytes(), participant=name, now=datetime.now(UTC))


def test_a_request_in_another_name_than_the_operator_meant_is_refused(tmp_path: Path) -> None:
    """The operator names whom it approves; the request cannot choose."""
    authority = Authority.create(tmp_path / "authority", now=datetime.now(UTC))
    _, request = make_request(MONITOR, folder=tmp_path / "somebody")
    with pytest.raises(RequestRefused):
        authority.approve(request.read_bytes(), participant=AGENCY, now=datetime.now(UTC))


def test_an_authority_never_replaces_a_key(tmp_path: Path) -> None:
    """Making it twice would cut everybody off; keys are their owner's alone."""
    authority = Authority.create(tmp_path, now=datetime.now(UTC))
    with pytest.raises(FileExistsError):
        Authority.create(tmp_path, now=datetime.now(UTC))
    assert (authority.folder / "authority.key").stat().st_mode & 0o077 == 0
