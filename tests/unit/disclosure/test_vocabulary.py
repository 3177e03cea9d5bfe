"""The closed vocabulary of rule files is the one that the installed rules speak: no word too many, and none too few."""

from adapters.kit.disclosure import load_pack
from adapters.kit.disclosure.vocabulary import MORE_OPEN_THAN, ORIGINATOR_TOKENS, PERSON_TOKENS, REDACTED_KINDS
from schemas.agency import AGENCY_KINDS
from schemas.content.codes import Outcome


def _written(*annotations: str) -> frozenset[str]:
    policies = [policy for kind in AGENCY_KINDS for policy in load_pack(kind).policies]
    return frozenset(word for policy in policies for name in annotations for word in policy.words(name))


def test_whatever_a_rule_may_have_redacted_some_rule_has() -> None:
    """A word on the list that no rule says is a slip of the keyboard, and the word that was meant is missing (§2)."""
    assert _written("redact") == PERSON_TOKENS | REDACTED_KINDS


def test_whomever_a_rule_may_refer_to_some_rule_does() -> None:
    """The token stands for a list that the facts of a record bear; another spelling stands for nobody."""
    assert _written("refer_to", "refer_beside") == ORIGINATOR_TOKENS


def test_a_rule_closes_what_is_more_open_than_one_outcome() -> None:
    """§1.1: every outcome but the most open one has something above it, and nothing is more open than sharing."""
    assert {f"more_open_than_{one}": one for one in list(Outcome)[1:]} == MORE_OPEN_THAN
