"""What one kind of agency says of itself is read strictly: what is on no list stops the start."""

import pytest
from pydantic import ValidationError

from adapters.kit.disclosure.agency_facts import AgencyFacts, RecordType, read_agency_facts
from schemas.agency import AGENCY_KINDS
from schemas.content.codes import FLAGS, Outcome

LEAST = """
kind = "fire"
version = "1.0"
safeguarding_lead = "fire_safeguarding_lead"
"""


def _read(line: str = "", *, kind: str = "fire") -> AgencyFacts:
    return read_agency_facts(LEAST.replace('kind = "fire"', f'kind = "{kind}"') + f"{line}\n[record_types]\n")


def test_facts_that_were_read_are_not_altered() -> None:
    """The attack: a fact turned about in memory, after its hash was taken and signed."""
    facts = _read()

    with pytest.raises(ValidationError, match="frozen"):
        facts.everything_in_confidence = True  # type: ignore[misc]  # the attack


def test_facts_of_a_kind_that_is_none_of_the_fourteen_are_not_read() -> None:
    """The facts are refused by themselves, before anybody asks whose pack they belong to."""
    assert {_read(kind=kind).kind for kind in AGENCY_KINDS} == set(AGENCY_KINDS)
    with pytest.raises(ValidationError, match="fourteen"):
        _read(kind="post_office")


def test_an_agency_that_says_nothing_of_itself_has_the_facts_of_most() -> None:
    """A line left out means what the disclosure rules say of an ordinary public body, and nothing unheard of."""
    facts = _read()

    assert facts.belief_of_involvement == "not_asked"
    assert facts.window_months is None
    assert facts.general_power_suffices
    assert not any((facts.everything_in_confidence, facts.mappa_authority, facts.competent_authority))


def test_a_type_that_says_nothing_of_itself_is_an_ordinary_one() -> None:
    """Only what it allows has to be said; the rest is what its records say."""
    plain = RecordType(allows=Outcome.SHARE)

    assert (plain.implies, plain.traits, plain.belongs_to) == (frozenset(), frozenset(), None)
    assert not any((plain.in_confidence, plain.needs_grading))


def test_a_type_may_imply_every_flag_there_is() -> None:
    """What is held against the list is that each is on it, not how many they are."""
    assert RecordType(allows=Outcome.WITHHOLD, implies=FLAGS).implies == FLAGS


@pytest.mark.parametrize("months", [1, 24])
def test_a_window_is_a_month_at_least(months: int) -> None:
    """A window of none would make every record too old; one of a month is somebody's decision."""
    assert _read(f"window_months = {months}").window_months == months
    with pytest.raises(ValidationError):
        _read("window_months = 0")
