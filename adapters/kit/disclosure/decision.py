"""What the rules answer: a decision for each record, or the gaps for which a request goes back.

Values only, frozen. None of them contains a record's text. `repr` names no person.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.content.codes import Outcome

INCOMPLETE_RFI: Final = "INCOMPLETE_RFI"
_LEAVES: Final = frozenset({Outcome.SHARE, Outcome.SUMMARISE, Outcome.INDICATE_ONLY})


@dataclass(frozen=True)
class Gap:
    """One thing that a request lacks: its code, the requirement, the field, and what to do about it."""

    code: str
    requirement: str
    where: str
    message: str

    def as_plain(self) -> dict[str, str]:
        """Give the gap as plain values, for storing and for the list that goes back."""
        return {"code": self.code, "requirement": self.requirement, "where": self.where, "message": self.message}


@dataclass(frozen=True)
class Decision:
    """What may leave of one record, why, for whom, under which conditions, and who has still to approve.

    `reasons` are those of every rule that applies, for the holder; `grounds` are those of the rules that settle the
    outcome, and the only ones that a visible refusal may give to the requester (a record withheld as irrelevant must
    not tell of a live investigation). `facts` is the JSON that the decision rested on, `facts_hash` its SHA-256;
    neither depends on the approvals, so an approval can be held against them.
    """

    record_id: str
    outcome: Outcome
    reasons: tuple[str, ...] = ()
    grounds: tuple[str, ...] = ()
    onward: tuple[str, ...] = ()
    sealed_for: tuple[str, ...] = ()
    approvals_needed: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    redact: tuple[str, ...] = field(default=(), repr=False)
    refer_to: tuple[str, ...] = ()
    bounce: str | None = None
    determined_by: tuple[str, ...] = ()
    pack_hash: str = ""
    facts_hash: str = ""
    facts: str = field(default="", repr=False)

    @property
    def released(self) -> bool:
        """Say whether something of the record may leave now: content or indicator, and nobody left to ask."""
        return self.outcome in _LEAVES and not self.approvals_needed

    def as_plain(self) -> dict[str, Any]:
        """Give the decision under the field names of the worked cases, for printing and storing."""
        return {
            "record_id": self.record_id,
            "outcome": str(self.outcome),
            "reasons": list(self.reasons),
            "grounds": list(self.grounds),
            "onward": list(self.onward),
            "sealed_for": list(self.sealed_for),
            "approvals_needed": list(self.approvals_needed),
            "conditions": list(self.conditions),
            "alert": list(self.alerts),
            "redact": list(self.redact),
            "refer_to": plain_refer_to(self.refer_to),
            "bounce": self.bounce,
            "determined_by": list(self.determined_by),
            "pack_hash": self.pack_hash,
            "facts_hash": self.facts_hash,
        }


@dataclass(frozen=True)
class Assessment:
    """What a request leads to: its gaps where it goes back, warnings, and one decision a record, in their order."""

    decisions: tuple[Decision, ...]
    bounce: tuple[Gap, ...] = ()
    warnings: tuple[Gap, ...] = ()
    wrong_route: tuple[str, ...] = ()
    pack_hash: str = ""

    def by_record(self) -> Mapping[str, Decision]:
        """Give the decisions by record id."""
        return {decision.record_id: decision for decision in self.decisions}


def plain_refer_to(originators: tuple[str, ...]) -> str | list[str] | None:
    """Give whom to ask as the worked cases write it: nobody, one code, or a list of them."""
    if len(originators) <= 1:
        return originators[0] if originators else None
    return list(originators)
