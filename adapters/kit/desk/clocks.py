"""The clock of a source that was asked in turn (FAN-04): a timer row, and an alarm when the source is late.

Set in the transaction that asks the source; it moves forward with the request's own due time and never back. A source
that has answered, or a request that has been answered without it, rings for nobody. The row's reference is the request
and a number: a source's name may be a surgery's, and stays in the sealed file.
"""

from typing import Final

from adapters.kit.desk.request_file import RequestFile
from adapters.kit.store.alarms import Priority
from adapters.kit.store.filing import NotHere, read
from adapters.kit.store.timers import Timer
from adapters.kit.store.transaction import Transaction

SOURCE: Final = "desk.source"
_FILE: Final = "rfi"
OVER: Final = frozenset({"answered", "bounced", "cancelled"})


async def set_source_clocks(tx: Transaction, key: str, file: RequestFile) -> None:
    """Write a row for every source that has not answered yet."""
    wanted = [
        Timer(SOURCE, f"{key}/{number}", one.due_at)
        for number, one in enumerate(file.sub_requests)
        if one.answered_at is None
    ]
    await tx.set_timers(f"{key}/", wanted)


async def on_source_timer(tx: Transaction, timer: Timer) -> None:
    """Raise an alarm for a source that is late."""
    key, _, number = timer.ref.rpartition("/")
    try:
        file, _ = await read(tx, RequestFile, _FILE, key)
    except NotHere:
        return
    asked = file.sub_requests[int(number)] if int(number) < len(file.sub_requests) else None
    if asked is None or asked.answered_at is not None or file.state in OVER:
        return
    refs = {"rfi": key, "from": file.sender, "source": number, "rag": file.rfi.rag or "", "clock": "source"}
    await tx.alarm(f"clock/{timer.kind}/{timer.ref}", priority=Priority.P1, code="source", refs=refs)
