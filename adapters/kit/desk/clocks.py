"""The clocks of the agency that was asked: a source asked in turn (FAN-04), and advice sought inside (LAW-28).

A row is set in the transaction that asks; it moves forward with the request's own due time and never back. A source is
late an hour before that time; advice is missed half-way to it, and the due time stands whatever the advisers do. What
has come, or a request that has been answered without it, rings for nobody. The row's reference is the request and a
number: a source's name may be a surgery's, and stays in the sealed file.
"""

from typing import Final

from adapters.kit.desk.request_file import RequestFile
from adapters.kit.store.alarms import Priority
from adapters.kit.store.filing import NotHere, read
from adapters.kit.store.timers import Timer
from adapters.kit.store.transaction import Transaction
from broker.calendar import MASH_CALENDAR
from broker.sla import Leg, advice_alert_due
from schemas.rating import RagRating

SOURCE: Final = "desk.source"
ADVICE: Final = "desk.advice"
KINDS: Final = (SOURCE, ADVICE)
_FILE: Final = "rfi"
OVER: Final = frozenset({"answered", "bounced", "cancelled"})


async def set_desk_clocks(tx: Transaction, key: str, file: RequestFile) -> None:
    """Write a row for every source and every adviser that has not answered yet."""
    sources = [
        Timer(SOURCE, f"{key}/{number}", one.due_at)
        for number, one in enumerate(file.sub_requests)
        if one.answered_at is None
    ]
    leg = _leg(file)
    advice = [
        Timer(ADVICE, f"{key}/{number}", advice_alert_due(leg, one.asked_at, calendar=MASH_CALENDAR))
        for number, one in enumerate(file.advice)
        if one.answered_at is None
    ]
    await tx.set_timers(f"{key}/", [*sources, *advice])


async def on_desk_timer(tx: Transaction, timer: Timer) -> None:
    """Raise an alarm for a source or an adviser that is late."""
    key, _, number = timer.ref.rpartition("/")
    try:
        file, _ = await read(tx, RequestFile, _FILE, key)
    except NotHere:
        return
    asked = file.sub_requests if timer.kind == SOURCE else file.advice
    awaited = [one.answered_at is None for one in asked]
    if file.state in OVER or int(number) >= len(awaited) or not awaited[int(number)]:
        return
    clock = timer.kind.removeprefix("desk.")
    refs = {"rfi": key, "from": file.sender, "number": number, "rag": file.rfi.rag or "", "clock": clock}
    await tx.alarm(f"clock/{timer.kind}/{timer.ref}", priority=Priority.P1, code=clock, refs=refs)


def _leg(file: RequestFile) -> Leg:
    """Give the promise that this agency works to; a rating that is none is read as RED, the strictest."""
    known = file.rfi.rag if file.rfi.rag in (RagRating.RED, RagRating.AMBER, RagRating.GREEN) else RagRating.RED
    return Leg(RagRating(known), file.received_at, file.rfi.response_due_at or file.received_at)
