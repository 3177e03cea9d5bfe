"""Opening a section of a stored envelope later, in a named user's name: the decision maker's part (DIS-02).

The envelope stays sealed in the store until then; the keys of the role are asked for at this moment and for this one
envelope. The act is in the ledger before the content is given (REC-05).
"""

from adapters.kit.delivery.admission import IN, authenticated
from adapters.kit.delivery.outbox import thread_key
from adapters.kit.envelope.sealing import Section
from adapters.kit.envelope.verification import Arrival, Opened, Refusal, open_arrival
from adapters.kit.evidence.source import OPENED
from adapters.kit.keys.keyring import Keyring
from adapters.kit.refusal import Refused
from adapters.kit.store.errors import StoreDamaged
from adapters.kit.store.tables import envelope, inbox_rows
from adapters.kit.store.transaction import Transaction
from schemas.directory import Directory


async def open_section(
    tx: Transaction, *, peer: str, mid: str, section: Section, user: str, keyring: Keyring, directory: Directory
) -> bytes | None:
    """Give the plaintext of one section of a received envelope, or None where it was sealed empty.

    Raises `Refused` where the envelope does not open: its keys have been erased, or it is damaged.
    """
    await tx.record("section opened", refs={"peer": peer, "mid": mid, "section": section.value, "user": user})
    arrival: Arrival = await _stored(tx, peer=peer, mid=mid)
    keys = keyring.recipient_keys(("gateway", section.value), tx.now)
    opened: Opened | Refusal = open_arrival(arrival, keys=keys, directory=directory)
    if isinstance(opened, Refusal):
        raise Refused([f"the sealed part of {mid} does not open ({opened.code}); its keys may have been erased"])
    await keep_openings(tx, peer, mid, arrival.stub.thread, opened)
    return opened.sections.get(section)


async def keep_openings(tx: Transaction, peer: str, mid: str, thread: str, opened: Opened) -> None:
    """Keep the content keys of what was opened in the ledger, sealed, so that its text can be proved in ten years.

    The prekeys that opened it are erased after weeks; these keys are erased with the content of the thread.
    """
    refs = {"peer": peer, "mid": mid}
    await tx.record(OPENED, refs=refs, detail=opened.openings.reveal(), group=thread_key(thread))


async def _stored(tx: Transaction, *, peer: str, mid: str) -> Arrival:
    row = await tx.find(inbox_rows, inbox_rows.c.peer == peer, inbox_rows.c.mid == mid)
    kept = await tx.find(envelope, envelope.c.way == IN, envelope.c.ref == f"{peer}/{mid}")
    if row is None or kept is None or not kept["whole"]:
        raise Refused([f"the envelope {mid} is no longer kept whole; its content has been erased by its schedule"])
    arrival = authenticated(kept["body"])
    if arrival is None or arrival.stub_hash != row["stub_hash"]:
        raise StoreDamaged("a stored envelope")
    return arrival
