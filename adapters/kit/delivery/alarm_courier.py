"""Carries alarms from the store to a channel: at least once, under an id by which the channel knows a repetition (C41).

The channel is given references and a code, never a name or content; what it does with them is its own affair.
A channel that fails keeps the alarm here; it is tried again at the next run.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from adapters.kit.failpoints import reach
from adapters.kit.store.alarms import Alarm
from adapters.kit.store.store import Store

Channel: TypeAlias = Callable[[Alarm], Awaitable[bool]]


@dataclass(frozen=True)
class AlarmCourier:
    """Sends what no channel has taken yet. `channel` says whether it took the alarm."""

    store: Store
    channel: Channel = field(repr=False)

    async def run_once(self) -> int:
        """Offer every unsent alarm to the channel, the oldest first; returns how many it took."""
        async with self.store.snapshot() as view:
            waiting = await view.unsent_alarms()
        taken = 0
        for alarm in waiting:
            if not await self.channel(alarm):
                continue
            reach("C41")
            async with self.store.transaction() as tx:
                await tx.mark_alarm(alarm.alarm_id)
            taken += 1
        return taken
