"""Collects an agency's evidence about one thread out of its store, its keyring and the directory's archive.

What was sent is proved with the content keys that the ledger keeps; what was received with those that are kept, and
with a prekey while it lives where they are not enough. A section whose key is gone is left out: its stub still proves
that it was sent.
Only the sections asked for are opened; the decision maker's and the protected ones must be named.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as aead_decrypt
from nacl.exceptions import CryptoError
from sqlalchemy import or_, select

from adapters.kit.delivery.admission import IN
from adapters.kit.delivery.outbox import OUT
from adapters.kit.delivery.receipt_flow import RECEIPT_APPLIED
from adapters.kit.envelope.verification import Arrival, Opened, Refusal
from adapters.kit.evidence.bundle import Exhibit, exhibit_of
from adapters.kit.keys.secrets import SecretBytes
from adapters.kit.store.errors import ContentErased
from adapters.kit.store.session import Session
from adapters.kit.store.tables import envelope, inbox_rows, ledger, outbox_rows
from adapters.kit.store.transaction import Transaction
from schemas import signing
from schemas.envelope import CONTENT_KEY_LENGTH, NONCE_LENGTH, Frame, Malformed, read_envelope, read_stub
from schemas.stub import BadCore, read_core

ORDINARY: Final = frozenset({0, 1})
SEALED: Final = "envelope.sealed"
OPENED: Final = "envelope.opened"
Open = Callable[[Arrival], Opened | Refusal]


class NothingHere(Exception):
    """The store knows no thread and no message with this id."""


async def thread_of(tx: Session, name: str) -> str:
    """Give the thread that an id of a thread or of a message belongs to. Raises `NothingHere`."""
    for table in (outbox_rows, inbox_rows):
        named = or_(table.c.thread == name, table.c.mid == name)
        rows = await tx.select(table, select(table).where(named).limit(1))
        if rows:
            return str(rows[0]["thread"])
    raise NothingHere(name)


async def exhibits(
    tx: Transaction, name: str, *, opening: Open, sections: frozenset[int] = ORDINARY
) -> AsyncIterator[Exhibit]:
    """Give an exhibit of every envelope of the thread, sent first, then received. Raises `NothingHere`."""
    thread = await thread_of(tx, name)
    for row in await tx.select(outbox_rows, select(outbox_rows).where(outbox_rows.c.thread == thread)):
        body = await _body(tx, OUT, row["ref"])
        if body is not None:
            yield _exhibit(body, await _kept_openings(tx, SEALED, row["mid"]), sections)
    for row in await tx.select(inbox_rows, select(inbox_rows).where(inbox_rows.c.thread == thread)):
        body = await _body(tx, IN, f"{row['peer']}/{row['mid']}")
        if body is not None:
            kept = await _kept_openings(tx, OPENED, row["mid"])
            kept = kept if len(kept) else await _kept_openings(tx, RECEIPT_APPLIED, row["mid"], name="receipt")
            if not sections <= _by_index(kept).keys():
                kept = SecretBytes(kept.reveal() + _opened_now(body, opening).reveal())
            yield _exhibit(body, kept, sections)


def _by_index(openings: SecretBytes) -> Mapping[int, bytes]:
    raw, width = openings.reveal(), 1 + CONTENT_KEY_LENGTH
    return {raw[at]: raw[at + 1 : at + width] for at in range(0, len(raw), width)}


async def _body(tx: Session, way: str, ref: str) -> bytes | None:
    row = await tx.find(envelope, envelope.c.way == way, envelope.c.ref == ref)
    return None if row is None else bytes(row["body"])


async def _kept_openings(tx: Transaction, event: str, mid: str, *, name: str = "mid") -> SecretBytes:
    """Give the content keys that the ledger keeps of a message; a later opening by another role adds to them."""
    rows = await tx.select(ledger, select(ledger).where(ledger.c.event == event, ledger.c.refs.contains(mid)))
    numbers = [row["number"] for row in rows if json.loads(row["refs"]).get(name) == mid]
    return SecretBytes(b"".join([await _detail(tx, number) for number in numbers]))


async def _detail(tx: Transaction, number: int) -> bytes:
    try:
        return await tx.ledger_detail(number) or b""
    except ContentErased:
        return b""


def _opened_now(body: bytes, opening: Open) -> SecretBytes:
    frame = read_envelope(body)
    stub = BadCore("no envelope") if isinstance(frame, Malformed) else read_core(frame.head.core)
    if isinstance(frame, Malformed) or isinstance(stub, BadCore):
        return SecretBytes(b"")
    outcome = opening(Arrival(stub, frame.stub_hash, body))
    return SecretBytes(b"") if isinstance(outcome, Refusal) else outcome.openings


def _exhibit(body: bytes, openings: SecretBytes, sections: frozenset[int]) -> Exhibit:
    frame = read_envelope(body)
    if isinstance(frame, Malformed):
        frame = read_stub(body)
    stub = body if isinstance(frame, Malformed) else frame.stub
    texts = {} if isinstance(frame, Malformed) else texts_of(frame, openings)
    return exhibit_of(stub, openings=openings, texts={at: text for at, text in texts.items() if at in sections})


def texts_of(frame: Frame, openings: SecretBytes) -> Mapping[int, bytes]:
    """Open the sections whose content keys are known; those whose ciphertext was dropped are left out."""
    head = frame.head
    core_hash = signing.core_hash(suite=head.suite, kind=head.kind, core=head.core)
    usable = {index: key for index, key in _by_index(openings).items() if index < len(frame.ciphertexts)}
    opened = {index: _text(frame, index, key, core_hash) for index, key in usable.items()}
    return {index: text for index, text in opened.items() if text is not None}


def _text(frame: Frame, index: int, content_key: bytes, core_hash: bytes) -> bytes | None:
    derived = signing.section_secrets(content_key, core_hash=core_hash, index=index)
    binding = signing.section_binding(core_hash, index=index, count=len(frame.ciphertexts))
    ciphertext = frame.ciphertexts[index]
    nonce, sealed = ciphertext[:NONCE_LENGTH], ciphertext[NONCE_LENGTH:]
    try:
        return signing.unpad(aead_decrypt(sealed, binding, nonce, derived.aead_key))
    except (CryptoError, ValueError):
        return None
