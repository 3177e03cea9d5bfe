"""Opening the adapter for `mash store`: beside a running one, or alone where the command needs the store to itself."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from adapters.cli.frame import CLIENT_KEY, or_refuse, print_json, print_text

if TYPE_CHECKING:
    from adapters.kit.running.adapter import Adapter

T = TypeVar("T")


def at_store(
    action: "Callable[[Adapter], Awaitable[T]]",
    *,
    home: Path,
    as_json: bool,
    schema: str,
    show: Callable[[T], object],
    exclusive: bool = False,
    clock_accepted_by: str = "",
) -> None:
    """Open the adapter, do one thing, show the answer. Exits with 1 where it is refused.

    The directory is read when it is needed and not before, so that a damaged one stands in nobody's way here.
    """
    import asyncio
    import os

    from adapters.kit.refusal import refuse_if
    from adapters.kit.running.adapter import Adapter
    from adapters.kit.running.partners import partners_of
    from adapters.kit.running.settings import load_settings
    from adapters.la.console.office import console_of

    async def session() -> T:
        refuse_if([f"{CLIENT_KEY}: this command takes no client key"] if CLIENT_KEY in os.environ else [])
        settings = load_settings(home)
        if clock_accepted_by:
            settings.users.find(clock_accepted_by)
        opening = Adapter.opened(
            settings,
            directory=lambda: partners_of(settings).current(),
            exclusive=exclusive,
            clock_accepted_by=clock_accepted_by,
        )
        async with opening as adapter:
            console_of(adapter)
            return await action(adapter)

    answer = or_refuse(lambda: asyncio.run(session()))
    print_json(schema, answer) if as_json else print_text(show(answer))
