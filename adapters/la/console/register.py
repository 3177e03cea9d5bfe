"""The area's register: the agreement, and for every party its state of signature, its duty contact and its body.

It is data (TOML) because areas differ: use after MASH, review cycle, contacts (design, "agreements"). The hash of the
file rides in every request (GOV-07). A party that is absent from the register cannot be asked.
"""

import hashlib
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Literal

from schemas.agency import AGENCY_KINDS, ParticipantId
from schemas.content.base import Content
from schemas.content.rfi import Agreement


class UseAfterMash(StrEnum):
    """What a service may do with what the MASH hands over; the strictest unless the agreement says otherwise."""

    MASH_ONLY = "mash_only"
    ASSESSMENT = "assessment"


class Contact(Content):
    """Somebody who can be rung: the partnership contact officer or a deputy (GOV-05)."""

    name: str
    telephone: str


class Party(Content):
    """One party of the agreement. `signatory`: listed, signed, active, notice_given or left."""

    participant: ParticipantId
    kind: Literal[AGENCY_KINDS]  # type: ignore[valid-type]  # the table of kinds is the one list
    name: str
    signatory: str
    public_body: bool
    regime: str = "uk_gdpr"
    contact_officer: Contact
    deputy: Contact | None = None


class Area(Content):
    """The area's own facts; `emergency_duty_team` is whom a RED enquiry reaches out of hours (TRI-10).

    `every_referrer_in_a_day`: the referrer is told within one working day whatever the decision, not only below the
    threshold (SLA-04, SLA-05).
    """

    name: str
    every_referrer_in_a_day: bool = False
    emergency_duty_team: Contact


class Register(Content):
    """The register as it stands in one file."""

    area: Area
    agreement: Agreement
    use_after_mash: UseAfterMash = UseAfterMash.MASH_ONLY
    parties: tuple[Party, ...]

    def party(self, participant: str) -> Party | None:
        """Give the party with this directory id, or None where the register does not list it."""
        return next((party for party in self.parties if party.participant == participant), None)


class RegisterUnreadable(Exception):
    """The area register cannot be read; mend the file named in the message. Nobody can be asked until then."""


def load_register(path: Path) -> Register:
    """Read the register and put the SHA-256 of its bytes into the agreement. Raises `RegisterUnreadable`."""
    try:
        raw = path.read_bytes()
        plain = tomllib.loads(raw.decode("utf-8"))
        register = Register.from_plain(plain)
    except (OSError, ValueError) as fault:
        raise RegisterUnreadable(f"{path}: {_explain(fault)}") from None
    sealed = register.agreement.model_copy(update={"hash": f"sha256:{hashlib.sha256(raw).hexdigest()}"})
    return register.model_copy(update={"agreement": sealed})


def _explain(fault: Exception) -> str:
    errors = getattr(fault, "errors", None)
    if errors is None:
        return str(fault.strerror) if isinstance(fault, OSError) else str(fault)
    return "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in errors(include_input=False))
