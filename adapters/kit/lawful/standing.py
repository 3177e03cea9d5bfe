"""What an agency relies on for every answer, settled once by whoever leads on information governance there.

It is data of one adapter (`[lawful]` in adapter.toml). What is not settled there is not relied on: every release that
would need it is refused with the requirement's number.
"""

from typing import Literal

from adapters.kit.lawful.basis import LONDON, Allowed
from schemas.content.base import Content
from schemas.content.lawfulness import Part3
from schemas.content.rfi import LawfulBasis


class Standing(Content):
    """The bases of one agency's releases, and who may read its records of agreements (LAW-09 to LAW-17, LAW-29).

    `agreement`: the family of agreements whose bases are allowed. `gateways`: those that the agency has beside the
    ones that a request names.
    """

    agreement: Literal["peterborough", "london"] = "peterborough"
    basis: LawfulBasis = LawfulBasis()
    gateways: tuple[str, ...] = ()
    safeguards_s11: bool = False
    duty_of_confidence: bool = False
    official_authority: bool = False
    part_3: Part3 | None = None
    consent_records_read_by: tuple[str, ...] = ()
    consent_records_kept: str | None = None

    @property
    def allowed(self) -> Allowed:
        """The bases that the agreement allows."""
        return LONDON if self.agreement == "london" else Allowed()
