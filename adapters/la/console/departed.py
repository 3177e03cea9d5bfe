"""An agency has left: what this office had asked it and is still owed ends as `participant_left`, and people are told.

Nobody here did anything: the signed directory says so (GOV-10). What was answered stays answered; whoever should be
asked instead is chosen anew.
"""

from typing import Final

from adapters.kit.refusal import Refused
from adapters.kit.store.alarms import Priority
from adapters.kit.store.errors import TooLate
from adapters.kit.store.filing import read_all
from adapters.kit.store.transaction import Transaction
from adapters.la.console.arrivals import arrivals
from adapters.la.console.enquiry import Cancelled, Enquiry, Issued, cancelled
from adapters.la.console.standing import unanswered
from adapters.la.console.workroom import KIND, Office

LEFT: Final = "participant_left"
REASON = "the agency is no party to the agreement any more"


class Departed:
    """Ends the requests to an agency that has left."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def on_left(self, tx: Transaction, participant: str) -> int:
        """End every request to `participant` that owes something, and raise one alarm for each; gives how many."""
        ended = 0
        for enquiry in await read_all(tx, Enquiry, KIND):
            waiting = unanswered(enquiry, await arrivals(tx, enquiry.reference))
            owing = [one for one in enquiry.issued if one.participant == participant and one.rfi in waiting]
            for issued in owing:
                await self._end(tx, enquiry.reference, issued)
            ended += len(owing)
        return ended

    async def _end(self, tx: Transaction, reference: str, issued: Issued) -> None:
        enquiry, version = await self._office.read(tx, reference)
        recalled = await _recalled(tx, issued)
        ending = Cancelled(at=tx.now, by="adapter", reason=REASON, recalled=recalled, cause=LEFT)
        refs = {"enquiry": reference, "rfi": issued.rfi, "to": issued.participant}
        await tx.record("participant left", refs=refs, detail=ending.canonical_bytes())
        await self._office.write(tx, cancelled(enquiry, issued.rfi, ending), version=version)
        await tx.alarm(f"{LEFT}/{issued.rfi}", priority=Priority.P1, code="participant-left", refs=refs)


async def _recalled(tx: Transaction, issued: Issued) -> bool:
    try:
        await tx.recall(issued.message)
    except (TooLate, Refused):
        return False
    return True
