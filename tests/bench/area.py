"""Two agencies, a hub and a watch for the benches of the whole product: every part a process of its own.

Everything is real and private to the run: RabbitMQ, the databases, homes with new keys, a directory, and the programs.
Nothing is left behind. All content is synthetic.
"""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from broker.management import provision_for_development
from broker.topology import MONITOR, Topology
from deploy.demo.agencies import AGENCIES, COUNCIL
from deploy.demo.area import make_homes
from deploy.local.postgres import LocalPostgres
from deploy.local.rabbitmq import LocalRabbitMQ
from schemas.directory import Directory, canonical_bytes
from tests.support.postgres import fresh_database
from tests.support.rabbitmq import fresh_vhost, vhost_url

POLICE: Final = "testford-police"
PAIRS: Final = ((COUNCIL, POLICE), (POLICE, COUNCIL))
ROOT: Final = Path(__file__).parents[2]
_END_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Place:
    """What one adapter's process is told: its home, its hub, and the file of the directory."""

    home: str
    hub: str
    directory: str


@dataclass(frozen=True)
class Area:
    """What stands ready: two homes, the hub's addresses, and the watch's own.

    `bare_hubs` are addresses of a second vhost with the same queues: two consumers on one queue would share it out.
    """

    folder: Path
    directory: Directory
    places: Mapping[str, Place]
    bare_hubs: Mapping[str, str]
    watch_hub: str
    watch_db: str

    @property
    def directory_file(self) -> Path:
        """The exported directory."""
        return self.folder / "directory.exported.json"


@asynccontextmanager
async def area(
    folder: Path, rabbit: LocalRabbitMQ, postgres: LocalPostgres | None, *, watched: bool
) -> AsyncIterator[Area]:
    """Make the homes, provision a vhost of its own, and give every store a database; without PostgreSQL a file."""
    chosen = [agency for agency in AGENCIES if agency.participant in (COUNCIL, POLICE)]
    directory = make_homes(folder, hub="amqp://named-by-the-bench", now=datetime.now(UTC), agencies=chosen)
    topology = Topology.build((COUNCIL, POLICE), PAIRS, monitor=watched)
    async with AsyncExitStack() as stack:
        address = await _vhost(stack, rabbit, topology)
        bare = await _vhost(stack, rabbit, topology)
        databases = {}
        for name in (COUNCIL, POLICE, MONITOR):
            databases[name] = await _database(stack, folder, postgres, name)
        for name in (COUNCIL, POLICE):
            _name_store(folder / name / "adapter.toml", databases[name])
        file = str(folder / "directory.exported.json")
        places = {name: Place(str(folder / name), address(name), file) for name in (COUNCIL, POLICE)}
        bare_hubs = {name: bare(name) for name in (COUNCIL, POLICE)}
        made = Area(folder, directory, places, bare_hubs, address(MONITOR) if watched else "", databases[MONITOR])
        made.directory_file.write_bytes(
            canonical_bytes(directory.version, directory.records, directory.pairs, directory.suspended)
        )
        yield made


async def _vhost(stack: AsyncExitStack, rabbit: LocalRabbitMQ, topology: Topology) -> Callable[[str], str]:
    management = await stack.enter_async_context(fresh_vhost(rabbit))
    admin_url = vhost_url(rabbit, management.vhost)
    return await provision_for_development(admin_url, topology=topology, management_url=rabbit.management_url)


async def _database(stack: AsyncExitStack, folder: Path, postgres: LocalPostgres | None, name: str) -> str:
    if postgres is None:
        return f"sqlite+aiosqlite:///{folder}/{name}.sqlite"
    return await stack.enter_async_context(fresh_database(postgres))


def _name_store(settings: Path, url: str) -> None:
    settings.write_text(f'store = "{url}"\n' + settings.read_text("utf-8"), "utf-8")


class Program:
    """A process of the run, spoken to by lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    async def hear(self, *, seconds: float) -> Any:
        """Wait for the next line, which is JSON. Raises `RuntimeError` when the program ended instead."""
        assert self._process.stdout is not None
        async with asyncio.timeout(seconds):
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a program of the run ended with {await self._process.wait()}")
        return json.loads(line)

    def tell(self, word: str) -> None:
        """Give it a word."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n".encode())

    async def end(self) -> None:
        """Ask it to end; if it does not, kill it."""
        if self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(_END_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def program(arguments: Sequence[str], *, environment: Mapping[str, str] | None = None) -> AsyncIterator[Program]:
    """Run a program of the product, or of the bench, until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *arguments,
        cwd=ROOT,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 26,
    )
    running = Program(process)
    try:
        yield running
    finally:
        await running.end()


def station_command(place: Place, **options: Any) -> list[str]:
    """Give the command of an adapter's process."""
    return [sys.executable, "-m", "tests.bench.station", json.dumps({"place": asdict(place), **options})]


def watch_command(made: Area) -> list[str]:
    """Give the command of the watch, as its unit starts it beside a broker: with no more of the processor."""
    nice = re.search(r"(?m)^Nice=(\d+)$", (ROOT / "deploy" / "systemd" / "mash-watch.service").read_text())
    return [
        *(("nice", "-n", nice[1]) if nice else ()),
        *(str(ROOT / ".venv" / "bin" / "mash-hub"), "watch", "--hub", made.watch_hub, "--db", made.watch_db),
        *("--directory", str(made.directory_file), "--metrics", "off"),
    ]
