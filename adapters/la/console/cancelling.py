"""Cancelling a request: taken back before it has left, or a notice that stops the work and the clock over there.

What has been answered stays answered: an answer that crossed the notice is filed and shown like any other.
Whoever is to be asked again is chosen again; that is a new request on a clock of its own.
"""

from adapters.kit.refusal import Refused, refuse_if
from adapters.kit.store.errors import TooLate
from adapters.kit.store.transaction import Transaction
from adapters.la.console.arrivals import arrivals
from adapters.la.console.enquiry import Cancelled, Enquiry, Issued, cancelled
from adapters.la.console.standing import unanswered
from adapters.la.console.workroom import Office
from schemas.content.notice import Cancellation


class Cancelling:
    """The command that takes a request back."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def cancel(self, reference: str, participant: str, reason: str, *, user: str) -> Enquiry:
        """Take back what was asked of one participant. Raises `Refused` without a reason, or where nothing is owed.

        A request that is still held back is recalled and never leaves; otherwise the participant is told.
        """
        office = self._office
        office.users.find(user)
        refuse_if([] if reason.strip() else ["say why the request is cancelled; who was asked is told"])
        now = office.clock()
        async with office.store.transaction() as tx:
            enquiry, version = await office.read(tx, reference)
            issued = await self._owing(tx, enquiry, participant)
            recalled = await _recalled(tx, issued)
            if not recalled:
                notice = Cancellation(enquiry=reference, rfi=issued.rfi, reason=reason, cancelled_at=now)
                await office.tell(tx, issued, notice, event="RCL", user=user, rag=enquiry.rag)
            cancellation = Cancelled(at=now, by=user, reason=reason, recalled=recalled)
            refs = {"enquiry": reference, "rfi": issued.rfi, "to": participant, "recalled": str(recalled).lower()}
            await tx.record("request cancelled", refs=refs, detail=cancellation.canonical_bytes())
            await office.write(tx, cancelled(enquiry, issued.rfi, cancellation), version=version)
            return (await office.read(tx, reference))[0]

    async def _owing(self, tx: Transaction, enquiry: Enquiry, participant: str) -> Issued:
        issued = enquiry.request_to(participant)
        if issued is None:
            raise Refused([f"nothing that was asked of {participant} in {enquiry.reference} can be cancelled"])
        if issued.rfi not in unanswered(enquiry, await arrivals(tx, enquiry.reference)):
            raise Refused([f"{participant} has answered; there is nothing to cancel"])
        return issued


async def _recalled(tx: Transaction, issued: Issued) -> bool:
    """Take the request back out of the outbox, if it is still there."""
    try:
        await tx.recall(issued.message)
    except TooLate:
        return False
    return True
