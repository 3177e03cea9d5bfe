"""Waiting for a reason to look again, or for a while: the one place where the adapter's loops sleep."""

import asyncio


async def wait_for(wake: asyncio.Event, seconds: float) -> None:
    """Return when `wake` is set, or after `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        return
