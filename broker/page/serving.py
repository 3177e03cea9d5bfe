"""Serves the page inside the watch's own loop, and stops with it.

It guarantees: an address that is taken, or that strangers would reach, is refused before the watch starts; a page that
fails stops nothing; stopping ends every open stream at once. The watch keeps its own signals: uvicorn takes none.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import uvicorn

from broker.alerts.tokens import Tokens
from broker.ledger.ledger import Ledger
from broker.page.access import Access
from broker.page.app import make_app
from broker.page.assets import check_assets
from broker.page.guard import names_of
from broker.page.live import Live
from broker.page.parts import Parts
from broker.page.settings import Address, PageSettings, PageUnreadable, check, read_settings, read_token

STOPPING: Final = 3
MOST_CONNECTIONS: Final = 200


@dataclass(frozen=True)
class PageOptions:
    """The options of the command line: `--http` and `--http-settings`."""

    address: Address
    settings: PageSettings

    @classmethod
    def read(cls, http: str, settings: Path | None) -> "PageOptions":
        """Read and check them. Raises `PageUnsafe`, `PageUnreadable` or `AssetsMissing`."""
        options = cls(Address.read(http), read_settings(settings))
        check(options.address, options.settings)
        check_assets()
        return options


@asynccontextmanager
async def served_page(
    options: PageOptions, live: Live, *, ledger: Ledger, clock: Callable[[], datetime], tokens: Tokens | None
) -> AsyncIterator[int]:
    """Serve the page for the block; gives the port. Raises `PageUnreadable`."""
    settings = options.settings
    operator = read_token(settings.token) if settings.token else None
    desks = {name: read_token(path) for name, path in settings.desks.items()}
    access = Access(operator, desks, clock=clock)
    parts = Parts(ledger, live, access, clock, tokens, is_secure=settings.tls is not None)
    names = names_of(options.address.host, settings.names)
    app = make_app(parts, names=names, proxies=frozenset(settings.proxies))
    with _listening(options.address) as listener:
        server = _Server(_configured(app, settings))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield int(listener.getsockname()[1])
        finally:
            live.close()
            server.should_exit = True
            await asyncio.wait([serving])


class _Server(uvicorn.Server):
    """The server without signal handlers: SIGTERM is the watch's, and ends this by cancelling it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals as they are."""
        yield


def _configured(app: Any, settings: PageSettings) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=STOPPING,
        **_tls(settings),
    )
    try:
        config.load()  # reads the certificates now: in the server's task a fault of theirs would be seen by nobody
    except OSError as wrong:
        raise PageUnreadable(f"(tls: {type(wrong).__name__})") from None
    return config


def _tls(settings: PageSettings) -> Mapping[str, Any]:
    tls = settings.tls
    if tls is None:
        return {}
    plain = {"ssl_certfile": str(tls.certificate), "ssl_keyfile": str(tls.key)}
    if tls.clients is None:
        return plain
    return plain | {"ssl_ca_certs": str(tls.clients), "ssl_cert_reqs": ssl.CERT_REQUIRED}


@contextmanager
def _listening(address: Address) -> Iterator[socket.socket]:
    try:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        listener = socket.create_server((address.host, address.port), family=family, backlog=128)
    except OSError as wrong:
        raise PageUnreadable(f"(cannot listen on {address.host}:{address.port}: {type(wrong).__name__})") from None
    with listener:
        yield listener
