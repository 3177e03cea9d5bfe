"""One agency's desk over a real store, and request files on which a person has done all that a person can do.

What is left to the product is the last step: to send, or not.
"""

import asyncio
import json
import shutil
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final, TypeVar

from sqlalchemy import delete, insert

from adapters.kit.desk.answer import Holder
from adapters.kit.desk.intake import KIND
from adapters.kit.desk.practitioner import Desk
from adapters.kit.desk.proposal import Bench, Proposal
from adapters.kit.desk.request_file import Candidate, Reading, RequestFile, approved, worded
from adapters.kit.disclosure import load_pack
from adapters.kit.lawful.standing import Standing
from adapters.kit.lookup.records import Records
from adapters.kit.store.filing import write
from adapters.kit.store.tables import ledger
from adapters.kit.users import Users
from deploy.demo.lawful import written
from schemas import base64url
from schemas.content.record import Record
from schemas.content.response import Judgement, TraceStatus
from schemas.content.rfi import LawfulBasis, RequestForInformation
from tests.support.ready_stores import ReadyStores
from tests.support.stations import COUNCIL, POLICE, START, Station

T = TypeVar("T")
USER: Final = "lead"
SECOND: Final = "second"
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - where there is memory for files: no example needs a real disk
WORDING: Final = "a careful wording"
WRITER: Final = "summary_author"
BASIS: Final = LawfulBasis(
    article_6="e",
    article_9="g",
    schedule_1_condition=18,
    article_10="schedule_1_condition",
    appropriate_policy_document="apd-1",
)
STANDING: Final = Standing(
    basis=BASIS, consent_records_read_by=("safeguarding_lead",), consent_records_kept="as the record"
)
_LEAD: Final = {"name": "L. Sample-Test", "job_title": "lead", "trained_on": "2026-09-01"}
USERS: Final = Users.from_plain({"by_id": {USER: {**_LEAD, "vetting": [{"level": "DBS", "until": "2029-09-01"}]}}})
JUDGEMENT: Final = Judgement(level_of_need="3", best_placed="children's social care", analysis="as the records say")


@contextmanager
def ready_stores() -> Iterator[ReadyStores]:
    """Set up the stores of a council and of whoever is asked, in memory, for many examples."""
    folder = Path(mkdtemp(prefix="mash-answers-", dir=MEMORY if MEMORY.is_dir() else None))
    ready = ReadyStores((COUNCIL, POLICE))
    try:
        with ready.made_in(folder):
            yield ready
    finally:
        shutil.rmtree(folder)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run one example to its end on a loop of its own."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


def finished_file(kind: str, request: RequestForInformation, records: Sequence[Record], *, rfi: str) -> RequestFile:
    """Give a file in which everything is worded, approved and written down that the rules leave to a person."""
    found = [Candidate(item=f"item-{number}", record=_named(one, number)) for number, one in enumerate(records)]
    file = RequestFile(
        rfi=request.model_copy(update={"rfi": rfi}),
        sender=COUNCIL,
        thread=_reference(rfi, "thread"),
        mid=_reference(rfi, "message"),
        received_at=START,
        state="open",
        sources=("register",),
        readings=(Reading(at=START, sources=("register",), traces={"ivy": TraceStatus.TRACE}),),
        candidates=tuple(found),
        judgement=JUDGEMENT,
    )
    file = _with(file, [_worded(one) for one in _judged(kind, file)])
    file = _with(file, [_approved(one) for one in _judged(kind, file)])
    return file.model_copy(update={"lawful": written(proposal_on(kind, file).form(standing=STANDING))})


def _named(record: Record, number: int) -> Record:
    return record.model_copy(update={"record_id": f"rec-{number}"})


def _reference(rfi: str, of: str) -> str:
    return base64url.encode(sha256(f"{of} {rfi}".encode()).digest()[:16])


def proposal_on(kind: str, file: RequestFile) -> Proposal:
    """Ask the rules about a file, at the moment at which every example happens."""
    return Proposal.of(file, by=Bench(load_pack(kind), STANDING, USERS, START))


def _judged(kind: str, file: RequestFile) -> list[tuple[Candidate, tuple[str, ...]]]:
    return [(one.candidate, one.decision.approvals_needed) for one in proposal_on(kind, file).judged]


def _with(file: RequestFile, candidates: Sequence[Candidate]) -> RequestFile:
    return file.model_copy(update={"candidates": tuple(candidates)})


def _worded(judged: tuple[Candidate, tuple[str, ...]]) -> Candidate:
    candidate, needed = judged
    return worded(candidate, WORDING, by=USER) if WRITER in needed else candidate


def _approved(judged: tuple[Candidate, tuple[str, ...]]) -> Candidate:
    candidate, needed = judged
    for role in needed:
        candidate = approved(candidate, role, at=START, by=SECOND)
    return candidate


def desk_at(station: Station, kind: str) -> Desk:
    """Give the desk of an agency of `kind` on the store of `station`."""
    return Desk(
        holder=Holder(station.name, kind, "Safeguarding desk", "0113 496 0170"),
        pack=load_pack(kind),
        records=_nobody_looks_up,
        store=station.store,
        users=USERS,
        clock=lambda: START,
        standing=STANDING,
    )


def _nobody_looks_up() -> Records:
    raise LookupError("these files were looked up before")


async def file_it(station: Station, file: RequestFile) -> None:
    """Put a request file into the store of `station`."""
    async with station.store.transaction() as tx:
        await write(tx, KIND, file.rfi.rfi or "", file, version=None)


async def entries_of(station: Station, event: str) -> list[str]:
    """Give the item of every ledger entry of one kind, in their order."""
    async with station.store.snapshot() as view:
        return [one.refs.get("item", "") for one in await view.ledger_entries() if one.event == event]


async def decisions_kept(station: Station) -> list[dict[str, Any]]:
    """Give what the ledger keeps of every decision, opened."""
    async with station.store.snapshot() as view:
        numbers = [one.number for one in await view.ledger_entries() if one.event == "decision"]
        details = [await view.ledger_detail(number) for number in numbers]
    return [json.loads(detail or b"{}")["decision"] for detail in details]


async def take_the_place(station: Station, *, ahead: int) -> Callable[[], Coroutine[Any, Any, None]]:
    """Make the ledger's entry that is `ahead` from now unwritable; what is returned makes it writable again."""
    async with station.store.snapshot() as view:
        number = len(await view.ledger_entries()) + ahead
    blank = {"event": "x", "refs": "{}", "epoch": 0, "detail": b"", "previous": b"", "hash": b""}
    async with station.store.transaction() as tx:
        await tx.connection.execute(insert(ledger).values(number=number, at=START, **blank))

    async def give_it_back() -> None:
        async with station.store.transaction() as tx:
            await tx.connection.execute(delete(ledger).where(ledger.c.number == number))

    return give_it_back
