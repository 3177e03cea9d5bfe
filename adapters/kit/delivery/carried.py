"""Messages that people carry while the hub is down (SEC-04): sealed bytes out of one outbox, into another inbox.

Guarantees: what is carried is the envelope that waits in the outbox, byte for byte, so that whoever carries it can
neither read nor change it, and what is taken in has passed E00 to E22 like any other. When the hub is back the same
bytes go by it too: the recipient drops what it has (E11), and the hub's ledger learns what was carried.
Both sides enter who carried what by which way; at the sender a task, an alarm, stands until somebody reconciles it.
Never by plain email (SEC-01): the ways are a closed list. Receipts are not carried: only the hub's way ends a message.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import select

from adapters.kit.delivery import outbox
from adapters.kit.delivery.admission import Entrance, admit
from adapters.kit.delivery.outbox import MESSAGE
from adapters.kit.delivery.states import OutboxEvent, OutboxState
from adapters.kit.envelope.verification import Arrival, Refusal
from adapters.kit.refusal import Refused, refuse_if
from adapters.kit.store.alarms import Priority
from adapters.kit.store.errors import InRecovery
from adapters.kit.store.recovery import is_whole
from adapters.kit.store.session import Row
from adapters.kit.store.tables import inbox_rows, outbox_rows
from adapters.kit.store.transaction import Transaction
from broker.hub import Delivery
from schemas.envelope import Malformed, read_envelope
from schemas.stub import BadCore, read_core

CARRIED: Final = "carried-by-hand"
_UNRECEIVED: Final = (OutboxState.SEALED, OutboxState.INFLIGHT, OutboxState.CONFIRMED)
_UNSETTLED: Final = (*_UNRECEIVED, OutboxState.RECEIVED, OutboxState.RESEAL)
_LEAST_LIFE: Final = timedelta(hours=1)
"""What dies within the hour is not worth a journey: it would be refused on arrival (E10)."""


class Way(StrEnum):
    """How a sealed file may travel (SEC-04); plain email is none of them (SEC-01)."""

    CJSM = "cjsm"
    EGRESS = "egress"
    NHSMAIL = "nhsmail"
    IN_PERSON = "in-person"


@dataclass(frozen=True)
class Carried:
    """One sealed envelope on its way by hand."""

    mid: str
    peer: str
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Reconciled:
    """What becomes of what was carried: it goes once more by the hub, is not opened yet, or stands here alone."""

    again: tuple[str, ...]
    waiting: tuple[str, ...]
    alone: tuple[str, ...]


async def take_out(tx: Transaction, peer: str, *, way: Way, user: str) -> tuple[Carried, ...]:
    """Give what waits for `peer` and has no receipt yet, in order, and open a task for each.

    Held messages are not among it: they may still be recalled. Raises InRecovery.
    """
    if tx.recovering:
        raise InRecovery
    waiting = (outbox_rows.c.recipient == peer, outbox_rows.c.sort == MESSAGE)
    unreceived = outbox_rows.c.state.in_([state.value for state in _UNRECEIVED])
    alive = outbox_rows.c.expires_at > tx.now + _LEAST_LIFE
    chosen = select(outbox_rows).where(*waiting, unreceived, alive).order_by(outbox_rows.c.seq)
    rows = await tx.select(outbox_rows, chosen)
    tasks = {alarm.refs["mid"] for alarm in await tx.alarms() if alarm.code == CARRIED}
    for row in [row for row in rows if row["mid"] not in tasks]:
        refs = {"to": peer, "mid": row["mid"], "way": way.value}
        alarm_id = f"carried/{row['mid']}/{tx.now.isoformat()}"
        await tx.alarm(alarm_id, priority=Priority.P2, code=CARRIED, refs=refs)
    return tuple([await _out(tx, row, way=way, user=user) for row in rows])


async def _out(tx: Transaction, row: Row, *, way: Way, user: str) -> Carried:
    body = await outbox.bytes_of(tx, row)
    refs = {"to": row["recipient"], "mid": row["mid"], "way": way.value, "user": user}
    await tx.record("carried.out", refs=refs)
    return Carried(row["mid"], row["recipient"], body)


async def take_in(tx: Transaction, body: bytes, *, sender: str, way: Way, user: str) -> bool:
    """Store what was carried here from `sender`, with its receipt; False if it is here already.

    Raises `Refused` for what the inbox would not believe; nothing of that is kept.
    """
    arrival = _believed(tx, body, sender=sender)
    opened = tx.mailroom.envelopes.open(arrival, now=tx.now)
    refuse_if([f"{opened.code}: it does not open"] if isinstance(opened, Refusal) else [])
    known = await tx.find(inbox_rows, inbox_rows.c.peer == sender, inbox_rows.c.mid == arrival.stub.mid)
    await admit(tx, Entrance(arrival), room=tx.mailroom)
    refs = {"from": sender, "mid": arrival.stub.mid, "way": way.value, "user": user, "new": str(known is None)}
    await tx.record("carried.in", refs=refs)
    return known is None


def _believed(tx: Transaction, body: bytes, *, sender: str) -> Arrival:
    """Check E00 to E10; the hub vouches for nobody here, so the named sender stands in for whose exchange it was."""
    frame = read_envelope(body)
    core = frame if isinstance(frame, Malformed) else read_core(frame.head.core)
    if isinstance(core, Malformed | BadCore):
        raise Refused(["this is no sealed message"])
    delivery = Delivery(sender, core.lane, body, has_cc=False, redelivered=False)
    verdict = tx.mailroom.envelopes.check(delivery, now=tx.now)
    if isinstance(verdict, Refusal):
        raise Refused([f"{verdict.code}: this message is not accepted ({verdict.detail})"])
    return verdict


async def reconcile(tx: Transaction, *, user: str) -> Reconciled:
    """With the hub back, send once more by it what was carried and is opened over there, and end those tasks.

    Not before it is opened: a receipt that overtakes the message ends it, and the hub's ledger would never hear of it.
    """
    again, waiting, alone = list[str](), list[str](), list[str]()
    for alarm in [one for one in await tx.alarms() if one.code == CARRIED]:
        mid = alarm.refs["mid"]
        row = await tx.find(outbox_rows, outbox_rows.c.mid == mid)
        if row is not None and OutboxState(row["state"]) in _UNSETTLED:
            waiting.append(mid)
            continue
        await tx.mark_alarm(alarm.alarm_id, cleared=True)
        if row is None or not await _may_go_again(tx, row):
            alone.append(mid)
            continue
        await outbox.move(tx, row, OutboxEvent.SEND_AGAIN, due_at=tx.now)
        again.append(mid)
    found = Reconciled(tuple(again), tuple(waiting), tuple(alone))
    counts = {name: str(len(mids)) for name, mids in vars(found).items()}
    await tx.record("carried.reconciled", refs={"user": user, **counts})
    return found


async def _may_go_again(tx: Transaction, row: Row) -> bool:
    """Say whether the hub can still carry it: not when it has died, was refused, erased, or sealed again as another."""
    opened = OutboxState(row["state"]) in (OutboxState.OPENED, OutboxState.CLOSED)
    replaced = await tx.find(outbox_rows, supersedes=row["ref"]) is not None
    return bool(opened and not replaced and row["expires_at"] > tx.now and await is_whole(tx, row))
