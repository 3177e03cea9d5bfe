"""E11 to E13: what becomes of an authenticated arrival, in the transaction that stores it.

A duplicate gets its stored receipts again and nothing else (E11). The same mid with other bytes is a conflict: both are
kept, someone is called, the sender is told (E12). A number that forks the chain is kept and refused; a gap is accepted
and a timer set (E13). Everything else is stored with its RECEIVED receipt. A receipt is applied at once and never
receipted. Rejections from E10 on are rows too, so what was refused can be shown.
The broker's acknowledgement is not here: it follows the commit.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select

from adapters.kit.delivery import receipt_flow
from adapters.kit.delivery.chain import Fit, Judgement, Neighbours, judge
from adapters.kit.delivery.outbox import Mailroom, pair_row, thread_key
from adapters.kit.delivery.receipt_flow import STORED, Original, Verdict
from adapters.kit.delivery.states import InboxEvent, InboxState, next_inbox
from adapters.kit.envelope.receipting import NoReceipt, read_receipt
from adapters.kit.envelope.verification import Arrival, Refusal
from adapters.kit.store import alarms, ledger, timers
from adapters.kit.store.alarms import Priority
from adapters.kit.store.errors import StoreDamaged
from adapters.kit.store.session import Row, Session
from adapters.kit.store.tables import envelope, inbox_rows, outbox_rows, pair, record_key
from adapters.kit.store.timers import OWN, Timer
from schemas.envelope import Malformed, read_envelope
from schemas.receipt import Outcome, ReceiptKind
from schemas.stub import BadCore, Event, read_core

IN: Final = "in"
GAP_TIMER: Final = f"{OWN}gap"
_FORK: Final = Refusal("E13", "REJ-CHAIN", "chain")
_CONFLICT: Final = Refusal("E12", "REJ-CONFLICT", "mid")


@dataclass(frozen=True)
class Entrance:
    """One arrival before it is stored, and why it is refused although it is authentic (E10), if it is."""

    arrival: Arrival
    refusal: Refusal | None = None

    @property
    def peer(self) -> str:
        """Name the sender."""
        return self.arrival.stub.from_

    @property
    def original(self) -> Original:
        """Name the envelope for its receipts."""
        stub = self.arrival.stub
        return Original(stub.from_, stub.mid, stub.thread, self.arrival.stub_hash)


def authenticated(body: bytes) -> Arrival:
    """Read again what E00 to E09 have passed; raises StoreDamaged if it is no envelope."""
    frame = read_envelope(body)
    if isinstance(frame, Malformed):
        raise StoreDamaged("an authenticated envelope")
    stub = read_core(frame.head.core)
    if isinstance(stub, BadCore):
        raise StoreDamaged("an authenticated core")
    return Arrival(stub, frame.stub_hash, body)


async def admit(session: Session, entrance: Entrance, *, room: Mailroom) -> None:
    """Store an authenticated arrival, or deal with the duplicate, the conflict or the fork that it is."""
    stub = entrance.arrival.stub
    known = await session.find(inbox_rows, peer=entrance.peer, mid=stub.mid)
    if known is None:
        await _admit_new(session, entrance, room=room)
    elif known["stub_hash"] == entrance.arrival.stub_hash:
        await _duplicate(session, entrance, known, room=room)
    else:
        await _conflict(session, entrance, room=room)


async def expect(session: Session, arrivals: Sequence[Arrival]) -> None:
    """Read ahead, in a few turns with the database, what storing these arrivals together will ask for."""
    by_peer: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        by_peer[arrival.stub.from_].append(arrival)
    await session.expect(pair, "peer", by_peer)
    for peer, theirs in by_peer.items():
        await session.expect(inbox_rows, "mid", [arrival.stub.mid for arrival in theirs], peer=peer)
        numbers = [arrival.stub.seq + step for arrival in theirs for step in (-1, 0, 1)]
        await session.near(inbox_rows, "seq", numbers, peer=peer)
    receipts = [arrival for arrival in arrivals if arrival.stub.event is Event.RECEIPT]
    await session.expect(outbox_rows, "mid", [arrival.stub.irt for arrival in receipts])
    await session.expect(record_key, "key_id", [thread_key(arrival.stub.thread) for arrival in receipts])
    keys = [
        receipt_flow.key_of(ReceiptKind.RECEIVED, arrival.stub.from_, arrival.stub_hash)
        for arrival in arrivals
        if arrival.stub.event is not Event.RECEIPT
    ]
    await session.expect(outbox_rows, "idempotency_key", keys)


async def _duplicate(session: Session, entrance: Entrance, known: Row, *, room: Mailroom) -> None:
    """E11: the stored receipts again. A receipt that comes again is applied again: what it is about may have gone out
    again since, and every receipt can be applied twice."""
    if entrance.arrival.stub.event is Event.RECEIPT and known["state"] == InboxState.APPLIED.value:
        await _take_receipt(session, entrance, known, room=room)
    else:
        await receipt_flow.emit_again(session, entrance.peer, entrance.arrival.stub.mid)


async def _admit_new(session: Session, entrance: Entrance, *, room: Mailroom) -> None:
    ends = await pair_row(session, entrance.peer)
    judgement = await _judge(session, entrance, highest=ends["seen_seq"])
    refusal = _FORK if judgement.fit is Fit.FORK else entrance.refusal
    if judgement.fit is not Fit.FORK:
        await session.change(pair, ends, seen_seq=max(ends["seen_seq"], entrance.arrival.stub.seq))
    await _note_fit(session, entrance, judgement, room=room)
    row = await _store(session, entrance, refusal=refusal, on_chain=judgement.fit is not Fit.FORK)
    if refusal is not None:
        await _reject(session, entrance, refusal, room=room)
    elif entrance.arrival.stub.event is Event.RECEIPT:
        await _take_receipt(session, entrance, row, room=room)
    elif entrance.arrival.stub.event is not Event.HEARTBEAT:
        await receipt_flow.emit(session, entrance.original, STORED, room=room)


async def _judge(session: Session, entrance: Entrance, *, highest: int) -> Judgement:
    stub = entrance.arrival.stub
    numbers = (stub.seq - 1, stub.seq, stub.seq + 1)
    near = await session.near(inbox_rows, "seq", numbers, peer=entrance.peer)
    beside = {row["seq"]: row for row in near if row["on_chain"]}
    hashes = [beside[number]["stub_hash"] if number in beside else None for number in numbers]
    named = beside[stub.seq + 1]["prev"] if stub.seq + 1 in beside else None
    neighbours = Neighbours(highest=highest, before=hashes[0], here=hashes[1], named_by_next=named)
    return judge(seq=stub.seq, prev=stub.prev, stub_hash=entrance.arrival.stub_hash, beside=neighbours)


async def _note_fit(session: Session, entrance: Entrance, judgement: Judgement, *, room: Mailroom) -> None:
    if judgement.missing is not None:
        first, last = judgement.missing
        due = session.now + room.policy.gap_alarm
        await timers.add(session, Timer(GAP_TIMER, f"{entrance.peer}/{first}-{last}", due))
    priority = {Fit.FORK: Priority.P1, Fit.RESTART: Priority.P2}.get(judgement.fit)
    if priority is not None:
        code = f"chain-{judgement.fit.value}"
        refs = {"peer": entrance.peer, "mid": entrance.arrival.stub.mid, "seq": str(entrance.arrival.stub.seq)}
        await alarms.raise_once(
            session, f"{code}/{entrance.peer}/{refs['mid']}", priority=priority, code=code, refs=refs
        )


async def _store(session: Session, entrance: Entrance, *, refusal: Refusal | None, on_chain: bool) -> Row:
    stub = entrance.arrival.stub
    done = stub.event is Event.HEARTBEAT and refusal is None
    state = InboxState.QUARANTINED if refusal else InboxState.APPLIED if done else InboxState.STORED
    values = {
        "peer": entrance.peer,
        "mid": stub.mid,
        "thread": stub.thread,
        "event": stub.event.value,
        "lane": stub.lane.value,
        "in_reply_to": stub.irt,
        "seq": stub.seq,
        "prev": stub.prev,
        "stub_hash": entrance.arrival.stub_hash,
        "on_chain": int(on_chain),
        "state": state.value,
        "code": refusal.code if refusal else None,
        "opens": 0,
        "failures": 0,
        "due_at": session.now if state is InboxState.STORED else None,
        "received_at": session.now,
    }
    body = {"way": IN, "ref": f"{entrance.peer}/{stub.mid}", "body": entrance.arrival.body, "whole": 1}
    await session.insert(envelope, body)
    return await session.insert(inbox_rows, values)


async def _reject(session: Session, entrance: Entrance, refusal: Refusal, *, room: Mailroom) -> None:
    refs = {"peer": entrance.peer, "mid": entrance.arrival.stub.mid, "code": refusal.code}
    await ledger.append(session, "arrival.refused", refs=refs)
    if refusal.external is not None and entrance.arrival.stub.event not in (Event.RECEIPT, Event.HEARTBEAT):
        verdict = Verdict(ReceiptKind.RECEIVED, Outcome.REJECTED, refusal.external)
        await receipt_flow.emit(session, entrance.original, verdict, room=room)


async def _take_receipt(session: Session, entrance: Entrance, row: Row, *, room: Mailroom) -> None:
    """Open a receipt and let it move the outbox; one that does not open is kept and someone looks at it."""
    opened = room.envelopes.open(entrance.arrival, now=session.now)
    refs = {"peer": entrance.peer, "mid": entrance.arrival.stub.mid}
    try:
        receipt = None if isinstance(opened, Refusal) else read_receipt(opened)
    except NoReceipt:
        receipt = None
    if isinstance(opened, Refusal) or receipt is None:
        code = opened.code if isinstance(opened, Refusal) else "E23"
        await session.change(inbox_rows, row, state=InboxState.QUARANTINED.value, code=code, due_at=None)
        alarm_id = f"receipt-unreadable/{entrance.peer}/{refs['mid']}"
        await alarms.raise_once(session, alarm_id, priority=Priority.P1, code="receipt-unreadable", refs=refs)
        return
    await session.change(inbox_rows, row, state=InboxState.APPLIED.value, due_at=None, applied_at=session.now)
    proof = receipt_flow.Proof(refs["mid"], opened.openings)
    irt = entrance.arrival.stub.irt
    await receipt_flow.apply(session, entrance.peer, receipt, in_reply_to=irt, proof=proof, room=room)


async def _conflict(session: Session, entrance: Entrance, *, room: Mailroom) -> None:
    """Keep the second envelope of one mid beside the first, call someone, tell the sender (E12)."""
    stub, stub_hash = entrance.arrival.stub, entrance.arrival.stub_hash
    ref = f"{entrance.peer}/{stub.mid}/{stub_hash.hex()}"
    if await session.find(envelope, envelope.c.way == IN, envelope.c.ref == ref) is not None:
        await receipt_flow.emit_again(session, entrance.peer, stub.mid)
        return
    await session.insert(envelope, {"way": IN, "ref": ref, "body": entrance.arrival.body, "whole": 1})
    refs = {"peer": entrance.peer, "mid": stub.mid}
    await alarms.raise_once(session, f"conflict/{ref}", priority=Priority.P1, code="conflict", refs=refs)
    await _reject(session, entrance, _CONFLICT, room=room)


async def unpark(session: Session, peer: str, mid: str) -> bool:
    """Take a parked message up again, when a person has removed the cause; False if there is none."""
    row = await session.find(inbox_rows, inbox_rows.c.peer == peer, inbox_rows.c.mid == mid)
    if row is None or row["state"] != InboxState.PARKED.value:
        return False
    state = next_inbox(InboxState.PARKED, InboxEvent.RETRY).value
    await session.change(inbox_rows, row, state=state, failures=0, opens=0, due_at=session.now)
    return True


async def gap_alarm(session: Session, timer: Timer) -> None:
    """Raise the alarm for numbers that are still missing when their timer fires (E13, M4)."""
    peer, _, numbers = timer.ref.partition("/")
    first, last = (int(number) for number in numbers.split("-"))
    between = (
        inbox_rows.c.peer == peer,
        inbox_rows.c.on_chain == 1,
        inbox_rows.c.seq >= first,
        inbox_rows.c.seq <= last,
    )
    count = (await session.execute(select(func.count()).select_from(inbox_rows).where(*between))).scalar_one()
    missing = last - first + 1 - count
    if missing:
        refs = {"peer": peer, "numbers": numbers, "missing": str(missing)}
        await alarms.raise_once(session, f"gap/{timer.ref}", priority=Priority.P1, code="messages-missing", refs=refs)
