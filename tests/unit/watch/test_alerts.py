"""Which alerts stand when, as a decision over a view."""

import inspect
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from adapters.kit.envelope.sealing import Event
from broker.alerts import (
    HUB,
    Alert,
    AlertKind,
    Health,
    HubFigures,
    Urgency,
    View,
    clocks,
    endings,
    news,
    rules,
    troubles,
)
from broker.alerts.rules import REFUSAL_STANDS, judge
from broker.calendar import MASH_CALENDAR
from broker.calendars import Calendars
from broker.watch.picture import Picture
from broker.watch.quarantine import Tally
from schemas.agency import is_participant_id
from schemas.routing import Lane
from tests.support.parties import NOW
from tests.unit.watch.traffic import HEALTH, LA, POLICE, TELEPHONES, Story, directory

CALENDARS = Calendars()


def view_of(story: Story, **changes: Any) -> View:
    picture = Picture(CALENDARS, story.passages)
    surveyed = list(picture.survey(story.now))
    plain = View(
        now=story.now,
        began_at=NOW,
        directory=directory(),
        calendars=CALENDARS,
        standings=picture.standing(story.now),
        unreceipted=tuple(one for some in surveyed for one in some.unreceipted),
        chain_faults=picture.chain_faults(story.now),
        heard=picture.heard,
    )
    return replace(plain, **changes)


def asked(**changes: Any) -> Story:
    story = Story()
    story.say(LA, POLICE, Event.REQUEST, mid="rfi", **changes)
    return story


def of_kind(kind: AlertKind, view: View) -> list[Alert]:
    return [alert for alert in judge(view) if alert.kind is kind]


def test_nothing_is_told_while_everything_is_well() -> None:
    """A quiet morning."""
    assert judge(view_of(asked())) == ()


def test_an_undelivered_request_calls_the_desk_that_should_have_it() -> None:
    """Reference, urgency, ids, telephone: everything to act on, and nothing about whom."""
    story = asked(service_class="red")
    story.pass_(seconds=61)
    (alert,) = judge(view_of(story))
    assert (alert.kind, alert.participant, alert.peer) == (AlertKind.UNDELIVERED, POLICE, LA)
    assert (alert.urgency, alert.code, alert.telephone) == (Urgency.NOW, "RED", TELEPHONES[POLICE])
    assert alert.reference == view_of(story).standings[0].reference


def test_an_alert_has_a_place_for_nothing_else() -> None:
    """Content-free by shape: whoever adds a field here has to say what fits into it."""
    assert {field.name for field in fields(Alert)} == {
        "kind",
        "participant",
        "urgency",
        "peer",
        "reference",
        "code",
        "telephone",
        "count",
    }


def test_a_request_nobody_has_seen_is_told_and_then_its_breach() -> None:
    """One alert a concern, so that clearing one leaves the other."""
    story = asked(service_class="red")
    story.say(POLICE, LA, Event.RECEIPT, irt="rfi")
    story.pass_(minutes=31)
    assert [alert.kind for alert in judge(view_of(story))] == [AlertKind.UNREAD]
    story.pass_(hours=4)
    told = {(alert.kind, alert.participant) for alert in judge(view_of(story))}
    assert told == {(AlertKind.UNREAD, POLICE), (AlertKind.BREACHED, POLICE), (AlertKind.AWAITED, LA)}


def test_a_correction_that_is_overdue_calls_the_requester() -> None:
    """The ball is theirs."""
    story = asked()
    story.say(POLICE, LA, Event.RECEIPT, irt="rfi")
    story.say(POLICE, LA, Event.QUESTION, mid="bounce")
    story.say(LA, POLICE, Event.RECEIPT, irt="bounce")
    story.pass_(hours=25)
    (alert,) = judge(view_of(story))
    assert (alert.kind, alert.participant, alert.peer) == (AlertKind.BREACHED, LA, POLICE)


def test_messages_without_a_receipt_are_one_alert_a_pair() -> None:
    """An answer, a notice: whoever should have receipted them is called once, not a thousand times."""
    story = asked()
    story.say(POLICE, LA, Event.RECEIPT, irt="rfi")
    for number in range(3):
        story.say(POLICE, LA, Event.NOTICE, mid=f"notice-{number}")
    story.say(POLICE, LA, Event.ANSWER, mid="answer")
    story.say(LA, POLICE, Event.RECEIPT, irt="notice-0")
    story.pass_(minutes=2)
    (alert,) = judge(view_of(story))
    assert (alert.kind, alert.participant, alert.peer, alert.count) == (AlertKind.UNRECEIPTED, LA, POLICE, 3)
    story.pass_(days=15)
    assert of_kind(AlertKind.UNRECEIPTED, view_of(story)) == []


def test_an_agency_of_which_nothing_is_heard_is_silent() -> None:
    """Also one that never spoke, since the ledger began; a suspended one is not expected to."""
    story = Story()
    story.say(LA, POLICE, Event.HEARTBEAT)
    story.pass_(hours=26)
    story.say(LA, POLICE, Event.HEARTBEAT)
    silent = of_kind(AlertKind.SILENT, view_of(story))
    assert [alert.participant for alert in silent] == [HEALTH, POLICE]
    out = view_of(story, directory=directory(suspended=[HEALTH]))
    assert [alert.participant for alert in of_kind(AlertKind.SILENT, out)] == [POLICE]


def test_a_question_in_a_silent_inbox_is_an_alert_of_its_own() -> None:
    """172 police reports lay unopened in inboxes that nobody knew of (lessons.md)."""
    story = Story()
    story.pass_(hours=30)
    story.say(LA, POLICE, Event.REQUEST)
    (alert,) = of_kind(AlertKind.NOBODY_READING, view_of(story))
    assert (alert.participant, alert.urgency, alert.count) == (POLICE, Urgency.NOW, 1)


def test_a_question_in_a_queue_without_a_consumer_is_told_at_once() -> None:
    """No need to wait for a day of silence."""
    figures = HubFigures(dead=0, consumers={(POLICE, Lane.URGENT): 0, (HEALTH, Lane.URGENT): 0})
    found = of_kind(AlertKind.NOBODY_READING, view_of(asked(), figures=figures))
    assert [alert.participant for alert in found] == [POLICE]


def test_any_dead_letter_is_told() -> None:
    """A message that its recipient failed to take a hundred times."""
    (alert,) = judge(view_of(Story(), figures=HubFigures(dead=2)))
    assert (alert.kind, alert.participant, alert.count) == (AlertKind.DEAD_LETTERED, HUB, 2)


def test_gaps_and_forks_name_the_pair() -> None:
    """SEC-09, M4."""
    story = Story()
    story.say(LA, POLICE, Event.HEARTBEAT)
    story.say(LA, POLICE, Event.HEARTBEAT, seq=5, prev=b"\x05" * 32)
    story.say(LA, POLICE, Event.HEARTBEAT, seq=5, prev=b"\x06" * 32)
    story.pass_(minutes=20)
    found = {(alert.kind, alert.participant, alert.peer, alert.count) for alert in judge(view_of(story))}
    assert found == {(AlertKind.GAP, LA, POLICE, 3), (AlertKind.FORK, LA, POLICE, 1)}


def tally(code: str, detail: str, *, owner: str = POLICE, last_at: datetime = NOW) -> Tally:
    return Tally(owner, code, detail, 7, last_at, last_at)


@pytest.mark.parametrize(
    ("code", "urgency"),
    [("E01", Urgency.TODAY), ("E05", Urgency.NOW), ("E09", Urgency.NOW), ("E10", Urgency.TODAY)],
)
def test_refusals_are_told_for_an_hour_and_forgeries_at_once(code: str, urgency: Urgency) -> None:
    """Counted by who brought them in."""
    story = Story()
    (alert,) = judge(view_of(story, tallies=(tally(code, "reason"),)))
    assert (alert.kind, alert.participant, alert.code) == (AlertKind.REFUSED, POLICE, code)
    assert (alert.urgency, alert.count) == (urgency, 7)
    story.now += REFUSAL_STANDS
    assert judge(view_of(story, tallies=(tally(code, "reason"),))) == ()


def test_a_directory_that_an_agency_was_shown_differently_stands_for_two_weeks() -> None:
    """M5: equivocation is not over because nobody sent anything for an hour."""
    story = Story()
    tallies = (tally("E06", "EQUIVOCATION"),)
    (alert,) = judge(view_of(story, tallies=tallies))
    assert (alert.kind, alert.participant, alert.urgency) == (AlertKind.EQUIVOCATION, POLICE, Urgency.NOW)
    story.pass_(days=13)
    assert len(of_kind(AlertKind.EQUIVOCATION, view_of(story, tallies=tallies))) == 1


def test_what_nobody_brought_in_is_the_hubs_own_affair() -> None:
    """A delivery whose exchange names no participant."""
    (alert,) = judge(view_of(Story(), tallies=(tally("E05", "another sender's exchange", owner=""),)))
    assert alert.participant == HUB
    assert not is_participant_id(HUB)


@pytest.mark.parametrize("telephone", [None, "   "])
def test_a_member_without_a_duty_telephone_is_told(telephone: str | None) -> None:
    """Bad input of issue 7: an agency without duty contacts."""
    whole = directory()
    records = [
        record.model_copy(update={"duty_telephone": telephone}) if name == POLICE else record
        for name, record in whole.records.items()
    ]
    (alert,) = judge(view_of(Story(), directory=directory(records=records)))
    assert (alert.kind, alert.participant) == (AlertKind.NO_DUTY_CONTACT, POLICE)


def test_a_calendar_that_does_not_know_next_years_holidays_is_told() -> None:
    """Bad input of issue 7, the area's and an agency's."""
    ending = replace(MASH_CALENDAR, known_years=range(2020, 2027))
    view = view_of(Story(), calendars=Calendars(area=ending, agencies={POLICE: ending}))
    found = {(alert.participant, alert.code, alert.urgency) for alert in judge(view)}
    assert found == {(HUB, "2027", Urgency.WEEK), (POLICE, "2027", Urgency.WEEK)}


@pytest.mark.parametrize(
    ("health", "kind", "code"),
    [
        (Health(deaf=(Lane.URGENT,)), AlertKind.WATCH_DEAF, "urgent"),
        (Health(figures_failed=True), AlertKind.HUB_UNREADABLE, "figures"),
        (Health(ledger_fault="L3.17"), AlertKind.LEDGER_BROKEN, "L3.17"),
        (Health(directory_fault="rollback"), AlertKind.DIRECTORY, "rollback"),
        (Health(clock_stepped=True), AlertKind.CLOCK, "stepped"),
    ],
)
def test_whatever_keeps_the_watch_from_seeing_is_told(health: Health, kind: AlertKind, code: str) -> None:
    """Nobody else would notice."""
    (alert,) = judge(view_of(Story(), health=health))
    assert (alert.kind, alert.code, alert.participant) == (kind, code, HUB)


def test_a_participant_that_floods_is_told() -> None:
    """M16."""
    (alert,) = judge(view_of(Story(), unfollowed={LA: 12}))
    assert (alert.kind, alert.participant, alert.count) == (AlertKind.FLOOD, LA, 12)


def test_a_rule_that_fails_is_told_and_silences_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them stops the others."""

    def broken(_view: View) -> Iterator[Alert]:
        yield Alert(AlertKind.FLOOD, LA, Urgency.NOW)
        raise LookupError("Tilly Ashgrove-Test")

    monkeypatch.setattr(rules, "RULES", (broken, *rules.RULES))
    found = judge(view_of(Story(), figures=HubFigures(dead=1)))
    assert [alert.kind for alert in found] == [AlertKind.RULE_FAILED, AlertKind.DEAD_LETTERED]
    assert "Ashgrove" not in repr(found)


def test_every_kind_of_alert_is_raised_by_some_rule() -> None:
    """Structure: a kind that no test and no rule knows would never be seen."""
    text = "".join(inspect.getsource(module) for module in (rules, endings, clocks, troubles))
    assert [kind.name for kind in AlertKind if f"AlertKind.{kind.name}" not in text] == []


def test_what_stands_already_is_no_news_and_what_is_over_is_cleared() -> None:
    """Raised once, cleared when over."""
    first, second = Alert(AlertKind.SILENT, LA, Urgency.TODAY), Alert(AlertKind.SILENT, POLICE, Urgency.TODAY)
    more = replace(first, count=5, telephone="01632 960199")
    raised, over = news([first.key, "gone"], [more, second])
    assert (raised, over) == ((second,), frozenset({"gone"}))


def test_silence_lasts_from_the_last_word_to_the_next() -> None:
    """The first word ends it."""
    story = Story()
    story.say(POLICE, LA, Event.HEARTBEAT)
    story.now += timedelta(hours=27)
    heard = view_of(story).heard
    assert POLICE in view_of(story).silent()
    story.say(POLICE, LA, Event.HEARTBEAT)
    assert POLICE not in view_of(story).silent()
    assert heard[POLICE] == NOW
