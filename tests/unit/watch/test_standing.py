"""Who owes what by when, from stubs alone."""

from datetime import timedelta
from typing import Any

import pytest

from adapters.kit.envelope.sealing import Event
from broker.calendars import Calendars
from broker.watch.picture import Picture, standing
from broker.watch.standing import Phase, Standing, time_to_breach
from broker.watch.threads import MAX_CONVERSATIONS, MAX_NOTES, reference_of
from schemas.rating import RagRating
from schemas.routing import Lane
from tests.unit.watch.traffic import HEALTH, LA, POLICE, Story, identifier

CALENDARS = Calendars()


def only(story: Story) -> Standing:
    (one,) = standing(story.passages, now=story.now, calendars=CALENDARS)
    return one


def asked(**changes: Any) -> Story:
    """The council has asked the police."""
    story = Story()
    story.say(LA, POLICE, Event.REQUEST, mid="rfi", **changes)
    return story


def received(story: Story) -> Story:
    story.pass_(seconds=2)
    story.say(POLICE, LA, Event.RECEIPT, irt="rfi")
    return story


def test_a_request_goes_through_its_phases_as_stubs_pass() -> None:
    """Broker's confirm, receipt, a person, a part, the answer: five different things (design, "Never" 5)."""
    story = asked()
    phases = [only(story).phase]
    received(story)
    phases.append(only(story).phase)
    for event in (Event.ACKNOWLEDGED, Event.PART_ANSWER, Event.ANSWER):
        story.pass_(minutes=10)
        story.say(POLICE, LA, event)
        phases.append(only(story).phase)
    assert phases == [Phase.CARRIED, Phase.RECEIVED, Phase.READ, Phase.IN_PART, Phase.ANSWERED]


@pytest.mark.parametrize(("lane", "bound"), [(Lane.URGENT, 60), (Lane.ROUTINE, 900)])
def test_a_request_without_a_receipt_is_undelivered_after_its_bound(lane: Lane, bound: int) -> None:
    """60 seconds urgent, 15 minutes routine (delivery.md)."""
    story = asked(lane=lane)
    story.pass_(seconds=bound - 1)
    assert only(story).phase is Phase.CARRIED
    story.pass_(seconds=1)
    assert only(story).phase is Phase.UNDELIVERED
    received(story)
    assert Phase.UNDELIVERED not in only(story).concerns


def test_a_receipt_for_another_message_delivers_nothing() -> None:
    """A receipt counts for the message it names, from the recipient of that message."""
    story = asked()
    story.say(POLICE, LA, Event.RECEIPT, irt="something else")
    story.say(LA, POLICE, Event.RECEIPT, irt="rfi")
    story.pass_(minutes=2)
    assert only(story).phase is Phase.UNDELIVERED


def test_a_receipt_that_overtakes_its_request_counts() -> None:
    """Lanes are consumed apart from each other."""
    story = Story()
    story.say(POLICE, LA, Event.RECEIPT, irt="rfi")
    story.say(LA, POLICE, Event.REQUEST, mid="rfi")
    story.pass_(minutes=2)
    assert only(story).phase is Phase.RECEIVED


@pytest.mark.parametrize(
    ("service_class", "span"),
    [("red", timedelta(minutes=30)), ("amber", timedelta(hours=2)), ("green", timedelta(days=1))],
)
def test_a_request_that_no_person_has_seen_is_unread(service_class: str, span: timedelta) -> None:
    """FAN-07: RED 30 minutes, AMBER 2 working hours, GREEN a working day; a machine's receipt is not a person."""
    story = received(asked(service_class=service_class))
    story.now += span - timedelta(seconds=3)
    assert Phase.UNREAD not in only(story).concerns
    story.pass_(seconds=1)
    assert Phase.UNREAD in only(story).concerns
    story.say(POLICE, LA, Event.ACKNOWLEDGED)
    assert Phase.UNREAD not in only(story).concerns


def test_a_request_that_was_sent_back_by_the_machine_has_been_seen_by_nobody() -> None:
    """RFI-15: the bounce waits for its correction, then the responder's clock begins anew; the enquiry's stands."""
    story = received(asked())
    story.say(POLICE, LA, Event.QUESTION)
    waiting = only(story)
    assert (waiting.phase, waiting.seen_at) == (Phase.SENT_BACK, None)
    story.pass_(hours=1)
    story.say(LA, POLICE, Event.REQUEST, mid="corrected")
    again = only(story)
    assert again.phase is Phase.CARRIED
    assert again.due_at > waiting.due_at


def test_a_corrected_request_needs_a_receipt_of_its_own() -> None:
    """The bounce proves that the first one arrived, and nothing about the second."""
    story = received(asked())
    story.say(POLICE, LA, Event.QUESTION)
    story.pass_(minutes=5)
    story.say(LA, POLICE, Event.REQUEST, mid="corrected")
    story.pass_(seconds=61)
    assert only(story).phase is Phase.UNDELIVERED


def test_a_correction_that_never_comes_is_overdue_when_the_enquiry_is() -> None:
    """A request sent back is not a way to stop the clock for ever."""
    story = received(asked())
    story.say(POLICE, LA, Event.QUESTION)
    story.pass_(days=3)
    assert Phase.BREACHED in only(story).concerns


def test_an_answer_in_part_does_not_stop_the_clock() -> None:
    """The GP is still owed."""
    story = received(asked(service_class="red"))
    story.say(POLICE, LA, Event.PART_ANSWER)
    story.pass_(hours=4)
    late = only(story)
    assert late.phase is Phase.BREACHED
    assert late.in_part_at is not None
    story.say(POLICE, LA, Event.ANSWER)
    assert only(story).phase is Phase.ANSWERED_LATE


def test_a_rerating_brings_the_due_time_forward() -> None:
    """SLA-10, from the class on the outside of the envelope."""
    story = received(asked())
    before = only(story).due_at
    story.say(LA, POLICE, Event.RERATED, service_class="red")
    after = only(story)
    assert after.rating is RagRating.RED
    assert after.due_at == story.now.replace(microsecond=0) + timedelta(hours=4)
    assert after.due_at < before


@pytest.mark.parametrize("service_class", ["none", "blue", "Tilly-Ashgrove"])
def test_an_unknown_class_runs_by_the_strictest_clock(service_class: str) -> None:
    """A sender cannot slow a clock down by a rating that nobody knows, nor put a name where ratings are read."""
    one = only(asked(service_class=service_class))
    assert one.rating is RagRating.RED
    assert one.due_at - one.issued_at == timedelta(hours=4)


@pytest.mark.parametrize("event", [Event.ANSWER, Event.REFUSED, Event.CLOSED, Event.ACKNOWLEDGED])
def test_a_third_agency_stops_nobodys_clock(event: Event) -> None:
    """Attack: answering in another's thread."""
    story = received(asked())
    story.say(HEALTH, LA, event)
    story.say(HEALTH, POLICE, event)
    assert only(story).phase is Phase.RECEIVED


@pytest.mark.parametrize(
    ("sender", "recipient", "event"),
    [(LA, POLICE, Event.ANSWER), (POLICE, LA, Event.CLOSED), (POLICE, LA, Event.RERATED)],
)
def test_an_end_cannot_speak_for_the_other(sender: str, recipient: str, event: Event) -> None:
    """Attack: the responder closes or re-rates what it owes; the requester answers itself."""
    story = received(asked())
    story.say(sender, recipient, event, service_class="green")
    one = only(story)
    assert (one.phase, one.rating) == (Phase.RECEIVED, RagRating.AMBER)


def test_an_answer_is_dated_by_its_sender_but_never_later_than_the_hub_saw_it() -> None:
    """A clock that runs ahead does not hide an answer, and a watch that was down does not make it late."""
    story = received(asked(service_class="red"))
    story.say(POLICE, LA, Event.ANSWER, sent_at=story.now + timedelta(minutes=4))
    assert only(story).phase is Phase.ANSWERED
    other = received(asked(service_class="red"))
    sent = other.now
    other.pass_(hours=9)
    assert only(other).phase is Phase.BREACHED
    other.say(POLICE, LA, Event.ANSWER, sent_at=sent)
    assert only(other).phase is Phase.ANSWERED


def test_the_wall_is_sorted_by_time_to_breach_with_what_is_over_at_the_end() -> None:
    """What is owed first stands first."""
    story = Story()
    for thread, service_class in (("green", "green"), ("over", "red"), ("amber", "amber"), ("red", "red")):
        story.say(LA, POLICE, Event.REQUEST, thread=thread, service_class=service_class)
    story.say(POLICE, LA, Event.ANSWER, thread="over")
    wall = standing(story.passages, now=story.now, calendars=CALENDARS)
    assert [one.reference for one in wall] == [
        reference_of(identifier(thread)) for thread in ("red", "amber", "green", "over")
    ]
    assert [time_to_breach(one, story.now) for one in wall[:3]] == sorted(
        time_to_breach(one, story.now) for one in wall[:3]
    )


def test_a_reference_does_not_spell_the_thread() -> None:
    """Attack: a thread id that spells a name reaches alerts and logs only as a hash of itself."""
    thread = "TillyAshgroveTest00000"
    reference = reference_of(thread)
    assert len(reference) == 11
    assert not any(thread[at : at + 4].upper() in reference for at in range(len(thread) - 3))


def test_an_agency_that_floods_a_thread_silences_itself_and_nobody_else() -> None:
    """M16: a thousand notes of one end are heard; the other end's answer is heard all the same."""
    story = received(asked())
    for _ in range(MAX_NOTES + 5):
        story.say(LA, POLICE, Event.NOTICE)
    story.say(LA, POLICE, Event.CLOSED)
    assert only(story).phase is Phase.RECEIVED
    story.say(POLICE, LA, Event.ANSWER)
    assert only(story).phase is Phase.ANSWERED


def test_an_agency_that_opens_too_many_threads_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """M16: memory is bounded a participant, and the neighbours' requests are followed."""
    assert MAX_CONVERSATIONS >= 16_000  # a year of a large hub's requests by one council
    monkeypatch.setattr("broker.watch.threads.MAX_CONVERSATIONS", 3)
    story = Story()
    for number in range(5):
        story.say(LA, POLICE, Event.REQUEST, thread=f"flood-{number}")
    story.say(HEALTH, POLICE, Event.REQUEST, thread="neighbour")
    picture = Picture(CALENDARS, story.passages)
    assert dict(picture.unfollowed) == {LA: 2}
    assert [one.requester for one in picture.standing(story.now)].count(HEALTH) == 1


def test_what_is_over_is_forgotten_after_a_month_and_what_is_owed_is_not() -> None:
    """By the ledger's own time, so that a replay forgets the same."""
    story = Story()
    story.say(LA, POLICE, Event.REQUEST, thread="answered")
    story.say(POLICE, LA, Event.ANSWER, thread="answered")
    story.say(LA, POLICE, Event.REQUEST, thread="owed")
    story.say(LA, POLICE, Event.REQUEST, thread="closed by the wrong end")
    story.say(POLICE, LA, Event.CLOSED, thread="closed by the wrong end")
    story.pass_(days=32)
    story.say(LA, HEALTH, Event.REQUEST, thread="later")
    wall = standing(story.passages, now=story.now, calendars=CALENDARS)
    assert {one.reference for one in wall} == {
        reference_of(identifier(thread)) for thread in ("owed", "closed by the wrong end", "later")
    }
