"""`python -m deploy.demo [--hub amqp://...|local] [--out DIR]`: play the Ashgrove-Test enquiry, show what came of it.

Exit code 0 where every counter is what the scenario says, 1 where one is off, 2 for wrong usage.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from rich.console import Console as Terminal

from adapters.la.console.collation import Collation
from adapters.la.console.export import collation_json
from adapters.la.console.exporting import print_collation, write_private
from adapters.la.console.render import render_collation
from deploy.demo.area import Area, make_homes, topology_of
from deploy.demo.expected import differences
from deploy.demo.hubs import open_hub
from deploy.demo.scenario import LONDON, STEPS, Ashgrove
from deploy.local.rabbitmq import rabbitmq

EMBEDDED = "embedded"


def main() -> int:
    """Run the demonstration."""
    arguments = _arguments()
    terminal = Terminal(highlight=False)
    started = time.monotonic()
    with _server(arguments.hub, terminal) as hub_url:
        collation = asyncio.run(_play(hub_url, terminal))
    terminal.print(render_collation(collation))
    out: Path = arguments.out
    printed = asyncio.run(print_collation(collation, printed_by="P. Example"))
    written = (
        write_private(out / "ashgrove.pdf", printed.pdf),
        write_private(out / "ashgrove.json", collation_json(collation).encode()),
    )
    for path in written:
        terminal.print(f"Wrote {path}")
    off = list(differences(collation))
    for line in off:
        terminal.print(f"NOT AS EXPECTED  {line}", style="bold red")
    verdict = "not as the scenario says" if off else "as the scenario says"
    terminal.print(f"The counters are {verdict}. {len(STEPS)} steps in {time.monotonic() - started:.1f} s.")
    return 1 if off else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--hub", default=EMBEDDED, help="embedded, local (a private RabbitMQ) or amqp://...")
    parser.add_argument("--out", type=Path, default=Path("build/demo"), help="where the PDF and the JSON go")
    return parser.parse_args()


@contextmanager
def _server(hub: str, terminal: Terminal) -> Iterator[str]:
    """Give the hub's address; `local` starts a private RabbitMQ and stops it at the end."""
    if hub != "local":
        yield hub
        return
    terminal.print("Starting a private RabbitMQ ...")
    with rabbitmq() as server:
        yield f"{server.admin_url}#{server.management_url}"


async def _play(hub_url: str, terminal: Terminal) -> Collation:
    start = STEPS[0][0]
    with tempfile.TemporaryDirectory(prefix="mash-demo-") as folder:
        terminal.print("Making keys, stores and records for nine participants ...")
        homes = Path(folder)
        directory = make_homes(homes, hub=hub_url, now=start)
        async with AsyncExitStack() as stack:
            hub = await stack.enter_async_context(open_hub(hub_url, topology_of(directory)))
            area = await stack.enter_async_context(Area.opened(homes, directory, hub, start=start))
            return await Ashgrove(area, tell=lambda when, said: _tell(terminal, when, said)).run()


def _tell(terminal: Terminal, when: datetime, said: str) -> None:
    terminal.print(f"  {when.astimezone(LONDON):%a %d %b %H:%M}  {said}")


if __name__ == "__main__":
    sys.exit(main())
