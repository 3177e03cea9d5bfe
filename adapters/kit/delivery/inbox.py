"""The inbox: takes deliveries from the hub, and returns only when what came is stored for good.

Guarantees: the bytes and their RECEIVED receipt are committed before `handle` returns, and returning is what
acknowledges to the hub (C24); a repeated attempt is counted, durably, before anything is parsed, so a message that
brings the process down is set aside unparsed after a few attempts and its neighbours pass (C30); unauthenticated input
is bounded and unanswered; whatever nobody foresaw is quarantined with an alarm and never dropped (E99).
Several that wait together are stored in one transaction and acknowledged after it; what came before is taken alone, so
that nobody's attempt counts against a neighbour, and when a transaction for several fails each is stored by itself.
The order of checks is that of the envelope design: E00 to E10 by `Envelopes.check`, E11 to E13 by `admission.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import groupby
from typing import Final, TypeVar

from adapters.kit.delivery import quarantine
from adapters.kit.delivery.admission import Entrance, admit, authenticated, expect
from adapters.kit.delivery.policy import DeliveryPolicy, precedence
from adapters.kit.envelope.envelopes import Envelopes
from adapters.kit.envelope.verification import Arrival, Refusal
from adapters.kit.failpoints import reach
from adapters.kit.store.errors import StoreFault, StoreUnavailable
from adapters.kit.store.store import Store
from adapters.kit.store.transaction import Transaction
from broker.hub import Delivery

AT_ONCE: Final = 64  # a timer that falls due meanwhile waits for all of them
_Result = TypeVar("_Result")


async def _no_refresh() -> bool:
    return False


@dataclass(frozen=True)
class InboxReceiver:
    """The handler of every lane. `refresh` fetches the directory anew and says whether it changed (E06)."""

    store: Store
    envelopes: Envelopes = field(repr=False)
    refresh: Callable[[], Awaitable[bool]] = field(default=_no_refresh, repr=False)

    @property
    def at_once(self) -> int:
        """How many deliveries are stored together at most."""
        return AT_ONCE

    async def __call__(self, delivery: Delivery) -> None:
        """Be a handler of the hub."""
        await self.handle(delivery)

    async def take(self, deliveries: Sequence[Delivery]) -> None:
        """Store several deliveries, in order; returning acknowledges them all. Raises what `handle` raises."""
        for again, some in groupby(deliveries, key=lambda delivery: delivery.redelivered):
            together = list(some)
            if again or len(together) == 1 or not await self._stored_together(together):
                for delivery in together:
                    await self.handle(delivery)

    async def _stored_together(self, deliveries: Sequence[Delivery]) -> bool:
        """Store deliveries that come for the first time in one transaction; False if that failed and nothing is."""
        reach("C21")
        verdicts = [await self._examine(delivery) for delivery in deliveries]
        reach("C22")
        try:
            await self._patiently(partial(self._keep_all, deliveries, verdicts))
        except (StoreFault, StoreUnavailable):
            raise
        except Exception:
            return False
        reach("C24")
        return True

    async def _keep_all(self, deliveries: Sequence[Delivery], verdicts: Sequence[Arrival | Refusal]) -> None:
        async with self.store.transaction(precedence(deliveries[0].lane)) as tx:
            await expect(tx, [verdict for verdict in verdicts if isinstance(verdict, Arrival)])
            for delivery, verdict in zip(deliveries, verdicts, strict=True):
                await self._place(tx, delivery, verdict)
                reach("C23")

    async def handle(self, delivery: Delivery) -> None:
        """Store one delivery; returning acknowledges it.

        Raises only what the store raises: then the delivery stays with the hub and comes again.
        """
        body_hash = sha256(delivery.body).digest()
        # The hub marks what it has handed out before, so the first attempt needs no row: only a death leaves more.
        attempts = 1 + await self._patiently(partial(self._count, body_hash)) if delivery.redelivered else 1
        reach("C21")
        poisonous = attempts > self._policy.poison_after
        verdict = Refusal(quarantine.POISON, None, "") if poisonous else await self._examine(delivery)
        reach("C22")
        await self._patiently(partial(self._keep, delivery, verdict, body_hash))
        reach("C24")

    async def _patiently(self, step: Callable[[], Awaitable[_Result]]) -> _Result:
        """Wait out a database that is away, for a while: giving every message back would use up its deliveries."""
        pause, waited = 0.25, 0.0
        while True:
            try:
                return await step()
            except StoreUnavailable:
                if waited >= self._policy.patience_with_database.total_seconds():
                    raise
                await asyncio.sleep(pause)
                waited, pause = waited + pause, min(pause * 2, 5.0)

    async def _count(self, body_hash: bytes) -> int:
        async with self.store.transaction() as tx:
            return await quarantine.count_attempt(tx, body_hash)

    async def _keep(self, delivery: Delivery, verdict: Arrival | Refusal, body_hash: bytes) -> None:
        async with self.store.transaction(precedence(delivery.lane)) as tx:
            await self._place(tx, delivery, verdict)
            if delivery.redelivered:
                await quarantine.forget_attempts(tx, body_hash)
            reach("C23")

    @property
    def _policy(self) -> DeliveryPolicy:
        return self.store.policy

    async def _examine(self, delivery: Delivery) -> Arrival | Refusal:
        reach("C30")
        verdict = self.envelopes.check(delivery, now=self.store.clock())
        unknown_directory = isinstance(verdict, Refusal) and verdict.code == "E06"
        if unknown_directory and await self.refresh():
            verdict = self.envelopes.check(delivery, now=self.store.clock())
        return verdict

    async def _place(self, tx: Transaction, delivery: Delivery, verdict: Arrival | Refusal) -> None:
        match verdict:
            case Arrival():
                await admit(tx, Entrance(verdict), room=tx.mailroom)
            case Refusal(code="E10"):
                # E00 to E09 have passed, so the stub is authentic and its sender is told; a duplicate of what was
                # accepted in time is still a duplicate.
                await admit(tx, Entrance(authenticated(delivery.body), verdict), room=tx.mailroom)
            case _:
                equivocation = verdict.detail == quarantine.EQUIVOCATION
                code = quarantine.EQUIVOCATION if equivocation else verdict.code
                await quarantine.keep(tx, delivery, code=code, policy=self._policy)
