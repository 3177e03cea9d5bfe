"""What adds up over every rule that applies (§1.2), and what of it an outcome carries (§2, §3.10, §3.11).

Approvals, conditions, reasons, alerts and redactions add up; lists of audiences are intersected, and no list at all is
nobody. Nothing loosens here: an approval only takes a role off those still needed (§1.3).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from adapters.kit.disclosure.decision import Decision
from adapters.kit.disclosure.policy import Policy
from adapters.kit.disclosure.vocabulary import CONTENT, MARKING_OF, SAFEGUARDING_LEAD
from schemas.content.codes import Alert, Outcome, Reason

FAILED: Final = "a-policy-failed"
UNMARKED: Final = "nothing-marks-it"
_BEFORE_REFUSING: Final = {Outcome.WITHHOLD: "refusal_approver", Outcome.WITHHOLD_SILENT: "silence_approver"}
_REFERENCES: Final = {Outcome.REFER_TO_ORIGINATOR: "refer_to", Outcome.SUMMARISE: "refer_beside"}


def narrowed(policies: Iterable[Policy], annotation: str) -> tuple[str, ...]:
    """Intersect the lists of every policy that bears one; no list at all is nobody."""
    lists = [policy.words(annotation) for policy in policies if annotation in policy.annotations]
    if not lists:
        return ()
    return tuple(word for word in lists[0] if all(word in other for other in lists[1:]))


def _unique(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


@dataclass(frozen=True)
class Applied:
    """The rules that apply to one record at its outcome, the words behind their tokens, and who has approved it."""

    outcome: Outcome
    closings: tuple[Policy, ...]
    marks: tuple[Policy, ...]
    lists: Mapping[str, tuple[str, ...]]
    roles: Mapping[str, tuple[str, ...]]
    approved: frozenset[str]

    def decision(self, record_id: str, *, failed: bool, pack_hash: str, seen: str) -> Decision:
        """Add up. `failed`: a policy could not be evaluated; `seen`: the facts as JSON."""
        unsettled = failed or (self.outcome is Outcome.WITHHOLD and not self._settling())
        needed = self._needed(unsettled=unsettled)
        extra = (str(Reason.NEEDS_APPROVER),) if needed or unsettled else ()
        return Decision(
            record_id=record_id,
            outcome=self.outcome,
            reasons=_unique((*self._words("reason"), *extra)),
            grounds=_unique((*self._grounds(), *((str(Reason.NEEDS_APPROVER),) if unsettled else ()))),
            onward=narrowed(self.marks, "onward") if self.outcome in CONTENT else (),
            sealed_for=self._sealed_for(),
            approvals_needed=needed,
            conditions=self._words("conditions") if self.outcome in MARKING_OF else (),
            alerts=self._words("alert") if self.outcome in MARKING_OF else self._security(),
            redact=self._redact(),
            refer_to=self._refer_to(),
            determined_by=self._determined_by(failed=failed, unsettled=unsettled),
            pack_hash=pack_hash,
            facts_hash="sha256:" + hashlib.sha256(seen.encode()).hexdigest(),
            facts=seen,
        )

    def _words(self, annotation: str) -> tuple[str, ...]:
        return _unique(word for policy in (*self.closings, *self.marks) for word in policy.words(annotation))

    def _settling(self) -> tuple[Policy, ...]:
        """Give the policies that propose this very outcome, the strictest that applies."""
        return tuple(policy for policy in self.closings if policy.proposes is self.outcome)

    def _grounds(self) -> tuple[str, ...]:
        return tuple(word for policy in self._settling() for word in policy.words("reason"))

    def _needed(self, *, unsettled: bool) -> tuple[str, ...]:
        annotation = "approver" if self.outcome in MARKING_OF else _BEFORE_REFUSING.get(self.outcome, "")
        roles = [*self._resolved(annotation), *(self.roles[SAFEGUARDING_LEAD] if unsettled else ())]
        writers = self._resolved("writer") if self.outcome in MARKING_OF else ()
        return _unique((*(role for role in roles if role not in self.approved), *writers))

    def _resolved(self, annotation: str) -> tuple[str, ...]:
        return tuple(role for word in self._words(annotation) for role in self.roles.get(word, (word,)))

    def _sealed_for(self) -> tuple[str, ...]:
        """A sealed part goes only where every ground for indicating permits it, and a wording stands ready."""
        if self.outcome is not Outcome.INDICATE_ONLY:
            return ()
        wording = narrowed(self.marks, "seals")
        grounds = [policy.words("seals") for policy in self._settling()]
        return tuple(word for word in wording if all(word in seals for seals in grounds))

    def _security(self) -> tuple[str, ...]:
        return tuple(word for word in self._words("alert") if word == Alert.SECURITY)

    def _redact(self) -> tuple[str, ...]:
        tokens = self._words("redact")
        return _unique(word for token in tokens for word in self.lists.get(token, (token,)))

    def _refer_to(self) -> tuple[str, ...]:
        annotation = _REFERENCES.get(self.outcome, "")
        return _unique(code for token in self._words(annotation) for code in self.lists[token])

    def _determined_by(self, *, failed: bool, unsettled: bool) -> tuple[str, ...]:
        ours = (FAILED,) if failed else (UNMARKED,) if unsettled else ()
        return (*ours, *(policy.id for policy in (*self.closings, *self.marks)))
