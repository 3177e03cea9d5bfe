"""What a broker with the production configuration says about the certificates that it is shown."""

import asyncio
from datetime import UTC, datetime, timedelta

from broker.management import apply, ensure_vhost, open_management, read_state
from broker.provision import ByCertificate, desired_state, plan
from broker.topology import MONITOR, Topology
from broker.transport import connect
from broker.watch.probe import management_probe
from deploy.local.rabbitmq import VHOST
from schemas.routing import Lane
from tests.integration.operations.desk import LA, POLICE
from tests.support.partnership import Partnership

TABLE = Topology.build([LA, POLICE], [(LA, POLICE), (POLICE, LA)], monitor=True)
LIFE = timedelta(days=5)


async def provision(where: Partnership) -> None:
    async with open_management(where.server.management_url, vhost=VHOST) as management:
        await ensure_vhost(management)
        desired = desired_state(TABLE, accounts=ByCertificate())
        await apply(management, plan(desired, await read_state(management)))


async def shown_by(where: Partnership) -> dict[str, datetime]:
    """Connect as the watch does, and ask until the broker has listed the connections, which takes it some seconds."""
    context = where.context(MONITOR, life=LIFE)
    connection = await connect(where.url, participant=MONITOR, ssl_context=context)
    probe = management_probe(where.server.management_url, vhost=VHOST)
    try:
        await connection.consume(Lane.URGENT, _nothing)
        while not (found := (await probe()).certificates):  # noqa: ASYNC110 - the broker says nothing when it is ready
            await asyncio.sleep(0.5)
        return dict(found)
    finally:
        await connection.close()


async def _nothing(delivery: object) -> None:
    """Take and forget."""


async def test_the_watchs_own_certificate_is_read_from_the_broker_that_it_is_shown_to(tls_hub: Partnership) -> None:
    """The end that is counted down is the one in use, to the second."""
    await provision(tls_hub)
    before = datetime.now(UTC)
    found = await shown_by(tls_hub)
    assert set(found) == {MONITOR}
    assert before + LIFE - timedelta(seconds=1) <= found[MONITOR] <= datetime.now(UTC) + LIFE
