"""Disclosure: what may leave, why, for whom, on whose word.

The rules are Cedar text that an information governance lead can read: four common files here, `rules.cedar` beside
every agency's `agency.toml`. Python computes facts and adds up what the rules answered; it decides nothing.

    pack = load_pack("police")
    assessment = pack.assess(request, records, approvals={"rec-1": frozenset({"ppd_supervisor"})})
"""

from adapters.kit.disclosure.decision import Assessment, Decision, Gap, plain_refer_to
from adapters.kit.disclosure.pack import Pack, RuleFiles, RulePackInvalidError, build_pack, installed_files, load_pack
from schemas.content.codes import Outcome
from schemas.content.rfi import RequestForInformation

RulePackInvalid = RulePackInvalidError

__all__ = [
    "Assessment",
    "Decision",
    "Gap",
    "Outcome",
    "Pack",
    "RuleFiles",
    "RulePackInvalid",
    "RulePackInvalidError",
    "build_pack",
    "gaps",
    "installed_files",
    "load_pack",
    "plain_refer_to",
    "wrong_route",
]


def gaps(request: RequestForInformation) -> tuple[Gap, ...]:
    """List what `request` lacks for its recipient's kind of agency (§3.1, RFI-15); empty when it is complete."""
    return load_pack(request.recipient.agency).gaps(request)


def wrong_route(request: RequestForInformation) -> tuple[str, ...]:
    """Say, in one sentence each, why this is not the route for `request` (§3.1); empty when it is."""
    return tuple(policy.annotations["says"] for policy in load_pack(request.recipient.agency).wrong_route(request))
