"""The steps of an agency from listed to left, and what stands in their way."""

from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from pydantic import ValidationError

from broker.enrolment import (
    REACHES,
    STEPS,
    Act,
    Dossier,
    Refused,
    Standing,
    State,
    departed,
    obstacles,
    put_out,
    step,
    unentitled,
    with_member,
    with_pairs,
)
from schemas import base64url
from schemas.directory import Pair, SigningKey
from schemas.fingerprint import fingerprint
from schemas.members import Member, Members

TODAY = date(2026, 11, 24)
POST = {"name": "Robin Ashgrove-Test", "role": "Head of service", "email": "robin@testford.invalid"}
COMPLETE: dict[str, Any] = {
    "signature": {**POST, "organisation": "Testford Police", "signed_on": date(2026, 11, 2)},
    "delegated_authority": "scheme of delegation 4.2",
    "responsible_post": "MASH inspector",
    "legal_name": "Testford Police",
    "address": "1 Test Street, ZZ99 9ZZ",
    "ico_number": "Z1234567",
    "contact": POST,
    "information_sharing_lead": POST,
    "contact_officer": POST,
    "contact_officer_deputy": POST,
    "tier_1_accepted_on": date(2026, 10, 1),
    "privacy_notice_url": "https://testford.invalid/privacy",
    "privacy_notice_attested_on": date(2026, 11, 1),
    "fallback_address": "mash@testford.invalid",
    "impact_assessment": "DPIA-12",
}
POLICE, LA = "testford-police", "testford-la"


def dossier(**changes: Any) -> Dossier:
    """A complete dossier, but for `changes`."""
    return Dossier.from_plain(COMPLETE | changes)


def standing(state: State, *, leaves_on: date | None = None) -> Standing:
    return Standing(participant=POLICE, state=state, since=TODAY, leaves_on=leaves_on)


def member(name: str) -> Member:
    identity = base64url.encode(name.encode().ljust(32, b"."))
    return Member(
        participant=name,
        kind="police",
        name="A Testford agency",
        identity=identity,
        fingerprint=fingerprint(identity),
        checked_by=("registrar-1", "registrar-2"),
    )


HUB_KEY = SigningKey(
    kid=base64url.encode(bytes(16)), public=base64url.encode(bytes(32)), not_before=0, not_after=2_000_000_000
)


def members(*names: str) -> Members:
    return Members(members=tuple(member(name) for name in names))


def test_an_agency_with_everything_is_signed_and_activated() -> None:
    """The way in."""
    signed = step(standing(State.LISTED), Act.SIGN, dossier=dossier(), today=TODAY)
    assert isinstance(signed, Standing)
    active = step(signed, Act.ACTIVATE, dossier=dossier(), today=TODAY)
    assert isinstance(active, Standing)
    assert active.state is State.ACTIVE
    assert obstacles(dossier(), today=TODAY) == ()


@pytest.mark.parametrize(
    ("missing", "requirement"),
    [
        ({"signature": None}, "GOV-01"),
        ({"signature": COMPLETE["signature"] | {"signed_on": TODAY + timedelta(days=1)}}, "GOV-01"),
        ({"delegated_authority": ""}, "GOV-02"),
        ({"responsible_post": ""}, "GOV-02"),
        ({"legal_name": ""}, "GOV-03"),
        ({"ico_number": ""}, "GOV-03"),
        ({"ico_number": "none", "ico_absent_because": "they said so"}, "GOV-03"),
        ({"information_sharing_lead": None}, "GOV-04"),
        ({"contact_officer": None}, "GOV-05"),
        ({"tier_1_accepted_on": None}, "GOV-06"),
        ({"privacy_notice_url": ""}, "GOV-14"),
        ({"privacy_notice_attested_on": None}, "GOV-14"),
        ({"fallback_address": ""}, "GOV-18"),
    ],
)
@pytest.mark.parametrize(("state", "act"), [(State.LISTED, Act.SIGN), (State.SIGNED, Act.ACTIVATE)])
def test_an_agency_is_not_admitted_over_a_requirement_that_is_not_met(
    missing: dict[str, Any], requirement: str, state: State, act: Act
) -> None:
    """Empty means no, and the refusal names the requirement and nobody's name."""
    refused = step(standing(state), act, dossier=dossier(**missing), today=TODAY)
    assert isinstance(refused, Refused)
    assert [each.requirement for each in refused.reasons] == [requirement]
    assert "Ashgrove" not in str(refused) + repr(dossier())


@pytest.mark.parametrize("missing", [{"contact_officer_deputy": None}, {"impact_assessment": ""}])
def test_a_warning_stops_nobody(missing: dict[str, Any]) -> None:
    """A deputy and an impact assessment are asked for, and their absence is shown (GOV-05, GOV-13)."""
    assert [each.blocks for each in obstacles(dossier(**missing), today=TODAY)] == [False]
    assert isinstance(step(standing(State.LISTED), Act.SIGN, dossier=dossier(**missing), today=TODAY), Standing)


@pytest.mark.parametrize(("state", "act"), sorted(set(product(State, Act)) - set(STEPS)))
def test_a_step_that_is_not_in_the_table_is_refused(state: State, act: Act) -> None:
    """The attack: from listed straight to active, from left back in, around a suspension by a second signature."""
    decided = step(standing(state, leaves_on=TODAY), act, dossier=dossier(), today=TODAY)
    assert isinstance(decided, Refused)


@pytest.mark.parametrize(("days", "leaves"), [(0, False), (27, False), (28, True), (400, True)])
def test_an_agency_leaves_when_its_28_days_have_run_out(days: int, leaves: bool) -> None:
    """GOV-10, PBO §9."""
    noticed = step(standing(State.ACTIVE), Act.GIVE_NOTICE, dossier=dossier(), today=TODAY)
    assert isinstance(noticed, Standing)
    assert (noticed.state, noticed.leaves_on) == (State.NOTICE_GIVEN, TODAY + timedelta(days=28))
    decided = step(noticed, Act.LEAVE, dossier=dossier(), today=TODAY + timedelta(days=days))
    assert isinstance(decided, Standing) is leaves


def test_a_suspension_does_not_shorten_or_forget_a_notice() -> None:
    """Reinstated, the agency is back where it was: under notice."""
    suspended = step(
        standing(State.NOTICE_GIVEN, leaves_on=TODAY + timedelta(days=9)), Act.SUSPEND, dossier=dossier(), today=TODAY
    )
    assert isinstance(suspended, Standing)
    back = step(suspended, Act.REINSTATE, dossier=dossier(), today=TODAY)
    assert isinstance(back, Standing)
    assert (back.state, back.leaves_on) == (State.NOTICE_GIVEN, TODAY + timedelta(days=9))


def test_a_suspended_agency_that_gave_no_notice_does_not_leave_by_that() -> None:
    """Putting out is not the notice that the agreement asks for."""
    assert isinstance(step(standing(State.SUSPENDED), Act.LEAVE, dossier=dossier(), today=TODAY), Refused)


def test_nobody_is_reinstated_over_a_requirement_that_is_not_met() -> None:
    """What lapsed during a suspension has to be mended first."""
    refused = step(standing(State.SUSPENDED), Act.REINSTATE, dossier=dossier(contact_officer=None), today=TODAY)
    assert isinstance(refused, Refused)


def test_listing_an_agency_gives_it_no_pair() -> None:
    """GOV-01: listed is not signed."""
    before = with_pairs(members(LA, "testford-health"), LA, partners=["testford-health"])
    after = with_member(before, member(POLICE))
    assert after.pairs == before.pairs
    assert POLICE in {each.participant for each in after.members}


@pytest.mark.parametrize("state", sorted(set(State) - REACHES - {State.SUSPENDED}))
def test_a_pair_of_an_agency_that_is_not_active_is_found(state: State) -> None:
    """The attack: a pair that somebody slipped into the members for an agency that has not signed, or has left."""
    slipped = with_pairs(members(LA, POLICE), POLICE, partners=[LA])
    others = Standing(participant=LA, state=State.ACTIVE, since=TODAY)
    assert unentitled(slipped, [others, standing(state)]) == (POLICE,)
    assert unentitled(slipped, [others, standing(State.ACTIVE)]) == ()
    assert unentitled(slipped, []) == (LA, POLICE)


def test_pairs_go_both_ways_once_and_never_to_a_stranger() -> None:
    """A partner who is no member is refused."""
    paired = with_pairs(with_pairs(members(LA, POLICE), POLICE, partners=[LA]), POLICE, partners=[LA])
    assert set(paired.pairs) == {Pair(sender=LA, recipient=POLICE), Pair(sender=POLICE, recipient=LA)}
    with pytest.raises(ValidationError):
        with_pairs(members(POLICE), POLICE, partners=["testford-stranger"])


def test_who_has_left_keeps_its_entry_and_no_pair() -> None:
    """A vanished entry is always an attack, so an entry never goes."""
    paired = with_pairs(members(LA, POLICE), POLICE, partners=[LA])
    left = departed(paired, POLICE, at=1)
    assert left.pairs == ()
    assert (set(left.suspended), dict(left.left)) == ({POLICE}, {POLICE: 1})
    assert len(left.members) == 2


def test_a_suspended_agency_that_leaves_stays_suspended_since_it_was() -> None:
    """Two dates, and neither takes the other's place."""
    left = departed(put_out(members(LA, POLICE), POLICE, at=1), POLICE, at=5)
    assert [(each.suspended_at, each.left_at) for each in left.members] == [(None, None), (1, 5)]


def test_no_pair_can_be_staged_for_somebody_who_has_left() -> None:
    """The attack: the way back in, past the registry, by a pair in the members."""
    left = departed(members(LA, POLICE), POLICE, at=1)
    with pytest.raises(ValidationError):
        with_pairs(left, POLICE, partners=[LA])


def test_the_hubs_keys_outlive_every_step_of_an_agency() -> None:
    """A step about one agency must not drop what the registrar has said about the hub."""
    held = members(LA, POLICE).model_copy(update={"hub_keys": (HUB_KEY,)})
    steps = [
        with_member(held, member("testford-health")),
        with_pairs(held, POLICE, partners=[LA]),
        put_out(held, POLICE, at=1),
        departed(held, POLICE, at=1),
    ]
    assert [step.hub_keys for step in steps] == [(HUB_KEY,)] * 4
