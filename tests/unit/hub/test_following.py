"""What a follower may change at the broker: it takes access away and nothing else, whatever a plan says (REC-06)."""

from typing import Any

import pytest

from broker.follow import taking
from broker.provision import Action, Change, Item, Kind
from broker.topology import NOTHING

PERSONAL = {Kind.USER, Kind.PERMISSION, Kind.TOPIC_PERMISSION}
SHUT = {"configure": NOTHING, "write": NOTHING, "read": NOTHING}
OPEN = {"configure": NOTHING, "write": r"^mash\.in\.testford-la$", "read": NOTHING}


def change(action: Action, kind: Kind, settings: dict[str, Any]) -> Change:
    return Change(action, Item(kind, ("testford-la",)), settings)


def is_taken(one: Change) -> bool:
    return list(taking([one])) == [one]


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("action", Action)
def test_a_follower_makes_nothing_and_deletes_nothing_but_access(action: Action, kind: Kind) -> None:
    """The attack: a directory, or a plan, that has a program which runs all night let somebody in, or lose mail."""
    expected = action is Action.DELETE and kind in {*PERSONAL, Kind.BINDING}
    assert is_taken(change(action, kind, OPEN)) is expected


@pytest.mark.parametrize("kind", Kind)
def test_a_follower_shuts_an_account_that_is_left_with_nothing(kind: Kind) -> None:
    """A suspended agency keeps its account and may do nothing with it; no other update is a follower's to make."""
    assert is_taken(change(Action.UPDATE, kind, SHUT)) is (kind is Kind.PERMISSION)


@pytest.mark.parametrize("name", sorted(SHUT))
def test_an_account_that_keeps_one_access_is_not_shut(name: str) -> None:
    """An update that leaves something open may open it: that is for an operator to look at."""
    assert not is_taken(change(Action.UPDATE, Kind.PERMISSION, {**SHUT, name: "^x$"}))
    assert not is_taken(change(Action.UPDATE, Kind.PERMISSION, {key: SHUT[key] for key in SHUT if key != name}))
