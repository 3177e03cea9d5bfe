"""The program `mash-hub watch`: what its options mean, and everything opened and closed around the watch."""

import asyncio
import signal
import tomllib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from broker import logs
from broker.agreements import read_agreements
from broker.alerts.courier import Courier
from broker.alerts.log import log_alert
from broker.alerts.opening import courier_at
from broker.alerts.secrets import Secrets
from broker.calendars import Calendars, read_calendars
from broker.embedded import EmbeddedHub
from broker.errors import HubError
from broker.hub import HubConnection
from broker.ledger.ledger import Ledger
from broker.management import vhost_of
from broker.manifest_post import ManifestPost, manifest_signer, posting
from broker.pace import settle_memory
from broker.page.live import Live
from broker.page.serving import PageOptions, served_page
from broker.settings import TAP
from broker.telemetry import LOOPBACK, Telemetry, served
from broker.tls import client_context
from broker.topology import MONITOR, Topology
from broker.transport import connect
from broker.watch.clock import TrustedClock
from broker.watch.directory import DirectorySource
from broker.watch.outside import Outside, no_duty
from broker.watch.probe import Probe, embedded_probe, management_probe
from broker.watch.watch import Watch

EMBEDDED = "embedded:"


class CalendarsUnreadable(HubError):
    """The calendars' file is not understood; clocks would run by the wrong hours, so nothing starts."""


@dataclass(frozen=True)
class TlsFiles:
    """The partnership's authority, and the monitor's certificate and key (PEM)."""

    authority: Path
    certificate: Path
    key: Path


@dataclass(frozen=True)
class WatchOptions:
    """The options of the command line. `metrics` is host:port, or `off`."""

    hub: str
    directory: Path
    db: str
    calendars: Path | None = None
    metrics: str = "off"
    page: PageOptions | None = None
    agreements: Path | None = None
    management: str = ""
    tls: TlsFiles | None = None
    duty: Path | None = None
    secrets: Path | None = None
    manifest_key: Path | None = None


def read_calendar_file(path: Path | None) -> Calendars:
    """Read the calendars, or give the domain's own. Raises `CalendarsUnreadable`."""
    if path is None:
        return Calendars()
    try:
        return read_calendars(tomllib.loads(path.read_text("utf-8")))
    except ValidationError as wrong:
        places = ", ".join(".".join(map(str, error["loc"])) for error in wrong.errors(include_input=False))
        raise CalendarsUnreadable(f"({places})") from None
    except (OSError, ValueError) as wrong:
        raise CalendarsUnreadable(f"({type(wrong).__name__})") from None


async def watch_until_told(options: WatchOptions) -> None:
    """Watch until SIGTERM or SIGINT; what was not acknowledged stays with the hub."""
    logs.configure()
    task = asyncio.current_task()
    assert task is not None, "inside a coroutine there is a task"  # noqa: S101 - for the type checker
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        async with opened(options) as watch:
            settle_memory()
            await watch.run()


@asynccontextmanager
async def opened(options: WatchOptions) -> AsyncIterator[Watch]:
    """Open the ledger, the directory, the hub, the metrics and the page, and give a watch that listens."""
    source, calendars = DirectorySource.at(options.directory), read_calendar_file(options.calendars)
    agreements = read_agreements(options.agreements)
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(Ledger.opened(options.db, now=datetime.now(UTC)))
        clock = TrustedClock(floor=await _last_seen(ledger))
        connection, probe = await _hub(options, source, stack)
        courier = await _courier(options, calendars, ledger, clock, stack)
        live = Live(ledger, clock)
        post = await _post(options, source, ledger, clock, connection, stack)
        outside = Outside(
            source,
            calendars,
            clock,
            (log_alert,),
            probe,
            clock_stepped=lambda: clock.stepped,
            agreements=agreements,
            onlookers=(live.note,),
            duty=courier.sight if courier else no_duty,
            hears=post.hear if post else None,
        )
        watch = Watch(ledger, outside, telemetry=Telemetry())
        if options.metrics != "off":
            host, _, port = options.metrics.rpartition(":")
            stack.enter_context(served(watch.telemetry.registry, port=int(port), host=host or LOOPBACK))
        await watch.listen(connection)
        if options.page:
            tokens = courier.tokens if courier else None
            await stack.enter_async_context(served_page(options.page, live, ledger=ledger, clock=clock, tokens=tokens))
        yield watch


async def _courier(
    options: WatchOptions, calendars: Calendars, ledger: Ledger, clock: TrustedClock, stack: AsyncExitStack
) -> Courier | None:
    """Run the courier of the duty file, if there is one."""
    if options.duty is None:
        return None
    secrets = Secrets(options.secrets)
    running = courier_at(options.duty, ledger=ledger, calendars=calendars, clock=clock, secrets=secrets)
    return await stack.enter_async_context(running)


async def _post(
    options: WatchOptions,
    source: DirectorySource,
    ledger: Ledger,
    clock: TrustedClock,
    connection: HubConnection,
    stack: AsyncExitStack,
) -> ManifestPost | None:
    """Run the post of the daily manifests, if the hub has a key to sign them with."""
    if options.manifest_key is None:
        return None
    signer = manifest_signer(options.manifest_key)
    post = ManifestPost(ledger, lambda: source.current, clock, connection, signer)
    return await stack.enter_async_context(posting(post))


async def _last_seen(ledger: Ledger) -> datetime | None:
    """Give the latest time that the ledger knows: a machine's clock that is behind it was put back."""
    entries = (await ledger.head()).entries
    last = await ledger.passages(after=entries - 1) if entries else []
    return last[-1].received_at if last else None


async def _hub(
    options: WatchOptions, source: DirectorySource, stack: AsyncExitStack
) -> tuple[HubConnection, Probe | None]:
    if options.hub.startswith(EMBEDDED):
        topology = Topology.of(source.current)
        hub = await stack.enter_async_context(EmbeddedHub(topology, Path(options.hub.removeprefix(EMBEDDED))))
        return await hub.connect(MONITOR), embedded_probe(hub, topology)
    tls = options.tls
    context = client_context(authority=tls.authority, certificate=tls.certificate, key=tls.key) if tls else None
    connection = await connect(options.hub, participant=MONITOR, ssl_context=context, settings=TAP)
    stack.push_async_callback(connection.close)
    probe = management_probe(options.management, vhost=vhost_of(options.hub)) if options.management else None
    return connection, probe
