"""The daily sign of life: one heartbeat a day to each partner, so that silence can be told from having nothing to say.

A heartbeat is an envelope like any other (kind 3): numbered, chained, sealed and signed, so the hub cannot make one up,
and one that it drops leaves a gap (M4). It carries nothing. It goes out by the outbox, once a day and partner, whatever
else was sent; a partner who has published no key to seal to is left out until it has.
"""

from datetime import datetime, timedelta
from typing import Final

from adapters.kit.envelope.receipting import ADAPTER
from adapters.kit.envelope.sealing import Outgoing, new_thread
from adapters.kit.store.store import Store
from adapters.kit.store.tables import outbox_rows
from adapters.kit.store.transaction import Transaction
from schemas.directory import ANY_CLASS, Directory
from schemas.routing import Lane
from schemas.stub import Event

LIFE: Final = timedelta(days=2)
_CLASS: Final = "heartbeat"
_MANIFEST: Final = 0


async def beat(store: Store, *, participant: str, directory: Directory) -> int:
    """Put today's heartbeats into the outbox, and say how many were new."""
    made = 0
    for partner in partners(directory, participant=participant, now=store.clock()):
        async with store.transaction() as tx:
            made += await _beat_once(tx, partner, service_class=_class_of(directory, participant, partner))
    return made


def partners(directory: Directory, *, participant: str, now: datetime) -> tuple[str, ...]:
    """Name those to whom a heartbeat can be sealed now."""
    permitted = sorted(recipient for sender, recipient in directory.pairs if sender == participant)
    reached = [name for name in permitted if directory.permits(participant, name)]
    return tuple(name for name in reached if _can_be_sealed_to(directory, name, int(now.timestamp())))


def _can_be_sealed_to(directory: Directory, name: str, moment: int) -> bool:
    record = directory.records[name]
    roles = record.roles_opening(_MANIFEST)
    return bool(roles) and all(record.prekey_of(role, moment) is not None for role in roles)


def _class_of(directory: Directory, sender: str, recipient: str) -> str:
    """Give a service class that the pair allows: a heartbeat has none of its own."""
    classes = directory.pairs[sender, recipient].classes
    return _CLASS if ANY_CLASS in classes or _CLASS in classes else min(classes)


async def _beat_once(tx: Transaction, partner: str, *, service_class: str) -> bool:
    key = f"heartbeat/{partner}/{tx.now:%Y-%m-%d}"
    if await tx.find(outbox_rows, outbox_rows.c.idempotency_key == key) is not None:
        return False
    outgoing = Outgoing(
        recipient=partner,
        thread=new_thread(),
        event=Event.HEARTBEAT,
        lane=Lane.ROUTINE,
        service_class=service_class,
        in_reply_to=None,
        sections={},
        author=ADAPTER,
        purpose="heartbeat",
        expires_after=LIFE,
    )
    await tx.enqueue(outgoing, idempotency_key=key)
    return True
