"""One address for three nodes: a load balancer as an operator would put in front, which knows nothing of AMQP.

A connection goes to the next node that accepts one within a second. Once made it stays: when its node falls silent it
is the product that has to notice.
"""

import asyncio
from contextlib import suppress
from itertools import count

from deploy.fault.network import NODES, address

PORT = 5670
_CONNECT_SECONDS = 1.0


class Balancer:
    """Accepts on the loopback interface and passes bytes both ways."""

    def __init__(self) -> None:
        self._turn = count()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Accept connections."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", PORT)

    async def close(self) -> None:
        """Accept no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        node = await self._node()
        if node is not None:
            ways = {asyncio.create_task(_pass(reader, node[1])), asyncio.create_task(_pass(node[0], writer))}
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            node[1].transport.abort()
        writer.transport.abort()

    async def _node(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        first = next(self._turn)
        for step in range(len(NODES)):
            node = NODES[(first + step) % len(NODES)]
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return await asyncio.open_connection(address(node), 5672)
        return None


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(256 * 1024):
            writer.write(data)
            await writer.drain()
