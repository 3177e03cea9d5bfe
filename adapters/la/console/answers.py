"""What comes back to the coordinator: answers, bounces, human acknowledgements, corrections.

Each handler runs in the inbox's transaction. A response is filed as it came; its part for the decision maker stays
sealed in the envelope until the decision maker opens it, and that act is logged before anything is shown (DIS-02).
"""

from adapters.kit.delivery.inbox_worker import Received
from adapters.kit.refusal import Refused, refuse_if
from adapters.kit.store.alarms import Priority
from adapters.kit.store.filing import read_all, write
from adapters.kit.store.transaction import Transaction
from adapters.la.console.arrivals import KIND as KIND
from adapters.la.console.arrivals import arrivals as arrivals
from adapters.la.console.arrivals import read_arrived as read_arrived
from adapters.la.console.arrived import Arrived, EnvelopeRef, Progress
from adapters.la.console.clock_rows import source_rows
from adapters.la.console.collation import Collation, collate
from adapters.la.console.enquiry import CorrectionTask, Enquiry, with_calls_answered
from adapters.la.console.progress import PROGRESS as PROGRESS
from adapters.la.console.progress import note_progress, read_progress
from adapters.la.console.standing import Standing, by_urgency, standing
from adapters.la.console.workroom import Office
from broker.sla import correction_ack_due
from schemas.content.codes import Audience
from schemas.content.notice import Bounce, Correction, Seen
from schemas.content.response import Response

DECISION_MAKER = "decision_maker"


class Answers:
    """Files what arrives about the enquiries of this office, and shows it side by side."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def on_response(self, tx: Transaction, received: Received, message: Response) -> None:
        """File an answer, late or not (RSP-14). An answer to somebody else's question is refused.

        So is one that names an item as another one is named already: grants, handovers and corrections go by the name.
        One that comes after the decision, a supplement too, is an alarm: somebody reads it against what was decided
        without it (RSP-12).
        """
        enquiry, version = await self._asked_of(tx, message.enquiry, message.rfi, sender=received.original.peer)
        refuse_if(_names_taken(message, await arrivals(tx, message.enquiry)))
        arrived = Arrived(
            at=received.received_at,
            response=message,
            envelope=EnvelopeRef(peer=received.original.peer, mid=received.original.mid),
        )
        await write(tx, KIND, f"{message.enquiry}/{message.rfi}/{received.original.mid}", arrived, version=None)
        for row in source_rows(message.enquiry, arrived):
            await tx.add_timer(row.kind, row.ref, row.due_at)
        if enquiry.decided is not None:
            refs = {"enquiry": message.enquiry, "rfi": message.rfi, "from": received.original.peer}
            alarm_id = f"after-decision/{message.rfi}/{received.original.mid}"
            await tx.alarm(alarm_id, priority=Priority.P2, code="answer-after-decision", refs=refs)
        what = f"{'supplement' if message.supplement else 'answer'} from {received.original.peer}"
        if not message.outstanding:
            how = "answered before the call was made"
            enquiry = with_calls_answered(enquiry, received.original.peer, how=how, at=received.received_at)
        await self._office.write(
            tx, enquiry.noting(what, at=received.received_at, by=received.original.peer), version=version
        )

    async def on_bounce(self, tx: Transaction, received: Received, message: Bounce) -> None:
        """Note that a request came back with its gaps; the enquiry's clock keeps running (RFI-15)."""
        await self._asked_of(tx, message.enquiry, message.rfi, sender=received.original.peer)
        await note_progress(tx, message.rfi, gaps=message.gaps, queried=message.queried)

    async def on_seen(self, tx: Transaction, received: Received, message: Seen) -> None:
        """Note that a person at the agency has opened the request (FAN-07)."""
        await self._asked_of(tx, message.enquiry, message.rfi, sender=received.original.peer)
        await note_progress(tx, message.rfi, seen_at=message.seen_at)

    async def on_correction(self, tx: Transaction, received: Received, message: Correction) -> None:
        """Put the corrected wording in place, and open one task for everyone who holds the item (RSP-13)."""
        enquiry, version = await self._asked_of(tx, message.enquiry, message.rfi, sender=received.original.peer)
        await self._correct_item(tx, message)
        due = correction_ack_due(received.received_at, calendar=self._office.calendar)
        tasks = tuple(
            CorrectionTask(item=message.item, rfi=message.rfi, audience=audience, service=service, due_at=due)
            for audience, service in holders_of(enquiry, message.item)
        )
        changed = enquiry.noting(
            f"correction from {received.original.peer}",
            at=received.received_at,
            by=received.original.peer,
            corrections=(*enquiry.corrections, *tasks),
        )
        await self._office.write(tx, changed, version=version)

    async def collation(self, reference: str, *, user: str) -> Collation:
        """Show everything side by side; sealed parts only to the decision maker who has opened them."""
        office = self._office
        viewer = office.users.find(user)
        async with office.store.transaction() as tx:
            await tx.open_document("enquiry", reference, user=user)
            enquiry, _ = await office.read(tx, reference)
            arrived = await arrivals(tx, reference)
            progress = {issued.rfi: await self._progress(tx, issued.rfi, issued.message) for issued in enquiry.issued}
        return collate(
            enquiry,
            arrived,
            progress,
            register=office.register,
            now=office.clock(),
            open_sealed=DECISION_MAKER in viewer.roles,
        )

    async def standing(self, *, user: str) -> tuple[Standing, ...]:
        """Say where every enquiry stands, what is due soonest first; nothing about a person is shown."""
        self._office.users.find(user)
        async with self._office.store.snapshot() as view:
            enquiries = await read_all(view, Enquiry, "enquiry")
            lines = [standing(enquiry, await arrivals(view, enquiry.reference)) for enquiry in enquiries]
        return by_urgency(lines)

    async def _asked_of(self, tx: Transaction, reference: str, rfi: str, *, sender: str) -> tuple[Enquiry, int]:
        """Give the enquiry if `sender` was asked this very question. Raises `Refused` otherwise (E25)."""
        enquiry, version = await self._office.read(tx, reference)
        issued = enquiry.request(rfi)
        if issued is None or issued.participant != sender:
            raise Refused([f"E25: {sender} was not asked {rfi}"])
        return enquiry, version

    async def _progress(self, tx: Transaction, rfi: str, message: str) -> Progress:
        known, _ = await read_progress(tx, rfi)
        sent = await tx.outgoing(message)
        return known.model_copy(update={"received_at": sent.received_at if sent else None})

    async def _correct_item(self, tx: Transaction, message: Correction) -> None:
        """Put the corrected wording into the answer that holds the item. Raises `Refused` where none does (E25)."""
        corrected = False
        for document in await tx.list(KIND):
            arrived = Arrived.model_validate_json(document.plain)
            held = {item.item for item in arrived.response.items}
            if arrived.response.rfi != message.rfi or message.item not in held:
                continue
            items = tuple(
                item.model_copy(update={"wording": message.wording}) if item.item == message.item else item
                for item in arrived.response.items
            )
            changed = arrived.model_copy(update={"response": arrived.response.model_copy(update={"items": items})})
            await write(tx, KIND, document.key, changed, version=document.version)
            corrected = True
        refuse_if([] if corrected else [f"E25: {message.item} is in no answer to {message.rfi}"])


def holders_of(enquiry: Enquiry, item: str) -> tuple[tuple[str, str], ...]:
    """Give who has received an item, as audience and service: the MASH team, and every service it was handed to."""
    services = (
        (Audience.RECEIVING_SERVICE.value, handover.service) for handover in enquiry.handovers if item in handover.items
    )
    return tuple(dict.fromkeys(((Audience.MASH_TEAM.value, ""), *services)))


def _names_taken(message: Response, arrived: list[Arrived]) -> list[str]:
    new = _names_in(message)
    taken = {name for one in arrived for name in _names_in(one.response)}
    return ["E25: an item is named as another one is"] if len(set(new)) < len(new) or taken & set(new) else []


def _names_in(response: Response) -> list[str]:
    return [*(item.item for item in response.items), *(indicator.item for indicator in response.indicators)]
