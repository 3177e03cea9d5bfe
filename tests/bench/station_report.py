"""What a station of a bench noted while it worked, and its report as plain values for JSON."""

import asyncio
from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from adapters.kit.store import invariants
from adapters.kit.store.store import Store
from adapters.kit.store.tables import outbox_rows


@dataclass
class Notes:
    """What was seen, in arrays, so that noting it does not look like a leak."""

    asked_at: dict[str, float] = field(default_factory=dict)
    answered_at: dict[str, float] = field(default_factory=dict)
    commits: "array[float]" = field(default_factory=lambda: array("d"))
    memory: "array[float]" = field(default_factory=lambda: array("d"))
    stalls: "array[float]" = field(default_factory=lambda: array("d"))
    timers_late: "array[float]" = field(default_factory=lambda: array("d"))
    awaited: dict[str, asyncio.Event] = field(default_factory=dict)


async def report(store: Store, notes: Notes) -> dict[str, Any]:
    """Count and measure: seconds from the press to the commit that holds RECEIVED, and to the answer."""
    memory = list(notes.memory)  # of the work; what follows reads everything that there is
    rows, asked = await _sent(store), notes.asked_at
    received = [
        _committed(notes, row["received_at"].timestamp()) - asked[row["ref"]]
        for row in rows
        if row["ref"] in asked and row["received_at"] is not None
    ]
    answered = [
        notes.answered_at[row["mid"]] - asked[row["ref"]]
        for row in rows
        if row["ref"] in asked and row["mid"] in notes.answered_at
    ]
    async with store.snapshot() as view:
        broken, documents = await invariants.violations(view), len(await view.list("rfi"))
        alarms = [alarm.code for alarm in await view.alarms()]
    return {
        "asked": len(asked),
        "received": received,
        "answered": answered,
        "states": await states(store),
        "filed": documents,
        "violations": broken,
        "alarms": alarms,
        "memory_mb": memory,
        "stalls": list(notes.stalls),
        "timers_late": list(notes.timers_late),
    }


async def states(store: Store) -> dict[str, int]:
    """Count the messages by where they are."""
    counts: dict[str, int] = {}
    for row in await _sent(store):
        counts[row["state"]] = counts.get(row["state"], 0) + 1
    return counts


async def _sent(store: Store) -> list[dict[str, Any]]:
    """Return every message of the outbox, receipts left out."""
    async with store.snapshot() as view:
        return await view.select(outbox_rows, select(outbox_rows).where(outbox_rows.c.sort == "message"))


def _committed(notes: Notes, moment: float) -> float:
    """Find the commit of the transaction that began at `moment`: the first one after it."""
    place = bisect_left(notes.commits, moment)
    return notes.commits[place] if place < len(notes.commits) else moment
