"""A store that is older than the truth: how it is noticed, and how it may send again (C44).

After a restore from an older backup the numbers of every pair would be used twice and held messages would leave twice.
Two things give it away. The anchor: a small file kept with the keys, not with the database, that says how far the store
had come; it also catches a write-ahead log that lost its end. And the partners: a receipt that has seen a higher number
than we remember sending (`receipt_flow`). Either puts the store into recovery: it receives, it sends nothing.
`reconcile` ends it, by a named user, with the highest number that each partner has seen.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import select

from adapters.kit.delivery import outbox
from adapters.kit.delivery.chain import RESTART
from adapters.kit.delivery.outbox import NOTE, OUT, RECOVERY, SENDING
from adapters.kit.delivery.states import OutboxEvent, OutboxState
from adapters.kit.store import alarms, ledger
from adapters.kit.store.alarms import Priority
from adapters.kit.store.errors import NoNamedUser, StoreFault, StoreRefusal
from adapters.kit.store.sealed_fields import FieldCipher
from adapters.kit.store.session import Row, Session
from adapters.kit.store.tables import envelope, outbox_rows, pair

_MARKS: Final = ("participant", "lease", "ledger_count")


class AnchorUnreadable(StoreFault):
    """The anchor of the store is damaged. If no backup was restored, delete it; otherwise reconcile first."""

    page = "store-damaged"


class PartnerMissing(StoreRefusal):
    """A partner's highest number seen is missing, or lower than what it has already told us. Ask that partner."""

    page = "older-backup"


@dataclass(frozen=True)
class Anchor:
    """The file that remembers how far the store has come."""

    path: Path
    cipher: FieldCipher = field(repr=False)

    def write(self, meta: Row) -> None:
        """Note how far the store has come; whole or not at all. An older note is harmless, a half one is not."""
        marks: Row = {name: meta[name] for name in _MARKS}
        told = json.dumps({**marks, "guard": self.cipher.guard("anchor", marks).hex()})
        draft = self.path.with_name(f"{self.path.name}.new")
        with draft.open("w", encoding="ascii") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(told)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)

    def is_ahead_of(self, meta: Row) -> bool:
        """Say whether the store had once come further than it is now. Raises AnchorUnreadable."""
        if not self.path.exists():
            return False
        try:
            told = json.loads(self.path.read_text(encoding="ascii"))
            marks: Row = {name: told[name] for name in _MARKS}
            authentic = told["guard"] == self.cipher.guard("anchor", marks).hex()
        except (ValueError, KeyError, TypeError):
            raise AnchorUnreadable from None
        if not authentic:
            raise AnchorUnreadable
        return bool(marks["ledger_count"] > meta["ledger_count"] or marks["lease"] > meta["lease"])


async def enter(session: Session, *, cause: str) -> None:
    """Stop sending until someone has reconciled the store."""
    session.meta["mode"] = RECOVERY
    alarm_id = f"recovery/{cause}/{session.now.isoformat()}"
    await alarms.raise_once(session, alarm_id, priority=Priority.P1, code="store-is-older", refs={"cause": cause})


async def seen_by_partners(session: Session) -> dict[str, int]:
    """Return for each partner the highest number of ours that it has told us it has seen."""
    return {row["peer"]: row["peer_seen"] for row in await session.select(pair, select(pair).order_by(pair.c.peer))}


async def reconcile(session: Session, *, seen: Mapping[str, int], user: str) -> None:
    """End recovery: `seen` says for every partner the highest number of ours that it has (asked, not guessed).

    A partner that is further than this store gets a new chain, which it will notice. Messages that were held are
    cancelled with an alarm each, because they may have left before the restore: a person sends them again or not.
    Raises NoNamedUser, PartnerMissing.
    """
    if not user.strip():
        raise NoNamedUser
    rows = await session.select(pair, select(pair))
    for row in rows:
        if seen.get(row["peer"], -1) < row["peer_seen"]:
            raise PartnerMissing(row["peer"])
    for row in rows:
        if seen[row["peer"]] > row["sent_seq"]:
            await session.change(pair, row, sent_seq=seen[row["peer"]], sent_hash=RESTART)
    await _cancel_held(session)
    session.meta["mode"] = SENDING
    await ledger.append(session, "store.reconciled", refs={"user": user, **{p: str(n) for p, n in seen.items()}})


async def _cancel_held(session: Session) -> None:
    waiting = outbox_rows.c.state.in_((OutboxState.HELD.value, OutboxState.DRAFT.value))
    held = select(outbox_rows).where(waiting, outbox_rows.c.sort != NOTE)
    for row in await session.select(outbox_rows, held):
        await outbox.move(session, row, OutboxEvent.RECALL)
        refs = {"ref": row["ref"], "to": row["recipient"]}
        alarm_id = f"held-at-restore/{row['ref']}"
        await alarms.raise_once(session, alarm_id, priority=Priority.P1, code="held-at-restore", refs=refs)


async def send_again(session: Session, peer: str, *, first: int, last: int) -> int:
    """Send the stored bytes of these numbers again to a partner whose store was restored; it drops what it has.

    Returns how many; what is already erased or expired is not among them.
    """
    numbered = (outbox_rows.c.recipient == peer, outbox_rows.c.seq >= first, outbox_rows.c.seq <= last)
    settled = (OutboxState.RECEIVED.value, OutboxState.OPENED.value, OutboxState.CLOSED.value)
    rows = await session.select(outbox_rows, select(outbox_rows).where(*numbered, outbox_rows.c.state.in_(settled)))
    alive = [row for row in rows if row["expires_at"] > session.now and await is_whole(session, row)]
    for row in alive:
        await outbox.move(session, row, OutboxEvent.SEND_AGAIN, due_at=session.now)
    return len(alive)


async def is_whole(session: Session, row: Row) -> bool:
    """Say whether the bytes of an outgoing message are still kept, so that they can go out again."""
    kept = await session.find(envelope, way=OUT, ref=row["ref"])
    return kept is not None and bool(kept["whole"])
