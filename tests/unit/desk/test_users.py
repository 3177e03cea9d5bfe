"""Named users and the roles they hold, taken literally."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.kit.refusal import Refused
from adapters.kit.users import Users, training_warning

TODAY = date(2026, 11, 24)
LEAD = "housing_safeguarding_lead"
DBS: dict[str, object] = {"level": "DBS", "until": "2029-09-01"}
USERS: Users = Users.from_plain(
    {
        "by_id": {
            "pat": {
                "name": "Pat Example-Test",
                "job_title": "Manager",
                "roles": ["mash_team_manager"],
                "vetting": [DBS],
            },
            "sam": {"name": "Sam Sample-Test", "job_title": "Clerk", "trained_on": "2025-11-24", "vetting": [DBS]},
        }
    }
)


def approver(*vetting: dict[str, object], **settings: Any) -> Users:
    """Give the users of an adapter whose one approver is trained and has these attestations of vetting."""
    lead = {"name": "L. Sample-Test", "job_title": "Lead", "roles": [LEAD], "trained_on": "2026-09-01"}
    return Users.from_plain({"by_id": {"lead": {**lead, "vetting": list(vetting)}}}).model_copy(update=settings)


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


def test_a_user_of_whom_no_vetting_is_attested_is_not_enrolled() -> None:
    """GOV-16 BLOCK: not even to look; the attack is a name that was put into the file in a hurry."""
    with pytest.raises(Refused, match="GOV-16") as refused:
        approver().find("lead")
    assert "Sample-Test" not in str(refused.value)


@pytest.mark.parametrize("level", ["BPSS", "DBS", "SC", "CTC"])
def test_a_vetted_and_trained_approver_approves(level: str) -> None:
    """RSP-19: role, training and vetting, of any of the four classes where the role needs none in particular."""
    users = approver({"level": level, "until": "2026-11-24"})

    assert users.require_trained("lead", LEAD, today=TODAY).roles == (LEAD,)


def test_a_lapsed_vetting_stops_an_approval_from_the_day_after_its_last() -> None:
    """RSP-19: current vetting. Training being current, or a warning only, does not make up for it."""
    lapsed = approver({"level": "DBS", "until": "2026-11-23"}, untrained_approvers="warn")

    with pytest.raises(Refused, match=r"GOV-16.*lapsed"):
        lapsed.require_trained("lead", LEAD, today=TODAY)


@pytest.mark.parametrize("other", [{"level": "BPSS", "until": "2029-09-01"}, {"level": "SC", "until": "2020-01-01"}])
def test_a_role_that_needs_a_class_of_vetting_is_not_approved_in_with_another(other: dict[str, object]) -> None:
    """GOV-16: a DBS certificate is no security clearance, and neither is a clearance that has lapsed."""
    users = approver(DBS, other, vetting_for={LEAD: "SC"})

    with pytest.raises(Refused, match=f"{LEAD} needs SC vetting"):
        users.require_trained("lead", LEAD, today=TODAY)


def test_a_role_that_needs_a_class_of_vetting_is_approved_in_with_it() -> None:
    """Whoever has it beside another may approve; another role's need is not this one's."""
    users = approver(DBS, {"level": "SC", "until": "2027-01-01"}, vetting_for={LEAD: "SC", "trustees": "CTC"})

    assert users.require_trained("lead", LEAD, today=TODAY).roles == (LEAD,)


def test_a_class_of_vetting_that_nobody_knows_is_not_read() -> None:
    """An unknown value means no: the file is refused, not guessed at."""
    with pytest.raises(ValidationError):
        approver({"level": "enhanced", "until": "2029-09-01"})
