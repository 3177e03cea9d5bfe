"""A decision in plain English: which rules decided, what goes with the record, and what would have to change.

Sentences come from the rules themselves (`@says`, `@change`), so that what is explained is what was decided.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from adapters.kit.disclosure.cases import Case, assess_case
from adapters.kit.disclosure.combine import FAILED, UNMARKED
from adapters.kit.disclosure.decision import Decision, Gap
from adapters.kit.disclosure.pack import Pack
from adapters.kit.disclosure.policy import Policy
from schemas.content.codes import Outcome

WHAT_LEAVES: Final = {
    Outcome.SHARE: "The text may leave as it stands, with its markings.",
    Outcome.SUMMARISE: "A prepared wording may leave instead of the text, with its markings.",
    Outcome.INDICATE_ONLY: "Only that confidential information is held may leave, and whom to ring.",
    Outcome.REFER_TO_ORIGINATOR: "No content leaves; the requester is told whom to ask.",
    Outcome.WITHHOLD: "Nothing of the record leaves; that it was refused, and why in a word, is visible.",
    Outcome.WITHHOLD_SILENT: "Nothing leaves, and the answer cannot be told from having nothing to share.",
}
_OURS: Final = {
    FAILED: "A rule could not be worked out, so the record is closed until the safeguarding lead has seen it.",
    UNMARKED: "No rule says what the record may leave as, so it is closed until the safeguarding lead has seen it.",
}


@dataclass(frozen=True)
class Explained:
    """One rule that applied: its name, what it says, where it comes from, and what would have to change."""

    rule: str
    says: str
    source: str
    change: str
    at_most: str


@dataclass(frozen=True, repr=False)
class Explanation:
    """Why one record was decided on as it was."""

    decision: Decision
    gaps: tuple[Gap, ...]
    closed_by: tuple[Explained, ...]
    marked_by: tuple[Explained, ...]
    to_open: tuple[str, ...]

    def as_plain(self) -> dict[str, Any]:
        """Give the explanation as plain values."""
        return {
            "decision": self.decision.as_plain(),
            "gaps": [gap.as_plain() for gap in self.gaps],
            "closed_by": [vars(rule) for rule in self.closed_by],
            "marked_by": [vars(rule) for rule in self.marked_by],
            "to_open": list(self.to_open),
        }

    def lines(self) -> Iterator[str]:
        """Give the explanation as lines of text."""
        decision = self.decision
        yield f"{decision.record_id}: {decision.outcome}. {WHAT_LEAVES[decision.outcome]}"
        yield from _listed("The request goes back:", [f"{gap.message} ({gap.requirement})" for gap in self.gaps])
        yield from _listed("Closed by:", [f"{one.says} [{one.rule}; {one.source}]" for one in self.closed_by])
        yield from _listed("Goes with it:", [f"{one.says} [{one.rule}; {one.source}]" for one in self.marked_by])
        yield from _listed("Whom to ask:", decision.refer_to)
        yield from _listed("Before it is done, still to approve:", decision.approvals_needed)
        yield from _listed("To open it further:", self.to_open)


def explain_case(case: Case, *, pack: Pack) -> Explanation:
    """Explain the decision on the record of `case`."""
    assessment = assess_case(case, pack=pack)
    return explain(assessment.decisions[0], pack=pack, gaps=assessment.bounce)


def explain(decision: Decision, *, pack: Pack, gaps: tuple[Gap, ...] = ()) -> Explanation:
    """Explain `decision`, which `pack` made. `gaps`: of a request that goes back."""
    policies = [pack.ruling.policies[name] for name in decision.determined_by if name in pack.ruling.policies]
    closings = [policy for policy in policies if not policy.marks]
    ours = [_OURS[name] for name in decision.determined_by if name in _OURS]
    settling = [policy for policy in closings if policy.proposes in (None, decision.outcome)]
    changes = dict.fromkeys(policy.annotations.get("change", "") for policy in settling)
    changes |= dict.fromkeys(_limit(decision, pack=pack))
    return Explanation(
        decision=decision,
        gaps=gaps,
        closed_by=tuple(map(_explained, closings)),
        marked_by=tuple(_explained(policy) for policy in policies if policy.marks),
        to_open=(*ours, *filter(None, changes)),
    )


def _limit(decision: Decision, *, pack: Pack) -> Iterator[str]:
    """Say where the agency's own list of record types is what keeps the record from opening further."""
    facts = json.loads(decision.facts) if decision.facts else {"record": {}}
    if facts["record"].get("allows") == decision.outcome and decision.outcome is not Outcome.SHARE:
        yield f"{pack.kind} lists {facts['record']['record_type']} as one for {decision.outcome} at most (agency.toml)."


def _explained(policy: Policy) -> Explained:
    noted = policy.annotations
    return Explained(policy.id, noted["says"], noted["source"], noted.get("change", ""), str(policy.proposes or ""))


def _listed(heading: str, lines: tuple[str, ...] | list[str]) -> Iterator[str]:
    if lines:
        yield heading
        yield from (f"  - {line}" for line in lines)
