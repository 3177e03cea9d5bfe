"""The hub's watch: sees every envelope pass, keeps the stub of each, and tells people when somebody waits unseen.

`intake` enters stubs in the ledger as they come; here everything else is worked out from the ledger, round by
round, by folding in what is new: a restart replays and has the same picture, and two watches on one ledger agree.
A round that fails is counted and the next one follows; a ledger that is away, a hub that gives no figures, a directory
that cannot be read are each shown as what they are and stop nothing else.
It refuses to know anything sealed, and sends nothing to the hub.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from time import monotonic
from typing import Final

from broker import manifest_book
from broker.alerts import Alert, Health, HubFigures, View, book
from broker.alerts.rules import judge
from broker.errors import HubError
from broker.hub import HubConnection
from broker.ledger.engine import LedgerUnavailable
from broker.ledger.ledger import Ledger
from broker.sla.started import SUBJECT
from broker.telemetry import Telemetry
from broker.timers.keeper import Keeper
from broker.watch import departed, quarantine
from broker.watch.answers import Answers
from broker.watch.glance import Glance
from broker.watch.intake import Bench, Intake
from broker.watch.outside import Outside, WatchSettings
from broker.watch.picture import Picture
from broker.watch.samples import Ledgers, samples
from broker.watch.standing import Standing, Unreceipted, by_time_to_breach
from schemas.routing import Lane

_YIELD_EVERY: Final = 50


class Watch:
    """One watch over one ledger: `listen` to a hub's connection, then `run`."""

    def __init__(
        self,
        ledger: Ledger,
        outside: Outside,
        *,
        telemetry: Telemetry | None = None,
        settings: WatchSettings | None = None,
    ) -> None:
        self.telemetry = telemetry or Telemetry()
        self._outside, self._settings = outside, settings or WatchSettings()
        self._bench = Bench(ledger, outside, self.telemetry, self._settings)
        self._ledger = ledger
        self.intake = Intake(self._bench)
        self._picture = Picture(outside.calendars)
        self._answers = Answers(since=outside.clock())
        self.timers = Keeper(
            ledger,
            clock=outside.clock,
            tell=lambda _: self.telemetry.count("mash_watch_faults"),
            foreign=SUBJECT,
        )
        self._connection: HubConnection | None = None
        self._alive_at = dict.fromkeys(Lane, monotonic())
        self._done_at: dict[str, float] = {}
        self._figures: HubFigures | None = None
        self._health = Health()
        self._view = View(outside.clock(), ledger.began_at, outside.directory.current, outside.calendars)
        self.telemetry.know(outside.directory.current.records)

    @property
    def standings(self) -> tuple[Standing, ...]:
        """Every request as of the last round, sorted by time to breach."""
        return self._view.standings

    async def listen(self, connection: HubConnection) -> None:
        """Take every lane of the tap (participant `monitor`)."""
        self._connection = connection
        for lane in Lane:
            await connection.consume(lane, self.intake)

    async def run(self) -> None:
        """Look at everything, round after round, until cancelled; the ledger is verified at the start and daily."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._verify_daily())
            group.create_task(self.timers.run())
            while True:
                await self._bench.survive(self.round)
                await asyncio.sleep(self._settings.round)

    async def round(self) -> tuple[Alert, ...]:
        """Fold in what is new, judge, write the book of alerts, tell, show the figures; gives the alerts that stand."""
        now = self._outside.clock()
        await self._look_outside()
        wanted: tuple[Alert, ...] = ()
        try:
            await self._follow()
            self._view = await self._see(now)
            wanted = judge(self._view)
            await self._write(wanted, now)
            quarantined = await quarantine.size(self._ledger)
        except LedgerUnavailable:
            self._show(replace(self._view, now=now), wanted, is_up=False, quarantined=0)
        else:
            self._show(self._view, wanted, is_up=True, quarantined=quarantined)
        return wanted

    async def verify(self) -> None:
        """Verify the whole ledger and remember what is wrong with it."""
        fault = (await self._ledger.verify()).fault
        self._health = replace(self._health, ledger_fault=f"{fault.code}.{fault.number}" if fault else "")

    async def _verify_daily(self) -> None:
        while True:
            await self._bench.survive(self.verify)
            await asyncio.sleep(self._settings.verify_every)

    async def _look_outside(self) -> None:
        if self._is_time("directory", self._settings.directory_every):
            await self._bench.refresh_directory()
        probe = self._outside.probe
        if probe is not None and self._is_time("probe", self._settings.probe_every):
            try:
                self._figures = await probe()
            except HubError:
                self._figures = None
        self._health = replace(
            self._health,
            deaf=self._deaf(),
            figures_failed=probe is not None and self._figures is None,
            directory_fault=self._outside.directory.fault,
            clock_stepped=self._outside.clock_stepped(),
        )

    def _is_time(self, what: str, every: float) -> bool:
        """Say whether `what` was last done so long ago, and note that it is done now."""
        now = monotonic()
        if now - self._done_at.get(what, -every) < every:
            return False
        self._done_at[what] = now
        return True

    def _alive(self) -> frozenset[Lane]:
        connection = self._connection
        return frozenset(lane for lane in Lane if connection is not None and connection.alive(lane))

    def _deaf(self) -> tuple[Lane, ...]:
        now = monotonic()
        self._alive_at |= dict.fromkeys(self._alive(), now)
        return tuple(lane for lane in Lane if now - self._alive_at[lane] > self._settings.deaf_after)

    async def _follow(self) -> None:
        """Fold in every entry behind the last one that was folded in."""
        while passages := await self._ledger.passages(after=self._picture.entries):
            for passage in passages:
                self._picture.add(passage)
            await asyncio.sleep(0)

    async def _see(self, now: datetime) -> View:
        """Work everything out, leaving the loop to deliveries in between."""
        standings: list[Standing] = []
        unreceipted: list[Unreceipted] = []
        for place, one in enumerate(self._picture.survey(now)):
            standings += one.standings
            unreceipted += one.unreceipted
            if place % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
        left = self._outside.directory.current.left
        standings = list(departed.ended(standings, left))
        fired = await self.timers.keep(standings, now=now)
        sight = await self._outside.duty(now)
        return View(
            now=now,
            began_at=self._ledger.began_at,
            directory=self._outside.directory.current,
            calendars=self._outside.calendars,
            agreements=self._outside.agreements,
            metadata=self._outside.directory.metadata,
            standings=by_time_to_breach(standings),
            unreceipted=tuple(departed.awaited(unreceipted, left)),
            chain_faults=self._picture.chain_faults(now),
            tallies=await quarantine.tallies(self._ledger),
            heard=self._picture.heard,
            unfollowed=self._picture.unfollowed,
            unreconciled=await manifest_book.standing(self._ledger),
            figures=self._figures,
            health=self._health,
            troubles=sight.troubles,
            desks=sight.desks,
            fired=fired,
        )

    async def _write(self, wanted: Sequence[Alert], now: datetime) -> None:
        for alert in await book.write(self._ledger, wanted, now=now):
            self.telemetry.count("mash_alerts_raised", participant=alert.participant, kind=alert.kind.value)
        for _ in range(await book.tell(self._ledger, self._outside.sinks)):
            self.telemetry.count("mash_alert_tellings_failed")

    def _show(self, view: View, wanted: Sequence[Alert], *, is_up: bool, quarantined: int) -> None:
        for one in self._answers.new(view.standings):
            self.telemetry.observe("mash_answer_seconds", one.seconds, participant=one.participant, rag=one.rag)
        ledgers = Ledgers(self._picture.entries, quarantined, is_up, not self._health.ledger_fault, alive=self._alive())
        self.telemetry.show(samples(view, wanted, ledgers))
        self._bench.hand_round(Glance(view, tuple(wanted), ledgers))
