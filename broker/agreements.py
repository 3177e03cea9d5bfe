"""The agreements of an area as its operator keeps them for the watch: dates and names of organisations, no person's.

A TOML file, closed: an unknown word is an error, for a date that is not read is a review that nobody holds.
The dates themselves are computed by `broker.sla.governance`; what an agreement permits is in the signed directory.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from broker.errors import HubError
from broker.sla.governance import ATTESTATION_MONTHS, NOTICE_DAYS
from schemas.agency import ParticipantId

Label = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{1,38}$")]
"""An agreement's or attestation's name: it appears in alerts, and no sentence fits in it."""


class AgreementsUnreadable(HubError):
    """The agreements' file is not understood; reviews and notices would pass unseen, so nothing starts."""


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Agreement(_Closed):
    """One agreement: since when it is in force, when it was last reviewed, and how often it has to be (GOV-08)."""

    id: Label
    in_force_from: date
    last_review: date | None = None
    cycle_months: Annotated[int, Field(ge=1, le=60)] = 12
    ends_on: date | None = None


class Notice(_Closed):
    """An agency has given notice (GOV-10)."""

    participant: ParticipantId
    given_on: date
    days: Annotated[int, Field(ge=0, le=366)] = NOTICE_DAYS


class Attestation(_Closed):
    """An agency has attested something that no program can check: training, a privacy notice, encrypted laptops."""

    participant: ParticipantId
    subject: Label
    attested_on: date
    months: Annotated[int, Field(ge=1, le=60)] = ATTESTATION_MONTHS


class Agreements(_Closed):
    """All of them; none is a valid file and shows as such."""

    agreements: tuple[Agreement, ...] = ()
    notices: tuple[Notice, ...] = ()
    attestations: tuple[Attestation, ...] = ()

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read from TOML. Raises `pydantic.ValidationError`, without the values."""
        return cls.model_validate(plain)


NO_AGREEMENTS: Final = Agreements()


def read_agreements(path: Path | None) -> Agreements:
    """Read the file, or give none. Raises `AgreementsUnreadable`."""
    if path is None:
        return NO_AGREEMENTS
    try:
        return Agreements.from_plain(tomllib.loads(path.read_text("utf-8")))
    except ValidationError as wrong:
        places = ", ".join(".".join(map(str, error["loc"])) for error in wrong.errors(include_input=False))
        raise AgreementsUnreadable(f"({places})") from None
    except (OSError, ValueError) as wrong:
        raise AgreementsUnreadable(f"({type(wrong).__name__})") from None
