"""The watch's end of the tap: verifies what passes, enters the stub, counts and sets aside what is refused.

A delivery is acknowledged, by returning, when its stub is durable or its refusal is; several that wait are entered in
one transaction. Nothing that arrives raises:
while the ledger does not answer a delivery waits here, and a fault of ours sets it aside as E99 (M16).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Final

import structlog

from broker.hub import Delivery
from broker.ledger.engine import LedgerUnavailable
from broker.ledger.ledger import Ledger, Seen
from broker.telemetry import Telemetry
from broker.verify import Circumstances, Refusal, VerifiedStub, check_envelope
from broker.watch import quarantine
from broker.watch.glance import Glance
from broker.watch.outside import Outside, WatchSettings

AT_ONCE: Final = 128
_NEWER: Final = "newer directory: refresh, then hold"


@dataclass(frozen=True)
class Bench:
    """What both halves of the watch work at."""

    ledger: Ledger
    outside: Outside
    telemetry: Telemetry
    settings: WatchSettings

    async def survive(self, step: Callable[[], Awaitable[object]]) -> None:
        """Take a step, and go on if it fails by a fault of ours, having counted and logged it without its text."""
        try:
            await step()
        except Exception as fault:
            self.note_fault(fault)

    def note_fault(self, fault: Exception) -> None:
        """Count and log a fault of ours; a log that cannot be written stops nothing either."""
        self.telemetry.count("mash_watch_faults")
        with suppress(Exception):
            structlog.get_logger().error("the watch met a fault and goes on", exc_info=fault)

    def hand_round(self, glance: Glance) -> None:
        """Show a round to every onlooker; one that fails is a fault of ours and hides it from no other."""
        for onlooker in self.outside.onlookers:
            try:
                onlooker(glance)
            except Exception as fault:
                self.note_fault(fault)

    async def refresh_directory(self) -> bool:
        """Read the directory anew, and say whether it changed."""
        changed = await self.outside.directory.refresh(self.outside.clock())
        self.telemetry.know(self.outside.directory.current.records)
        return changed


class Intake:
    """The handler of every lane."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._refreshed_at = -bench.settings.refresh_at_most_every

    @property
    def at_once(self) -> int:
        """How many deliveries are entered together at most."""
        return AT_ONCE

    async def __call__(self, delivery: Delivery) -> None:
        """Be a handler of the hub."""
        await self.handle(delivery)

    async def take(self, deliveries: Sequence[Delivery]) -> None:
        """Keep several stubs, in order; what is refused, or is met by a fault, is taken by itself."""
        verdicts = [(delivery, self._check(delivery)) for delivery in deliveries]
        passed = [(delivery, verdict) for delivery, verdict in verdicts if isinstance(verdict, VerifiedStub)]
        try:
            await self._patiently(partial(self._enter_all, passed))
        except Exception as fault:
            self._bench.note_fault(fault)
            passed = []
        entered = {id(delivery) for delivery, _ in passed}
        for delivery in deliveries:
            if id(delivery) not in entered:
                await self.handle(delivery)

    async def handle(self, delivery: Delivery) -> None:
        """Keep one stub, or count why not; returning acknowledges."""
        try:
            if await self._is_answer(delivery):
                return
            verdict = self._check(delivery)
            if isinstance(verdict, Refusal) and verdict.detail == _NEWER and await self._refreshed():
                verdict = self._check(delivery)
            if isinstance(verdict, Refusal):
                await self._patiently(partial(self._refuse, delivery, verdict))
            else:
                await self._patiently(partial(self._enter, delivery, verdict))
        except Exception as fault:
            self._bench.note_fault(fault)
            set_aside = partial(self._refuse, delivery, Refusal("E99", None, type(fault).__name__))
            await self._bench.survive(partial(self._patiently, set_aside))

    async def _is_answer(self, delivery: Delivery) -> bool:
        """Say whether this was an agency's answer to the hub, and is taken in; anything else is checked as a stub."""
        hears, heard = self._bench.outside.hears, False
        if hears is None or not delivery.body.startswith(b"{"):
            return False

        async def hear() -> None:
            nonlocal heard
            heard = await hears(delivery)

        await self._patiently(hear)
        return heard

    def _check(self, delivery: Delivery) -> VerifiedStub | Refusal:
        around = Circumstances(
            ingress_owner=delivery.ingress_owner,
            lane=delivery.lane,
            has_cc=delivery.has_cc,
            directory=self._bench.outside.directory.current,
            now=self._bench.outside.clock(),
        )
        return check_envelope(delivery.body, around)

    async def _refreshed(self) -> bool:
        """Fetch the directory because a sender knows a newer one; an impostor's word makes us do so now and then."""
        now = monotonic()
        if now - self._refreshed_at < self._bench.settings.refresh_at_most_every:
            return False
        self._refreshed_at = now
        return await self._bench.refresh_directory()

    async def _enter(self, delivery: Delivery, verified: VerifiedStub) -> None:
        seen = self._seen(delivery, verified)
        began = monotonic()
        number = await self._bench.ledger.append(
            verified,
            ingress_owner=seen.ingress_owner,
            directory=self._bench.outside.directory.current,
            received_at=seen.received_at,
        )
        self._bench.telemetry.observe("mash_ledger_append_seconds", monotonic() - began)
        self._count(seen, is_new=number is not None)

    async def _enter_all(self, passed: Sequence[tuple[Delivery, VerifiedStub]]) -> None:
        if not passed:
            return
        seen = [self._seen(delivery, verified) for delivery, verified in passed]
        began = monotonic()
        numbers = await self._bench.ledger.append_all(seen, directory=self._bench.outside.directory.current)
        self._bench.telemetry.observe("mash_ledger_append_seconds", monotonic() - began)
        for one, number in zip(seen, numbers, strict=True):
            self._count(one, is_new=number is not None)

    def _seen(self, delivery: Delivery, verified: VerifiedStub) -> Seen:
        return Seen(verified, delivery.ingress_owner, self._bench.outside.clock())

    def _count(self, seen: Seen, *, is_new: bool) -> None:
        telemetry, stub, now = self._bench.telemetry, seen.verified.stub, seen.received_at
        if not is_new:
            telemetry.count("mash_stub_duplicates", lane=stub.lane.value)
            return
        telemetry.count("mash_stubs", participant=stub.from_, lane=stub.lane.value, kind=stub.event.value)
        telemetry.observe("mash_stub_delay_seconds", now.timestamp() - stub.t, lane=stub.lane.value)

    async def _refuse(self, delivery: Delivery, refusal: Refusal) -> None:
        at = self._bench.outside.clock()
        await quarantine.put(self._bench.ledger, delivery, refusal, at=at)
        self._bench.telemetry.count("mash_stubs_refused", participant=delivery.ingress_owner, code=refusal.code)

    async def _patiently(self, step: Callable[[], Awaitable[None]]) -> None:
        """Wait out a ledger that is away: giving every delivery back would use up its deliveries."""
        pause = self._bench.settings.first_pause
        while True:
            try:
                return await step()
            except LedgerUnavailable:
                self._bench.telemetry.count("mash_ledger_waits")
                await asyncio.sleep(pause)
                pause = min(pause * 2, self._bench.settings.longest_pause)
