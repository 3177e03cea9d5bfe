"""Named users and the roles they hold, taken literally."""

from datetime import date

import pytest

from adapters.kit.refusal import Refused
from adapters.kit.users import Users, training_warning, users_from

USERS: Users = users_from(
    {
        "pat": {"name": "Pat Example-Test", "job_title": "Manager", "roles": ["mash_team_manager"]},
        "sam": {"name": "Sam Sample-Test", "job_title": "Clerk", "trained_on": "2025-11-24"},
    }
)


def test_somebody_unknown_may_do_nothing() -> None:
    """The attack: a name that is in nobody's settings."""
    with pytest.raises(Refused):
        USERS.find("mallory")


def test_a_role_that_a_user_does_not_hold_is_not_theirs() -> None:
    """RSP-19; a manager is not thereby the decision maker."""
    with pytest.raises(Refused):
        USERS.require("pat", "decision_maker")
    with pytest.raises(Refused):
        USERS.require_any("sam", frozenset({"mash_team_manager", "decision_maker"}), why="TRI-06")
    assert USERS.require("pat", "mash_team_manager").job_title == "Manager"


def test_no_roles_wanted_is_not_every_role_allowed() -> None:
    """An empty list means nobody."""
    with pytest.raises(Refused):
        USERS.require_any("pat", frozenset(), why="TRI-06")


@pytest.mark.parametrize("role", ["decision_maker", "mash_team"])
def test_a_refusal_names_the_user_by_the_short_name_and_not_the_persons_own(role: str) -> None:
    """Refusals go to standard error and into logs."""
    with pytest.raises(Refused) as refused:
        USERS.require("pat", role)
    assert "Example-Test" not in str(refused.value)


def test_a_refresher_is_stale_after_a_year_and_missing_ones_are_named() -> None:
    """GOV-15: a warning, on the day after the last valid one."""
    assert training_warning("sam", USERS.find("sam"), today=date(2026, 11, 25)) is None
    assert training_warning("sam", USERS.find("sam"), today=date(2026, 11, 26)) is not None
    assert training_warning("pat", USERS.find("pat"), today=date(2026, 11, 24)) is not None
