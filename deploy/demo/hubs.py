"""The hub of the demonstration: in this process, or a RabbitMQ that is given an account for every participant."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from broker.embedded import EmbeddedHub
from broker.hub import Hub, HubConnection
from broker.management import provision_for_development
from broker.topology import Topology
from broker.transport import connect


class _Rabbit:
    """A provisioned RabbitMQ: each participant connects with an address of its own."""

    def __init__(self, address: Callable[[str], str]) -> None:
        self._address = address

    async def connect(self, participant: str) -> HubConnection:
        return await connect(self._address(participant), participant=participant)


@asynccontextmanager
async def open_hub(url: str, topology: Topology) -> AsyncIterator[Hub]:
    """Give the hub at `url`: `embedded`, or an administrator's address of a RabbitMQ with its management plugin.

    The management address may follow after `#`; without it, it is the same host on port 15672.
    """
    if url == "embedded":
        async with EmbeddedHub(topology) as hub:
            yield hub
    else:
        address, _, management = url.partition("#")
        yield _Rabbit(await provision_for_development(address, topology=topology, management_url=management or None))
