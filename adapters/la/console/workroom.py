"""What every part of the coordinator's console works with: store, users, register, calendar, keys, and the outbox."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from adapters.kit.delivery.messages import Outbound, outgoing, service_class
from adapters.kit.delivery.outbox import OutboxRef
from adapters.kit.keys.keyring import Keyring
from adapters.kit.refusal import Refused
from adapters.kit.store.filing import read, write
from adapters.kit.store.store import Store
from adapters.kit.store.transaction import Transaction
from adapters.kit.users import Users
from adapters.la.console.clock_keeping import set_clocks
from adapters.la.console.enquiry import Enquiry, Issued
from adapters.la.console.issuing import Area
from adapters.la.console.register import Register
from broker.calendar import WorkingCalendar
from schemas.content.base import Content
from schemas.directory import Directory
from schemas.routing import Lane

KIND = "enquiry"


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

    @property
    def area(self) -> Area:
        """The register, the calendar and the directory of the area."""
        directory, us = self.directory(), self.keyring.participant
        return Area(self.register, self.calendar, lambda participant: directory.permits(us, participant))

    async def read(self, tx: Transaction, reference: str) -> tuple[Enquiry, int]:
        """Give the enquiry and its version. Raises `NotHere`."""
        return await read(tx, Enquiry, KIND, reference)

    async def write(self, tx: Transaction, enquiry: Enquiry, *, version: int | None) -> None:
        """Write the enquiry, if nobody changed it meanwhile, and the timers of the clocks that it starts."""
        await write(tx, KIND, enquiry.reference, enquiry, version=version)
        await set_clocks(tx, enquiry, calendar=self.calendar)

    async def tell(
        self,
        tx: Transaction,
        issued: Issued,
        message: Content,
        *,
        event: str,
        user: str,
        rag: str | None,
        release_at: datetime | None = None,
    ) -> OutboxRef:
        """Put a message to one recipient into the outbox and give its place there.

        A request leaves at `release_at` and not before, if that is given. Raises `Refused` for anything that would
        overtake a request which is still held back.
        """
        first = event == "REQ"
        cause = None if first else await _left_as(tx, issued)
        bound = Outbound(
            recipient=issued.participant,
            thread=issued.thread,
            in_reply_to=cause,
            lane=Lane.URGENT if issued.urgent else Lane.ROUTINE,
            event=event,
            service_class=service_class(rag),
        )
        role = self.users.find(user).signing_role
        return await tx.enqueue(outgoing(bound, message, user=user, role=role), release_at=release_at)


async def _left_as(tx: Transaction, issued: Issued) -> str:
    """Give the id under which a request has left; one that was held back has it only since then."""
    sent = await tx.outgoing(issued.message)
    mid = (sent.mid if sent else None) or issued.mid
    if not mid:
        raise Refused([f"the request to {issued.participant} is still held back; cancel it, or wait until it has left"])
    return mid
