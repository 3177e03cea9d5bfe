"""The hub's clocks when an agency has left."""

from datetime import timedelta
from pathlib import Path

from broker.calendars import Calendars
from broker.watch.departed import awaited, ended
from broker.watch.directory import read_exported
from broker.watch.picture import Picture, standing
from broker.watch.standing import Phase
from schemas import base64url
from schemas.directory import SigningKey, canonical_bytes
from schemas.stub import Event
from tests.unit.watch.traffic import HEALTH, LA, POLICE, Story, directory


def test_what_is_owed_by_somebody_who_has_left_ends_and_rings_nobody() -> None:
    """Its clock ends as such: no concern, no timer, and nothing is owed; a neighbour's goes on."""
    story = Story()
    for recipient in (POLICE, HEALTH):
        story.say(LA, recipient, Event.REQUEST, thread=recipient)
    late = story.now + timedelta(days=30)
    before = standing(story.passages, now=late, calendars=Calendars())
    after = {one.responder: one for one in ended(before, {POLICE: 1})}
    assert (after[POLICE].phase, after[POLICE].concerns, after[POLICE].timers) == (
        Phase.PARTICIPANT_LEFT,
        frozenset(),
        (),
    )
    assert after[POLICE].is_over
    assert Phase.BREACHED in after[HEALTH].concerns


def test_what_was_answered_before_stays_answered() -> None:
    """The past is not made over."""
    story = Story()
    story.say(LA, POLICE, Event.REQUEST, mid="asked")
    story.say(POLICE, LA, Event.ANSWER, irt="asked")
    (one,) = ended(standing(story.passages, now=story.now, calendars=Calendars()), {POLICE: 1})
    assert one.phase is Phase.ANSWERED


def test_what_a_leaver_had_asked_ends_too() -> None:
    """Nobody waits for the answer any more."""
    story = Story()
    story.say(LA, POLICE, Event.REQUEST)
    (one,) = ended(standing(story.passages, now=story.now, calendars=Calendars()), {LA: 1})
    assert one.phase is Phase.PARTICIPANT_LEFT


def test_no_receipt_is_awaited_from_or_for_somebody_who_has_left() -> None:
    """An alert about it would stand for two weeks, and nobody could do anything about it."""
    story = Story()
    story.say(LA, POLICE, Event.NOTICE, thread="one")
    story.say(LA, HEALTH, Event.NOTICE, thread="two")
    now = story.now + timedelta(hours=1)
    waiting = [one for some in Picture(Calendars(), story.passages).survey(now) for one in some.unreceipted]
    assert {one.recipient for one in awaited(waiting, {POLICE: 1})} == {HEALTH}
    assert list(awaited(waiting, {LA: 1})) == []


def test_an_exported_directory_keeps_its_hash_with_the_hubs_keys_and_those_who_left(tmp_path: Path) -> None:
    """Another hash at one version would be an equivocation in everybody's eyes (M5)."""
    key = SigningKey(
        kid=base64url.encode(bytes(16)), public=base64url.encode(bytes(32)), not_before=0, not_after=2_000_000_000
    )
    made = directory(pairs=[(LA, POLICE)], hub_keys=[key], left={HEALTH: 7})
    exported = canonical_bytes(
        made.version, made.records, made.pairs, made.suspended, hub_keys=made.hub_keys, left=made.left
    )
    (tmp_path / "directory.json").write_bytes(exported)
    read = read_exported(tmp_path / "directory.json")
    assert (read.hash, read.hub_keys, dict(read.left)) == (made.hash, (key,), {HEALTH: 7})
