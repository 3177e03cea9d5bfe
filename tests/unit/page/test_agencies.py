"""One line an agency: breaches, queue, silence."""

from dataclasses import replace
from datetime import timedelta

from adapters.kit.envelope.sealing import Event
from broker.alerts import SILENT_AFTER
from broker.page.agencies import Agency, agencies_of
from broker.watch.glance import Glance
from schemas.routing import Lane
from tests.unit.page.scene import (
    AGENCIES,
    EDUCATION,
    HEALTH,
    HOUSING,
    IDVA,
    LA,
    NIGHT,
    POLICE,
    PROBATION,
    ask,
    board_of,
    figures,
    glance_of,
    night_glance,
    quiet,
)


def lines(glance: Glance) -> dict[str, Agency]:
    return {one.participant: one for one in agencies_of(board_of(glance))}


def test_every_member_has_a_line_and_those_in_trouble_come_first() -> None:
    """Most overdue first, then whoever has any trouble, then by name."""
    found = agencies_of(board_of(night_glance()))
    assert {one.participant for one in found} == set(AGENCIES)
    assert [one.participant for one in found[:3]] == [HEALTH, PROBATION, IDVA]
    names = [one.name for one in found[3:]]
    assert names == sorted(names)


def test_breaches_are_counted_by_agency() -> None:
    """One of two at health is overdue; what is sent is not arrived, what is arrived is not opened."""
    found = lines(night_glance())
    assert (found[HEALTH].owed, found[HEALTH].overdue, found[HEALTH].troubles) == (2, 1, ("1 overdue",))
    assert found[PROBATION].troubles == ("1 not arrived",)
    assert found[IDVA].troubles == ("1 not opened",)
    assert found[POLICE].troubles == ()


def test_an_answer_that_came_late_stays_a_breach_of_its_agency() -> None:
    """Nothing is overdue any more, and the month is not forgotten."""
    story = quiet()
    ask(story, HEALTH, thread="one", rag="red", ago=timedelta(hours=5), seen=True)
    before = lines(glance_of(story))[HEALTH]
    story.say(HEALTH, LA, Event.ANSWER, thread="one")
    after = lines(glance_of(story))[HEALTH]
    assert (before.overdue, before.late, before.owed) == (1, 1, 1)
    assert (after.overdue, after.late, after.owed) == (0, 1, 0)


def test_the_age_of_a_queue_is_that_of_its_oldest_message_without_a_receipt() -> None:
    """And of the oldest that no person has opened; the broker's count stands beside it."""
    found = lines(night_glance())
    assert (found[PROBATION].queue_age, found[PROBATION].waiting) == ("3 minutes", 1)
    assert (found[HOUSING].queue_age, found[HOUSING].unopened_age) == ("", "13 hours")
    assert (found[EDUCATION].unopened_age, found[EDUCATION].waiting) == ("", 0)


def test_what_the_broker_does_not_say_is_not_known_and_not_none() -> None:
    """The attack: figures that are missing look like an empty queue."""
    assert {one.waiting for one in lines(glance_of(quiet())).values()} == {None}


def test_a_queue_without_a_reader_is_a_trouble_of_its_agency() -> None:
    """One lane is enough."""
    told = figures()
    unread = replace(told, consumers={**told.consumers, (HEALTH, Lane.ROUTINE): 0})
    found = lines(glance_of(quiet(), figures=unread))
    assert found[HEALTH].troubles == ("Nobody reads its queue",)
    assert found[POLICE].is_read


def test_a_silent_agency_is_called_silent() -> None:
    """From the moment that the watch calls it so; who never spoke was heard never."""
    story = quiet()
    late = story.now + SILENT_AFTER
    heard = {name: NIGHT + timedelta(hours=20) for name in AGENCIES if name not in (HEALTH, LA)}
    found = lines(glance_of(story, now=late, heard={**heard, LA: NIGHT}))
    assert [name for name, one in found.items() if one.is_silent] == [HEALTH, LA]
    assert (found[HEALTH].heard, found[LA].heard) == ("never", "1 day 2 hours ago")
    assert found[HEALTH].troubles == ("Silent",)
