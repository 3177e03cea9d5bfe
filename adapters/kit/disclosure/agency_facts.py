"""What the rules need to know about one kind of agency: `agency.toml`, read strictly.

Guarantees that a fact not on the list, a role that the agency does not have, or a flag that nobody knows stops the
start. It decides nothing; the rules do, with these facts.
"""

import tomllib
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from adapters.kit.disclosure.vocabulary import ROLES_EVERYWHERE, SECURITY_OFFICER
from schemas.agency import AGENCY_KINDS
from schemas.content.codes import FLAGS, REGIMES_AND_BODIES, Outcome

ORIGINATORS = frozenset(AGENCY_KINDS) | REGIMES_AND_BODIES


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RecordType(_Strict):
    """One type of record of an agency's own system: what it allows at most, and what it says about itself (§5)."""

    allows: Outcome
    implies: frozenset[str] = frozenset()
    belongs_to: str | None = None
    traits: frozenset[Literal["low_risk", "need_only", "is_a_place", "restricts_reporting"]] = frozenset()
    in_confidence: bool = False
    needs_grading: bool = False

    @model_validator(mode="after")
    def _known(self) -> "RecordType":
        if not self.implies <= FLAGS:
            raise ValueError("implies a flag that is not on the list")
        if self.belongs_to is not None and self.belongs_to not in ORIGINATORS:
            raise ValueError("belongs to an originator that is not on the list")
        return self


class Approvers(_Strict):
    """Who approves beside the safeguarding lead, or instead (§3.8, §3.10.5). None: the safeguarding lead, or nobody."""

    covert_source: str | None = None
    statutory_bar: str | None = None
    adoption: str | None = None
    confidence_refusal: str | None = None


class AgencyFacts(_Strict):
    """One kind of agency.

    `version` is that of its rule pack, raised by whoever signs a change. `window_months` says how far back an event
    may lie (§3.7); None: any distance.
    """

    kind: str
    version: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+$")]
    safeguarding_lead: str
    roles: frozenset[str] = frozenset()
    approvers: Approvers = Approvers()
    everything_in_confidence: bool = False
    mappa_authority: bool = False
    competent_authority: bool = False
    general_power_suffices: bool = True
    belief_of_involvement: Literal["not_asked", "warning", "gap"] = "not_asked"
    window_months: Annotated[int, Field(ge=1)] | None = None
    record_types: dict[str, RecordType]

    @model_validator(mode="after")
    def _known(self) -> "AgencyFacts":
        if self.kind not in AGENCY_KINDS:
            raise ValueError("is none of the fourteen kinds of agency")
        named = {role for role in self.approvers.model_dump().values() if role}
        if not named <= self.all_roles:
            raise ValueError("an approver is not among the roles of the agency")
        return self

    @property
    def all_roles(self) -> frozenset[str]:
        """Give every role that may have a say at this agency (§2)."""
        return self.roles | ROLES_EVERYWHERE | {self.safeguarding_lead}

    def role_tokens(self) -> Mapping[str, tuple[str, ...]]:
        """Give the roles that stand behind what a common rule calls them."""
        lead = (self.safeguarding_lead,)
        named = {name: (role,) for name, role in self.approvers.model_dump().items() if role}
        defaults = {"covert_source": lead, "statutory_bar": lead, "adoption": lead, "confidence_refusal": ()}
        fixed = {"safeguarding_lead": lead, "security_mark": (SECURITY_OFFICER,)}
        return {**defaults, **named, **fixed}


def read_agency_facts(text: str) -> AgencyFacts:
    """Read `agency.toml`. Raises `tomllib.TOMLDecodeError` or `pydantic.ValidationError`."""
    return AgencyFacts.model_validate(tomllib.loads(text))
