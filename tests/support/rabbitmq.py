"""A real RabbitMQ for tests: one a worker, a vhost a test."""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit

from broker.management import Management, ensure_vhost, open_management
from deploy.local.rabbitmq import LocalRabbitMQ, rabbitmq


@contextmanager
def any_rabbitmq() -> Iterator[LocalRabbitMQ]:
    """Give the server that `python -m deploy.local rabbitmq` left in the environment, or start a private one."""
    address, management = os.environ.get("MASH_TEST_RABBITMQ"), os.environ.get("MASH_TEST_RABBITMQ_MANAGEMENT")
    if not address or not management:
        with rabbitmq() as server:
            yield server
        return
    parts, port = urlsplit(address), urlsplit(management).port
    assert parts.port
    assert port
    yield LocalRabbitMQ(
        parts.port,
        port,
        tls=False,
        admin_password=parts.password or "",
        admin=parts.username or "",
        host=parts.hostname or "",
    )


@asynccontextmanager
async def fresh_vhost(server: LocalRabbitMQ) -> AsyncIterator[Management]:
    """Make a vhost of its own for a test, and remove it with everything in it."""
    async with open_management(server.management_url, vhost=f"test-{secrets.token_hex(6)}") as management:
        await ensure_vhost(management)
        try:
            yield management
        finally:
            await management.delete(f"vhosts/{management.vhost}")


def vhost_url(server: LocalRabbitMQ, vhost: str) -> str:
    """Give the administrator's address of `vhost`."""
    return f"amqp://{server.admin}:{server.admin_password}@{server.host}:{server.port}/{vhost}"
