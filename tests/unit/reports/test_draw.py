"""The draw of a sample: who gets in, in which proportion, and that anybody can draw it again."""

from collections import Counter
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.reports.draw import Draw, Unit, draw

AGENCIES, RATINGS, OUTCOMES = ("police", "health", "housing"), ("RED", "AMBER", "GREEN"), ("in time", "late")


def units(count: int) -> list[Unit]:
    """So many requests, in turn over agencies, ratings and outcomes; every tenth is late."""
    return [
        Unit(f"REF-{n:05}", "council", AGENCIES[n % 3], RATINGS[n // 3 % 3], OUTCOMES[n % 10 == 0])
        for n in range(count)
    ]


def test_every_stratum_is_in_the_sample_and_the_rest_follows_the_shares() -> None:
    """Two hundred in time and ten late of one agency: the late are in it, and are not half of it."""
    many = [Unit(f"R{n}", "council", "police", "AMBER", "in time") for n in range(200)]
    few = [Unit(f"L{n}", "council", "police", "AMBER", "late") for n in range(10)]
    drawn = draw([*many, *few], size=21, seed="s")
    assert Counter(unit.outcome for unit in drawn.chosen) == {"in time": 20, "late": 1}


def test_the_same_list_and_seed_give_the_same_sample_in_whatever_order_the_list_is() -> None:
    """An inspector and the hub draw the same."""
    listed = units(300)
    assert draw(listed, size=20, seed="words") == draw(reversed(listed), size=20, seed="words")


def test_another_seed_gives_another_sample() -> None:
    """The choice is the seed's."""
    listed = units(300)
    assert draw(listed, size=20, seed="a").chosen != draw(listed, size=20, seed="b").chosen


def test_the_sample_is_known_beforehand_to_whoever_has_only_sha256() -> None:
    """The rule of the paper, by hand: the least SHA-256 of seed, reference, requester and agency, a line each."""
    listed = [Unit(f"R{n}", "council", "police", "AMBER", "late") for n in range(50)]
    by_hand = min(listed, key=lambda one: sha256(f"seed\n{one.reference}\ncouncil\npolice".encode()).digest())
    assert draw(listed, size=1, seed="seed").chosen == (by_hand,)


@pytest.mark.parametrize(
    ("size", "parted_by"),
    [(18, ("agency", "rating", "outcome")), (6, ("agency", "outcome")), (3, ("agency",)), (2, ())],
)
def test_strata_are_made_coarser_until_each_has_a_place(size: int, parted_by: tuple[str, ...]) -> None:
    """Three agencies, three ratings, two outcomes: eighteen, six, three, one."""
    assert draw(units(900), size=size, seed="s").parted_by == parted_by


def test_a_small_month_is_drawn_whole_and_an_empty_one_is_empty() -> None:
    """A sample is never larger than its list."""
    assert len(draw(units(5), size=20, seed="s").chosen) == 5
    assert draw([], size=20, seed="s") == Draw(("agency", "rating", "outcome"), (), ())


def test_a_sample_of_nothing_is_refused() -> None:
    """It would prove that everything is well."""
    with pytest.raises(ValueError, match="at least one"):
        draw(units(5), size=0, seed="s")


@given(st.integers(1, 120), st.integers(1, 60), st.text(max_size=8))
def test_a_draw_adds_up_whatever_the_list(count: int, size: int, seed: str) -> None:
    """Nobody twice, nobody who is not on the list, no part over what it holds, none left out."""
    listed = units(count)
    drawn = draw(listed, size=size, seed=seed)
    assert len(set(drawn.chosen)) == len(drawn.chosen) == min(size, count)
    assert set(drawn.chosen) <= set(listed)
    assert sum(one.holds for one in drawn.strata) == count
    assert all(1 <= one.drawn <= one.holds for one in drawn.strata)
