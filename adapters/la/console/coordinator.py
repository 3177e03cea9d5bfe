"""What the coordinator does: open an enquiry, choose whom to ask, issue, rate anew, telephone, decide.

Every command is one transaction: the enquiry's new state and the messages it causes are committed together. A refused
command lists every reason and changes nothing.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from adapters.kit.envelope.sealing import new_thread
from adapters.kit.refusal import Refused, refuse_if
from adapters.kit.store.filing import read_all
from adapters.kit.store.transaction import Transaction
from adapters.kit.users import training_warning
from adapters.la.console import clocks
from adapters.la.console.arrivals import arrivals
from adapters.la.console.cautions import before_issuing
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
from adapters.la.console.issuing import Draft, drafts, objections
from adapters.la.console.progress import note_progress, read_progress
from adapters.la.console.standing import unanswered
from adapters.la.console.workroom import KIND
from adapters.la.console.workroom import Office as Office
from schemas.content.codes import RagRating
from schemas.content.notice import Request, Rerating
from schemas.content.person import Person

MAY_RATE = frozenset({"mash_team_manager", "decision_maker"})
REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Coordinator:
    """The commands of the coordinator and the team manager."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def new(self, reference: str, form: Form, *, user: str) -> Enquiry:
        """Open an enquiry (TRI-12). Raises `Refused` where the reference is taken, or could hold a name."""
        office = self._office
        office.users.find(user)
        refuse_if([] if REFERENCE.fullmatch(reference) else [_UNFIT])
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

    async def amend(self, reference: str, form: Form, *, user: str) -> Enquiry:
        """Put the form in place of the one given before; what has been sent stays as it was sent."""
        return await self._change(
            reference,
            lambda enquiry: enquiry.noting("form amended", at=self._office.clock(), by=user, form=form),
            user=user,
        )

    async def add_person(self, reference: str, key: str, person: Person, *, user: str) -> Enquiry:
        """Add a person, or replace the one with this key."""
        return await self._change(
            reference, lambda enquiry: with_person(enquiry, key, person, at=self._office.clock(), by=user), user=user
        )

    async def choose(self, reference: str, planned: Planned, *, user: str) -> Enquiry:
        """Choose a recipient, with the reason for it (TRI-07)."""
        kind = self._kind_of(planned.participant)
        return await self._change(
            reference,
            lambda enquiry: with_recipient(enquiry, planned, kind=kind, at=self._office.clock(), by=user),
            user=user,
        )

    async def leave_out(self, reference: str, whom: str, reason: str, *, user: str) -> Enquiry:
        """Record why an agency is not contacted, and drop a plan to ask it (TRI-07). Raises `Refused` if it was."""
        refuse_if([] if reason.strip() else ["TRI-07: say why it is not contacted"])

        def step(enquiry: Enquiry) -> Enquiry:
            refuse_if([f"{whom} has been asked already"] if enquiry.request_to(whom) else [])
            kind = self._kind_of(whom)
            return without(enquiry, kind, reason, at=self._office.clock(), by=user, participant=whom)

        return await self._change(reference, step, user=user)

    async def rate(self, reference: str, rag: str, rationale: str, *, user: str) -> Enquiry:
        """Rate an enquiry that has not been issued (TRI-06); afterwards it is `rerate`."""
        self._office.users.require_any(user, MAY_RATE, why="TRI-06")
        refuse_if(_rating_objections(rag, rationale))
        rating = Rating(rag=rag, at=self._office.clock(), by=user, rationale=rationale)

        def step(enquiry: Enquiry) -> Enquiry:
            refuse_if([f"TRI-06: {reference} has gone out; rate it anew with `rerate`"] if enquiry.issued else [])
            return rated(enquiry, rating)

        return await self._change(reference, step, user=user)

    async def issue(
        self, reference: str, *, user: str, due_at: datetime | None = None, hold_for: timedelta = timedelta()
    ) -> Enquiry:
        """Send to everyone chosen and not asked yet, and again what went back with gaps (RFI-15).

        With `hold_for` nothing leaves before that has passed, and until then what is cancelled was never sent.
        Raises `Refused` with every objection at once; then nothing is stored and nothing sent.
        """
        office = self._office
        now, roles = office.clock(), office.users.find(user).roles
        async with office.store.transaction() as tx:
            enquiry, version = await office.read(tx, reference)
            bounced = await self._bounced(tx, enquiry)
            queried = frozenset([rfi for rfi in bounced if (await read_progress(tx, rfi))[0].queried])
            made = drafts(enquiry, area=office.area, bounced=bounced, queried=queried, now=now, sooner=due_at)
            refuse_if(objections(enquiry, made, roles=roles, area=office.area, now=now))
            enquiry = self._warned(enquiry, made, user=user, now=now)
            issued = [await self._send(tx, draft, user=user, now=now, hold_for=hold_for) for draft in made]
            await office.write(tx, self._after_issue(enquiry, issued, now=now, user=user), version=version)
            return (await office.read(tx, reference))[0]

    async def rerate(self, reference: str, rag: str, rationale: str, *, user: str) -> Enquiry:
        """Rate anew: due times of the unanswered may only get sooner, and everyone still asked is told (SLA-10)."""
        office = self._office
        office.users.require_any(user, MAY_RATE, why="TRI-06")
        refuse_if(_rating_objections(rag, rationale, running=True))
        now = office.clock()
        async with office.store.transaction() as tx:
            enquiry, version = await office.read(tx, reference)
            refuse_if([] if enquiry.issued else [f"TRI-06: {reference} has not gone out; rate it with `rate`"])
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
        if not outcome.strip():
            raise Refused(["SLA-02: say how the call went: who was reached, or that nobody was"])

        def step(enquiry: Enquiry) -> Enquiry:
            open_prompts = [one for one in enquiry.prompts if one.participant == participant and one.made_at is None]
            refuse_if([] if open_prompts else [f"no call to {participant} is waiting"])
            for one in open_prompts:
                enquiry = with_call(enquiry, one.prompt, outcome=outcome, at=self._office.clock(), by=user)
            return enquiry

        return await self._change(reference, step, user=user)

    def _kind_of(self, whom: str) -> str:
        party = self._office.register.party(whom)
        return party.kind if party else whom

    async def _send(self, tx: Transaction, draft: Draft, *, user: str, now: datetime, hold_for: timedelta) -> Issued:
        request, again = draft.request, draft.again
        issued = Issued(
            participant=draft.planned.participant,
            rfi=request.rfi or "",
            thread=again.thread if again else new_thread(),
            message="",
            mid="",
            issued_at=now,
            due_at=request.response_due_at or now,
            urgent=request.urgent,
        )
        sent = await self._office.tell(
            tx, issued, Request(rfi=request), event="REQ", user=user, rag=request.rag, release_at=now + hold_for
        )
        refs = {"enquiry": request.enquiry, "rfi": issued.rfi, "to": issued.participant}
        await tx.record("request", refs=refs, detail=request.canonical_bytes())
        if again:
            await note_progress(tx, issued.rfi, gaps=())
        return issued.model_copy(update={"message": sent.ref, "mid": sent.mid or ""})

    async def _bounced(self, tx: Transaction, enquiry: Enquiry) -> frozenset[str]:
        """Give the requests that came back with gaps and have not been answered since."""
        unanswered = await self._unanswered(tx, enquiry)
        gaps = {rfi: (await read_progress(tx, rfi))[0].gaps for rfi in unanswered}
        return frozenset(rfi for rfi, missing in gaps.items() if missing)

    def _after_issue(self, enquiry: Enquiry, issued: Sequence[Issued], *, now: datetime, user: str) -> Enquiry:
        calls = clocks.prompts(issued, enquiry.rag or "", cause="issue", at=now, calendar=self._office.calendar)
        fresh = {one.rfi for one in issued}
        before = (one for one in enquiry.issued if one.rfi not in fresh)
        changed = enquiry.noting(
            f"issued to {len(issued)}",
            at=now,
            by=user,
            issued=(*before, *issued),
            prompts=(*enquiry.prompts, *calls),
        )
        return self._telling_duty_team(changed, now=now)

    def _warned(self, enquiry: Enquiry, made: Sequence[Draft], *, user: str, now: datetime) -> Enquiry:
        """Keep what is worth saying and stops nothing, by its requirements' numbers in the history."""
        stale = training_warning(user, self._office.users.find(user), today=now.date())
        said = (*before_issuing(enquiry, [draft.request for draft in made]), *([stale] if stale else []))
        if not said:
            return enquiry.model_copy(update={"warned": ()})
        numbers = dict.fromkeys(one.partition(":")[0] for one in said)
        return enquiry.noting(f"warned: {', '.join(numbers)}", at=now, by="adapter", warned=said)

    def _telling_duty_team(self, enquiry: Enquiry, *, now: datetime) -> Enquiry:
        """RED runs past the close of the office: the emergency duty team is told at once (TRI-10)."""
        if enquiry.rag != RagRating.RED:
            return enquiry
        return enquiry.noting("emergency duty team told", at=now, by="adapter")

    async def _unanswered(self, tx: Transaction, enquiry: Enquiry) -> frozenset[str]:
        return unanswered(enquiry, await arrivals(tx, enquiry.reference))

    async def _change(self, reference: str, step: Callable[[Enquiry], Enquiry], *, user: str) -> Enquiry:
        office = self._office
        office.users.find(user)
        async with office.store.transaction() as tx:
            enquiry, version = await office.read(tx, reference)
            changed = step(enquiry)
            await office.write(tx, changed, version=version)
        return changed


_UNFIT = "TRI-03: a reference has letters, digits, dots and hyphens only, 64 at most, and never a person's name"


def _rating_objections(rag: str, rationale: str, *, running: bool = False) -> list[str]:
    reasons = []
    if rag not in set(RagRating):
        reasons.append("TRI-06: that is no rating; RED, AMBER, GREEN or BLUE")
    if running and rag == RagRating.BLUE:
        reasons.append("TRI-06: a running enquiry cannot become BLUE, which asks nobody; decide it instead")
    if not rationale.strip():
        reasons.append("TRI-06: say why")
    return reasons
