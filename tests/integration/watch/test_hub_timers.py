"""The hub's timers: rows of the ledger's database that fire once, through restarts, sleeps and two watches."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from broker.alerts import AlertKind
from broker.calendar import MASH_CALENDAR
from broker.ledger.tables import timers
from broker.sla.started import StartedKind
from broker.timers import rows
from broker.timers import started as book
from schemas.stub import Event
from tests.integration.watch.watching import Watching, World, watching
from tests.unit.watch.traffic import LA, POLICE, Post

NUDGE, WARNING, ESCALATED = AlertKind.NUDGE, AlertKind.WARNING, AlertKind.ESCALATED


async def pass_(seen: Watching, post: Post, sender: str, recipient: str, event: Event, **changes: Any) -> None:
    """Let an envelope pass now."""
    await seen.watch.intake.handle(post.write(sender, recipient, event, now=seen.world.now, **changes))


async def look(seen: Watching, *, at: datetime) -> list[AlertKind]:
    """Let it be `at`: fold in, fire what is due, judge; gives the kinds that stand on the clock's ladder."""
    seen.world.now = at
    await seen.watch.round()
    await seen.watch.timers.tick()
    return sorted({one.kind for one in await seen.watch.round()} & {NUDGE, WARNING, ESCALATED, AlertKind.INCIDENT})


async def firings(seen: Watching) -> dict[str, datetime]:
    """Give when each row fired."""
    async with seen.ledger.reading() as connection:
        rows = (await connection.execute(select(timers).where(timers.c.fired_at.is_not(None)))).mappings()
        return {row["key"].rsplit("/", 1)[-1]: row["fired_at"] for row in rows}


async def test_half_four_fifths_and_a_quarter_over_are_told_each_in_its_time(tmp_path: Path) -> None:
    """AMBER on Tuesday at 10:12: 14:12, 16:36, due on Wednesday at 10:12, and 12:12; the gravest stands alone."""
    world, post = World(), Post()
    start = world.now
    async with watching(str(tmp_path / "ledger"), world) as seen:
        await pass_(seen, post, LA, POLICE, Event.REQUEST)
        assert await look(seen, at=start + timedelta(hours=4) - timedelta(seconds=1)) == []
        assert await look(seen, at=start + timedelta(hours=4)) == [NUDGE]
        assert await look(seen, at=start + timedelta(hours=6, minutes=24)) == [WARNING]
        assert await look(seen, at=start + timedelta(days=1)) == []
        assert await look(seen, at=start + timedelta(days=1, hours=2)) == [ESCALATED]


async def test_an_answer_lets_every_row_lapse_and_the_alert_is_over(tmp_path: Path) -> None:
    """Nobody is reminded of what they have done."""
    world, post = World(), Post()
    start = world.now
    async with watching(str(tmp_path / "ledger"), world) as seen:
        await pass_(seen, post, LA, POLICE, Event.REQUEST)
        assert await look(seen, at=start + timedelta(hours=5)) == [NUDGE]
        await pass_(seen, post, POLICE, LA, Event.ANSWER)
        assert await look(seen, at=start + timedelta(hours=5, minutes=1)) == []
        assert await look(seen, at=start + timedelta(days=3)) == []
        assert sorted(await firings(seen)) == ["human_ack.1", "nudge.1"]


async def test_a_watch_that_was_down_fires_what_fell_due_and_nothing_a_second_time(tmp_path: Path) -> None:
    """Down from Tuesday afternoon to Thursday."""
    world, post, url = World(), Post(), str(tmp_path / "ledger")
    start = world.now
    async with watching(url, world) as seen:
        await pass_(seen, post, LA, POLICE, Event.REQUEST)
        await look(seen, at=start + timedelta(hours=4))
        before = await firings(seen)
    world.now = start + timedelta(days=2)
    async with watching(url, world) as seen:
        assert await look(seen, at=start + timedelta(days=2)) == [ESCALATED]
        after = await firings(seen)
    assert sorted(after) == ["breach.1", "escalation.1", "human_ack.1", "nudge.1", "warning.1"]
    assert before.items() <= after.items()


async def test_two_watches_on_one_ledger_fire_a_row_once(tmp_path: Path) -> None:
    """Which of them claims it is all the same; the other finds it claimed."""
    world, post, url = World(), Post(), str(tmp_path / "ledger")
    start = world.now
    async with watching(url, world) as one, watching(url, world) as other:
        await pass_(one, post, LA, POLICE, Event.REQUEST)
        await one.watch.round()
        await other.watch.round()
        world.now = start + timedelta(hours=4)
        await one.watch.timers.tick()
        first = await firings(one)
        world.now += timedelta(minutes=1)
        await other.watch.timers.tick()
        assert await firings(other) == first


async def test_a_new_rating_begins_rows_of_its_own(tmp_path: Path) -> None:
    """RED at 12:12: the half-way mark of AMBER lapses unfired, that of RED is two hours on."""
    world, post = World(), Post()
    start = world.now
    async with watching(str(tmp_path / "ledger"), world) as seen:
        await pass_(seen, post, LA, POLICE, Event.REQUEST)
        await look(seen, at=start + timedelta(hours=1))
        seen.world.now = start + timedelta(hours=2)
        await pass_(seen, post, LA, POLICE, Event.RERATED, service_class="red")
        assert await look(seen, at=start + timedelta(hours=4)) == [NUDGE]
        assert [key for key in await firings(seen) if key.startswith("nudge")] == ["nudge.2"]


async def test_a_breach_rings_at_24_48_60_and_72_hours_until_somebody_stops_it(tmp_path: Path) -> None:
    """SLA-11: at any hour, and it says which mark was reached; stopped, it rings no more."""
    world = World()
    aware = world.now
    async with watching(str(tmp_path / "ledger"), world) as seen:
        clock = book.named(StartedKind.BREACH, whose=POLICE, began_at=aware)
        await book.start(seen.ledger, clock, calendar=MASH_CALENDAR)
        marks = []
        for hours in (23, 24, 48, 60, 72):
            seen.watch.timers.read_again()
            await look(seen, at=aware + timedelta(hours=hours))
            marks += [one.code for one in await seen.watch.round() if one.kind is AlertKind.INCIDENT]
        assert marks == ["breach_alert.24h", "breach_alert.48h", "breach_alert.60h", "breach_due"]
        await book.stop(seen.ledger, clock.name, now=world.now)
        seen.watch.timers.read_again()
        assert await look(seen, at=aware + timedelta(hours=80)) == []


async def test_a_row_fires_by_itself_while_the_watch_runs_and_not_before_it_is_due(tmp_path: Path) -> None:
    """Nobody ticks it; how late it may be is measured by the bench."""
    world = World(now=datetime.now(UTC))
    async with watching(str(tmp_path / "ledger"), world, clock=lambda: datetime.now(UTC)) as seen:
        due = datetime.now(UTC) + timedelta(seconds=0.5)
        clock = book.named(StartedKind.BREACH, whose="", began_at=due - timedelta(hours=24))
        await book.start(seen.ledger, clock, calendar=MASH_CALENDAR)
        running = asyncio.create_task(seen.watch.run())
        fired: dict[str, datetime] = {}
        for _ in range(600):
            await asyncio.sleep(0.05)
            fired = fired or await firings(seen)
            if fired:
                break
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert [due <= at for at in fired.values()] == [True]


async def test_a_row_that_is_due_later_after_all_does_not_fire_at_its_old_time(tmp_path: Path) -> None:
    """The attack: the wheel in memory holds an older due time than the store."""
    world = World()
    async with watching(str(tmp_path / "ledger"), world) as seen:
        row = rows.TimerRow("clock/x/breach//one", "clock/x/breach/", "one", world.now + timedelta(hours=1))
        await rows.write(seen.ledger, [row], gone=[], now=world.now)
        assert await rows.fire(seen.ledger, [row.key], now=world.now) == (row,)
        assert await firings(seen) == {}
