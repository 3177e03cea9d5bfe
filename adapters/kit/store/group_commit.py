"""Commands that wait for the store's one writer together are committed together: one transaction for all of them.

A commit costs several turns with the database and one flush of its disk, whether one command is in it or ten.
Guarantees: each command is stored whole or not at all, and its caller hears so after the commit and not before; they
are done in the order in which they were given; one that comes when none is under way is begun at once, and where they
come faster than they are committed, those that have to wait gather for COMPANY seconds at most.
One that fails costs the others nothing but time: nothing of the shared transaction stays, and each is done again by
itself. So a command may run more than once, and must have no effect but in its transaction. An outcome that is unknown,
or a store that cannot be written, is the answer to all of them: none is repeated here.
A caller who gives up takes back what has not begun; what has begun is brought to its end.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from adapters.kit.store.errors import NestedTransaction, StoreFault, StoreUnavailable
from adapters.kit.store.transaction import Transaction
from broker.pace import Pace

COMPANY: Final = 0.1  # seconds between two beginnings
MOST: Final = 16  # in one transaction: those who come after it shall not wait for ever
Work: TypeAlias = Callable[[Transaction], Awaitable[bytes]]


@dataclass(frozen=True)
class _Command:
    key: str
    work: Work
    answer: "asyncio.Future[bytes]"


@dataclass
class GroupCommit:
    """The commands that wait at one store: `transaction` begins one when the writer is free, `expect` reads ahead."""

    transaction: Callable[[], AbstractAsyncContextManager[Transaction]]
    expect: Callable[[Transaction, Sequence[str]], Awaitable[None]]
    _waiting: deque[_Command] = field(default_factory=deque)
    _committing: "asyncio.Task[None] | None" = None

    async def do(self, key: str, work: Work) -> bytes:
        """Return what `work` returns, when it is committed. Raises what it raises, and what a transaction raises.

        `key` is the client's own of the command.
        """
        if asyncio.current_task() is self._committing:
            raise NestedTransaction
        command = _Command(key, work, asyncio.get_running_loop().create_future())
        self._waiting.append(command)
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_all())
        return await command.answer

    async def close(self) -> None:
        """Bring what was begun, and what waits, to its end."""
        if self._committing is not None:
            await self._committing

    async def _commit_all(self) -> None:
        pace = Pace(COMPANY)
        while self._waiting:
            if len(self._waiting) < MOST:
                await pace.keep()
            group: list[_Command] = []
            try:
                await self._commit(group)
            except (StoreFault, StoreUnavailable) as fault:
                _fail(group or self._take(), fault)
            except Exception as fault:
                await self._commit_apart(group, fault)

    async def _commit(self, group: list[_Command]) -> None:
        """Do what waits when the writer is free, in one transaction; `group` is filled with it."""
        async with self.transaction() as tx:
            group += self._take()
            await self.expect(tx, [command.key for command in group])
            answers = [await command.work(tx) for command in group]
        for command, answer in zip(group, answers, strict=True):
            if not command.answer.done():
                command.answer.set_result(answer)

    async def _commit_apart(self, group: list[_Command], fault: Exception) -> None:
        """Do each of `group` by itself after a fault of one of them; one that was alone has its answer already."""
        if len(group) < 2:
            _fail(group or self._take(), fault)
            return
        for command in group:
            try:
                await self._commit_one(command)
            except Exception as own:
                _fail([command], own)

    async def _commit_one(self, command: _Command) -> None:
        async with self.transaction() as tx:
            answer = await command.work(tx)
        if not command.answer.done():
            command.answer.set_result(answer)

    def _take(self) -> list[_Command]:
        taken = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
        return [command for command in taken if not command.answer.done()]


def _fail(group: list[_Command], fault: Exception) -> None:
    for command in group:
        if not command.answer.done():
            command.answer.set_exception(fault)
