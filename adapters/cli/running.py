"""`mash run`: keep the adapter connected, sending and receiving, until it is stopped."""

from typing import Annotated

import typer

from adapters.cli.frame import HERE, Home, or_refuse


def run(
    home: Home = HERE,
    once: Annotated[bool, typer.Option(help="Send and receive what is waiting now, then stop.")] = False,
) -> None:
    """Connect to the hub; send what is waiting, receive what arrives, until stopped with Ctrl-C."""
    import asyncio

    from adapters.kit.adapter import Adapter
    from adapters.kit.connecting import connection_of
    from adapters.kit.sandbox_directory import read_unsigned_directory
    from adapters.kit.settings import load_settings
    from adapters.la.console.office import console_of

    async def session() -> None:
        settings = load_settings(home)
        directory = read_unsigned_directory(settings.path(settings.file.directory), hub=settings.file.hub)
        async with (
            Adapter.opened(settings, directory=lambda: directory, exclusive=True) as adapter,
            connection_of(settings, directory) as connection,
        ):
            console_of(adapter)
            link = adapter.linked(connection)
            await (link.run_once() if once else link.run())

    or_refuse(lambda: asyncio.run(session()))
