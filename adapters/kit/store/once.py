"""One command, one transaction, one answer: whatever a command stores is joined, under the key of whoever calls (C02).

Guarantees: everything that the command stores, and its answer, are committed together; the same key again gives the
stored answer and does nothing; the same key for another request is refused. A part of the command that failed and was
passed over undoes the whole, because what is joined cannot be undone by halves.
The answer leaves here only after the commit, so what was to be logged before it is shown has been.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from adapters.kit.failpoints import reach
from adapters.kit.store.errors import StoreRefusal
from adapters.kit.store.store import Store
from adapters.kit.store.transaction import Transaction
from adapters.kit.store.turn import Precedence


class HalfRefused(StoreRefusal):
    """A part of this command was refused, so under a client key nothing of it was done. Call it without a key."""


@dataclass
class CommandStore(Store):
    """A store that is opened for one command."""

    _joined: Transaction | None = field(default=None, repr=False)
    _failed: bool = False

    async def once(
        self, client_key: str, *, request: bytes, work: Callable[[], Awaitable[bytes]], user: str = ""
    ) -> bytes:
        """Do `work`, whose transactions are joined, or give the stored answer. Raises CommandConflict, HalfRefused.

        An answer may be content: that it was given again, and to which `user`, is in the ledger first (REC-05).
        """
        async with super().transaction() as tx:
            answer = await tx.answered(client_key, request=request)
            if answer is None:
                answer = await self._joining(tx, work)
                await tx.settle(client_key, request=request, answer=answer)
            else:
                await tx.record("answer given again", refs={"key": client_key, "user": user})
        reach("C02")
        return answer

    async def _joining(self, tx: Transaction, work: Callable[[], Awaitable[bytes]]) -> bytes:
        self._joined, self._failed = tx, False
        try:
            answer = await work()
        finally:
            self._joined = None
        if self._failed:
            raise HalfRefused
        return answer

    @asynccontextmanager
    async def transaction(self, precedence: Precedence = Precedence.USUAL) -> AsyncIterator[Transaction]:
        """Work that is stored with the rest of the command; see `Store.transaction`."""
        if self._joined is None:
            async with super().transaction(precedence) as tx:
                yield tx
            return
        try:
            yield self._joined
        except BaseException:
            self._failed = True
            raise

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Transaction]:
        """A view of the store as this command has left it so far; see `Store.snapshot`."""
        if self._joined is None:
            async with super().snapshot() as view:
                yield view
            return
        yield self._joined
