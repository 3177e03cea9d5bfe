"""A command's work at the ledger: done, or ended with 1 and the reason on standard error."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

import typer

from broker.errors import HubError
from broker.ledger.ledger import Ledger

Result = TypeVar("Result")


def as_found(db: str, work: Callable[[Ledger], Awaitable[Result]]) -> Result:
    """Work on a ledger that is there; none is begun."""

    async def run() -> Result:
        async with Ledger.opened(db, now=None) as ledger:
            return await work(ledger)

    return or_end(run)


def brought_up_to_date(db: str, work: Callable[[Ledger], Awaitable[Result]]) -> Result:
    """Work on a ledger that is there, when one that an older version kept has been given the tables it lacks."""

    async def run() -> Result:
        async with Ledger.opened(db, now=None):
            pass
        async with Ledger.opened(db, now=datetime.now(UTC)) as ledger:
            return await work(ledger)

    return or_end(run)


def or_end(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Do `work`; what the operator or the world got wrong ends the program with 1."""
    try:
        return asyncio.run(work())
    except (HubError, ValueError) as no:
        typer.echo(f"mash-hub: {no}", err=True)
        raise typer.Exit(1) from None
