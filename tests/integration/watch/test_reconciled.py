"""The daily manifests from hub to agency and back, over both hubs: sent 14, received 13, and which one is missing."""

from datetime import timedelta
from itertools import count
from pathlib import Path

from sqlalchemy import select

from broker import manifest_book
from broker.alerts import AlertKind
from schemas.reconciliation import DifferenceKind
from tests.integration.watch.reconciling import Area, area, is_request
from tests.support.hubs import HubFactory
from tests.unit.watch.traffic import LA, POLICE

EACH = 3  # a request, its RECEIVED and its OPENED


async def until_answered(here: Area, day: str, *agencies: str) -> None:
    """Wait until the hub has these agencies' answers."""
    table = manifest_book.manifests
    answered: set[str] = set()
    while not answered >= set(agencies):
        async with here.opened.ledger.reading() as connection:
            rows = await connection.execute(
                select(table.c.participant).where(table.c.day == day, table.c.answered_at.is_not(None))
            )
            answered = set(rows.scalars())


async def test_a_day_on_which_nothing_was_lost_is_compared_and_answered_without_an_alarm(
    hub_factory: HubFactory, tmp_path: Path
) -> None:
    """Both sides of both agencies agree, and the hub knows that they do."""
    async with area(hub_factory, tmp_path) as here:
        await here.la.ask(POLICE, 3)
        await here.settle(entries=3 * EACH)
        assert await here.next_morning() == 3
        await until_answered(here, "2026-11-24", LA, POLICE)
        assert (await here.la.alarms(), await here.police.alarms()) == ([], [])
        assert await manifest_book.standing(here.opened.ledger) == ()


async def test_of_fourteen_sent_the_one_that_was_dropped_before_the_hub_is_named_at_the_sender_and_at_the_hub(
    hub_factory: HubFactory, tmp_path: Path
) -> None:
    """M4: the hub confirmed it and it never passed; the ninth of fourteen, by its own name."""
    numbers = count(1)
    async with area(hub_factory, tmp_path) as here:
        here.la.thief.drops = lambda body: is_request(body) and next(numbers) == 9
        await here.la.ask(POLICE, 14)
        await here.settle(entries=13 * EACH)
        await here.next_morning()
        (alarm,) = [each for each in await here.la.alarms() if each.code == "lost-before-hub"]
        assert (alarm.refs["mid"], alarm.refs["seq"], alarm.refs["to"]) == (here.la.mids[8], "9", POLICE)
        await until_answered(here, "2026-11-24", LA, POLICE)
        (told,) = await manifest_book.standing(here.opened.ledger)
        raised = [each for each in await here.opened.watch.round() if each.kind is AlertKind.UNRECONCILED]
        assert [(each.participant, each.peer, each.count) for each in raised] == [(LA, POLICE, 1)]
        assert (told.participant, told.count, told.first.kind) == (LA, 1, DifferenceKind.LOST_BEFORE_HUB)
        assert told.first.mid == here.la.mids[8]


async def test_the_last_one_of_a_day_is_missed_although_no_number_follows_it(
    hub_factory: HubFactory, tmp_path: Path
) -> None:
    """The attack: drop the last message, where no gap shows; the sender knows how far it has come."""
    numbers = count(1)
    async with area(hub_factory, tmp_path) as here:
        here.la.thief.drops = lambda body: is_request(body) and next(numbers) >= 3
        await here.la.ask(POLICE, 3)
        await here.settle(entries=2 * EACH)
        await here.next_morning()
        lost = [each for each in await here.la.alarms() if each.code == "lost-before-hub"]
        assert [each.refs["mid"] for each in lost] == [here.la.mids[2]]


async def test_what_the_hub_saw_and_never_delivered_is_named_at_the_recipient_and_at_the_hub(
    hub_factory: HubFactory, tmp_path: Path
) -> None:
    """M4: the tap shows it, the recipient's queue lost it; the recipient learns the name of what it never had."""
    numbers = count(1)
    async with area(hub_factory, tmp_path) as here:
        here.police.thief.swallows = lambda delivery: is_request(delivery.body) and next(numbers) == 2
        await here.la.ask(POLICE, 3)
        await here.settle(entries=3 + 2 * 2)
        await here.next_morning()
        (alarm,) = [each for each in await here.police.alarms() if each.code == "lost-after-hub"]
        assert (alarm.refs["mid"], alarm.refs["from"]) == (here.la.mids[1], LA)
        await until_answered(here, "2026-11-24", LA, POLICE)
        told = {each.participant: each.first.mid for each in await manifest_book.standing(here.opened.ledger)}
        assert told == {POLICE: here.la.mids[1]}


async def test_a_later_day_without_differences_ends_the_alarm_at_the_hub(
    hub_factory: HubFactory, tmp_path: Path
) -> None:
    """What was lost stays in the agency's alarms; the hub's stands until the books agree again."""
    numbers = count(1)
    async with area(hub_factory, tmp_path) as here:
        here.la.thief.drops = lambda body: is_request(body) and next(numbers) == 1
        await here.la.ask(POLICE, 2)
        await here.settle(entries=EACH)
        await here.next_morning()
        await until_answered(here, "2026-11-24", LA)
        assert [each.participant for each in await manifest_book.standing(here.opened.ledger)] == [LA]
        here.la.thief.drops = lambda body: False
        here.world.now += timedelta(minutes=1)
        await here.settle(entries=2 * EACH)  # the sender's own timer sends the silent one again
        await here.next_morning()
        await until_answered(here, "2026-11-25", LA)
        assert await manifest_book.standing(here.opened.ledger) == ()


async def test_after_a_silence_the_days_are_caught_up_in_order_and_none_twice(
    hub_factory: HubFactory, tmp_path: Path
) -> None:
    """A watch that was away for two days sends both, oldest first; a restart sends neither again."""
    async with area(hub_factory, tmp_path) as here:
        await here.la.ask(POLICE, 1)
        await here.settle(entries=EACH)
        here.world.now += timedelta(days=1)
        assert await here.next_morning() == 6
        assert await here.post.post_due() == 0
        await until_answered(here, "2026-11-25", LA, POLICE)
        assert "manifest-refused" not in {each.code for each in await here.la.alarms()}
