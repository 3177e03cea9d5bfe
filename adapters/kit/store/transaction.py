"""One transaction as the domain sees it: documents, messages, timers, the ledger and commands, all or nothing.

Everything done through one `Transaction` is stored together at its commit or not at all. It is used inside
`async with store.transaction() as tx` and not kept. Nothing is sent from here: what is enqueued leaves after it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from adapters.kit.delivery import admission, outbox, receipt_flow
from adapters.kit.delivery.outbox import RECOVERY, Mailroom, OutboxRef
from adapters.kit.delivery.receipt_flow import Original, Verdict
from adapters.kit.envelope.sealing import Outgoing
from adapters.kit.store import alarms, commands, documents, erasure, ledger, recovery, timers
from adapters.kit.store.alarms import Alarm, Priority
from adapters.kit.store.documents import DEFAULT_RETENTION, Document
from adapters.kit.store.erasure import Erasure
from adapters.kit.store.errors import StoreError
from adapters.kit.store.ledger import Entry, LedgerCheck
from adapters.kit.store.session import Session
from adapters.kit.store.timers import Timer

# `Transaction.list` hides the builtin within the class, so its lists are named here.
Documents: TypeAlias = list[Document]
Entries: TypeAlias = list[Entry]
Timers: TypeAlias = list[Timer]
Alarms: TypeAlias = list[Alarm]


class NoEnvelopes(StoreError):
    """This store was opened without keys to seal with, so it cannot take messages for sending."""


@dataclass
class Transaction(Session):
    """See the module; `now` is the time of the whole transaction."""

    room: Mailroom | None = field(default=None, repr=False)

    async def put(
        self,
        kind: str,
        key: str,
        plain: bytes,
        *,
        expect_version: int | None,
        retention: str = DEFAULT_RETENTION,
        group: str | None = None,
    ) -> int:
        """Store a document sealed and return its new version. `expect_version` None means that it must be new.

        `kind` and `key` are references without personal data. Documents of one `group` are erased together.
        Raises LostUpdate if the document is not at `expect_version`.
        """
        seen = Document(kind, key, expect_version or 0, plain)
        return await documents.put(self, seen, retention=retention, group=group)

    async def get(self, kind: str, key: str) -> Document | None:
        """Return a document for the program's own use; to show it to a person use `open_document`."""
        return await documents.get(self, kind, key)

    async def list(self, kind: str) -> Documents:
        """Return every document of a kind, ordered by key, for the program's own use."""
        return await documents.listed(self, kind)

    async def open_document(self, kind: str, key: str, *, user: str) -> Document | None:
        """Open a document for a named user; the access is in the ledger first (REC-05). Raises NoNamedUser.

        The log is stored with this transaction: show the content after the commit, or use `Store.open_document`.
        """
        return await documents.opened_by(self, kind, key, user=user)

    async def record(
        self, event: str, *, refs: Mapping[str, str], detail: bytes = b"", group: str | None = None
    ) -> int:
        """Append to the ledger (REC-01, REC-02) and return the entry's number; `detail` is stored sealed."""
        return await ledger.append(self, event, refs=refs, detail=detail, group=group)

    async def ledger_entries(self, *, after: int = 0, limit: int = 1000) -> Entries:
        """Return ledger entries in order, the details still sealed."""
        return await ledger.entries(self, after=after, limit=limit)

    async def ledger_detail(self, number: int) -> bytes | None:
        """Open an entry's detail. Raises ContentErased."""
        return await ledger.read_detail(self, number)

    async def verify_ledger(self, *, start: int = 1) -> LedgerCheck:
        """Recompute the ledger's chain (REC-03)."""
        return await ledger.verify(self, start=start)

    async def enqueue(
        self, outgoing: Outgoing, *, release_at: datetime | None = None, idempotency_key: str | None = None
    ) -> OutboxRef:
        """Put a message into the outbox, sealed now or HELD until `release_at`. Raises CannotSeal, InRecovery."""
        return await outbox.enqueue(
            self, outgoing, room=self.mailroom, release_at=release_at, idempotency_key=idempotency_key
        )

    async def recall(self, ref: str) -> OutboxRef:
        """Take a message back before its release. Raises TooLate."""
        return await outbox.recall(self, ref)

    async def outgoing(self, ref: str) -> OutboxRef | None:
        """Return where an outgoing message is."""
        return await outbox.look(self, ref)

    async def close_outgoing(self, ref: str) -> OutboxRef | None:
        """Say that nothing more is expected for an outgoing message."""
        return await outbox.close(self, ref)

    async def emit_receipt(self, original: Original, verdict: Verdict) -> None:
        """Send a receipt about a message that was applied, such as R3 with its outcome. Once a kind."""
        await receipt_flow.emit(self, original, verdict, room=self.mailroom)

    async def unpark(self, peer: str, mid: str) -> bool:
        """Take up again a message that the domain could not apply; False if none is parked under that name."""
        return await admission.unpark(self, peer, mid)

    async def add_timer(self, kind: str, ref: str, due_at: datetime) -> None:
        """Set or move a timer; it fires once."""
        await timers.add(self, Timer(kind, ref, due_at))

    async def set_timers(self, prefix: str, wanted: Iterable[Timer]) -> None:
        """Set timers whose refs begin with `prefix`; those that have fired or were stopped stay so."""
        await timers.keep(self, prefix, wanted)

    async def cancel_timer(self, kind: str, ref: str) -> bool:
        """Stop a timer; returns whether it was still to fire."""
        return await timers.cancel(self, kind, ref)

    async def due_timers(self, now: datetime | None = None, *, limit: int = timers.BATCH) -> Timers:
        """Return the domain's timers that are due, the oldest first; delivery's own are not among them."""
        return await timers.due(self, now or self.now, limit=limit)

    async def fire_timer(self, timer: Timer) -> bool:
        """Take a timer for firing in this transaction; False if someone else has."""
        return await timers.fire(self, timer)

    async def alarm(self, alarm_id: str, *, priority: Priority, code: str, refs: Mapping[str, str]) -> bool:
        """Raise an alarm once for this id; returns whether it is new."""
        return await alarms.raise_once(self, alarm_id, priority=priority, code=code, refs=refs)

    async def alarms(self) -> Alarms:
        """Return the alarms that nobody has cleared."""
        return await alarms.standing(self)

    async def unsent_alarms(self) -> Alarms:
        """Return the alarms that no channel has taken."""
        return await alarms.unsent(self)

    async def mark_alarm(self, alarm_id: str, *, cleared: bool = False) -> None:
        """Note that an alarm was sent, or with `cleared` that it is dealt with."""
        await alarms.mark(self, alarm_id, cleared=cleared)

    async def answered(self, client_key: str, *, request: bytes) -> bytes | None:
        """Return the stored answer to a command. Raises CommandConflict."""
        return await commands.answered(self, client_key, request=request)

    async def settle(self, client_key: str, *, request: bytes, answer: bytes) -> None:
        """Store the answer to a command."""
        await commands.settle(self, client_key, request=request, answer=answer)

    async def erase_at(self, group: str, at: datetime | None) -> None:
        """Say when a group's content is to be erased (REC-07); a thread's group is `outbox.thread_key(thread)`."""
        await erasure.schedule(self, group, at)

    async def erase(self, group: str) -> None:
        """Erase a group's content now. Raises NotYetSettled. Afterwards call `Store.scrub`."""
        await erasure.erase(self, group)

    async def erase_due(self) -> Erasure:
        """Erase what is due; what is not settled is kept, with an alarm. Afterwards call `Store.scrub`."""
        return await erasure.erase_due(self)

    @property
    def recovering(self) -> bool:
        """Whether the store was restored from an older backup and sends nothing until it is reconciled."""
        return bool(self.meta["mode"] == RECOVERY)

    async def seen_by_partners(self) -> Mapping[str, int]:
        """Return the highest of our numbers that each partner has told us it has seen."""
        return await recovery.seen_by_partners(self)

    async def reconcile(self, *, seen: Mapping[str, int], user: str) -> None:
        """End recovery with what every partner says it has seen. Raises PartnerMissing, NoNamedUser."""
        await recovery.reconcile(self, seen=seen, user=user)

    async def send_again(self, peer: str, *, first: int, last: int) -> int:
        """Repeat stored messages for a partner whose store was restored; returns how many."""
        return await recovery.send_again(self, peer, first=first, last=last)

    @property
    def mailroom(self) -> Mailroom:
        """Who seals, and the bounds of delivery; raises NoEnvelopes."""
        if self.room is None:
            raise NoEnvelopes
        return self.room
