"""The practitioner's work at the agency that was asked: look up, decide, approve, answer.

Rules propose, professionals dispose: `propose` looks the family up and asks the rules; named users approve, word or
withhold; `send` asks the rules once more with the approvals in hand and sends only what they then allow. Every
decision goes into the ledger in the transaction that sends it: where it cannot be written, nothing is sent (REC-01).
"""

import asyncio
from collections.abc import Callable, Set
from datetime import datetime

from adapters.kit.desk.answer import CANCELLED, Answer, Holder, answer
from adapters.kit.desk.clocks import set_desk_clocks
from adapters.kit.desk.intake import KIND, tell
from adapters.kit.desk.ledger import record_decisions, record_lawfulness
from adapters.kit.desk.proposal import Bench, Proposal
from adapters.kit.desk.request_file import Candidate, RequestFile, SubRequest, approved, withheld, worded
from adapters.kit.desk.steps import (
    after_sending,
    correction_objections,
    event_of,
    silence_objections,
    with_lookup,
    withholding_objections,
)
from adapters.kit.disclosure import Pack
from adapters.kit.disclosure.facts import needs_four_eyes
from adapters.kit.lawful.standing import Standing
from adapters.kit.lookup.records import Records
from adapters.kit.refusal import Refused, refuse_if
from adapters.kit.store.filing import read, read_all, write
from adapters.kit.store.store import Store
from adapters.kit.users import Users
from broker.sla import sub_request_due
from schemas.content.lawfulness import RecordNotes
from schemas.content.notice import Correction, Seen
from schemas.content.response import Judgement, Responder, Response


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
        standing: Standing,
    ) -> None:
        self._holder = holder
        self._pack = pack
        self._records = records
        self._store = store
        self._users = users
        self._clock = clock
        self._standing = standing

    async def list(self) -> tuple[RequestFile, ...]:
        """Give every request file, oldest first, without marking any as seen."""
        async with self._store.transaction() as tx:
            return await read_all(tx, RequestFile, KIND)

    async def show(self, rfi: str, *, user: str) -> RequestFile:
        """Open a request file in a user's name; the first time, the requester learns that a person has seen it.

        Nobody is told of a request that is over: its requester may have left.
        """
        self._users.find(user)
        async with self._store.transaction() as tx:
            await tx.open_document(KIND, rfi, user=user)
            file, version = await read(tx, RequestFile, KIND, rfi)
            if file.seen_at is None and file.state != "cancelled":
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
        refuse_if([CANCELLED] if file.state == "cancelled" else [])
        records = self._records()
        if unknown := sorted((sources or frozenset()) - records.sources):
            raise Refused([f"no such source: {', '.join(unknown)}; there are {', '.join(sorted(records.sources))}"])
        lookup = await asyncio.to_thread(records.lookup, file.rfi, as_of=self._clock(), sources=sources)
        accepted_by = user if accept_unread else None
        async with self._store.transaction() as tx:
            file, version = await read(tx, RequestFile, KIND, rfi)
            file = with_lookup(
                file, lookup, sources=records.sources, accepted_by=accepted_by, at=self._clock(), by=user
            )
            await write(tx, KIND, rfi, file, version=version)
        return self._judge(file)

    async def standing(self, rfi: str, *, user: str) -> Proposal:
        """Say what the rules make of the file as it stands, without another look-up."""
        return self._judge(await self.show(rfi, user=user))

    async def ask_source(self, rfi: str, source: str, *, user: str, due_at: datetime | None = None) -> RequestFile:
        """Record that one source was asked in turn (FAN-02); its due time follows from our own (FAN-04)."""
        now = self._clock()

        def step(file: RequestFile) -> dict[str, object]:
            refuse_if([CANCELLED] if file.state == "cancelled" else [])
            refuse_if([f"{source} was asked already"] if _owes(file, source) else [])
            due = due_at or sub_request_due(file.rfi.response_due_at or file.received_at, asked_at=now)
            return {"sub_requests": (*file.sub_requests, SubRequest(source=source, asked_at=now, due_at=due))}

        return await self._change(rfi, f"{source} asked", user=user, step=step)

    async def source_answered(self, rfi: str, source: str, *, user: str) -> RequestFile:
        """Record that a source has answered its sub-request."""
        now = self._clock()

        def step(file: RequestFile) -> dict[str, object]:
            refuse_if([] if _owes(file, source) else [f"{source} owes nothing to {rfi}"])
            return {
                "sub_requests": tuple(
                    one.model_copy(update={"answered_at": now})
                    if (one.source, one.answered_at) == (source, None)
                    else one
                    for one in file.sub_requests
                )
            }

        return await self._change(rfi, f"{source} answered", user=user, step=step)

    async def approve(self, rfi: str, record: str, *, role: str, user: str) -> Proposal:
        """Approve one record in a role that the user holds; never one's own wording of a sensitive record (RSP-19)."""
        self._users.require_trained(user, role, today=self._clock().date())

        def step(candidate: Candidate) -> Candidate:
            if candidate.worded_by == user and needs_four_eyes(candidate.record, agency=self._pack.agency):
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

    async def withhold(
        self, rfi: str, record: str, *, ground: str, note: str, user: str, notes: RecordNotes | None = None
    ) -> Proposal:
        """Withhold a record on a professional's judgement, with its ground and the weighing (LAW-27, LAW-30)."""
        self._users.find(user)
        refuse_if(withholding_objections(ground, note))

        def step(candidate: Candidate) -> Candidate:
            return withheld(candidate, ground, note, notes=notes, at=self._clock(), by=user)

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
            refuse_if((*proposal.objections, *silence_objections(proposal.new, sender=user)))
            reply = self._answer(proposal, user=user)
            await record_decisions(tx, file, proposal.new, user=user)
            await record_lawfulness(tx, proposal, user=user)
            await tell(
                tx,
                file,
                reply.response,
                event=event_of(reply.response),
                user=user,
                role=sender.signing_role,
                answer=reply,
            )
            await write(tx, KIND, rfi, after_sending(file, reply, at=self._clock(), by=user), version=version)
        return reply.response

    async def correct(self, rfi: str, record: str, *, wording: str, what_was_wrong: str, user: str) -> Correction:
        """Tell everyone who received an item that it was wrong, and what it should say (RSP-13).

        The rules are asked about the corrected wording; where they name an approver, the wording is first put in place
        with `summarise` and approved. Raises `Refused`.
        """
        signing_role = self._users.find(user).signing_role
        refuse_if([] if wording.strip() and what_was_wrong.strip() else ["say what was wrong, and what it should say"])
        async with self._store.transaction() as tx:
            file, version = await read(tx, RequestFile, KIND, rfi)
            corrected = _reworded(file.candidate(record), wording, by=user)
            changed = file.with_candidate(corrected, f"{record} corrected", at=self._clock(), by=user)
            (judged,) = [one for one in self._judge(changed).judged if one.candidate.item == corrected.item]
            refuse_if(correction_objections(judged))
            notice = Correction(
                enquiry=file.rfi.enquiry,
                rfi=rfi,
                item=corrected.item,
                wording=wording,
                what_was_wrong=what_was_wrong,
                corrected_at=self._clock(),
            )
            await record_decisions(tx, file, [judged], user=user)
            await tell(tx, file, notice, event="NTC", user=user, role=signing_role)
            await write(tx, KIND, rfi, changed, version=version)
        return notice

    def _answer(self, proposal: Proposal, *, user: str) -> Answer:
        sender = self._users.find(user)
        telephone = sender.telephone or self._holder.telephone
        responder = Responder(name=sender.name, role=sender.job_title, telephone=telephone)
        return answer(
            proposal.file,
            proposal.new,
            holder=self._holder,
            responder=responder,
            now=self._clock(),
            incomplete=proposal.incomplete,
        )

    def _judge(self, file: RequestFile) -> Proposal:
        return Proposal.of(file, by=Bench(self._pack, self._standing, self._users, self._clock()))

    async def _change(
        self, rfi: str, what: str, *, user: str, step: Callable[[RequestFile], dict[str, object]]
    ) -> RequestFile:
        self._users.find(user)
        async with self._store.transaction() as tx:
            file, version = await read(tx, RequestFile, KIND, rfi)
            changed = file.noting(what, at=self._clock(), by=user, **step(file))
            await write(tx, KIND, rfi, changed, version=version)
            await set_desk_clocks(tx, rfi, changed)
        return changed

    async def _change_candidate(
        self, rfi: str, record: str, what: str, *, user: str, step: Callable[[Candidate], Candidate]
    ) -> Proposal:
        async with self._store.transaction() as tx:
            file, version = await read(tx, RequestFile, KIND, rfi)
            changed = file.with_candidate(step(file.candidate(record)), what, at=self._clock(), by=user)
            await write(tx, KIND, rfi, changed, version=version)
        return self._judge(changed)


def _owes(file: RequestFile, source: str) -> bool:
    return source in {one.source for one in file.outstanding()}


def _answered(asked: SubRequest, source: str, *, at: datetime) -> SubRequest:
    waiting = asked.source == source and asked.answered_at is None
    return asked.model_copy(update={"answered_at": at}) if waiting else asked


def _reworded(candidate: Candidate, wording: str, *, by: str) -> Candidate:
    """Put the corrected wording in place, unless it stands there already and may have been approved."""
    return candidate if candidate.record.summary == wording else worded(candidate, wording, by=by)
