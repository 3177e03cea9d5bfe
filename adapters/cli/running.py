"""`mash run`: keep the adapter connected, sending and receiving, until it is stopped."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.frame import HERE, AsJson, Home, or_refuse, print_json, print_text

if TYPE_CHECKING:
    from adapters.kit.running.link import Moved


def run(
    home: Home = HERE,
    once: Annotated[bool, typer.Option("--once", help="Send and receive what is waiting now, then stop.")] = False,
    as_json: AsJson = False,
) -> None:
    """Connect to the hub: send what is waiting, receive what arrives, until stopped with Ctrl-C."""
    moved = or_refuse(lambda: asyncio.run(_session(home, once=once, as_json=as_json)))
    if moved is None:
        return
    if as_json:
        print_json("mash.run.v1", {"sent": moved.sent, "received": moved.received})
    else:
        print_text(f"Sent {moved.sent}, received {moved.received}; receipts are among what was sent.")


async def _session(home: Home, *, once: bool, as_json: bool) -> "Moved | None":
    from adapters.kit.running.adapter import Adapter
    from adapters.kit.running.chores import chores_of
    from adapters.kit.running.connecting import connection_of
    from adapters.kit.running.partners import partners_of
    from adapters.kit.running.settings import load_settings
    from adapters.la.console.office import console_of
    from broker.logs import configure
    from broker.pace import settle_memory
    from broker.watch.clock import TrustedClock

    configure()
    settings = load_settings(home)
    partners = partners_of(settings)
    async with (
        Adapter.opened(settings, directory=partners.current, exclusive=True) as adapter,
        connection_of(settings, partners.current()) as connection,
    ):
        console_of(adapter)
        link = adapter.linked(connection, partners)
        timekeeper = adapter.timekeeper(TrustedClock())
        if once:
            moved = await link.run_once()
            await timekeeper.run_once()
            return moved
        if not as_json:
            print_text(f"{settings.file.participant} is connected. Stop it with Ctrl-C.")
        settle_memory()
        await link.run(*chores_of(adapter, partners, connection), timekeeper.run())
        return None
