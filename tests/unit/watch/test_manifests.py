"""The daily manifest: sent 14, received 13, and which one is missing."""

import json
from datetime import date, timedelta

from adapters.kit.envelope.sealing import Event
from broker.manifests import manifest
from schemas import base64url
from schemas.reconciliation import DailyManifest, End, Half
from tests.support.parties import NOW
from tests.unit.watch.traffic import HEALTH, LA, POLICE, Story

DAY = NOW.date()


def made(story: Story, *, participant: str = LA, day: date = DAY) -> DailyManifest:
    return manifest(story.passages, participant=participant, day=day, now=story.now, ledger=(9, b"\x01" * 32))


def only(story: Story, *, day: date = DAY) -> Half:
    (half,) = made(story, day=day).halves
    return half


def test_fourteen_were_sent_thirteen_passed_and_the_missing_one_is_named() -> None:
    """M4: the sender's numbers tell what the hub never saw."""
    story = Story()
    for number in range(1, 15):
        if number != 9:
            story.say(LA, POLICE, Event.HEARTBEAT, seq=number)
    half = only(story)
    assert (half.sent, half.passed, half.missing) == (14, 13, ((9, 9),))
    assert [number for number, _ in half.messages] == [*range(1, 9), *range(10, 15)]
    assert half.messages[-1][1] == story.passages[-1].stub.mid
    stub = base64url.encode(story.passages[-1].stub_hash)
    assert made(story).ends == (End(sender=LA, recipient=POLICE, last=14, stub=stub),)
    assert not made(story).is_whole


def test_a_day_begins_where_the_day_before_ended() -> None:
    """A number that was lost over midnight belongs to the day on which its successor came."""
    story = Story()
    for number in (1, 2):
        story.say(LA, POLICE, Event.HEARTBEAT, seq=number)
    story.pass_(days=1)
    for number in (5, 6):
        story.say(LA, POLICE, Event.HEARTBEAT, seq=number)
    assert only(story).missing == ()
    assert only(story, day=DAY + timedelta(days=1)).missing == ((3, 4),)


def test_what_comes_late_fills_the_day_that_it_is_missing_from() -> None:
    """A manifest made later knows more."""
    story = Story()
    for number in (1, 3):
        story.say(LA, POLICE, Event.HEARTBEAT, seq=number)
    assert only(story).missing == ((2, 2),)
    story.pass_(days=1)
    story.say(LA, POLICE, Event.HEARTBEAT, seq=2)
    assert only(story).missing == ()


def test_a_number_with_two_contents_is_named() -> None:
    """A fork is no whole day."""
    story = Story()
    for number in (1, 2, 2):
        story.say(LA, POLICE, Event.HEARTBEAT, seq=number)
    assert only(story).twice == (2,)
    assert not made(story).is_whole


def test_messages_without_a_receipt_are_named_and_receipts_need_none() -> None:
    """Receipts are never receipted (SPEC 8); the receipt of the next morning counts."""
    story = Story()
    story.say(LA, POLICE, Event.REQUEST, mid="first")
    story.say(LA, POLICE, Event.NOTICE, mid="second")
    story.say(LA, POLICE, Event.HEARTBEAT)
    story.pass_(days=1)
    story.say(POLICE, LA, Event.RECEIPT, irt="first")
    (half,) = made(story).halves
    assert half.unreceipted == (2,)
    (receipts,) = made(story, day=DAY + timedelta(days=1)).halves
    assert (receipts.sender, receipts.unreceipted) == (POLICE, ())


def test_a_receipt_from_somebody_else_receipts_nothing() -> None:
    """Attack: a third agency vouches for a delivery."""
    story = Story()
    story.say(LA, POLICE, Event.REQUEST, mid="first")
    story.say(HEALTH, LA, Event.RECEIPT, irt="first")
    halves = {(half.sender, half.recipient): half for half in made(story).halves}
    assert halves[LA, POLICE].unreceipted == (1,)


def test_an_agency_sees_its_own_pairs_and_nobody_elses() -> None:
    """Who asked whom is itself sensitive (A2)."""
    story = Story()
    story.say(LA, POLICE, Event.REQUEST)
    story.say(POLICE, LA, Event.ANSWER)
    story.say(LA, HEALTH, Event.REQUEST)
    ends = [(half.sender, half.recipient) for half in made(story, participant=POLICE).halves]
    assert ends == [(LA, POLICE), (POLICE, LA)]


def test_the_day_is_londons() -> None:
    """In summer, half past eleven in the evening UTC is the next day."""
    story = Story(NOW.replace(month=7, day=1, hour=23, minute=30))
    story.say(LA, POLICE, Event.HEARTBEAT)
    assert made(story, day=date(2026, 7, 1)).halves == ()
    assert len(made(story, day=date(2026, 7, 2)).halves) == 1


def test_a_manifest_has_one_encoding_and_no_thread_in_it() -> None:
    """What will be signed; references to threads stay with the agencies."""
    story = Story()
    passage = story.say(LA, POLICE, Event.REQUEST)
    raw = made(story).to_bytes()
    assert json.dumps(json.loads(raw), sort_keys=True, separators=(",", ":")).encode() == raw
    assert passage.stub.thread.encode() not in raw


def test_a_number_from_the_far_end_makes_no_long_manifest() -> None:
    """Attack: numbers near 2**53 are one range."""
    story = Story()
    for number in (1, 2**53 - 1):
        story.say(LA, POLICE, Event.HEARTBEAT, seq=number)
    assert only(story).missing == ((2, 2**53 - 2),)
