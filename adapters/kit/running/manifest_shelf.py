"""What an agency keeps of the hub's manifests, and how one is held against its books; a difference becomes an alarm.

One sealed document holds the last two months by day. Everything here happens in the caller's transaction: the alarms,
the ledger's entry and the answer to be sent are stored together or not at all.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Final, Self

from pydantic import AwareDatetime, Field
from sqlalchemy import select

from adapters.kit.running.reconciliation import Books, Line, differences, from_number
from adapters.kit.store.alarms import Priority
from adapters.kit.store.filing import write
from adapters.kit.store.session import Row
from adapters.kit.store.tables import inbox_rows, outbox_rows, pair
from adapters.kit.store.transaction import Transaction
from schemas import base64url
from schemas.content.base import Content
from schemas.reconciliation import MOST_DIFFERENCES, DailyManifest, Difference, Reconciled, read_exactly

KIND: Final = "hub-manifest"
KEY: Final = "days"
FORGOTTEN_AFTER: Final = timedelta(days=62)


class Filed(Content):
    """A manifest as it is kept: `payload` is its bytes until it has been compared, `count` what differed after that."""

    digest: str
    entries: int
    taken_at: AwareDatetime
    payload: str = ""
    count: Annotated[int, Field(ge=0)] | None = None
    answer: str = ""


class Shelf(Content):
    """What is kept of the last two months, by day. `owed_since`: since when the hub owes us one a day, if it does."""

    days: dict[str, Filed] = {}
    owed_since: AwareDatetime | None = None

    def with_(self, day: str, filed: Filed, *, now: datetime) -> Self:
        """Put one on the shelf, and forget what is too old to come again."""
        kept = {**self.days, day: filed}
        fresh = {each: one for each, one in kept.items() if one.taken_at > now - FORGOTTEN_AFTER}
        return self.model_copy(update={"days": fresh})


def digest_of(payload: bytes) -> str:
    """Name a manifest by its bytes."""
    return base64url.encode(sha256(payload).digest())


async def file(tx: Transaction, manifest: DailyManifest, payload: bytes) -> None:
    """Put a verified manifest on the shelf, to be compared later; that it was missing is over."""
    shelf, version = await read_shelf(tx)
    one = Filed(digest=digest_of(payload), entries=manifest.entries, taken_at=tx.now, payload=payload.decode())
    await write(tx, KIND, KEY, shelf.with_(manifest.day.isoformat(), one, now=tx.now), version=version)
    await tx.mark_alarm(_missing(manifest.day), cleared=True)


async def note_owed(tx: Transaction, *, are_owed: bool) -> None:
    """Remember from now on that the hub owes us manifests, or that it does not."""
    shelf, version = await read_shelf(tx)
    if are_owed != (shelf.owed_since is not None):
        owed = shelf.model_copy(update={"owed_since": tx.now if are_owed else None})
        await write(tx, KIND, KEY, owed, version=version)


async def miss(tx: Transaction, day: date) -> bool:
    """Raise the alarm that a day's manifest has not come, once a day; says whether it is new."""
    shelf, _ = await read_shelf(tx)
    last = max(shelf.days, default="")
    refs = {"day": day.isoformat(), "last": last}
    return await tx.alarm(_missing(day), priority=Priority.P2, code="manifest-missing", refs=refs)


async def read_shelf(tx: Transaction) -> tuple[Shelf, int | None]:
    """Give the shelf and the version it was read at."""
    document = await tx.get(KIND, KEY)
    if document is None:
        return Shelf(), None
    return Shelf.model_validate_json(document.plain), document.version


async def change(tx: Transaction, day: str, **changes: object) -> None:
    """Change what is kept of a day, if it still is."""
    shelf, version = await read_shelf(tx)
    if day in shelf.days:
        changed = shelf.days[day].model_copy(update=changes)
        await write(tx, KIND, KEY, shelf.with_(day, changed, now=tx.now), version=version)


async def compare(tx: Transaction, day: str) -> None:
    """Hold a manifest against the books; every difference is an alarm, and the answer is ready to be sent."""
    shelf, _ = await read_shelf(tx)
    one = shelf.days[day]
    manifest = read_exactly(DailyManifest, one.payload.encode())
    if manifest is None:  # compared by another moment of this adapter, for what was not readable was not taken in
        return
    found = differences(manifest, await _books(tx, manifest))
    for difference in found[:MOST_DIFFERENCES]:
        await _alarm(tx, difference, day)
    if len(found) > MOST_DIFFERENCES:
        refs = {"day": day, "count": str(len(found))}
        await tx.alarm(f"manifest-many/{day}", priority=Priority.P1, code="manifest-many-differ", refs=refs)
    await _look_at_ledger(tx, shelf.days, day)
    await tx.record("manifest.compared", refs={"day": day, "digest": one.digest, "differences": str(len(found))})
    answer = Reconciled.of(manifest, digest=one.digest, found=found, at=tx.now).to_bytes().decode()
    await change(tx, day, payload="", count=len(found), answer=answer)


def _missing(day: date) -> str:
    return f"manifest-missing/{day.isoformat()}"


async def _alarm(tx: Transaction, difference: Difference, day: str) -> None:
    """Raise the alarm that names the message: by its mid where there is one, and by pair and number in any case."""
    ends = {"from": difference.sender, "to": difference.recipient, "seq": str(difference.seq)}
    refs = {"day": day, "mid": difference.mid or "", **ends}
    alarm_id = f"manifest/{difference.sender}/{difference.recipient}/{difference.seq}/{difference.kind.value}"
    code = difference.kind.value.replace("_", "-")
    await tx.alarm(alarm_id, priority=Priority.P1, code=code, refs=refs)


async def _look_at_ledger(tx: Transaction, days: Mapping[str, Filed], day: str) -> None:
    """A ledger is append-only: one that is shorter than it was a day before has been put back or made anew."""
    before = [one.entries for each, one in days.items() if each < day]
    if before and days[day].entries < max(before):
        refs = {"day": day, "entries": str(days[day].entries), "before": str(max(before))}
        await tx.alarm(f"hub-ledger/{day}", priority=Priority.P1, code="hub-ledger-shorter", refs=refs)


async def _books(tx: Transaction, manifest: DailyManifest) -> Books:
    ends = await tx.select(pair, select(pair))
    me, peers = manifest.participant, [row["peer"] for row in ends]
    sent = {peer: await _sent(tx, peer, from_number(manifest, sender=me, recipient=peer)) for peer in peers}
    taken = {peer: await _taken(tx, peer, from_number(manifest, sender=peer, recipient=me)) for peer in peers}
    return Books(sent, taken, {row["peer"]: row["sent_seq"] for row in ends})


async def _sent(tx: Transaction, peer: str, first: int) -> list[Line]:
    rows = outbox_rows.c
    statement = select(outbox_rows).where(rows.recipient == peer, rows.seq >= first).order_by(rows.seq)
    found = await tx.select(outbox_rows, statement)
    return [Line(row["seq"], row["mid"], row["stub_hash"], row["confirmed_at"] or row["received_at"]) for row in found]


async def _taken(tx: Transaction, peer: str, first: int) -> list[Line]:
    rows = inbox_rows.c
    mine = (rows.peer == peer, rows.seq >= first, rows.on_chain == 1)
    found: list[Row] = await tx.select(inbox_rows, select(inbox_rows).where(*mine).order_by(rows.seq))
    return [Line(row["seq"], row["mid"], row["stub_hash"], row["received_at"]) for row in found]
