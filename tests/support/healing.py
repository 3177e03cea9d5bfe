"""The end of a bad road, for tests of delivery: the hub works again, time passes, an operator does his part.

`heal` goes on until all is at rest, and then once more over the rest of four days, in which nothing may stir again:
longer than any silence, shorter than a message's life.
"""

from collections.abc import Collection
from typing import Any

from adapters.kit.delivery import outbox
from adapters.kit.delivery.states import OUTBOX_AT_REST, InboxState, OutboxEvent, OutboxState
from adapters.kit.store.tables import inbox_rows, outbox_rows
from tests.support.stations import FakeClock, Road, Station

HOURS = 96
STEP = 6  # hours: longer than any silence of the outbox


async def heal(stations: Collection[Station], *, road: Road, clock: FakeClock) -> None:
    """Let time pass until nothing is under way. The road must work, and no domain may fail any more."""
    left = HOURS
    while left > 0 and await _mend_and_ask(stations, road=road):
        left -= STEP
        await _a_good_time(stations, clock=clock, hours=STEP)
    await _a_good_time(stations, clock=clock, hours=max(left, STEP))


async def _a_good_time(stations: Collection[Station], *, clock: FakeClock, hours: float) -> None:
    clock.pass_(hours=hours)
    for one in stations:
        await one.fetch()
        await one.work()
        await one.pump.run_once()


async def _mend_and_ask(stations: Collection[Station], *, road: Road) -> bool:
    """Send again what was returned, take up what was parked, as an operator does. Is anything still under way?"""
    moving = bool(road.parcels)
    for one in stations:
        sent, came = await one.rows(outbox_rows), await one.rows(inbox_rows)
        returned = [row for row in sent if row["state"] == OutboxState.RETURNED.value]
        parked = [row for row in came if row["state"] == InboxState.PARKED.value]
        moving |= any(OutboxState(row["state"]) not in OUTBOX_AT_REST for row in sent)
        moving |= any(row["state"] == InboxState.STORED.value for row in came)
        if returned or parked:
            moving = True
            await _mend(one, returned, parked)
    return moving


async def _mend(one: Station, returned: list[dict[str, Any]], parked: list[dict[str, Any]]) -> None:
    async with one.store.transaction() as tx:
        for row in returned:
            await outbox.move(tx, row, OutboxEvent.RETRY, due_at=tx.now)
        for row in parked:
            await tx.unpark(row["peer"], row["mid"])
