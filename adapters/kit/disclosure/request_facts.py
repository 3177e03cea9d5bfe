"""What a request brings to every record alike: route, circumstances, persons, questions. Pure.

`circumstances` are the context of every question put to the rules; what they lead to is written there.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from adapters.kit.disclosure.agency_facts import AgencyFacts
from adapters.kit.disclosure.dates import london_day
from schemas.content.codes import GATEWAYS, GENERAL_POWERS, OVERRIDE_GROUNDS, Audience, RagRating
from schemas.content.rfi import ConsentOverride, Question, RequestForInformation

MASH_TEAM_MANAGER = "mash_team_manager"


@dataclass(frozen=True)
class Circumstances:
    """The context of one request's records; without the audiences, which differ from record to record."""

    addressee: str
    gateway: bool
    override: bool
    emergency_exception: bool
    gap_queried: bool

    def plain(self, *, onward_if_shared: tuple[str, ...]) -> dict[str, Any]:
        """Give the context as the schema of the rules has it."""
        return {
            "addressee": self.addressee,
            "onward_if_shared": list(onward_if_shared),
            "gateway": self.gateway,
            "override": self.override,
            "emergency_exception": self.emergency_exception,
            "gap_queried": self.gap_queried,
        }


def route_facts(request: RequestForInformation, *, holder: str) -> dict[str, Any]:
    """Give the facts that settle whether this is the route (§3.1)."""
    return {
        "put_to_holder": request.recipient.agency == holder,
        "signatory": request.recipient.signatory or "",
        "agreement_status": request.agreement.status or "",
        "red": is_red(request),
        "case_status": request.open_case.status or "",
        "case_override": said(request.open_case.override),
        "purpose": (request.purpose or "").strip(),
    }


def circumstances(request: RequestForInformation, *, agency: AgencyFacts, incomplete: bool) -> Circumstances:
    """Give what the request brings to every record. `incomplete`: it has gaps, and is RED, else none is assessed."""
    return Circumstances(
        addressee=request.audience,
        gateway=bool(accepted_gateways(request, agency=agency)),
        override=override_recorded(request.consent.override),
        emergency_exception=is_red(request) and request.agreement.status != "active",
        gap_queried=incomplete,
    )


def is_red(request: RequestForInformation) -> bool:
    """Say whether the request is rated RED; an unknown rating is not."""
    return request.rag == RagRating.RED


def accepted_gateways(request: RequestForInformation, *, agency: AgencyFacts) -> frozenset[str]:
    """Give the named gateways that this agency may rely on; an unknown code is none (§3.1, LAW-17)."""
    accepted = GATEWAYS | GENERAL_POWERS if agency.general_power_suffices else GATEWAYS
    return frozenset(request.gateways) & accepted


def override_recorded(override: ConsentOverride | None) -> bool:
    """Say whether the MASH team manager's override stands in the request, with a ground and a rationale (LAW-06)."""
    if override is None:
        return False
    return override.by == MASH_TEAM_MANAGER and override.ground in OVERRIDE_GROUNDS and said(override.rationale)


def audience_known(request: RequestForInformation) -> bool:
    """Say whether the addressee is on the list; an empty one is not."""
    return request.audience in frozenset(Audience)


def questions_put(request: RequestForInformation) -> dict[str, Question]:
    """Give the questions that were put to this recipient and that the request explains (§6.12)."""
    return {code: request.questions[code] for code in request.recipient.questions if code in request.questions}


def day_of(request: RequestForInformation) -> date:
    """Give the day of the request in London (§6.20)."""
    return london_day(request.issued_at)


def said(text: str | None) -> bool:
    """Say whether there is anything but white space."""
    return bool(text and text.strip())
