"""Everything bad of issue 7 at once: each is visible as its own alert, each is told to a human, none stops another."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from adapters.kit.envelope.sealing import Event
from broker.alerts import HUB, AlertKind, book
from broker.alerts.courier import Courier
from broker.alerts.desks import Desk
from broker.alerts.listing import listed_standing
from broker.calendar import MASH_CALENDAR
from broker.calendars import Calendars
from broker.timers import Reading
from broker.watch.clock import TrustedClock
from broker.watch.watch import Watch
from tests.integration.alerts.office import DEPUTY, HOOK, OFFICER, OPERATOR, SPOC, Office, office
from tests.integration.alerts.servers import Mood
from tests.integration.watch.watching import EAGER, World
from tests.support.parties import NOW
from tests.unit.alerts.rota import desk
from tests.unit.watch.traffic import HEALTH, LA, POLICE, Post, directory

Seen = set[tuple[AlertKind, str, str, str]]


@dataclass
class Clocks:
    """The machine's clocks: `steady` counts, the wall clock shows that and whatever somebody `moved` it by."""

    steady: float = 0.0
    moved: timedelta = timedelta(0)

    def __call__(self) -> Reading:
        return Reading(NOW + timedelta(seconds=self.steady) + self.moved, self.steady)


@dataclass
class Area:
    """A watch and a courier over one ledger, and the clocks that both go by."""

    office: Office
    world: World
    clocks: Clocks = field(default_factory=Clocks)

    def __post_init__(self) -> None:
        self.clock = TrustedClock(self.clocks)
        self.post = Post(self.world.directory)
        self.office.desks = (
            desk(OFFICER, DEPUTY, replace(SPOC, routes=(HOOK,)), out_of_hours=()),
            desk(replace(OFFICER, routes=(HOOK,)), name=LA),
            Desk(HUB, (replace(OPERATOR, routes=(HOOK,)),)),
        )
        self.courier = self.begin()
        ending = replace(MASH_CALENDAR, known_years=range(2020, 2027))
        outside = self.world.outside(
            duty=lambda now: self.courier.sight(now),
            clock=self.clock,
            clock_stepped=lambda: self.clock.stepped,
            calendars=Calendars(agencies={POLICE: ending}),
        )
        self.watch = Watch(self.office.ledger, outside, settings=replace(EAGER, deaf_after=3600.0))

    def begin(self) -> Courier:
        """Start the courier, again if need be."""
        return self.office.courier()

    async def pass_(self, **span: float) -> None:
        """Let real time pass, and watch and courier do what is due."""
        self.clocks.steady += timedelta(**span).total_seconds()
        for _ in range(4):
            self.office.now = self.office.receiver.now = self.clock()
            await self.watch.round()
            await self.office.turn(self.courier)

    async def says(self, sender: str, recipient: str, event: Event) -> None:
        """Let an envelope pass."""
        await self.watch.intake.handle(self.post.write(sender, recipient, event, now=self.clock()))

    async def standing(self) -> Seen:
        return {
            (one.alert.kind, one.alert.participant, one.alert.peer, one.alert.code)
            for one in await book.standing(self.office.ledger)
        }


def without_a_telephone() -> World:
    """Health publishes no duty telephone."""
    records = [
        record.model_copy(update={"duty_telephone": None}) if name == HEALTH else record
        for name, record in directory().records.items()
    ]
    return World(directory=directory(records=records))


@pytest.fixture
async def area(ledger_url: str) -> AsyncIterator[Area]:
    async with office(ledger_url) as opened:
        yield Area(opened, without_a_telephone())


CLOCK = (AlertKind.CLOCK, HUB, "", "stepped")
DROPPED = (AlertKind.UNACKNOWLEDGED, HUB, POLICE, "undelivered")
REVOKED = (AlertKind.NOT_TOLD, HUB, POLICE, "key.notify_text.deputy")
HOLIDAYS = (AlertKind.CALENDAR, POLICE, "", "2027")
NO_TELEPHONE = (AlertKind.NO_DUTY_CONTACT, HEALTH, "", "")
NO_DESK = (AlertKind.NO_DUTY_CONTACT, HEALTH, "", "desk")
NOBODY = (AlertKind.NOBODY_TO_TELL, HUB, HEALTH, "no_contacts")
OVERDUE = (AlertKind.UNDELIVERED, POLICE, LA, "AMBER")
EVERYTHING: Seen = {CLOCK, DROPPED, REVOKED, HOLIDAYS, NO_TELEPHONE, NO_DESK, NOBODY, OVERDUE}


async def spoil(area: Area, moved: timedelta) -> None:
    """Do everything bad at once: mail is dropped, the key revoked, the clock moved; the rest is so from the start."""
    area.office.mail.mood, area.office.notify.revoked = Mood.DROPS, True
    await area.says(LA, POLICE, Event.REQUEST)
    await area.pass_(seconds=61)
    await area.pass_(minutes=31)
    area.clocks.moved = moved
    await area.pass_(seconds=1)


@pytest.mark.parametrize("moved", [timedelta(days=7), timedelta(days=-1)], ids=["a week forward", "a day back"])
async def test_everything_bad_at_once_is_seen_each_as_its_own_alert_and_stops_nothing_else(
    area: Area, moved: timedelta
) -> None:
    """The last sentence of issue 7, on both databases."""
    await spoil(area, moved)
    assert await area.standing() >= EVERYTHING
    assert {one for one in await area.standing() if one not in EVERYTHING} <= _of_the_other_ways()
    await _the_others_go_on(area)


def _of_the_other_ways() -> Seen:
    """What may stand besides: the same key, found on another rung or way."""
    return {(AlertKind.NUDGE, POLICE, LA, "AMBER"), (AlertKind.UNREAD, POLICE, LA, "AMBER")}


async def _the_others_go_on(area: Area) -> None:
    """The SPOC is told although mail and text fail, the hub's desk is told of each, and the ledger keeps entering."""
    told = area.office.receiver.alerts()
    entries = {one.alert.kind: one for one in await book.standing(area.office.ledger)}
    for seen in (CLOCK, DROPPED, REVOKED, NOBODY):
        entry = entries[seen[0]]
        assert (entry.alert.reference or f"A-{entry.number}") in {one["reference"] for one in told}
    assert entries[AlertKind.UNDELIVERED].alert.reference in {one["reference"] for one in told}
    before = (await area.office.ledger.head()).entries
    await area.says(POLICE, LA, Event.HEARTBEAT)
    assert (await area.office.ledger.head()).entries == before + 1


@pytest.mark.parametrize("moved", [timedelta(days=7), timedelta(days=-1)], ids=["a week forward", "a day back"])
async def test_a_moved_clock_tells_nobody_early_and_nobody_late(area: Area, moved: timedelta) -> None:
    """A week forward would climb the whole ladder at once; a day back would climb no further until tomorrow."""
    area.office.mail.mood = Mood.DROPS
    await area.says(LA, POLICE, Event.REQUEST)
    await area.pass_(seconds=61)
    area.clocks.moved = moved
    await area.pass_(minutes=29)
    (overdue,) = [one for one in await book.standing(area.office.ledger) if one.alert.kind is AlertKind.UNDELIVERED]
    assert await rungs_of(area, overdue.number) == ["contact_officer"]
    await area.pass_(minutes=2)
    assert await rungs_of(area, overdue.number) == ["contact_officer", "deputy"]


async def rungs_of(area: Area, number: int) -> list[str]:
    (one,) = [one for one in await listed_standing(area.office.ledger) if one.entry.number == number]
    return list(dict.fromkeys(told.rung for told in one.told))


async def test_each_bad_thing_that_is_mended_ends_its_own_alert_and_no_other(area: Area) -> None:
    """One after the other, in any order."""
    await spoil(area, timedelta(days=7))
    area.clocks.moved = timedelta(0)
    await area.pass_(seconds=1)
    assert EVERYTHING - {CLOCK} <= await area.standing()
    assert CLOCK not in await area.standing()
    area.office.notify.revoked = False
    await area.pass_(minutes=10)
    assert REVOKED not in await area.standing()
    assert {HOLIDAYS, NO_TELEPHONE, NO_DESK, NOBODY, DROPPED} <= await area.standing()
    area.world.directory = directory(version=2)
    await area.pass_(seconds=1)
    assert NO_TELEPHONE not in await area.standing()
    assert {HOLIDAYS, NO_DESK, NOBODY} <= await area.standing()


async def test_a_restart_in_the_middle_of_it_raises_nothing_twice(area: Area) -> None:
    """What is wrong with telling people is worked out from rows: a new process has the same picture."""
    await spoil(area, timedelta(days=7))
    numbers = {one.number for one in await book.standing(area.office.ledger)}
    area.courier = area.begin()
    await area.pass_(seconds=5)
    assert {one.number for one in await book.standing(area.office.ledger)} == numbers


def test_the_moved_clock_of_these_tests_is_what_the_program_reads() -> None:
    """The fake says what `read_clocks` says."""
    clocks = Clocks(moved=timedelta(days=7))
    assert isinstance(clocks().wall, datetime)
    assert clocks().wall - NOW == timedelta(days=7)
