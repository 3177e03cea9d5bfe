"""A night at the hub for tests of the page: eight agencies, requests in every state, alerts, keys near their end."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from adapters.kit.envelope.sealing import Event
from broker.agreements import Agreements
from broker.alerts import HubFigures, View
from broker.alerts.rules import judge
from broker.calendars import Calendars
from broker.page.board import Board
from broker.watch.glance import Glance
from broker.watch.picture import Picture
from broker.watch.samples import Ledgers
from schemas.directory import Directory, Pair
from schemas.routing import Lane
from tests.support.parties import make_party
from tests.unit.watch.traffic import Story

NIGHT = datetime(2026, 11, 25, 3, 4, tzinfo=UTC)
LA, POLICE, HEALTH, EDUCATION = "testford-la", "testford-police", "testford-health", "testford-education"
HOUSING, PROBATION, IDVA, RECOVERY = "testford-housing", "testford-probation", "testford-idva", "testford-recovery"
AGENCIES: Mapping[str, tuple[str, str, str]] = {
    LA: ("la", "Testfordshire Council", "01632 960100"),
    POLICE: ("police", "Testford Police", "01632 960110"),
    HEALTH: ("health", "Testford Health", "01632 960120"),
    EDUCATION: ("education", "Testford Education", "01632 960130"),
    HOUSING: ("housing", "Testford Housing", "01632 960140"),
    PROBATION: ("probation", "Probation, Testford office", "01632 960150"),
    IDVA: ("idva", "Testford IDVA service", "01632 960160"),
    RECOVERY: ("substance_misuse", "Testford Recovery Service", ""),
}
HELD = Agreements.from_plain(
    {
        "agreements": [{"id": "mash-tier-2", "in_force_from": date(2026, 6, 20)}],
        "notices": [{"participant": RECOVERY, "given_on": date(2026, 11, 20)}],
        "attestations": [{"participant": HOUSING, "subject": "training", "attested_on": date(2026, 3, 1)}],
    }
)
WELL = Ledgers(entries=40, quarantined=0, is_up=True, is_whole=True, alive=frozenset(Lane))


@cache
def directory() -> Directory:
    """Eight agencies under one set of keys, which nothing here verifies; the council and each other write."""
    plain = make_party("testford-la", now=NIGHT - timedelta(days=1)).record
    records = [
        plain.model_copy(update={"participant": who, "kind": kind, "name": name, "duty_telephone": ring or None})
        for who, (kind, name, ring) in AGENCIES.items()
    ]
    ends = [(LA, who) for who in AGENCIES if who != LA]
    return Directory.build(1, records, [Pair(sender=a, recipient=b) for x, y in ends for a, b in ((x, y), (y, x))])


def quiet(now: datetime = NIGHT) -> Story:
    """Everybody has been heard of, and nothing is owed."""
    story = Story(now - timedelta(minutes=20))
    for who in AGENCIES:
        if who != LA:
            story.say(who, LA, Event.HEARTBEAT, lane=Lane.ROUTINE)
    story.say(LA, POLICE, Event.HEARTBEAT, lane=Lane.ROUTINE)
    story.now = now
    return story


def ask(
    story: Story, whom: str, *, thread: str, rag: str, ago: timedelta, received: bool = True, seen: bool = False
) -> None:
    """Let the council have asked somebody `ago`."""
    now, story.now = story.now, story.now - ago
    mid = f"rfi-{thread}-{whom}"
    lane = Lane.ROUTINE if rag == "green" else Lane.URGENT
    story.say(LA, whom, Event.REQUEST, thread=thread, mid=mid, service_class=rag, lane=lane)
    if received:
        story.pass_(seconds=2)
        story.say(whom, LA, Event.RECEIPT, thread=thread, irt=mid)
    if seen:
        story.pass_(minutes=5)
        story.say(whom, LA, Event.ACKNOWLEDGED, thread=thread, mid=f"{mid}-seen", lane=lane)
        story.say(LA, whom, Event.RECEIPT, thread=thread, irt=f"{mid}-seen")
    story.now = now


def night() -> Story:
    """Three in the morning, with everything that can be owed."""
    story = quiet()
    ask(story, HEALTH, thread="one", rag="red", ago=timedelta(hours=5, minutes=2), seen=True)
    ask(story, POLICE, thread="one", rag="red", ago=timedelta(hours=3, minutes=20), seen=True)
    ask(story, IDVA, thread="one", rag="red", ago=timedelta(minutes=44))
    ask(story, PROBATION, thread="two", rag="red", ago=timedelta(minutes=3), received=False)
    ask(story, EDUCATION, thread="two", rag="amber", ago=timedelta(hours=14), seen=True)
    ask(story, HOUSING, thread="two", rag="green", ago=timedelta(hours=13))
    ask(story, HEALTH, thread="three", rag="amber", ago=timedelta(hours=16), seen=True)
    return story


def view_of(story: Story, **changes: Any) -> View:
    """What the watch sees of a story."""
    picture = Picture(Calendars(), story.passages)
    surveyed = list(picture.survey(story.now))
    plain = View(
        now=story.now,
        began_at=NIGHT - timedelta(days=30),
        directory=directory(),
        calendars=Calendars(),
        standings=picture.standing(story.now),
        unreceipted=tuple(one for some in surveyed for one in some.unreceipted),
        chain_faults=picture.chain_faults(story.now),
        heard=picture.heard,
    )
    return replace(plain, **changes)


def glance_of(story: Story, **changes: Any) -> Glance:
    """What a round of the watch shows."""
    view = view_of(story, **changes)
    return Glance(view, judge(view), WELL)


def figures(**waiting: int) -> HubFigures:
    """The broker's figures: one reader a queue, and what waits by agency."""
    queues = [(who, lane) for who in AGENCIES for lane in Lane]
    counts = {(f"testford-{who}", Lane.URGENT): count for who, count in waiting.items()}
    return HubFigures(0, dict.fromkeys(queues, 1), dict.fromkeys(queues, 0) | counts)


def night_glance() -> Glance:
    """The night with the broker's figures and the area's agreements."""
    return glance_of(
        night(), figures=figures(probation=1), agreements=HELD, metadata={"root": NIGHT + timedelta(days=200)}
    )


def board_of(glance: Glance, **changes: Any) -> Board:
    """A board of a glance at its own moment."""
    return replace(Board(glance, shown_at=glance.view.now, rows=()), **changes)
