"""What arrives at the agency that was asked: requests, re-ratings, outcomes, acknowledgements of corrections.

Each handler runs in the inbox's transaction: the effect and the message it causes are committed together or not at all.
Only who asked may change what was asked: a message about somebody else's request is refused and changes nothing.
"""

from collections.abc import Callable
from datetime import datetime

from adapters.kit.delivery.inbox_worker import Received
from adapters.kit.delivery.messages import Outbound, outgoing, service_class
from adapters.kit.desk.answer import Answer
from adapters.kit.desk.clocks import set_desk_clocks
from adapters.kit.desk.request_file import RequestFile, SubRequest
from adapters.kit.disclosure import gaps
from adapters.kit.questions import as_agreed
from adapters.kit.refusal import Refused
from adapters.kit.store.filing import read, write
from adapters.kit.store.transaction import Transaction
from broker.sla import sub_request_due
from schemas.content.base import Content
from schemas.content.codes import RagRating
from schemas.content.notice import (
    Bounce,
    Cancellation,
    CorrectionAcknowledgement,
    OutcomeNotice,
    Request,
    Rerating,
)
from schemas.content.rfi import RequestForInformation
from schemas.routing import Lane

KIND = "rfi"
SYSTEM = "adapter"


class Intake:
    """Files what arrives for one agency of a kind."""

    def __init__(self, *, kind: str, clock: Callable[[], datetime]) -> None:
        self._kind = kind
        self._clock = clock

    async def on_request(self, tx: Transaction, received: Received, message: Request) -> None:
        """File a request. An incomplete one goes back with its gaps, once, and never where it is RED (RFI-15).

        The corrected request takes the place of the one that went back. Where it has gaps still, it is not sent back a
        second time: they are asked about, and another correction is taken. Raises `Refused` for a reference that is on
        file already (E25).
        """
        request = as_agreed(message.rfi)
        key = request.rfi or received.original.mid
        known = await tx.get(KIND, key)
        earlier = RequestFile.model_validate_json(known.plain) if known else None
        if earlier and (earlier.sender, earlier.state) != (received.original.peer, "bounced"):
            raise Refused([f"E25: {key} is on file already"])
        file = _filed(request, received, earlier=earlier)
        missing = gaps(request) if request.recipient.agency == self._kind else ()
        if missing and request.rag != RagRating.RED:
            what = "gaps queried" if earlier else "bounced"
            file = file.noting(what, at=self._clock(), by=SYSTEM, state="bounced")
            gaps_said = tuple(gap.message for gap in missing)
            notice = Bounce(enquiry=request.enquiry, rfi=key, gaps=gaps_said, queried=earlier is not None)
            await tell(tx, file, notice, event="QRY", user=SYSTEM, role="adapter")
        await write(tx, KIND, key, file, version=known.version if known else None)

    async def on_rerating(self, tx: Transaction, received: Received, message: Rerating) -> None:
        """Take over the new rating and due time, which may only be sooner (SLA-10)."""
        file, version = await _asked_by(tx, received, message.rfi)
        due = min(filter(None, (file.rfi.response_due_at, message.response_due_at)))
        urgent = file.rfi.urgent or received.lane is Lane.URGENT
        rfi = file.rfi.model_copy(update={"rag": message.rag, "response_due_at": due, "urgent": urgent})
        asked = tuple(_sooner(one, due) for one in file.sub_requests)
        changed = file.noting(
            f"rated {message.rag}", at=received.received_at, by=received.original.peer, rfi=rfi, sub_requests=asked
        )
        await write(tx, KIND, message.rfi, changed, version=version)
        await set_desk_clocks(tx, message.rfi, changed)

    async def on_outcome(self, tx: Transaction, received: Received, message: OutcomeNotice) -> None:
        """File the outcome, so that the agency learns it without asking (SLA-03)."""
        file, version = await _asked_by(tx, received, message.rfi)
        changed = file.noting("outcome received", at=received.received_at, by=received.original.peer, outcome=message)
        await write(tx, KIND, message.rfi, changed, version=version)

    async def on_cancellation(self, tx: Transaction, received: Received, message: Cancellation) -> None:
        """Stop the work on a request that is not pursued any more; what was answered in full stays answered."""
        file, version = await _asked_by(tx, received, message.rfi)
        changed = file.noting(
            "cancelled",
            at=received.received_at,
            by=received.original.peer,
            cancellation=message,
            state="answered" if file.state == "answered" else "cancelled",
        )
        await write(tx, KIND, message.rfi, changed, version=version)

    async def on_correction_acknowledged(
        self, tx: Transaction, received: Received, message: CorrectionAcknowledgement
    ) -> None:
        """Note that one audience has seen a correction (RSP-13)."""
        file, version = await _asked_by(tx, received, message.rfi)
        what = f"correction of {message.item} acknowledged by {message.audience}"
        await write(
            tx,
            KIND,
            message.rfi,
            file.noting(what, at=received.received_at, by=received.original.peer),
            version=version,
        )


async def _asked_by(tx: Transaction, received: Received, rfi: str) -> tuple[RequestFile, int]:
    """Give the file if the sender is who asked. Raises `Refused` otherwise (E25), and `NotHere`."""
    file, version = await read(tx, RequestFile, KIND, rfi)
    if file.sender != received.original.peer:
        raise Refused([f"E25: {rfi} was not asked by {received.original.peer}"])
    return file, version


def _filed(request: RequestForInformation, received: Received, *, earlier: RequestFile | None) -> RequestFile:
    """Make the file of a request; the history of one that went back is kept."""
    file = RequestFile(
        rfi=request,
        sender=received.original.peer,
        thread=received.original.thread,
        mid=received.original.mid,
        received_at=received.received_at,
        history=earlier.history if earlier else (),
    )
    return file.noting("corrected" if earlier else "received", at=received.received_at, by=SYSTEM)


def _sooner(asked: SubRequest, rfi_due: datetime) -> SubRequest:
    """Bring a source's due time forward with the request's own (FAN-04); never back."""
    due = min(asked.due_at, sub_request_due(rfi_due, asked_at=asked.asked_at))
    return asked.model_copy(update={"due_at": due})


async def tell(
    tx: Transaction,
    file: RequestFile,
    message: Content,
    *,
    event: str,
    user: str,
    role: str,
    answer: Answer | None = None,
) -> None:
    """Put a message to the requester into the outbox, on the lane of the request."""
    lane = Lane.URGENT if file.rfi.urgent else Lane.ROUTINE
    bound = Outbound(
        recipient=file.sender,
        thread=file.thread,
        in_reply_to=file.mid,
        lane=lane,
        event=event,
        service_class=service_class(file.rfi.rag),
    )
    await tx.enqueue(outgoing(bound, message, user=user, role=role, sealed=answer.sealed if answer else None))
