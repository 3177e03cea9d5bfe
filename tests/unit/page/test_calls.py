"""What to do now: whom to ring, for what, in which order; and what can wait."""

from datetime import timedelta

import pytest

from broker.alerts import HUB, Alert, AlertKind, Health, Urgency
from broker.alerts.acknowledging import Acknowledgement
from broker.alerts.book import Entry
from broker.alerts.listing import Listed
from broker.page.board import Board
from broker.page.calls import MOST_REASONS, QUIET, to_do
from broker.watch.glance import Glance
from schemas.routing import Lane
from tests.unit.page.scene import (
    HEALTH,
    IDVA,
    LA,
    NIGHT,
    POLICE,
    PROBATION,
    RECOVERY,
    WELL,
    ask,
    board_of,
    glance_of,
    night_glance,
    quiet,
    view_of,
)


def alert(kind: AlertKind, whom: str, urgency: Urgency = Urgency.NOW, **changes: str) -> Alert:
    return Alert(kind, whom, urgency, **{"peer": LA, "code": "RED", "reference": "AAAAA-AAAAA"} | changes)  # type: ignore[arg-type]  # all text


def board_with(*alerts: Alert, seen: tuple[Alert, ...] = ()) -> Board:
    """A board on which these alerts stand, raised a minute apart; `seen` ones have been acknowledged."""
    view = view_of(quiet())
    rows = tuple(
        Listed(
            Entry(number, one, NIGHT - timedelta(minutes=60 - number), None),
            Acknowledgement(number, HUB, "control-room", NIGHT) if one in seen else None,
        )
        for number, one in enumerate(alerts, start=1)
    )
    return board_of(Glance(view, alerts, WELL), rows=rows)


def test_a_desk_is_rung_once_for_all_its_reasons() -> None:
    """Three alerts about one agency are one call, under one number."""
    kinds = (AlertKind.UNREAD, AlertKind.UNDELIVERED, AlertKind.BREACHED)
    done = to_do(board_with(*(alert(kind, HEALTH) for kind in kinds)))
    (call,) = done.now
    assert (call.whom, call.telephone) == ("Testford Health", "01632 960120")
    assert [reason.number for reason in call.reasons] == [2, 3, 1]
    assert done.headline == "Ring Testford Health now"


@pytest.mark.parametrize(
    ("alerts", "expected"),
    [
        ([], QUIET),
        ([alert(AlertKind.UNREAD, HEALTH)], "Ring Testford Health now"),
        ([alert(AlertKind.UNREAD, HEALTH), alert(AlertKind.UNREAD, POLICE)], "Ring 2 desks now"),
        ([alert(AlertKind.WATCH_DEAF, HUB)], "Look at the hub now"),
        (
            [alert(AlertKind.WATCH_DEAF, HUB), alert(AlertKind.UNREAD, HEALTH)],
            "Ring Testford Health now and look at the hub",
        ),
        ([alert(AlertKind.SILENT, HEALTH, Urgency.TODAY)], QUIET),
    ],
)
def test_the_headline_says_what_to_do(alerts: list[Alert], expected: str) -> None:
    """One line, which a person reads in two seconds."""
    assert to_do(board_with(*alerts)).headline == expected


def test_calls_are_in_the_order_of_gravity_and_then_of_age() -> None:
    """A request that never arrived comes before one that nobody opened; of two alike the older."""
    done = to_do(
        board_with(
            alert(AlertKind.UNREAD, POLICE),
            alert(AlertKind.FORK, PROBATION),
            alert(AlertKind.UNREAD, HEALTH),
            alert(AlertKind.UNDELIVERED, IDVA),
        )
    )
    assert [call.participant for call in done.now] == [IDVA, POLICE, HEALTH, PROBATION]


def test_what_the_office_can_mend_is_kept_out_of_the_night() -> None:
    """A missing telephone number wakes nobody, and is not lost."""
    done = to_do(board_with(alert(AlertKind.NO_DUTY_CONTACT, RECOVERY, Urgency.WEEK), alert(AlertKind.UNREAD, HEALTH)))
    assert [call.participant for call in done.now] == [HEALTH]
    assert [call.participant for call in done.later] == [RECOVERY]


def test_what_somebody_has_seen_asks_for_no_second_call() -> None:
    """And is counted as being dealt with."""
    first, second = alert(AlertKind.UNREAD, HEALTH), alert(AlertKind.BREACHED, POLICE)
    done = to_do(board_with(first, second, seen=(first,)))
    assert [call.participant for call in done.now] == [POLICE]
    assert done.seen == 1


def test_an_alert_whose_book_cannot_be_read_is_shown_as_new() -> None:
    """The attack: a database that is away hides what stands."""
    glance = night_glance()
    assert len(to_do(board_of(glance, rows=None)).now) == len(to_do(board_of(glance)).now) > 0


def test_a_call_acknowledges_what_it_shows_and_no_more() -> None:
    """Whoever has rung about four reasons has not seen the fifth."""
    many = [alert(AlertKind.UNREAD, HEALTH, reference=f"{n:05}-AAAAA") for n in range(MOST_REASONS + 1)]
    (call,) = to_do(board_with(*many)).now
    assert (len(call.reasons), call.more, call.numbers) == (MOST_REASONS, 1, (1, 2, 3, 4))


def test_half_of_the_time_gone_is_no_reason_to_ring() -> None:
    """The desk has been reminded; a wall that always shouts is read by nobody."""
    done = to_do(board_with(alert(AlertKind.NUDGE, HEALTH)))
    assert (done.headline, done.now, done.later) == (QUIET, (), ())


def test_the_asker_is_rung_about_a_request_that_was_sent_back() -> None:
    """The sentence does not accuse whoever waits for them."""
    story = quiet()
    ask(story, POLICE, thread="one", rag="red", ago=timedelta(hours=5), seen=True)
    view = view_of(story)
    sent_back = alert(AlertKind.BREACHED, LA, peer=POLICE, reference=view.standings[0].reference)
    (call,) = to_do(board_of(Glance(view, (sent_back,), WELL))).now
    assert call.whom == "Testfordshire Council"
    assert "to Testford Police was sent back" in call.reasons[0].what


def test_a_deaf_watch_is_the_hubs_own_affair() -> None:
    """There is no desk to ring."""
    (call,) = to_do(board_of(glance_of(quiet(), health=Health(deaf=(Lane.URGENT,))))).now
    assert call.is_own
    assert call.telephone == ""
    assert "urgent lane" in call.reasons[0].what


def test_what_cannot_wait_stands_before_everything_that_can() -> None:
    """A grave matter for next week comes after a lesser one for now."""
    week = alert(AlertKind.NOBODY_TO_TELL, HEALTH, Urgency.WEEK)
    now = alert(AlertKind.AWAITED, LA, peer=HEALTH)
    assert [one.alert.kind for one in board_with(week, now).raised] == [AlertKind.AWAITED, AlertKind.NOBODY_TO_TELL]


def test_whoever_waits_for_an_overdue_answer_is_not_rung_about_it() -> None:
    """It is told by its own desk's ways; the call goes to whoever owes the answer."""
    done = to_do(board_with(alert(AlertKind.AWAITED, LA, peer=HEALTH)))
    assert (done.headline, done.now) == (QUIET, ())
