"""The fourteen kinds of agency, and what a participant may be called.

A *kind* (`police`, `substance_misuse`) chooses rules and vocabulary; a *participant* (`testford-police`) is one
signatory organisation of that kind, with keys, queues and contacts of its own. A kind may have several participants
in an area: the council's MASH and its early-help service are two participants of kind `la` (FAN-05).
"""

import re
from typing import Annotated, Final

from pydantic import StringConstraints

AGENCY_KINDS: Final = (
    "police",
    "health",
    "education",
    "la",
    "idva",
    "probation",
    "housing",
    "yot",
    "dwp",
    "ambulance",
    "fire",
    "substance_misuse",
    "voluntary",
    "ukvi",
)

# Queue and user names are built from these, and RabbitMQ expands them unescaped: nothing but letters, digits, hyphens.
PARTICIPANT_ID_PATTERN: Final = r"^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$"
RESERVED_PARTICIPANT_IDS: Final = frozenset({"dead", "monitor", "quarantine", "hub"})
_PARTICIPANT_ID: Final = re.compile(PARTICIPANT_ID_PATTERN)

ParticipantId = Annotated[str, StringConstraints(pattern=PARTICIPANT_ID_PATTERN)]


def is_participant_id(text: str) -> bool:
    """Say whether `text` may name a participant: 3 to 40 of `[a-z0-9-]`, and not a name the hub keeps for itself."""
    return _PARTICIPANT_ID.fullmatch(text) is not None and text not in RESERVED_PARTICIPANT_IDS
