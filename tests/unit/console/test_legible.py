"""Wordings of partners made safe to show: nothing obeyed, nothing reordered unseen, nothing lost."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.la.console.legible import day, moment, on_paper, on_screen


@pytest.mark.parametrize(
    ("attack", "shown"),
    [
        ("\x1b[2J", "[U+001B][2J"),
        ("a\x07b", "a[U+0007]b"),
        ("\x9b31m", "[U+009B]31m"),
        ("not\u202e guilty", "not[U+202E] guilty"),
        ("x\x00y", "x[U+0000]y"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
    ],
)
def test_a_terminal_obeys_nothing_that_a_partner_wrote(attack: str, shown: str) -> None:
    """Attack: a wording clears the screen, colours a line away, or turns its order round unseen."""
    assert on_screen(attack) == shown


def test_right_to_left_text_passes_as_it_is() -> None:
    """A family's own language is no attack."""
    assert on_screen("שלום مرحبا") == "שלום مرحبا"
    assert on_paper("שלום مرحبا") == "שלום مرحبا"


def test_an_emoji_comes_out_on_paper_by_its_name() -> None:
    """A child's message says something with it; an empty box would lose that."""
    assert on_paper("I hate it \U0001f622") == "I hate it [crying face]"


def test_a_word_in_a_script_without_glyphs_is_announced_and_not_lost_silently() -> None:
    """The reader of the paper is sent to the screen, where the word can be read."""
    assert on_paper("she said ਪੰਜਾਬੀ") == "she said [6 letters of Gurmukhi script: read them on the screen]"


def test_the_second_attempt_names_everything_but_latin_letters() -> None:
    """Where a combination of signs cannot be set, the paper still says what they are."""
    assert on_paper("née ж", plain=True) == "née [cyrillic small letter zhe]"


@given(st.text())
def test_whatever_is_written_nothing_on_paper_is_a_control(text: str) -> None:
    """For any text: only line breaks and tabs remain of what is not a sign, and the empty text alone gives nothing."""
    shown = on_paper(text)
    assert all(sign.isprintable() or sign in "\n\t\xa0\xad" or sign.isspace() or ord(sign) > 0xFF for sign in shown)
    assert bool(shown) == bool(text)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 11, 24, 18, 20, tzinfo=UTC), "Tue 24 Nov 18:20"),
        (datetime(2026, 7, 1, 8, 5, tzinfo=UTC), "Wed 1 Jul 09:05"),
        (datetime(2027, 1, 4, 9, 0, tzinfo=UTC), "Mon 4 Jan 2027 09:00"),
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), "Thu 31 Dec 23:59"),
    ],
)
def test_moments_are_told_in_london_time_with_the_year_where_it_differs(at: datetime, expected: str) -> None:
    """Summer time is an hour on; another year is said."""
    assert moment(at, near=datetime(2026, 11, 24, 18, 40, tzinfo=UTC)) == expected


def test_a_moment_without_a_neighbour_and_a_day_say_their_year() -> None:
    """What may be read in another year says which."""
    assert moment(datetime(2026, 11, 24, 18, 20, tzinfo=UTC)) == "Tue 24 Nov 2026 18:20"
    assert day(date(2026, 8, 3)) == "3 Aug 2026"
