"""Asking an originator whether one more audience may have an item, and living by the answer (DIS-04).

Receiving is not permission to pass on (SEF §2.6). A grant is for one item and one audience, may end by itself, and
counts only while its originator has not taken it back: the collation applies it at every look, nothing copies it.
"""

import secrets
from collections.abc import Sequence

from adapters.kit.delivery.inbox_worker import Received
from adapters.kit.refusal import Refused, refuse_if
from adapters.kit.store.transaction import Transaction
from adapters.la.console.answers import arrivals
from adapters.la.console.arrived import Arrived
from adapters.la.console.coordinator import Office
from adapters.la.console.enquiry import Enquiry, Issued, OnwardQuestion
from broker.sla import onward_question_due
from schemas.content.codes import Audience
from schemas.content.notice import OnwardAnswer, OnwardRequest
from schemas.content.response import Item
from schemas.rating import RagRating

MAY_BE_ASKED_FOR = frozenset(Audience) - {Audience.DECISION_MAKER, Audience.MASH_TEAM}


class Onward:
    """The questions to originators of this office."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def ask(self, reference: str, item: str, audience: str, reason: str, *, user: str) -> OnwardQuestion:
        """Ask the agency that gave an item. Raises `Refused`; what is sealed for the decision maker is not asked on."""
        office = self._office
        office.users.find(user)
        now = office.clock()
        async with office.store.transaction() as tx:
            enquiry, version = await office.read(tx, reference)
            found = _find(enquiry, await arrivals(tx, reference), item)
            refuse_if(_objections(found, audience, reason))
            issued, _ = found or _missing(item)
            rag = RagRating(enquiry.rag or RagRating.AMBER)
            question = OnwardQuestion(
                question=secrets.token_urlsafe(9),
                item=item,
                rfi=issued.rfi,
                audience=audience,
                reason=reason,
                asked_at=now,
                due_at=onward_question_due(rag, now, calendar=office.calendar),
            )
            message = OnwardRequest(
                enquiry=reference,
                rfi=issued.rfi,
                item=item,
                question=question.question,
                audience=audience,
                reason=reason,
                asked_at=now,
            )
            await office.tell(tx, issued, message, event="QRY", user=user, rag=enquiry.rag)
            changed = enquiry.noting(
                f"{issued.participant} asked about {audience}", at=now, by=user, onward=(*enquiry.onward, question)
            )
            await office.write(tx, changed, version=version)
        return question

    async def on_answer(self, tx: Transaction, received: Received, message: OnwardAnswer) -> None:
        """Take over the originator's answer. One to a question that was not put to it, or is another's, is refused."""
        enquiry, version = await self._office.read(tx, message.enquiry)
        issued = enquiry.request(message.rfi)
        asked = next((one for one in enquiry.onward if one.question == message.question), None)
        if issued is None or issued.participant != received.original.peer or asked is None:
            raise Refused(["E25: an answer to a question that was not asked"])
        if (asked.rfi, asked.item, asked.audience) != (message.rfi, message.item, message.audience):
            raise Refused(["E25: the answer is about something else than the question"])
        answered = asked.model_copy(
            update={
                "granted": message.granted,
                "valid_until": message.valid_until,
                "answered_at": message.decided_at,
            }
        )
        if asked.answered_at is not None and message.decided_at < asked.answered_at:
            return
        onward = tuple(answered if one.question == asked.question else one for one in enquiry.onward)
        said = "granted" if message.granted else "refused or taken back"
        changed = enquiry.noting(
            f"{message.audience} {said}", at=received.received_at, by=received.original.peer, onward=onward
        )
        await self._office.write(tx, changed, version=version)


def _find(enquiry: Enquiry, arrived: Sequence[Arrived], item: str) -> tuple[Issued, Item] | None:
    for one in arrived:
        issued = enquiry.request(one.response.rfi)
        for held in one.response.items:
            if held.item == item and issued is not None:
                return issued, held
    return None


def _missing(item: str) -> tuple[Issued, Item]:
    raise Refused([f"{item} is no item of this enquiry"])


def _objections(found: tuple[Issued, Item] | None, audience: str, reason: str) -> list[str]:
    reasons = []
    if found is None:
        reasons.append("DIS-04: no such item that the team may see; `mash enquiry show` lists them")
    elif found[1].marking.permits(audience):
        reasons.append(f"DIS-04: {audience} may have it already")
    if audience not in MAY_BE_ASKED_FOR:
        reasons.append(f"DIS-04: {audience!r} is none of {', '.join(sorted(MAY_BE_ASKED_FOR))}")
    if not reason.strip():
        reasons.append("DIS-04: say why they need it")
    return reasons
