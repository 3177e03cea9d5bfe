"""What the outbox does when a row's time comes, and when an attempt has ended: one function a state, in one table.

The bounds are `DeliveryPolicy`'s. Everything here is a change of rows in the caller's transaction; nothing is sent.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from adapters.kit.delivery import outbox
from adapters.kit.delivery.outbox import NOTE, Mailroom
from adapters.kit.delivery.states import OutboxEvent, OutboxState
from adapters.kit.store import alarms
from adapters.kit.store.alarms import Priority
from adapters.kit.store.session import Row, Session
from adapters.kit.store.tables import outbox_rows
from broker.hub import Outcome
from schemas.routing import Lane

WhenDue: TypeAlias = Callable[[Session, Row, Mailroom], Awaitable[object]]


async def _release(session: Session, row: Row, room: Mailroom) -> None:
    await outbox.release(session, row, room=room)


async def _lease_lost(session: Session, row: Row, room: Mailroom) -> None:
    await outbox.move(session, row, OutboxEvent.LEASE_LOST, due_at=session.now)


async def _silence(session: Session, row: Row, room: Mailroom) -> None:
    """No R1 within the bound: the same bytes again, and after some of that an alarm (design: delivery)."""
    if row["expires_at"] <= session.now:
        await expire(session, row)
        return
    silences = row["silences"] + 1
    await outbox.move(session, row, OutboxEvent.SILENCE, silences=silences, due_at=session.now)
    if silences >= room.policy.silences_before_alarm:
        await _alarm(session, row, "not-received")


async def _unopened(session: Session, row: Row, room: Mailroom) -> None:
    """Received but not opened within the bound: stored is not read, and someone must know.

    The bytes go out once more: if it was the OPENED receipt that got lost, the duplicate brings it again (E11).
    """
    await _alarm(session, row, "not-opened")
    if row["expires_at"] > session.now:
        await outbox.move(session, row, OutboxEvent.SEND_AGAIN, due_at=session.now, silences=row["silences"] + 1)
    else:
        bound = room.policy.opened_within[Lane(row["lane"])]
        await session.change(outbox_rows, row, due_at=session.now + bound)


async def _seal_again(session: Session, row: Row, room: Mailroom) -> None:
    await outbox.seal_again(session, row, room=room)


WHEN_DUE: Final[Mapping[OutboxState, WhenDue]] = {
    OutboxState.DRAFT: _release,
    OutboxState.HELD: _release,
    OutboxState.INFLIGHT: _lease_lost,
    OutboxState.CONFIRMED: _silence,
    OutboxState.RECEIVED: _unopened,
    OutboxState.RESEAL: _seal_again,
}


async def expire(session: Session, row: Row) -> None:
    """Give a message up whose life is over; a receipt quietly, anything else with an alarm."""
    await outbox.move(session, row, OutboxEvent.EXPIRE)
    if row["sort"] != NOTE:
        await _alarm(session, row, "expired")


async def claim(session: Session, row: Row, room: Mailroom) -> Row | None:
    """Take a row for sending under a lease and a new attempt number; None if its life is over."""
    if row["expires_at"] <= session.now:
        await expire(session, row)
        return None
    until = session.now + room.policy.lease
    return await outbox.move(session, row, OutboxEvent.CLAIM, attempt=row["attempt"] + 1, due_at=until)


async def settle(session: Session, row: Row, outcome: Outcome, *, room: Mailroom) -> None:
    """Store how an attempt ended: confirmed, returned (nobody is bound: P1, the pair matrix has drifted) or unknown."""
    lane = Lane(row["lane"])
    if outcome is Outcome.UNKNOWN:
        pause = room.policy.pause(lane, attempt=row["attempt"])
        await outbox.move(session, row, OutboxEvent.UNKNOWN, due_at=session.now + pause)
    elif outcome is Outcome.RETURNED:
        await outbox.move(session, row, OutboxEvent.RETURN)
        await _alarm(session, row, "unroutable")
    elif row["sort"] == NOTE:
        await outbox.move(session, row, OutboxEvent.FINAL_ACK, confirmed_at=session.now, closed_at=session.now)
    else:
        listen = room.policy.silence(room.policy.received_within[lane], silences=row["silences"])
        await outbox.move(session, row, OutboxEvent.ACK, confirmed_at=session.now, due_at=session.now + listen)


async def _alarm(session: Session, row: Row, code: str) -> None:
    refs = {"ref": row["ref"], "mid": row["mid"], "to": row["recipient"], "lane": row["lane"], "event": row["event"]}
    await alarms.raise_once(session, f"{code}/{row['ref']}", priority=Priority.P1, code=code, refs=refs)
