"""Whole pages as models: what they say first, when two of them are one, and what never stands in any."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from broker.alerts import HUB
from broker.alerts.acknowledging import Acknowledgement
from broker.alerts.book import Entry
from broker.alerts.desks import Way
from broker.alerts.listing import Listed, Told
from broker.page.board import STALE_AFTER, Board
from broker.page.endings import endings_of
from broker.page.pages import alerts_page, desk_page, digest, wall_page
from broker.page.stories import WAYS
from tests.unit.page.scene import (
    HEALTH,
    IDVA,
    LA,
    NIGHT,
    POLICE,
    RECOVERY,
    WELL,
    board_of,
    glance_of,
    night,
    night_glance,
    quiet,
)


def told(desk: str, **changes: object) -> Told:
    plain = Told(desk, "contact_officer", "contact-officer", "mail", "delivered", NIGHT, NIGHT, "")
    return replace(plain, **changes)  # type: ignore[arg-type]  # the test names fields of the telling


def board_with_rows(**row: object) -> Board:
    """The night with a row of the book for every alert, all alike but for the number."""
    glance = night_glance()
    rows = [
        Listed(Entry(number, alert, NIGHT - timedelta(minutes=2), None), **{"acknowledgement": None} | row)  # type: ignore[arg-type]  # fields of the row
        for number, alert in enumerate(glance.alerts, start=1)
    ]
    return board_of(glance, rows=tuple(rows))


def test_two_moments_in_one_minute_are_one_page() -> None:
    """An open page is drawn anew when a word on it changes, and not every second."""
    first, second, third = (wall_page(board_of(glance_of(quiet(NIGHT + timedelta(seconds=n))))) for n in (0, 0, 60))
    assert digest(first) == digest(second) != digest(third)


@pytest.mark.parametrize(
    ("late", "expected"), [(STALE_AFTER, "Ring 3 desks now"), (STALE_AFTER * 2, "The watch has stopped looking")]
)
def test_a_page_that_is_old_says_so_before_anything_else(late: timedelta, expected: str) -> None:
    """A watch that hangs must not look like a quiet night."""
    page = wall_page(board_of(night_glance(), shown_at=NIGHT + late))
    assert page.title == expected
    assert bool(page.moment.troubles) is (late > STALE_AFTER)


def test_a_ledger_that_is_away_is_said_once() -> None:
    """Whether the round could not be judged or the book could not be read."""
    away = board_of(replace(night_glance(), ledgers=replace(WELL, is_up=False)), rows=None)
    unread = board_of(night_glance(), rows=None)
    assert [len(wall_page(board).moment.troubles) for board in (away, unread)] == [1, 1]
    assert wall_page(away).title == wall_page(unread).title == "The ledger does not answer"


def test_an_alert_tells_who_was_told_and_who_has_seen_it() -> None:
    """By post and way and hour, with no address and no person."""
    ways = (told(HEALTH), told(HEALTH, rung="deputy", post="deputy", way="notify_text", state="failed", told_at=None))
    seen = Acknowledgement(1, HEALTH, "contact-officer", NIGHT)
    story = alerts_page(board_with_rows(told=ways, acknowledgement=seen)).standing[0]
    assert story.told == (
        "Testford Health, contact officer, by email: delivered today 03:04",
        "Testford Health, deputy, by text message: failed, will be tried again",
    )
    assert story.seen == "Seen by Testford Health, contact officer, today 03:04"
    assert not story.can_be_seen


def test_alerts_that_nobody_has_seen_come_first() -> None:
    """And the headline counts them."""
    board = board_with_rows()
    assert board.rows is not None
    first = board.raised[0].row
    assert first is not None
    seen = replace(first, acknowledgement=Acknowledgement(1, HUB, "control-room", NIGHT))
    rows = tuple(seen if row is first else row for row in board.rows)
    page = alerts_page(replace(board, rows=rows))
    assert [bool(story.seen) for story in page.standing] == [False] * (len(rows) - 1) + [True]
    assert page.title == f"{len(rows) - 1} alerts nobody has seen"


def test_what_is_over_is_told_apart() -> None:
    """With the hour at which it was over; nothing is to be done about it."""
    glance = night_glance()
    over = Listed(Entry(9, glance.alerts[0], NIGHT - timedelta(hours=2), NIGHT - timedelta(hours=1)), None)
    (story,) = alerts_page(board_of(glance), (over,)).past
    assert (story.over, story.can_be_seen) == ("today 02:04", False)


def test_a_desk_is_spoken_to_in_its_own_words_and_given_the_other_ends_number() -> None:
    """Nobody is told to ring themselves."""
    page = desk_page(board_of(glance_of(night())), HEALTH)
    (story,) = page.stories
    assert story.act == "Answer it, or ring Testfordshire Council and say when the answer will come."
    assert (story.ring, story.telephone) == ("Testfordshire Council", "01632 960100")
    assert page.title == "(1) 1 new alert for Testford Health"


def test_a_desk_sees_what_it_was_told_although_it_is_about_another() -> None:
    """The council's desk was told about the police: it sees that one, in the words for whoever rings."""
    board = board_with_rows(told=(told(LA),))
    stories = desk_page(board, LA).stories
    assert len(stories) == len(board.glance.alerts)
    about_health = next(story for story in stories if story.whom == "Testford Health")
    assert about_health.act.startswith("Ask when")
    assert desk_page(board, POLICE).stories == ()


def test_every_way_of_telling_has_words() -> None:
    """Structure: what the courier writes, the page can say."""

    assert set(WAYS) == {way.value for way in Way}


def test_what_is_near_its_end_is_shown_and_what_is_far_is_counted() -> None:
    """Keys of one agency that end together are one line; agreements fall on days."""
    found = endings_of(board_of(night_glance()))
    assert [(line.what, line.whose, line.when) for line in found.agreements] == [
        ("End of a notice", "Testford Recovery Service", "Fri 18 Dec"),
        ("Review of an agreement (mash-tier-2)", "The partnership", "Sun 20 Dec"),
    ]
    assert (len(found.keys), found.agreements_far) == (1, 1)
    assert found.keys[0].what.count(",") == 3


def test_an_agency_without_keys_is_shown_first() -> None:
    """Absent means ended."""
    glance = night_glance()
    records = [
        record.model_copy(update={"signing": ()}) if name == RECOVERY else record
        for name, record in glance.view.directory.records.items()
    ]
    bare = type(glance.view.directory).build(2, records, glance.view.directory.pairs.values())
    first = endings_of(board_of(glance_of(quiet(), directory=bare))).keys[0]
    assert (first.what, first.whose, first.when, first.word) == (
        "Signing key",
        "Testford Recovery Service",
        "none was published",
        "Has ended",
    )


def test_a_page_is_for_the_moment_at_which_it_was_true() -> None:
    """In a machine's words as well, for whoever copies it."""
    moment = wall_page(board_of(night_glance())).moment
    assert (moment.at, datetime.fromisoformat(moment.stamp)) == ("today 03:04", NIGHT)


def test_no_alert_of_another_desk_reaches_a_desks_page() -> None:
    """Least disclosure, over every agency of the night."""
    board = board_of(night_glance())
    page = repr(desk_page(board, IDVA))
    for other in ("Testford Health", "Probation", "Testford Police", "Testford Housing"):
        assert other not in page
