"""The clocks of enquiries as rows of the store: set with the change that begins them, judged when they fire.

Guarantees: a row is written in the transaction of its cause and fires in that of its effect, so neither is without the
other; what has been answered, telephoned, acknowledged or told by then rings for nobody. Firing raises an alarm once,
with references, a rating and the posts to call (SLA-02, SLA-08); an alarm whose cause is over is cleared by `tidy`.
It refuses to put a name, a number or a word of an enquiry into an alarm.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import select

from adapters.kit.store.alarms import Priority
from adapters.kit.store.filing import NotHere, read
from adapters.kit.store.tables import outbox_rows
from adapters.kit.store.timers import Timer
from adapters.kit.store.transaction import Transaction
from adapters.la.console.arrivals import arrivals
from adapters.la.console.clock_rows import (
    CORRECTION,
    DECISION,
    ONWARD,
    OUTCOME,
    REFERRER,
    REQUEST,
    SOURCE,
    Way,
    clock_of,
    rows_of,
)
from adapters.la.console.enquiry import Enquiry
from adapters.la.console.owed import outstanding, parts_of
from adapters.la.console.progress import read_progress
from broker.calendar import WorkingCalendar
from broker.sla import TimerKind
from schemas.rating import RagRating

Refs = dict[str, str]
_GRAVE: Final = frozenset({TimerKind.PHONE_CALL, TimerKind.BREACH, TimerKind.ESCALATION})
_ENQUIRY: Final = "enquiry"
PREFIX: Final = "clock/"


async def set_clocks(tx: Transaction, enquiry: Enquiry, *, calendar: WorkingCalendar) -> None:
    """Write the rows that an enquiry needs as it stands now; a row that has fired or lapsed stays so."""
    await tx.set_timers(f"{enquiry.reference}", rows_of(enquiry, now=tx.now, calendar=calendar))


class Clocks:
    """What happens when a timer of an enquiry fires."""

    def __init__(self, *, calendar: WorkingCalendar) -> None:
        self._calendar = calendar
        self._causes: Mapping[str, Callable[[Transaction, Timer, Enquiry, datetime], Awaitable[Refs | None]]] = {
            REQUEST: self._request,
            SOURCE: self._source,
            CORRECTION: self._correction,
            ONWARD: self._onward,
            DECISION: self._decision,
            OUTCOME: self._outcome,
            REFERRER: self._referrer,
        }

    async def on_timer(self, tx: Transaction, timer: Timer) -> None:
        """Raise an alarm, unless what the timer waited for has come."""
        refs = await self._cause(tx, timer, now=max(tx.now, timer.due_at))
        if refs is None:
            return
        grave = refs["rag"] == RagRating.RED or refs["clock"] in _GRAVE or timer.kind != REQUEST
        priority = Priority.P1 if grave else Priority.P2
        await tx.alarm(f"{PREFIX}{timer.kind}/{timer.ref}", priority=priority, code=refs["clock"], refs=refs)

    async def tidy(self, tx: Transaction) -> int:
        """Clear the alarms whose cause is over, and give how many."""
        cleared = 0
        for alarm in await tx.alarms():
            kind, _, ref = alarm.alarm_id.removeprefix(PREFIX).partition("/")
            if not alarm.alarm_id.startswith(PREFIX) or kind not in self._causes:
                continue
            if await self._cause(tx, Timer(kind, ref, alarm.at), now=tx.now) is None:
                await tx.mark_alarm(alarm.alarm_id, cleared=True)
                cleared += 1
        return cleared

    async def _cause(self, tx: Transaction, timer: Timer, *, now: datetime) -> Refs | None:
        """Give what there is to say, or None where there is nothing: answered, told, or erased meanwhile."""
        reference = timer.ref.split("/")[0]
        try:
            enquiry, _ = await read(tx, Enquiry, _ENQUIRY, reference)
        except NotHere:
            return None
        said = await self._causes[timer.kind](tx, timer, enquiry, now)
        return None if said is None else {"enquiry": reference, "rag": enquiry.rag or "", **said}

    async def _request(self, tx: Transaction, timer: Timer, enquiry: Enquiry, now: datetime) -> Refs | None:
        _, rfi, key = timer.ref.split("/")
        issued = enquiry.request(rfi)
        if issued is None:
            return None
        clock = clock_of(enquiry, issued, await _way(tx, enquiry, rfi), now=now, calendar=self._calendar)
        row = next((one for one in clock.timers if one.key == key), None)
        if row is None:
            return None
        return {"clock": row.kind.value, "rfi": rfi, "to": issued.participant, "call": " ".join(row.calls)}

    async def _source(self, tx: Transaction, timer: Timer, enquiry: Enquiry, now: datetime) -> Refs | None:
        _, rfi, _ = timer.ref.split("/")
        issued = enquiry.request(rfi)
        way = await _way(tx, enquiry, rfi)
        late = [one for one in outstanding(parts_of(way.arrived)) if one.due_at <= now]
        if issued is None or issued.cancelled or not late:
            return None
        return {"clock": "source", "rfi": rfi, "to": issued.participant, "call": "contact_officer coordinator"}

    async def _correction(self, _: Transaction, timer: Timer, enquiry: Enquiry, _now: datetime) -> Refs | None:
        number = int(timer.ref.split("/")[1])
        task = enquiry.corrections[number] if number < len(enquiry.corrections) else None
        if task is None or task.acknowledged_at is not None:
            return None
        return {"clock": "correction", "rfi": task.rfi, "item": task.item, "to": task.audience, "call": "coordinator"}

    async def _onward(self, _: Transaction, timer: Timer, enquiry: Enquiry, _now: datetime) -> Refs | None:
        question = timer.ref.split("/")[1]
        asked = next((one for one in enquiry.onward if one.question == question), None)
        issued = enquiry.request(asked.rfi) if asked else None
        if asked is None or issued is None or asked.answered_at is not None:
            return None
        return {"clock": "onward", "rfi": asked.rfi, "to": issued.participant, "call": "contact_officer coordinator"}

    async def _decision(self, _: Transaction, _timer: Timer, enquiry: Enquiry, _now: datetime) -> Refs | None:
        """Ring for whoever has to decide, with or without every answer (SLA-09)."""
        return {"clock": "decision", "call": "decision_maker coordinator"} if enquiry.decided is None else None

    async def _outcome(self, tx: Transaction, _: Timer, enquiry: Enquiry, _now: datetime) -> Refs | None:
        """Ring for every agency that was asked and whose adapter has not said that it holds the outcome (SLA-03)."""
        answered = {one.response.rfi for one in await arrivals(tx, enquiry.reference)}
        told = [one for one in enquiry.issued if one.cancelled is None or one.rfi in answered]
        waiting = [issued.participant for issued in told if not await _was_told(tx, issued.thread)]
        return {"clock": "outcome", "to": " ".join(sorted(waiting)), "call": "coordinator"} if waiting else None

    async def _referrer(self, _: Transaction, _timer: Timer, enquiry: Enquiry, _now: datetime) -> Refs | None:
        told = enquiry.referrer_told is not None
        return None if told else {"clock": "referrer", "call": "coordinator"}


async def _way(tx: Transaction, enquiry: Enquiry, rfi: str) -> Way:
    progress, _ = await read_progress(tx, rfi)
    return Way(progress, [one for one in await arrivals(tx, enquiry.reference) if one.response.rfi == rfi])


async def _was_told(tx: Transaction, thread: str) -> bool:
    notices = select(outbox_rows).where(outbox_rows.c.thread == thread, outbox_rows.c.event == "NTC")
    rows = await tx.select(outbox_rows, notices)
    return any(row["received_at"] is not None for row in rows)
