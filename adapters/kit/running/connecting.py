"""How an adapter reaches its hub: RabbitMQ over mutual TLS, or the embedded hub of a sandbox."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.kit.running.settings import AdapterSettings
from broker.embedded import EmbeddedHub
from broker.hub import HubConnection
from broker.tls import client_context
from broker.topology import Topology
from broker.transport import connect
from schemas.directory import Directory


@asynccontextmanager
async def connection_of(settings: AdapterSettings, directory: Directory) -> AsyncIterator[HubConnection]:
    """Connect as the settings say, and close at the end. The certificate's name is the participant (EXTERNAL)."""
    url, participant = settings.hub_url, settings.file.participant
    if url.startswith("embedded:"):
        async with EmbeddedHub(Topology.of(directory), Path(url.removeprefix("embedded:"))) as hub:
            yield await hub.connect(participant)
        return
    connection = await connect(url, participant=participant, ssl_context=tls_context(settings))
    try:
        yield connection
    finally:
        await connection.close()


def tls_context(settings: AdapterSettings) -> ssl.SSLContext | None:
    """Give a context that verifies against our own authority and shows our certificate, or None without TLS files."""
    files = settings.file.tls
    if files is None:
        return None
    authority, certificate, key = (settings.path(place) for place in (files.authority, files.certificate, files.key))
    return client_context(authority=authority, certificate=certificate, key=key)
