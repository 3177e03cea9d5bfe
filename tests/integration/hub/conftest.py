"""A RabbitMQ as in production: mutual TLS 1.3, EXTERNAL only, and a table of four kinds of user."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from broker.management import apply, ensure_vhost, open_management, read_state
from broker.provision import ByCertificate, desired_state, plan
from broker.topology import Topology
from deploy.local.process import LocalServerError
from deploy.local.rabbitmq import VHOST
from tests.conftest import cannot_be_had
from tests.support.partnership import Partnership, partnership

AGENCY, PARTNER, LISTED, SUSPENDED = "testford-la", "testford-police", "testford-listed", "testford-suspended"
TABLE = Topology.build(
    [AGENCY, PARTNER, LISTED, SUSPENDED],
    [(AGENCY, PARTNER), (PARTNER, AGENCY), (AGENCY, SUSPENDED), (SUSPENDED, AGENCY)],
    monitor=True,
    suspended=[SUSPENDED],
)


async def provision(where: Partnership) -> None:
    """Make the broker equal to `TABLE`, with accounts that no password opens."""
    async with open_management(where.server.management_url, vhost=VHOST) as management:
        await ensure_vhost(management)
        desired = desired_state(TABLE, accounts=ByCertificate())
        assert await apply(management, plan(desired, await read_state(management))) == ()


@pytest.fixture(scope="session")
def tls_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partnership]:
    """The production profile, provisioned with `TABLE`."""
    with ExitStack() as stack:
        try:
            where = stack.enter_context(partnership(tmp_path_factory.mktemp("partnership")))
        except LocalServerError as fault:
            cannot_be_had(str(fault))
        asyncio.run(provision(where))
        yield where
