"""Making the council's report, and finding what the hub speaks of: what `mash report` does at the store.

Every enquiry is read in one look at the store; that it was done, by whom and for which month, is in the ledger first.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.kit.desk.request_file import RequestFile
from adapters.kit.refusal import Refused, refuse_if
from adapters.kit.running.adapter import Adapter
from adapters.kit.store.filing import read_all
from adapters.kit.store.transaction import Transaction
from adapters.la.console.arrivals import KIND as ANSWER
from adapters.la.console.arrived import Arrived
from adapters.la.console.clock_rows import Way
from adapters.la.console.enquiry import Enquiry
from adapters.la.console.month import Told, council_report, found
from adapters.la.console.office import Console
from adapters.la.console.progress import read_progress
from adapters.la.console.workroom import KIND
from broker.reports import Month
from broker.reports.month_report import MonthReport, files_of
from broker.reports.paper import Source
from broker.reports.writing import write_files
from broker.watch.threads import reference_of
from schemas.content.base import Content

REQUEST: str = "rfi"


class FoundRequest(Content):
    """What the hub speaks of under a reference: our own file of it, whom we asked or who asked us, and its thread."""

    reference: str
    asked: str
    enquiry: str
    rfi: str
    peer: str
    thread: str


@dataclass(frozen=True)
class Written:
    """A report and the files that it was written to."""

    report: MonthReport
    files: tuple[str, ...]


async def write_month(console: Console, month: Month, out: Path, *, user: str) -> Written:
    """Make the council's report of a month and write its files. Raises `Refused` for a month that has not begun."""
    office = console.office
    office.users.find(user)
    refuse_if(["that month has not begun"] if month.begins_at > office.clock() else [])
    async with office.store.transaction() as tx:
        await tx.record("report made", refs={"month": str(month), "user": user})
        check = await tx.verify_ledger()
        if check.broken_at is not None:
            raise Refused([f"REC-03: our own ledger is broken at entry {check.broken_at}; no report is made of it"])
        told = await _told(tx)
        head: bytes = tx.meta["ledger_head"]
        began = min((one.enquiry.opened_at for one in told), default=office.clock())
    source = Source(check.entries, head.hex(), min(began, month.begins_at), "the council's own ledger")
    now = office.clock()
    report = await asyncio.to_thread(
        lambda: council_report(month, told, source=source, now=now, calendar=office.calendar)
    )
    files = await asyncio.to_thread(lambda: write_files(out, files_of(report)))
    return Written(report, tuple(files))


async def find_reference(adapter: Adapter, reference: str, *, user: str) -> FoundRequest:
    """Find what the hub speaks of under `reference` among what we asked and what we were asked. Raises `Refused`."""
    adapter.settings.users.find(user)
    async with adapter.store.snapshot() as view:
        ours = found(reference, [Told(enquiry, {}) for enquiry in await read_all(view, Enquiry, KIND)])
        theirs = [one for one in await read_all(view, RequestFile, REQUEST) if _is(one, reference)]
    shown = reference.strip().upper()
    if ours is not None:
        enquiry, issued = ours
        names = {"enquiry": enquiry.reference, "rfi": issued.rfi, "peer": issued.participant, "thread": issued.thread}
        return FoundRequest(reference=shown, asked="by us", **names)
    if not theirs:
        raise Refused(["nothing that we asked or were asked has that reference"])
    (file,) = theirs[:1]
    names = {"enquiry": file.rfi.enquiry, "rfi": file.rfi.rfi or file.mid, "peer": file.sender, "thread": file.thread}
    return FoundRequest(reference=shown, asked="of us", **names)


def _is(file: RequestFile, reference: str) -> bool:
    return reference_of(file.thread) == reference.strip().upper()


async def _told(tx: Transaction) -> tuple[Told, ...]:
    answers: dict[str, list[Arrived]] = {}
    for document in await tx.list(ANSWER):
        arrived = Arrived.model_validate_json(document.plain)
        answers.setdefault(arrived.response.rfi, []).append(arrived)
    enquiries = await read_all(tx, Enquiry, KIND)
    return tuple([Told(enquiry, await _ways(tx, enquiry, answers)) for enquiry in enquiries])


async def _ways(tx: Transaction, enquiry: Enquiry, answers: Mapping[str, list[Arrived]]) -> dict[str, Way]:
    known = {issued.rfi: (await read_progress(tx, issued.rfi))[0] for issued in enquiry.issued}
    return {rfi: Way(progress, answers.get(rfi, [])) for rfi, progress in known.items()}
