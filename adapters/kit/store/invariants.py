"""I1 to I5 of the delivery design, checked on one store: what must hold at every moment, whatever crashed before.

I6 (no plaintext on the disk) is a search through the files, I7 (no published key without its private half) belongs to
the keyring, I8 (sent equals received, in flight and alarmed) needs both ends; the tests check these.
The tests run this after every kill; an operator runs it whenever something looks odd.
"""

from collections import Counter
from collections.abc import Callable

from sqlalchemy import select

from adapters.kit.delivery.admission import IN
from adapters.kit.delivery.outbox import NOTE, OUT
from adapters.kit.delivery.states import OUTBOX_AT_REST, InboxState, OutboxState
from adapters.kit.store import alarms, ledger
from adapters.kit.store.session import Row, Session
from adapters.kit.store.tables import envelope, inbox_rows, outbox_rows, pair
from adapters.kit.store.tables import ledger as ledger_rows
from schemas.envelope import Malformed, read_envelope, read_stub

_ALARMED = {
    OutboxState.RETURNED.value: "unroutable",
    OutboxState.REFUSED.value: "refused",
    OutboxState.EXPIRED.value: "expired",
}
_UNSEALED = frozenset({OutboxState.DRAFT.value, OutboxState.HELD.value, OutboxState.CANCELLED.value})


async def violations(session: Session, *, signed: Callable[[bytes], bool] = lambda stub: True) -> list[str]:
    """Return what does not hold, one line each, by references; `signed` says whether a stored stub verifies."""
    sent = await session.select(outbox_rows, select(outbox_rows))
    came = await session.select(inbox_rows, select(inbox_rows))
    kept = {(row["way"], row["ref"]): row for row in await session.select(envelope, select(envelope))}
    known = {alarm.alarm_id for alarm in await alarms.standing(session)}
    found = [*_settled_or_alive(sent, came, known), *_once(sent, came)]
    found += [*_bytes_kept(sent, came, kept, signed=signed), *_receipts_match(sent, came, kept)]
    found += await _chains_hold(session, sent)
    return found


def _settled_or_alive(sent: list[Row], came: list[Row], known: set[str]) -> list[str]:
    """I1: nothing accepted is without a terminal state or a time at which something happens by itself."""
    found = [
        f"I1 outbox {row['ref']} in {row['state']} has no due time"
        for row in sent
        if OutboxState(row["state"]) not in OUTBOX_AT_REST and row["due_at"] is None
    ]
    found += [
        f"I1 outbox {row['ref']} in {row['state']} without an alarm"
        for row in sent
        if row["sort"] != NOTE and row["state"] in _ALARMED and f"{_ALARMED[row['state']]}/{row['ref']}" not in known
    ]
    stored = [row for row in came if row["state"] == InboxState.STORED.value and row["due_at"] is None]
    return found + [f"I1 inbox {row['peer']}/{row['mid']} waits for nothing" for row in stored]


def _once(sent: list[Row], came: list[Row]) -> list[str]:
    """I2: a message is applied once, so there is one R2 for it, and none for what was not settled."""
    opened = Counter(row["idempotency_key"] for row in sent if (row["idempotency_key"] or "").startswith("receipt/R2/"))
    settled = {
        f"receipt/R2/{row['peer']}/{row['stub_hash'].hex()}"
        for row in came
        if row["state"] in (InboxState.APPLIED.value, InboxState.QUARANTINED.value)
    }
    return [f"I2 {key} {count} times" for key, count in opened.items() if count > 1 or key not in settled]


def _bytes_kept(
    sent: list[Row], came: list[Row], kept: dict[tuple[str, str], Row], *, signed: Callable[[bytes], bool]
) -> list[str]:
    """I3: what was sealed or accepted has its bytes, they are the ones named, and they are signed."""
    wanted = [(OUT, row["ref"], row) for row in sent if row["state"] not in _UNSEALED and row["mid"] is not None]
    wanted += [(IN, f"{row['peer']}/{row['mid']}", row) for row in came if row["on_chain"]]
    return [
        f"I3 {way} {ref} has not its bytes"
        for way, ref, row in wanted
        if (way, ref) not in kept or not _names(kept[way, ref], row["stub_hash"], signed=signed)
    ]


def _names(kept: Row, stub_hash: bytes, *, signed: Callable[[bytes], bool]) -> bool:
    frame = read_envelope(kept["body"]) if kept["whole"] else read_stub(kept["body"])
    return not isinstance(frame, Malformed) and frame.stub_hash == stub_hash and signed(frame.stub)


def _receipts_match(sent: list[Row], came: list[Row], kept: dict[tuple[str, str], Row]) -> list[str]:
    """I4: every receipt of ours is for an envelope that we hold, or for the twin of one (E12)."""
    held = {(row["peer"], row["mid"], row["stub_hash"].hex()) for row in came}
    found = []
    for row in sent:
        if not (row["idempotency_key"] or "").startswith("receipt/"):
            continue
        _, kind, peer, stub = row["idempotency_key"].split("/")
        mid = row["in_reply_to"]
        if (peer, mid, stub) not in held and (IN, f"{peer}/{mid}/{stub}") not in kept:
            found.append(f"I4 receipt {kind} to {peer} about {mid} is for nothing")
    return found


async def _chains_hold(session: Session, sent: list[Row]) -> list[str]:
    """I5: the ledger verifies, and the numbers of every pair are used once and without a hole up to the last."""
    check = await ledger.verify(session)
    found = [] if check.broken_at is None else [f"I5 ledger broken at {check.broken_at}"]
    restarted = await session.find(ledger_rows, ledger_rows.c.event == "store.reconciled") is not None
    for ends in await session.select(pair, select(pair)):
        numbers = sorted(row["seq"] for row in sent if row["recipient"] == ends["peer"] and row["seq"] is not None)
        whole = numbers == list(range(1, ends["sent_seq"] + 1))
        if len(set(numbers)) != len(numbers) or not (whole or restarted):
            found.append(f"I5 numbers for {ends['peer']}")
    return found
