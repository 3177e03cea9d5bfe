"""How decisions combine (§1): the ladder is asked from the most open outcome downwards, and what applies adds up.

Guarantees: nothing is decided here that the rules did not answer. A rung that Cedar did not allow is closed; a policy
that failed, or an outcome that no rule marks, withholds the record for the safeguarding lead.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.kit.disclosure.cedar import Answer, RuleSet
from adapters.kit.disclosure.decision import Decision
from adapters.kit.disclosure.facts import RecordFacts
from adapters.kit.disclosure.policy import Policy
from adapters.kit.disclosure.request_facts import Circumstances
from adapters.kit.disclosure.vocabulary import CONTENT, MARKING_OF, SAFEGUARDING_LEAD, TEAM
from schemas.content.codes import OUTCOMES_OPEN_TO_STRICT, Alert, Outcome, Reason

FAILED: Final = "a-policy-failed"
UNMARKED: Final = "nothing-marks-it"
_RUNG: Final = {outcome: rung for rung, outcome in enumerate(OUTCOMES_OPEN_TO_STRICT)}
_ENTITY_NAME: Final = "record"


@dataclass(frozen=True)
class Ruling:
    """What the rules of one pack answer with: parsed policies by name, roles behind tokens, and the pack's hash."""

    holder: str
    closing: RuleSet
    marking: RuleSet
    policies: Mapping[str, Policy]
    order: Mapping[str, int]
    roles: Mapping[str, tuple[str, ...]]
    pack_hash: str

    def named(self, names: Iterable[str]) -> tuple[Policy, ...]:
        """Give the policies of these names in the order of the checks (§3)."""
        return tuple(self.policies[name] for name in sorted(names, key=self.order.__getitem__))


@dataclass
class _Question:
    """One record held against one pack, while it is being asked about."""

    ruling: Ruling
    entity: Any
    context: str
    failed: bool = False
    closings: set[str] = field(default_factory=set)

    def ask(self, outcome: Outcome) -> Answer:
        return self._put(self.ruling.closing, str(outcome))

    def ask_marking(self, marking: str) -> Answer:
        return self._put(self.ruling.marking, marking)

    def proposes(self, name: str) -> Outcome | None:
        return self.ruling.policies[name].proposes

    def _put(self, rules: RuleSet, action: str) -> Answer:
        answer = rules.ask(
            action,
            holder=self.ruling.holder,
            resource=("Record", _ENTITY_NAME),
            entity=self.entity,
            context=self.context,
        )
        self.failed = self.failed or answer.failed
        return answer


def decide(
    record_id: str, facts: RecordFacts, *, circumstances: Circumstances, ruling: Ruling, approved: frozenset[str]
) -> Decision:
    """Decide on one record. `approved`: the roles that have approved this record for this request."""
    question, context = _opened(facts, circumstances=circumstances, ruling=ruling)
    outcome = _walk(question)
    if outcome is Outcome.REFER_TO_ORIGINATOR and not facts.lists["controllers"]:
        outcome = Outcome.WITHHOLD
    marks: tuple[Policy, ...] = ()
    if outcome in MARKING_OF:
        answer = question.ask_marking(MARKING_OF[outcome])
        marks = ruling.named(answer.policies) if answer.allows else ()
        outcome = outcome if answer.allows else Outcome.WITHHOLD
    seen = facts.canonical(context)
    closings = ruling.named(question.closings)
    result = _Combined(outcome, closings, marks, facts.lists, ruling.roles, approved)
    return result.decision(record_id, failed=question.failed, pack_hash=ruling.pack_hash, seen=seen)


def _opened(facts: RecordFacts, *, circumstances: Circumstances, ruling: Ruling) -> tuple[_Question, Mapping[str, Any]]:
    entity = ruling.closing.entity("Record", _ENTITY_NAME, facts.entity)
    context = circumstances.plain(onward_if_shared=())
    question = _Question(ruling, entity, json.dumps(context))
    if circumstances.addressee not in TEAM:
        marks = ruling.named(question.ask_marking(MARKING_OF[Outcome.SHARE]).policies)
        context = circumstances.plain(onward_if_shared=_narrowed(marks, "onward"))
        question.context = json.dumps(context)
    return question, context


def _walk(question: _Question) -> Outcome:
    """Ask the rungs from `share` downwards, and pass over those that a rule which already applied has closed."""
    rung = 0
    while rung < len(OUTCOMES_OPEN_TO_STRICT) - 1:
        outcome = OUTCOMES_OPEN_TO_STRICT[rung]
        answer = question.ask(outcome)
        if answer.allows and not (question.failed and rung < _RUNG[Outcome.WITHHOLD]):
            return outcome
        closings = {name: proposes for name in answer.policies if (proposes := question.proposes(name))}
        question.closings.update(closings)
        at_least = max((_RUNG[proposes] for proposes in closings.values()), default=0)
        rung = max(rung + 1, at_least, _RUNG[Outcome.WITHHOLD] if question.failed else 0)
    return Outcome.WITHHOLD_SILENT


def _narrowed(policies: Iterable[Policy], annotation: str) -> tuple[str, ...]:
    """Intersect the lists of every policy that bears one; no list at all is nobody."""
    lists = [policy.words(annotation) for policy in policies if annotation in policy.annotations]
    if not lists:
        return ()
    return tuple(word for word in lists[0] if all(word in other for other in lists[1:]))


def _unique(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


@dataclass(frozen=True)
class _Combined:
    """What adds up over every policy that applies (§1.2), and what of it an outcome carries (§2, §3.10, §3.11)."""

    outcome: Outcome
    closings: tuple[Policy, ...]
    marks: tuple[Policy, ...]
    lists: Mapping[str, tuple[str, ...]]
    roles: Mapping[str, tuple[str, ...]]
    approved: frozenset[str]

    def decision(self, record_id: str, *, failed: bool, pack_hash: str, seen: str) -> Decision:
        unsettled = failed or (self.outcome is Outcome.WITHHOLD and not self._settling())
        needed = self._needed(unsettled=unsettled)
        extra = (Reason.NEEDS_APPROVER,) if needed or unsettled else ()
        return Decision(
            record_id=record_id,
            outcome=self.outcome,
            reasons=_unique((*self._words("reason"), *extra)),
            grounds=_unique((*self._grounds(), *((Reason.NEEDS_APPROVER,) if unsettled else ()))),
            onward=_narrowed(self.marks, "onward") if self.outcome in CONTENT else (),
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
        asked = {Outcome.WITHHOLD: "refusal_approver", Outcome.WITHHOLD_SILENT: "silence_approver"}
        annotation = "approver" if self.outcome in MARKING_OF else asked.get(self.outcome, "")
        roles = [*self._resolved(annotation), *(self.roles[SAFEGUARDING_LEAD] if unsettled else ())]
        writers = self._resolved("writer") if self.outcome in MARKING_OF else ()
        return _unique((*(role for role in roles if role not in self.approved), *writers))

    def _resolved(self, annotation: str) -> tuple[str, ...]:
        return tuple(role for word in self._words(annotation) for role in self.roles.get(word, (word,)))

    def _sealed_for(self) -> tuple[str, ...]:
        """A sealed part goes only where every ground for indicating permits it, and a wording stands ready."""
        if self.outcome is not Outcome.INDICATE_ONLY:
            return ()
        wording = _narrowed(self.marks, "seals")
        grounds = [policy.words("seals") for policy in self._settling()]
        return tuple(word for word in wording if grounds and all(word in seals for seals in grounds))

    def _security(self) -> tuple[str, ...]:
        return tuple(word for word in self._words("alert") if word == Alert.SECURITY)

    def _redact(self) -> tuple[str, ...]:
        tokens = self._words("redact")
        return _unique(word for token in tokens for word in self.lists.get(token, (token,)))

    def _refer_to(self) -> tuple[str, ...]:
        annotation = {Outcome.REFER_TO_ORIGINATOR: "refer_to", Outcome.SUMMARISE: "refer_beside"}.get(self.outcome, "")
        return _unique(code for token in self._words(annotation) for code in self.lists[token])

    def _determined_by(self, *, failed: bool, unsettled: bool) -> tuple[str, ...]:
        ours = (FAILED,) if failed else (UNMARKED,) if unsettled else ()
        return (*ours, *(policy.id for policy in (*self.closings, *self.marks)))
