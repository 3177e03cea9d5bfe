"""The picture that a watch keeps: the same whether it was followed, replayed or kept from round to round."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from adapters.kit.envelope.sealing import Event
from broker.calendars import Calendars
from broker.watch.picture import Picture, standing
from broker.watch.standing import Phase, Standing, Unreceipted
from tests.unit.watch.traffic import LA, POLICE, Story

CALENDARS = Calendars()
EVENTS = st.sampled_from([event for event in Event if event is not Event.HEARTBEAT])
SAYINGS = st.lists(
    st.tuples(st.booleans(), EVENTS, st.sampled_from(["one", "two"]), st.integers(0, 3000)), min_size=1, max_size=25
)


@given(sayings=SAYINGS, cut=st.integers(0, 25))
def test_a_watch_that_starts_anew_has_the_same_picture(sayings: list[tuple[bool, Event, str, int]], cut: int) -> None:
    """Followed with questions in between, or replayed in one go: the same standing."""
    story = Story()
    followed = Picture(CALENDARS)
    for place, (by_council, event, thread, minutes) in enumerate(sayings):
        story.pass_(minutes=minutes)
        ends = (LA, POLICE) if by_council else (POLICE, LA)
        followed.add(story.say(*ends, event, thread=thread, mid=f"mid-{place % 7}", irt=f"mid-{(place + 1) % 7}"))
        if place == cut:
            followed.standing(story.now)
    story.pass_(minutes=1)
    replayed = standing(story.passages, now=story.now, calendars=CALENDARS)
    assert followed.standing(story.now) == replayed


def test_a_request_that_was_entered_while_a_round_began_is_seen_by_the_next() -> None:
    """A stub a moment younger than the round's own time: what was not seen yet must not be taken for settled."""
    story = Story()
    story.say(LA, POLICE, Event.REQUEST)
    picture = Picture(CALENDARS, story.passages)
    assert picture.standing(story.now - timedelta(microseconds=1)) == ()
    assert [one.phase for one in picture.standing(story.now)] == [Phase.CARRIED]


def _fresh(story: Story, now: datetime) -> list[tuple[tuple[Standing, ...], tuple[Unreceipted, ...]]]:
    return [(one.standings, one.unreceipted) for one in Picture(CALENDARS, story.passages).survey(now)]


@given(sayings=SAYINGS, steps=st.lists(st.integers(-600, 40_000), max_size=6))
def test_what_is_kept_from_round_to_round_is_what_would_be_worked_out_anew(
    sayings: list[tuple[bool, Event, str, int]], steps: list[int]
) -> None:
    """At any moment, also one before the last, and a microsecond before and at each moment that changes something."""
    story = Story()
    for place, (by_council, event, thread, minutes) in enumerate(sayings):
        story.pass_(minutes=minutes)
        ends = (LA, POLICE) if by_council else (POLICE, LA)
        story.say(*ends, event, thread=thread, mid=f"mid-{place % 7}", irt=f"mid-{(place + 1) % 7}")
    picture, now = Picture(CALENDARS, story.passages), story.now
    for step in [0, *steps]:
        now += timedelta(minutes=step)
        turns = [one.until for one in picture.survey(now) if one.until.year < 9999]
        for moment in (now, *(turn - timedelta(microseconds=1) for turn in turns), *turns):
            kept = [(one.standings, one.unreceipted) for one in picture.survey(moment)]
            assert kept == _fresh(story, moment)
