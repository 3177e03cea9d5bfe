"""Where unauthenticated input goes: a bounded ring that nothing reads but whoever investigates.

Guarantees: at most so many rows and bytes, the oldest dropped first, so that junk cannot fill the disk; nothing in it
is believed, answered or parsed again; a message that brings the process down is put here unparsed (C30).
The count of attempts is committed before a message is parsed, so a crash counts too.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import delete, func, select

from adapters.kit.delivery.policy import DeliveryPolicy
from adapters.kit.failpoints import reach
from adapters.kit.store import alarms
from adapters.kit.store.alarms import Priority
from adapters.kit.store.session import Session
from adapters.kit.store.tables import arrival_attempt, quarantine
from broker.hub import Delivery

POISON: Final = "POISON"
EQUIVOCATION: Final = "EQUIVOCATION"
# Misrouted, a forged sender, an unknown directory, two of one version, the unforeseen, and what kills the process.
_ALARMING: Final[Mapping[str, Priority]] = {
    "E04": Priority.P2,
    "E05": Priority.P1,
    "E06": Priority.P2,
    EQUIVOCATION: Priority.P1,
    "E99": Priority.P1,
    POISON: Priority.P1,
}


async def count_attempt(session: Session, body_hash: bytes) -> int:
    """Count one more attempt to parse these bytes; returns the number of attempts so far."""
    row = await session.find(arrival_attempt, arrival_attempt.c.body_hash == body_hash)
    if row is None:
        await session.insert(arrival_attempt, {"body_hash": body_hash, "attempts": 1, "first_at": session.now})
        return 1
    after = await session.change(arrival_attempt, row, attempts=row["attempts"] + 1)
    return int(after["attempts"])


async def forget_attempts(session: Session, body_hash: bytes) -> None:
    """Drop the count when the bytes have found their place."""
    await session.execute(delete(arrival_attempt).where(arrival_attempt.c.body_hash == body_hash))


async def keep(session: Session, delivery: Delivery, *, code: str, policy: DeliveryPolicy) -> None:
    """Put a delivery into the ring, and raise an alarm, once a day for each cause and sender, where the code asks."""
    newest = (await session.execute(select(func.max(quarantine.c.number)))).scalar_one() or 0
    values = {
        "number": newest + 1,
        "at": session.now,
        "ingress_owner": delivery.ingress_owner,
        "lane": delivery.lane.value,
        "code": code,
        "size": len(delivery.body),
        "body": delivery.body,
    }
    await session.insert(quarantine, values)
    await _trim(session, newest + 1, policy=policy)
    reach("C29")
    if code in _ALARMING:
        refs = {"code": code, "from": delivery.ingress_owner, "number": str(newest + 1)}
        alarm_id = f"quarantine/{code}/{delivery.ingress_owner}/{session.now:%Y-%m-%d}"
        await alarms.raise_once(session, alarm_id, priority=_ALARMING[code], code="quarantined", refs=refs)


async def _trim(session: Session, newest: int, *, policy: DeliveryPolicy) -> None:
    """Drop the oldest until both bounds hold; the newest always stays."""
    sizes = select(quarantine.c.number, quarantine.c.size).order_by(quarantine.c.number.desc())
    kept = total = 0
    oldest = newest
    for number, size in await session.execute(sizes):
        kept, total = kept + 1, total + size
        if kept > 1 and (kept > policy.ring_rows or total > policy.ring_bytes):
            break
        oldest = number
    await session.execute(delete(quarantine).where(quarantine.c.number < oldest))
