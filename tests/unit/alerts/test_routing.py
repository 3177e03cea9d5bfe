"""Whatever a carrier does, its caller gets a result or a fault with one of a few names, in bounded time."""

import asyncio

import pytest

from broker.alerts.routing import NotTold, WayFault, bounded

NAME = "Tilly Ashgrove-Test"


async def hangs() -> None:
    await asyncio.Event().wait()


async def chokes() -> None:
    raise LookupError(NAME)


async def refuses() -> None:
    raise NotTold(WayFault.REFUSED)


async def gives_up_by_itself() -> None:
    raise TimeoutError(NAME)


@pytest.mark.parametrize(
    ("work", "fault"),
    [
        (hangs, WayFault.TIMEOUT),
        (gives_up_by_itself, WayFault.TIMEOUT),
        (chokes, WayFault.OURS),
        (refuses, WayFault.REFUSED),
    ],
)
async def test_a_carrier_that_does_anything_else_than_succeed_is_named_by_its_fault(work, fault) -> None:  # type: ignore[no-untyped-def]  # parametrised
    """Hanging for ever, choking on something, saying no; and nothing of what it said goes further."""
    with pytest.raises(NotTold) as failed:
        await bounded(work, limit=0.05)
    assert failed.value.fault is fault
    assert failed.value.__cause__ is None
    assert NAME not in str(failed.value)


async def test_a_caller_that_is_cancelled_is_cancelled() -> None:
    """A watch that stops is not told that a mail server was slow."""
    task = asyncio.create_task(bounded(hangs, limit=60))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
