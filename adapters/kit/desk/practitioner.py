"""The practitioner's work at the agency that was asked: look up, decide, approve, answer.

Rules propose, professionals dispose: `propose` looks the family up and asks the rules; named users approve, word or
withhold; `send` asks the rules once more with the approvals in hand and sends only what they then allow. Every
decision goes into the ledger in the transaction that sends it: where it cannot be written, nothing is sent (REC-01).
"""

import asyncio
import json
import secrets
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from adapters.kit.answer import Answer, Holder, Judged, answer, objections
from adapters.kit.desk.intake import KIND, tell
from adapters.kit.disclosure import Assessment, Pack
from adapters.kit.filing import read, read_all, write
from adapters.kit.records import Lookup, Records
from adapters.kit.refusal import Refused, refuse_if
from adapters.kit.request_file import (
    GROUNDS,
    Candidate,
    RequestFile,
    SubRequest,
    approved,
    withheld,
    worded,
)
from adapters.kit.store import Store
from adapters.kit.transaction import Transaction
from adapters.kit.users import Users
from schemas.content.codes import Reason
from schemas.content.notice import Correction, Seen
from schemas.content.record import Record
from schemas.content.response import Judgement, Responder, Response


@dataclass(frozen=True)
class Proposal:
    """A request file beside what the rules say of it now, in the order of its candidates."""

    file: RequestFile
    judged: tuple[Judged, ...]
    warnings: tuple[str, ...] = ()

    @property
    def objections(self) -> tuple[str, ...]:
        """Why the answer may not go yet; empty means that it may."""
        return tuple(objections(self.file, [one for one in self.judged if one.candidate.sent_in_part is None]))


class Desk:
    """The desk of one agency."""

    def __init__(
        self,
        *,
        holder: Holder,
        pack: Pack,
        records: Callable[[], Records],
        store: Store,
        users: Users,
        clock: Callable[[], datetime],
    ) -> None:
        self._holder = holder
        self._pack = pack
        self._records = records
        self._store = store
        self._users = users
        self._clock = clock

    async def list(self) -> tuple[RequestFile, ...]:
        """Give every request file, oldest first, without marking any as seen."""
        async with self._store.transaction() as tx:
            return await read_all(tx, RequestFile, KIND)

    async def show(self, rfi: str, *, user: str) -> RequestFile:
        """Open a request file in a user's name; the first time, the requester learns that a person has seen it."""
        self._users.find(user)
        async with self._store.transaction() as tx:
            await tx.open_document(KIND, rfi, user=user)
            file, version = await read(tx, RequestFile, KIND, rfi)
            if file.seen_at is None:
                now = self._clock()
                file = file.noting("seen", at=now, by=user, seen_at=now)
                notice = Seen(enquiry=file.rfi.enquiry, rfi=rfi, seen_at=now)
                await tell(tx, file, notice, event="ACK", user=user, role="practitioner")
                await write(tx, KIND, rfi, file, version=version)
            return file

    async def propose(
        self, rfi: str, *, user: str, sources: Set[str] | None = None, accept_unread: bool = False
    ) -> Proposal:
        """Look the family up, keep what is new, and say what the rules make of every record."""
        file = await self.show(rfi, user=user)
        lookup = await asyncio.to_thread(self._records().lookup, file.rfi, as_of=self._clock(), sources=sources)
        async with self._store.transaction() as tx:
            file, version = await read(tx, RequestFile, KIND, rfi)
            file = _with_lookup(file, lookup, accepted_by=user if accept_unread else None, at=self._clock(), by=user)
            await write(tx, KIND, rfi, file, version=version)
        return self._judge(file)

    async def standing(self, rfi: str, *, user: str) -> Proposal:
        """Say what the rules make of the file as it stands, without another look-up."""
        return self._judge(await self.show(rfi, user=user))

    async def ask_source(self, rfi: str, source: str, *, due_at: datetime, user: str) -> RequestFile:
        """Record that one source of the agency's sector was asked in turn (FAN-02, FAN-03)."""
        asked = SubRequest(source=source, asked_at=self._clock(), due_at=due_at)
        return await self._change(
            rfi, f"{source} asked", user=user, step=lambda file: {"sub_requests": (*file.sub_requests, asked)}
        )

    async def source_answered(self, rfi: str, source: str, *, user: str) -> RequestFile:
        """Record that a source has answered its sub-request."""
        now = self._clock()

        def step(file: RequestFile) -> dict[str, object]:
            return {
                "sub_requests": tuple(
                    one.model_copy(update={"answered_at": now}) if one.source == source else one
                    for one in file.sub_requests
                )
            }

        return await self._change(rfi, f"{source} answered", user=user, step=step)

    async def approve(self, rfi: str, record: str, *, role: str, user: str) -> Proposal:
        """Approve one record in a role that the user holds; never one's own wording of a sensitive record (RSP-19)."""
        self._users.require(user, role)

        def step(candidate: Candidate) -> Candidate:
            if candidate.worded_by == user and is_high_sensitivity(candidate.record):
                raise Refused([f"RSP-19: {record} was worded by {user}; somebody else approves it"])
            return approved(candidate, role, at=self._clock(), by=user)

        return await self._change_candidate(rfi, record, f"{record} approved as {role}", user=user, step=step)

    async def summarise(self, rfi: str, record: str, *, wording: str, user: str) -> Proposal:
        """Word a record for release; it then leaves in this wording and in no other."""
        self._users.find(user)
        if not wording.strip():
            raise Refused(["the wording is empty"])
        return await self._change_candidate(
            rfi, record, f"{record} worded", user=user, step=lambda candidate: worded(candidate, wording, by=user)
        )

    async def withhold(self, rfi: str, record: str, *, ground: str, note: str, user: str) -> Proposal:
        """Withhold a record on a professional's judgement, with its ground and the weighing (LAW-27, LAW-30)."""
        self._users.find(user)
        refuse_if(_withholding_objections(ground, note))

        def step(candidate: Candidate) -> Candidate:
            return withheld(candidate, ground, note, at=self._clock(), by=user)

        return await self._change_candidate(rfi, record, f"{record} withheld: {ground}", user=user, step=step)

    async def judge(self, rfi: str, judgement: Judgement, *, user: str) -> RequestFile:
        """Record the agency's professional judgement (RSP-02)."""
        self._users.find(user)
        return await self._change(rfi, "judgement recorded", user=user, step=lambda file: {"judgement": judgement})

    async def send(self, rfi: str, *, user: str) -> Response:
        """Ask the rules once more and send what they allow. Raises `Refused` with everything that is still missing."""
        sender = self._users.find(user)
        async with self._store.transaction() as tx:
            file, version = await read(tx, RequestFile, KIND, rfi)
            proposal = self._judge(file)
            refuse_if(proposal.objections)
            new = [one for one in proposal.judged if one.candidate.sent_in_part is None]
            responder = Responder(
                name=sender.name, role=sender.job_title, telephone=sender.telephone or self._holder.telephone
            )
            reply = answer(file, new, holder=self._holder, responder=responder, now=self._clock())
            await self._record_decisions(tx, file, new, user=user)
            await tell(
                tx,
                file,
                reply.response,
                event=_event_of(reply.response),
                user=user,
                role=sender.signing_role,
                answer=reply,
            )
            await write(tx, KIND, rfi, _sent(file, reply, at=self._clock(), by=user), version=version)
        return reply.response

    async def correct(self, rfi: str, record: str, *, wording: str, what_was_wrong: str, user: str) -> Correction:
        """Tell everyone who received an item that it was wrong, and what it should say (RSP-13)."""
        self._users.find(user)
        async with self._store.transaction() as tx:
            file, version = await read(tx, RequestFile, KIND, rfi)
            candidate = file.candidate(record)
            if candidate.sent_in_part is None:
                raise Refused([f"{record} has not been sent; nothing has to be corrected outside"])
            notice = Correction(
                enquiry=file.rfi.enquiry,
                rfi=rfi,
                item=candidate.item,
                wording=wording,
                what_was_wrong=what_was_wrong,
                corrected_at=self._clock(),
            )
            await tell(tx, file, notice, event="NTC", user=user, role="practitioner")
            changed = file.with_candidate(
                worded(candidate, wording, by=user), f"{record} corrected", at=self._clock(), by=user
            )
            await write(tx, KIND, rfi, changed, version=version)
        return notice

    def _judge(self, file: RequestFile) -> Proposal:
        records = [candidate.record for candidate in file.candidates]
        assessment: Assessment = self._pack.assess(file.rfi, records, approvals=file.approvals())
        judged = tuple(
            Judged(candidate, decision)
            for candidate, decision in zip(file.candidates, assessment.decisions, strict=True)
        )
        return Proposal(file=file, judged=judged, warnings=tuple(map(str, assessment.warnings)))

    async def _record_decisions(
        self, tx: Transaction, file: RequestFile, judged: Sequence[Judged], *, user: str
    ) -> None:
        for one in judged:
            plain = {"decision": one.decision.as_plain(), "outcome": one.outcome, "sent_by": user}
            await tx.record(
                "decision",
                refs={"enquiry": file.rfi.enquiry, "rfi": file.rfi.rfi or "", "item": one.candidate.item},
                detail=json.dumps(plain, sort_keys=True, default=str).encode(),
            )

    async def _change(
        self, rfi: str, what: str, *, user: str, step: Callable[[RequestFile], dict[str, object]]
    ) -> RequestFile:
        async with self._store.transaction() as tx:
            file, version = await read(tx, RequestFile, KIND, rfi)
            changed = file.noting(what, at=self._clock(), by=user, **step(file))
            await write(tx, KIND, rfi, changed, version=version)
        return changed

    async def _change_candidate(
        self, rfi: str, record: str, what: str, *, user: str, step: Callable[[Candidate], Candidate]
    ) -> Proposal:
        async with self._store.transaction() as tx:
            file, version = await read(tx, RequestFile, KIND, rfi)
            changed = file.with_candidate(step(file.candidate(record)), what, at=self._clock(), by=user)
            await write(tx, KIND, rfi, changed, version=version)
        return self._judge(changed)


def _event_of(response: Response) -> str:
    if response.supplement:
        return "SUP"
    return "PRT" if response.outstanding else "ANS"


def is_high_sensitivity(record: Record) -> bool:
    """Say whether author and approver of this record must differ (RSP-19)."""
    return bool(
        record.grading or record.in_confidence or record.flags or record.category in ("police_intelligence", "sex_life")
    )


def _withholding_objections(ground: str, note: str) -> list[str]:
    reasons = []
    if ground not in GROUNDS:
        reasons.append(f"LAW-27: {ground!r} is no ground for withholding; one of {', '.join(sorted(GROUNDS))}")
    if ground == Reason.MORE_DETRIMENTAL_TO_CHILD and len(note.strip()) < 15:
        reasons.append("LAW-30: say what may happen if it is shared and what if it is not; the child comes first")
    return reasons


def _with_lookup(file: RequestFile, lookup: Lookup, *, accepted_by: str | None, at: datetime, by: str) -> RequestFile:
    known = {candidate.key for candidate in file.candidates}
    new = tuple(
        Candidate(item=secrets.token_urlsafe(9), record=record)
        for record in lookup.records
        if record.record_id not in known
    )
    return file.noting(
        "looked up",
        at=at,
        by=by,
        traces={key: trace.status for key, trace in lookup.traces.items()},
        unread=tuple(map(str, lookup.unread)),
        unread_accepted_by=accepted_by,
        candidates=(*file.candidates, *new),
        state="open" if file.state == "received" else file.state,
    )


def _sent(file: RequestFile, reply: Answer, *, at: datetime, by: str) -> RequestFile:
    part = file.parts_sent + 1
    candidates = tuple(
        one.model_copy(update={"sent_in_part": part}) if one.item in reply.sent else one for one in file.candidates
    )
    state = "open" if file.outstanding() else "answered"
    return file.noting(f"answered, part {part}", at=at, by=by, parts_sent=part, candidates=candidates, state=state)
