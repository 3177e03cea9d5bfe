"""The wall: the order of its rows, how each stands, and what is never on it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations, product

import pytest

from broker.page.wall import MARKS, MOST_ROWS, STATES, Level, level_of, wall_of
from broker.watch.standing import OVER, Phase, Standing, by_time_to_breach
from schemas.rating import RagRating
from tests.unit.page.scene import HEALTH, IDVA, LA, NIGHT, POLICE, board_of, glance_of, night, quiet


def standing(**changes: object) -> Standing:
    plain = Standing(
        reference="AAAAA-AAAAA",
        requester=LA,
        responder=POLICE,
        rating=RagRating.GREEN,
        urgent=False,
        phase=Phase.READ,
        concerns=frozenset(),
        issued_at=NIGHT - timedelta(hours=1),
        due_at=NIGHT + timedelta(hours=1),
        is_soon=False,
        received_at=NIGHT,
        seen_at=NIGHT,
        in_part_at=None,
        answered_at=None,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # the test names fields of the standing


def rows_of(standings: Iterable[Standing]) -> list[str]:
    glance = glance_of(quiet(), standings=by_time_to_breach(standings))
    return [row.reference for row in wall_of(board_of(glance)).rows]


DUES = {"late": -60, "due": 0, "soon": 1, "later": 60, "far": 6000}


@pytest.mark.parametrize("order", list(permutations(DUES)))
def test_rows_are_in_the_order_of_time_to_breach_whatever_order_they_came_in(order: tuple[str, ...]) -> None:
    """All 120 orders of five due times, from an hour over to four days ahead."""
    some = [standing(reference=name, due_at=NIGHT + timedelta(minutes=DUES[name])) for name in order]
    assert rows_of(some) == list(DUES)


@pytest.mark.parametrize(
    ("rating", "urgent", "concerns", "is_soon"),
    list(
        product(
            [RagRating.RED, RagRating.AMBER, RagRating.GREEN],
            [True, False],
            [frozenset(), frozenset({Phase.UNREAD}), frozenset({Phase.BREACHED, Phase.UNDELIVERED})],
            [False, True],
        )
    ),
)
def test_nothing_but_time_decides_the_place(
    rating: RagRating, urgent: bool, concerns: frozenset[Phase], is_soon: bool
) -> None:
    """A rating or an alarm changes the mark of a row and never its place."""
    loud = standing(reference="second", rating=rating, urgent=urgent, concerns=concerns, is_soon=is_soon)
    calm = standing(reference="first", due_at=loud.due_at - timedelta(seconds=1))
    assert rows_of([loud, calm]) == ["first", "second"]


@pytest.mark.parametrize("phase", Phase)
def test_what_is_over_is_not_on_the_wall_and_everything_else_is(phase: Phase) -> None:
    """Silence is never shown as an answer, an answer never as a debt."""
    assert rows_of([standing(phase=phase)]) == ([] if phase in OVER else ["AAAAA-AAAAA"])


def test_two_that_are_due_at_once_are_in_the_order_of_reference_and_agency() -> None:
    """The order of two rounds is the same."""
    some = [standing(reference="B"), standing(reference="A", responder=POLICE), standing(reference="A", responder=IDVA)]
    glance = glance_of(quiet(), standings=by_time_to_breach(some))
    rows = wall_of(board_of(glance)).rows
    assert [(row.reference, row.owes_id) for row in rows] == [("A", IDVA), ("A", POLICE), ("B", POLICE)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Level.WELL),
        ({"is_soon": True}, Level.SOON),
        ({"concerns": frozenset({Phase.UNREAD})}, Level.TODAY),
        ({"concerns": frozenset({Phase.UNREAD}), "rating": RagRating.RED}, Level.NOW),
        ({"concerns": frozenset({Phase.BREACHED}), "urgent": True}, Level.NOW),
        ({"rating": RagRating.RED, "urgent": True}, Level.WELL),
    ],
)
def test_a_row_is_marked_by_what_has_to_be_done(changes: dict[str, object], expected: Level) -> None:
    """A RED request that is in good hands asks nothing of anybody; a GREEN one that nobody opened can wait for day."""
    assert level_of(standing(**changes)) is expected


def test_every_level_has_a_sign_and_a_word_of_its_own() -> None:
    """Colour is never the only sign."""
    assert set(MARKS) == set(Level)
    assert len({sign for sign, _ in MARKS.values()}) == len({word for _, word in MARKS.values()}) == len(Level)


def test_every_phase_has_words() -> None:
    """Structure: a phase without words would stop the page."""
    assert set(STATES) == set(Phase)


def test_a_row_says_every_trouble_that_a_request_has() -> None:
    """Overdue and never arrived are two things to ask about."""
    troubled = standing(phase=Phase.BREACHED, concerns=frozenset({Phase.BREACHED, Phase.UNDELIVERED, Phase.UNREAD}))
    (row,) = wall_of(board_of(glance_of(quiet(), standings=(troubled,)))).rows
    assert row.states == ("Answer overdue", "Has not arrived", "Nobody has opened it")


def test_a_request_that_was_sent_back_is_its_askers_to_move() -> None:
    """The wall names who has to act, and their telephone."""
    (row,) = wall_of(board_of(glance_of(quiet(), standings=(standing(phase=Phase.SENT_BACK),)))).rows
    assert (row.owes, row.asks, row.telephone) == ("Testfordshire Council", "Testford Police", "01632 960100")
    assert row.states[0] == "Sent back with a question"


def test_the_figures_count_all_and_the_rows_are_bounded() -> None:
    """Twenty thousand requests make no page that nobody can open."""
    some = tuple(standing(reference=f"{n:05}", due_at=NIGHT + timedelta(minutes=n - 3)) for n in range(MOST_ROWS + 7))
    wall = wall_of(board_of(glance_of(quiet(), standings=some)))
    assert (len(wall.rows), wall.owed, wall.hidden, wall.overdue) == (MOST_ROWS, MOST_ROWS + 7, 7, 4)
    assert wall.rows[0].reference == "00000"


def test_the_next_answer_is_the_first_that_is_not_late_already() -> None:
    """What is over cannot be awaited."""
    wall = wall_of(board_of(glance_of(night())))
    assert wall.next_due == "today 03:44 (in 40 minutes)"
    assert wall_of(board_of(glance_of(quiet()))).next_due == ""


def test_a_desk_is_shown_its_own_and_nobody_elses() -> None:
    """Least disclosure: what others owe is theirs."""
    wall = wall_of(board_of(glance_of(night())), responder=HEALTH)
    assert {row.owes_id for row in wall.rows} == {HEALTH}
    assert wall.owed == 2
