"""A cable that can be cut: a TCP proxy in asyncio between a client and a broker.

It passes bytes, delays them, swallows them, cuts after byte N in either direction, resets, or refuses. What it does is
changed while connections run, so a test says "from now on silence".
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit


@dataclass
class Faults:
    """What the cable does to bytes; all of it may be changed at any time.

    `to_broker_after` and `to_client_after` count the bytes of one connection in that direction: at that many the
    connection is cut, the last chunk in the middle. `deaf_to_broker` and `deaf_to_client` swallow everything in one
    direction while both ends stay open (half-open); both together are silence. A direction that swallowed a byte stays
    deaf for the life of its connection, as TCP has it: a stream never goes on with a hole in it.
    """

    to_broker_after: int | None = None
    to_client_after: int | None = None
    deaf_to_broker: bool = False
    deaf_to_client: bool = False
    delay: float = 0.0
    chunk: int = 65536
    refusing: bool = False


@dataclass
class FaultProxy:
    """A running proxy: `url` is where clients connect; `faults` is what happens to them."""

    url: str
    faults: Faults = field(default_factory=Faults)
    accepted: int = 0
    _writers: "set[asyncio.StreamWriter]" = field(default_factory=set)
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    def cut(self, *, reset: bool = False) -> None:
        """Cut every connection that runs now: with a FIN, or with a reset."""
        for writer in list(self._writers):
            if reset:
                with suppress(OSError):
                    linger = struct.pack("ii", 1, 0)
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()
            else:
                writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: tuple[str, int]) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self.accepted += 1
        try:
            if self.faults.refusing:
                return
            broker_reader, broker_writer = await asyncio.open_connection(*target)
            self._writers |= {writer, broker_writer}
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pump(reader, broker_writer, to_broker=True))
                    group.create_task(self._pump(broker_reader, writer, to_broker=False))
            finally:
                self._writers -= {writer, broker_writer}
                broker_writer.close()
        except* (OSError, _Cut):
            pass
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, to_broker: bool) -> None:
        passed, deaf = 0, False
        while data := await source.read(self.faults.chunk):
            if self.faults.delay:
                await asyncio.sleep(self.faults.delay)
            deaf = deaf or (self.faults.deaf_to_broker if to_broker else self.faults.deaf_to_client)
            if deaf:
                continue
            limit = self.faults.to_broker_after if to_broker else self.faults.to_client_after
            if limit is not None and passed + len(data) >= limit:
                sink.write(data[: max(0, limit - passed)])
                await sink.drain()
                raise _Cut
            passed += len(data)
            sink.write(data)
            await sink.drain()
        raise _Cut

    async def _close(self) -> None:
        self.cut(reset=True)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class _Cut(Exception):
    """One end is gone; the other goes too."""


@asynccontextmanager
async def fault_proxy(url: str) -> AsyncIterator[FaultProxy]:
    """Run a proxy in front of the broker of `url`; everything it holds is cut at the end."""
    parts = urlsplit(url)
    target = (parts.hostname or "", parts.port or 5672)
    proxy = FaultProxy(url="")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await proxy._serve(reader, writer, target)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    account = parts.netloc.rpartition("@")[0]
    proxy.url = urlunsplit(parts._replace(netloc=f"{account}@{host}:{port}"))
    try:
        yield proxy
    finally:
        server.close()
        await proxy._close()
