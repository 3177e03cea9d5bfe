"""Who may take part, and since when: the steps of an agency from listed to left, as decisions.

    listed → signed → active → notice_given → left        active, notice_given ⇄ suspended

Pure: the dossier, the members and the day are arguments, `broker.cli.enrolment` acts. An agency reaches somebody only
while it is active, or has given notice that has not run out; every other state has no pair in the directory, and what
has no pair has no binding at the broker (GOV-01). A refusal names requirements and never what stands in a dossier.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field

from broker.sla.governance import notice_effective
from schemas.agency import ParticipantId
from schemas.directory import Pair
from schemas.members import Member, Members

_ICO: Final = re.compile(r"(Z\d{6,7}[A-Z0-9]?|ZB\d{6})")


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Post(_Closed):
    """Somebody who holds a post; never shown."""

    name: str = Field(min_length=1, repr=False)
    role: str = Field(min_length=1, repr=False)
    email: str = Field(min_length=3, repr=False)


class Signature(Post):
    """Who signed the agreement for the organisation, and when."""

    organisation: str = Field(min_length=1, repr=False)
    signed_on: date


class Dossier(_Closed):
    """What the registry holds of an agency (GOV-01 to GOV-06, GOV-14, GOV-18); what is absent is not there."""

    signature: Signature | None = None
    delegated_authority: str = Field(default="", repr=False)
    responsible_post: str = Field(default="", repr=False)
    legal_name: str = Field(default="", repr=False)
    address: str = Field(default="", repr=False)
    ico_number: str = Field(default="", repr=False)
    ico_absent_because: str = Field(default="", repr=False)
    contact: Post | None = None
    information_sharing_lead: Post | None = None
    contact_officer: Post | None = None
    contact_officer_deputy: Post | None = None
    tier_1_accepted_on: date | None = None
    privacy_notice_url: str = Field(default="", repr=False)
    privacy_notice_attested_on: date | None = None
    fallback_address: str = Field(default="", repr=False)
    impact_assessment: str = Field(default="", repr=False)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read from TOML. Raises `pydantic.ValidationError`, without the values."""
        return cls.model_validate(plain)


@dataclass(frozen=True)
class Obstacle:
    """A requirement that is not met; one that does not block is a warning."""

    requirement: str
    sentence: str
    blocks: bool = True


Met = Callable[[Dossier, date], bool]

REQUIREMENTS: Final[tuple[tuple[Obstacle, Met], ...]] = (
    (
        Obstacle("GOV-01", "the agreement is not signed: organisation, name, role, email, date"),
        lambda held, today: held.signature is not None and held.signature.signed_on <= today,
    ),
    (
        Obstacle("GOV-02", "no delegated authority to commit the organisation, or no post responsible day to day"),
        lambda held, _: bool(held.delegated_authority and held.responsible_post),
    ),
    (
        Obstacle("GOV-03", "legal name, address or contact missing, or neither an ICO number nor a reason for none"),
        lambda held, _: bool(held.legal_name and held.address and held.contact and _registered(held)),
    ),
    (Obstacle("GOV-04", "no information sharing lead"), lambda held, _: held.information_sharing_lead is not None),
    (Obstacle("GOV-05", "no partnership contact officer"), lambda held, _: held.contact_officer is not None),
    (
        Obstacle("GOV-05", "no deputy of the partnership contact officer", blocks=False),
        lambda held, _: held.contact_officer_deputy is not None,
    ),
    (
        Obstacle("GOV-06", "the parent agreement (tier 1) is not accepted"),
        lambda held, today: held.tier_1_accepted_on is not None and held.tier_1_accepted_on <= today,
    ),
    (Obstacle("GOV-13", "no impact assessment", blocks=False), lambda held, _: bool(held.impact_assessment)),
    (
        Obstacle("GOV-14", "no privacy notice, or it is not attested"),
        lambda held, today: bool(held.privacy_notice_url) and (held.privacy_notice_attested_on or date.max) <= today,
    ),
    (Obstacle("GOV-18", "no secure fallback address"), lambda held, _: bool(held.fallback_address)),
)


def _registered(held: Dossier) -> bool:
    return bool(_ICO.fullmatch(held.ico_number) if held.ico_number else held.ico_absent_because)


def obstacles(dossier: Dossier, *, today: date) -> tuple[Obstacle, ...]:
    """List every requirement that is not met, warnings included."""
    return tuple(obstacle for obstacle, met in REQUIREMENTS if not met(dossier, today))


class State(StrEnum):
    """Where an agency stands."""

    LISTED = "listed"
    SIGNED = "signed"
    ACTIVE = "active"
    NOTICE_GIVEN = "notice_given"
    SUSPENDED = "suspended"
    LEFT = "left"


class Act(StrEnum):
    """What changes where an agency stands."""

    SIGN = "sign"
    ACTIVATE = "activate"
    GIVE_NOTICE = "give_notice"
    LEAVE = "leave"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"


STEPS: Final[Mapping[tuple[State, Act], State]] = {
    (State.LISTED, Act.SIGN): State.SIGNED,
    (State.SIGNED, Act.ACTIVATE): State.ACTIVE,
    (State.ACTIVE, Act.GIVE_NOTICE): State.NOTICE_GIVEN,
    (State.NOTICE_GIVEN, Act.LEAVE): State.LEFT,
    (State.ACTIVE, Act.SUSPEND): State.SUSPENDED,
    (State.NOTICE_GIVEN, Act.SUSPEND): State.SUSPENDED,
    (State.SUSPENDED, Act.REINSTATE): State.ACTIVE,
    (State.SUSPENDED, Act.LEAVE): State.LEFT,
}
"""Every step there is. A suspended agency whose notice still runs comes back to that (`step`)."""

REACHES: Final = frozenset({State.ACTIVE, State.NOTICE_GIVEN})
HOLDS_PAIRS: Final = REACHES | {State.SUSPENDED}
"""A suspended agency keeps its pairs for its return; its own entry shuts them (`Directory.permits`)."""


class Standing(_Closed):
    """Where an agency stands, since when, and until when if it has given notice."""

    participant: ParticipantId
    state: State = State.LISTED
    since: date
    leaves_on: date | None = None


@dataclass(frozen=True)
class Refused:
    """Why a step is not made: requirement numbers with sentences."""

    reasons: tuple[Obstacle, ...]


def step(standing: Standing, act: Act, *, dossier: Dossier, today: date) -> Standing | Refused:
    """Decide a step. Nothing is signed or activated over an obstacle, nobody leaves before the notice has run out."""
    target = STEPS.get((standing.state, act))
    if target is None:
        return Refused((Obstacle("GOV-01", f"{act} is no step from {standing.state}"),))
    missing = obstacles(dossier, today=today) if act in (Act.SIGN, Act.ACTIVATE, Act.REINSTATE) else ()
    blocking = tuple(each for each in missing if each.blocks)
    if act is Act.LEAVE and (standing.leaves_on is None or today < standing.leaves_on):
        blocking = (Obstacle("GOV-10", f"the notice runs until {standing.leaves_on or 'it is given'}"),)
    if blocking:
        return Refused(blocking)
    leaves_on = notice_effective(today) if act is Act.GIVE_NOTICE else standing.leaves_on
    if act is Act.REINSTATE and leaves_on is not None:
        target = State.NOTICE_GIVEN
    return standing.model_copy(update={"state": target, "since": today, "leaves_on": leaves_on})


def unentitled(members: Members, standings: Iterable[Standing]) -> tuple[str, ...]:
    """Name who has a pair and must not: whoever is not, or not any more, a party to the agreement (GOV-01)."""
    entitled = {each.participant for each in standings if each.state in HOLDS_PAIRS}
    ends = {end for pair in members.pairs for end in (pair.sender, pair.recipient)}
    return tuple(sorted(ends - entitled))


def with_member(members: Members, member: Member) -> Members:
    """List an agency, or renew its entry; it gets no pair by that."""
    others = tuple(each for each in members.members if each.participant != member.participant)
    return members.model_copy(update={"members": (*others, member)})


def with_pairs(members: Members, participant: str, *, partners: Iterable[str]) -> Members:
    """Let an agency and each partner write to each other. Raises `ValueError` for a partner who is no member."""
    there = {(pair.sender, pair.recipient) for pair in members.pairs}
    wanted = [ends for other in partners for ends in ((participant, other), (other, participant)) if ends not in there]
    added = tuple(Pair(sender=sender, recipient=recipient) for sender, recipient in wanted)
    return Members(members=members.members, pairs=(*members.pairs, *added), hub_keys=members.hub_keys)


def put_out(members: Members, participant: str, *, at: int | None) -> Members:
    """Set or clear when a member was put out (Unix seconds); its entry and pairs stay."""
    entries = [
        each.model_copy(update={"suspended_at": at}) if each.participant == participant else each
        for each in members.members
    ]
    return members.model_copy(update={"members": tuple(entries)})


def departed(members: Members, participant: str, *, at: int) -> Members:
    """Let an agency have left at `at` (Unix seconds): no pair any more, its keys revoked from then on (GOV-10, GOV-11).

    The entry stays, for a vanished one is always an attack.
    """
    kept = tuple(pair for pair in members.pairs if participant not in (pair.sender, pair.recipient))
    gone = [
        each.model_copy(update={"suspended_at": each.suspended_at or at, "left_at": at})
        if each.participant == participant
        else each
        for each in members.members
    ]
    return members.model_copy(update={"members": tuple(gone), "pairs": kept})
