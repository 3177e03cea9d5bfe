"""Structure: every code that can reach a coordinator has words, and no table has words for a code that is gone."""

from collections.abc import Iterable, Mapping
from datetime import date

import pytest

from adapters.la.console import wording
from adapters.la.console.collation import HeldBack, Status
from adapters.la.console.phrases import held
from adapters.la.console.wording import Left, in_words, listed, who_may_receive
from schemas.agency import AGENCY_KINDS
from schemas.content import codes
from schemas.content.response import Nil, Referral, TraceStatus


@pytest.mark.parametrize(
    ("table", "vocabulary"),
    [
        (wording.CONDITIONS, codes.Condition),
        (wording.REASONS, codes.Reason),
        (wording.AUDIENCES, codes.Audience),
        (wording.ALERTS, codes.Alert),
        (wording.NATURES, codes.NATURES),
        (wording.OBTAINED, codes.OBTAINED),
        (wording.STATUSES, Status),
        (wording.NILS, Nil),
        (wording.TRACES, TraceStatus),
        (wording.LEFT_OUT, Left),
        (wording.ORIGINATORS, {*AGENCY_KINDS, *codes.REGIMES_AND_BODIES}),
    ],
)
def test_every_code_has_words_and_every_word_has_a_code(table: Mapping[str, str], vocabulary: Iterable[str]) -> None:
    """A new code cannot arrive without words, nor a word outlive its code."""
    assert set(table) == set(vocabulary)
    assert all(words.strip() for words in table.values())


def test_conditions_are_sentences() -> None:
    """A condition is read aloud as it stands: it begins with a capital and ends with a full stop."""
    assert all(words[0].isupper() and words.endswith(".") for words in wording.CONDITIONS.values())


def test_statutory_bars_do_not_give_away_which_statute() -> None:
    """Attack: the words of a reason tell the team that there is an adoption or a gender recognition."""
    bars = {code: words for code, words in wording.REASONS.items() if code.startswith("LEGAL_RESTRICTION_")}
    secret = {words for code, words in bars.items() if not code.endswith("SSAA")}
    assert len(secret) == 1


def test_a_code_that_nobody_knows_is_shown_and_never_dropped() -> None:
    """Attack: a new condition that the table does not know disappears, and with it what it forbids."""
    assert "burn_after_reading" in in_words(wording.CONDITIONS, "burn_after_reading")


@pytest.mark.parametrize(
    ("onward", "sealed", "expected"),
    [
        ((), False, "nobody beyond the MASH team"),
        ((), True, "nobody beyond the decision maker"),
        (("police",), False, "police"),
        (("decision_maker", "police"), False, "the decision maker and police"),
        (("early_help", "police", "family"), False, "early help, police and the family"),
    ],
)
def test_audiences_are_said_in_words(onward: tuple[str, ...], sealed: bool, expected: str) -> None:
    """An empty list is said as what it means: nobody."""
    assert who_may_receive(onward, sealed=sealed) == expected


def test_nothing_is_listed_as_nothing() -> None:
    """An empty list gives an empty text, and not a stray conjunction."""
    assert listed(()) == ""


@pytest.mark.parametrize(
    ("heard_on", "said"), [(None, "says: ask MARAC. "), (date(2026, 11, 3), "ask MARAC, heard there on 3 Nov 2026. ")]
)
def test_a_referral_says_when_somebody_was_heard_at_marac_only_where_the_holder_could_say_it(
    heard_on: date | None, said: str
) -> None:
    """Overview, decision 5: what did not come is not filled in."""
    referral = Referral(refer_to=("marac",), reasons=("MARAC_GOVERNED",), heard_on=heard_on)
    shown = held(HeldBack(participant="testford-idva", name="IDVA", referral=referral))

    assert said in shown
    assert ("heard there" in shown) is (heard_on is not None)
