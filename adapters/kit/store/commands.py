"""Idempotent commands: the same client key twice gives the same answer, and the work is done once (C02).

The answer is stored sealed in the transaction of the work. A key that comes again with a different request is refused,
because one of the two callers would get an answer to a question it did not ask.
"""

from collections.abc import Sequence
from hashlib import sha256
from secrets import compare_digest

from adapters.kit.store.errors import CommandConflict
from adapters.kit.store.sealed_fields import Place
from adapters.kit.store.session import SealedValue, Session
from adapters.kit.store.tables import command, record_key


def _place(client_key: str) -> Place:
    return Place("command", client_key, "answer")


def _key_id(client_key: str) -> str:
    return f"command/{client_key}"


async def expect(session: Session, client_keys: Sequence[str]) -> None:
    """Read ahead, in two turns with the database, what `answered` and `settle` ask about each of several commands."""
    await session.expect(command, "client_key", client_keys)
    await session.expect(record_key, "key_id", [_key_id(client_key) for client_key in client_keys])


async def answered(session: Session, client_key: str, *, request: bytes) -> bytes | None:
    """Return the stored answer to `client_key`, None if it is new; raises CommandConflict for another request."""
    row = await session.find(command, command.c.client_key == client_key)
    if row is None:
        return None
    if not compare_digest(row["request_hash"], sha256(request).digest()):
        raise CommandConflict
    return await session.open(SealedValue(row["key_id"], row["epoch"], row["answer"]), place=_place(client_key))


async def settle(session: Session, client_key: str, *, request: bytes, answer: bytes) -> None:
    """Store the answer to a command in the transaction of its work."""
    key_id = _key_id(client_key)
    sealed = await session.seal(answer, place=_place(client_key), retention="command", key_id=key_id)
    values = {"client_key": client_key, "request_hash": sha256(request).digest(), "made_at": session.now}
    values |= {"key_id": key_id, "epoch": sealed.epoch, "answer": sealed.sealed}
    await session.insert(command, values)
