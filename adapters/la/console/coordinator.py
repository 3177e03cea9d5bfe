"""What the coordinator does: open an enquiry, choose whom to ask, issue, rate anew, telephone, decide.

Every command is one transaction: the enquiry's new state and the messages it causes are committed together. A refused
command lists every reason and changes nothing.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from adapters.kit.filing import read, read_all, write
from adapters.kit.keyring import Keyring
from adapters.kit.messages import Outbound, outgoing, service_class
from adapters.kit.outbox import OutboxRef
from adapters.kit.refusal import Refused, refuse_if
from adapters.kit.sealing import new_thread
from adapters.kit.store import Store
from adapters.kit.transaction import Transaction
from adapters.kit.users import Users
from adapters.la.console import admission, clocks
from adapters.la.console.enquiry import (
    Enquiry,
    Form,
    Issued,
    Planned,
    Rating,
    opened,
    rated,
    with_call,
    with_person,
    with_recipient,
    without,
)
from adapters.la.console.minimise import request_to
from adapters.la.console.register import Register
from broker.calendar import WorkingCalendar
from schemas.content.base import Content
from schemas.content.codes import RagRating
from schemas.content.notice import Request, Rerating
from schemas.content.person import Person
from schemas.content.rfi import RequestForInformation
from schemas.directory import Directory
from schemas.routing import Lane

KIND = "enquiry"
MAY_RATE = frozenset({"mash_team_manager", "decision_maker"})


@dataclass(frozen=True)
class Office:
    """What every part of the console works with."""

    store: Store
    users: Users
    register: Register
    calendar: WorkingCalendar
    clock: Callable[[], datetime]
    keyring: Keyring
    directory: Callable[[], Directory]

    async def read(self, tx: Transaction, reference: str) -> tuple[Enquiry, int]:
        """Give the enquiry and its version. Raises `NotHere`."""
        return await read(tx, Enquiry, KIND, reference)

    async def write(self, tx: Transaction, enquiry: Enquiry, *, version: int | None) -> None:
        """Write the enquiry, if nobody changed it meanwhile."""
        await write(tx, KIND, enquiry.reference, enquiry, version=version)

    async def tell(
        self, tx: Transaction, issued: Issued, message: Content, *, event: str, user: str, rag: str | None
    ) -> OutboxRef:
        """Put a message to one recipient into the outbox and give its place there."""
        first = event == "REQ"
        bound = Outbound(
            recipient=issued.participant,
            thread=issued.thread,
            in_reply_to=None if first else issued.mid,
            lane=Lane.URGENT if issued.urgent else Lane.ROUTINE,
            event=event,
            service_class=service_class(rag),
        )
        role = self.users.find(user).signing_role
        reference = await tx.enqueue(outgoing(bound, message, user=user, role=role))
        return reference


class Coordinator:
    """The commands of the coordinator and the team manager."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def new(self, reference: str, form: Form, *, user: str) -> Enquiry:
        """Open an enquiry (TRI-12). Raises `Refused` where the reference is taken."""
        office = self._office
        office.users.find(user)
        enquiry = opened(reference, form, at=office.clock(), by=user)
        async with office.store.transaction() as tx:
            if await tx.get(KIND, reference) is not None:
                raise Refused([f"{reference} is the reference of another enquiry"])
            await office.write(tx, enquiry, version=None)
        return enquiry

    async def show(self, reference: str, *, user: str) -> Enquiry:
        """Open an enquiry in a user's name; the look is logged before the content is shown (REC-05)."""
        self._office.users.find(user)
        async with self._office.store.transaction() as tx:
            await tx.open_document(KIND, reference, user=user)
            return (await self._office.read(tx, reference))[0]

    async def all(self) -> tuple[Enquiry, ...]:
        """Give every enquiry, oldest first."""
        async with self._office.store.transaction() as tx:
            return await read_all(tx, Enquiry, KIND)

    async def add_person(self, reference: str, key: str, person: Person, *, user: str) -> Enquiry:
        """Add a person, or replace the one with this key."""
        return await self._change(
            reference, lambda enquiry: with_person(enquiry, key, person, at=self._office.clock(), by=user)
        )

    async def choose(self, reference: str, planned: Planned, *, user: str) -> Enquiry:
        """Choose a recipient, with the reason for it (TRI-07)."""
        return await self._change(
            reference, lambda enquiry: with_recipient(enquiry, planned, at=self._office.clock(), by=user)
        )

    async def leave_out(self, reference: str, kind: str, reason: str, *, user: str) -> Enquiry:
        """Record why an agency is not contacted (TRI-07)."""
        return await self._change(
            reference, lambda enquiry: without(enquiry, kind, reason, at=self._office.clock(), by=user)
        )

    async def rate(self, reference: str, rag: str, rationale: str, *, user: str) -> Enquiry:
        """Rate an enquiry that has not been issued (TRI-06); afterwards it is `rerate`."""
        self._office.users.require_any(user, MAY_RATE, why="TRI-06")
        refuse_if(_rating_objections(rag, rationale))
        rating = Rating(rag=rag, at=self._office.clock(), by=user, rationale=rationale)
        return await self._change(reference, lambda enquiry: rated(enquiry, rating))

    async def issue(self, reference: str, *, user: str, due_at: datetime | None = None) -> Enquiry:
        """Send the enquiry to everyone planned and not asked yet. Raises `Refused` with every objection at once."""
        office = self._office
        now = office.clock()
        async with office.store.transaction() as tx:
            enquiry, version = await office.read(tx, reference)
            waiting = [planned for planned in enquiry.planned if not enquiry.request_to(planned.participant)]
            refuse_if(map(str, admission.objections_to_enquiry(enquiry, authorised_by_roles=self._roles(user))))
            requests = [self._request(enquiry, planned, now=now, due_at=due_at) for planned in waiting]
            refuse_if(self._objections(waiting, requests, now=now))
            issued = [await self._send(tx, request, user=user, now=now) for request in requests]
            await office.write(tx, self._after_issue(enquiry, issued, now=now, user=user), version=version)
            return (await office.read(tx, reference))[0]

    async def rerate(self, reference: str, rag: str, rationale: str, *, user: str) -> Enquiry:
        """Rate anew: due times of the unanswered may only get sooner, and everyone still asked is told (SLA-10)."""
        office = self._office
        office.users.require_any(user, MAY_RATE, why="TRI-06")
        refuse_if(_rating_objections(rag, rationale))
        now = office.clock()
        async with office.store.transaction() as tx:
            enquiry, version = await office.read(tx, reference)
            unanswered = await self._unanswered(tx, enquiry)
            issued = clocks.rerated(enquiry, rag, at=now, calendar=office.calendar, unanswered=unanswered)
            waiting = [one for one in issued if one.rfi in unanswered]
            for one in waiting:
                notice = Rerating(enquiry=reference, rfi=one.rfi, rag=rag, response_due_at=one.due_at)
                await office.tell(tx, one, notice, event="RRT", user=user, rag=rag)
            calls = clocks.prompts(waiting, rag, cause="rerating", at=now, calendar=office.calendar)
            changed = rated(enquiry, Rating(rag=rag, at=now, by=user, rationale=rationale)).model_copy(
                update={"issued": issued, "prompts": (*enquiry.prompts, *calls)}
            )
            await office.write(tx, self._telling_duty_team(changed, now=now), version=version)
            return (await office.read(tx, reference))[0]

    async def record_call(self, reference: str, participant: str, outcome: str, *, user: str) -> Enquiry:
        """Record the telephone call that an urgent request asks for; it closes every open prompt of that agency."""
        self._office.users.find(user)
        if not outcome.strip():
            raise Refused(["SLA-02: say how the call went: who was reached, or that nobody was"])

        def step(enquiry: Enquiry) -> Enquiry:
            open_prompts = [one for one in enquiry.prompts if one.participant == participant and one.made_at is None]
            refuse_if([] if open_prompts else [f"no call to {participant} is waiting"])
            for one in open_prompts:
                enquiry = with_call(enquiry, one.prompt, outcome=outcome, at=self._office.clock(), by=user)
            return enquiry

        return await self._change(reference, step)

    def _roles(self, user: str) -> tuple[str, ...]:
        return self._office.users.find(user).roles

    def _request(
        self, enquiry: Enquiry, planned: Planned, *, now: datetime, due_at: datetime | None
    ) -> RequestForInformation:
        due, urgent = (None, False)
        if enquiry.rag:
            due, urgent = clocks.due_and_urgency(
                enquiry.rag, issued_at=now, calendar=self._office.calendar, sooner=due_at
            )
        return request_to(
            enquiry,
            planned,
            register=self._office.register,
            rfi=f"RFI-{secrets.token_hex(6)}",
            issued_at=now,
            due_at=due,
            urgent=urgent,
        )

    def _objections(self, waiting: list[Planned], requests: list[RequestForInformation], *, now: datetime) -> list[str]:
        if not waiting:
            return ["TRI-07  recipients: everybody chosen has been asked already"]
        return [
            str(objection)
            for planned, request in zip(waiting, requests, strict=True)
            for objection in admission.objections_to_recipient(
                request, planned, self._office.register.party(planned.participant), now=now
            )
        ]

    async def _send(self, tx: Transaction, request: RequestForInformation, *, user: str, now: datetime) -> Issued:
        issued = Issued(
            participant=request.recipient.participant or "",
            rfi=request.rfi or "",
            thread=new_thread(),
            message="",
            mid="",
            issued_at=now,
            due_at=request.response_due_at or now,
            urgent=request.urgent,
        )
        sent = await self._office.tell(tx, issued, Request(rfi=request), event="REQ", user=user, rag=request.rag)
        refs = {"enquiry": request.enquiry, "rfi": issued.rfi, "to": issued.participant}
        await tx.record("request", refs=refs, detail=request.canonical_bytes())
        return issued.model_copy(update={"message": sent.ref, "mid": sent.mid or ""})

    def _after_issue(self, enquiry: Enquiry, issued: list[Issued], *, now: datetime, user: str) -> Enquiry:
        calls = clocks.prompts(issued, enquiry.rag or "", cause="issue", at=now, calendar=self._office.calendar)
        changed = enquiry.noting(
            f"issued to {len(issued)}",
            at=now,
            by=user,
            issued=(*enquiry.issued, *issued),
            prompts=(*enquiry.prompts, *calls),
        )
        return self._telling_duty_team(changed, now=now)

    def _telling_duty_team(self, enquiry: Enquiry, *, now: datetime) -> Enquiry:
        """RED runs past the close of the office: the emergency duty team is told at once (TRI-10)."""
        if enquiry.rag != RagRating.RED:
            return enquiry
        return enquiry.noting("emergency duty team told", at=now, by="adapter")

    async def _unanswered(self, tx: Transaction, enquiry: Enquiry) -> frozenset[str]:
        answered = {document.key.split("/")[1] for document in await tx.list("answer")}
        return frozenset(issued.rfi for issued in enquiry.issued if issued.rfi not in answered)

    async def _change(self, reference: str, step: Callable[[Enquiry], Enquiry]) -> Enquiry:
        office = self._office
        async with office.store.transaction() as tx:
            enquiry, version = await office.read(tx, reference)
            changed = step(enquiry)
            await office.write(tx, changed, version=version)
        return changed


def _rating_objections(rag: str, rationale: str) -> list[str]:
    reasons = []
    if rag not in set(RagRating):
        reasons.append(f"TRI-06: {rag!r} is no rating; RED, AMBER, GREEN or BLUE")
    if not rationale.strip():
        reasons.append("TRI-06: say why")
    return reasons
