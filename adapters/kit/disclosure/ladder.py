"""How decisions combine (§1): the ladder of outcomes is asked from the most open downwards, for many records at once.

Guarantees: nothing is decided here that the rules did not answer. A rung that Cedar did not allow is closed; a policy
that failed, or an outcome that no rule marks, withholds the record for the safeguarding lead. What is asked about one
record does not change what is answered about another.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.kit.disclosure.cedar import Answer, Entities, RuleSet
from adapters.kit.disclosure.combine import Applied, narrowed
from adapters.kit.disclosure.decision import Decision
from adapters.kit.disclosure.facts import RecordFacts
from adapters.kit.disclosure.policy import Policy
from adapters.kit.disclosure.request_facts import Circumstances
from adapters.kit.disclosure.vocabulary import MARKING_OF, TEAM
from schemas.content.codes import OUTCOMES_OPEN_TO_STRICT, Outcome

_RUNG: Final = {outcome: rung for rung, outcome in enumerate(OUTCOMES_OPEN_TO_STRICT)}
_WITHHOLD: Final = _RUNG[Outcome.WITHHOLD]
_RECORD: Final = "Record"


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


@dataclass(frozen=True)
class Asked:
    """One record to be decided on: its id, its facts, and the roles that have approved it for this request."""

    record_id: str
    facts: RecordFacts
    approved: frozenset[str]


@dataclass
class _Question:
    """One record on its way down the ladder."""

    asked: Asked
    entity: str
    context: Mapping[str, Any]
    context_json: str
    rung: int = 0
    failed: bool = False
    closings: set[str] = field(default_factory=set)
    marks: tuple[Policy, ...] = ()

    @property
    def outcome(self) -> Outcome:
        return OUTCOMES_OPEN_TO_STRICT[self.rung]


def decide_all(records: Sequence[Asked], *, circumstances: Circumstances, ruling: Ruling) -> tuple[Decision, ...]:
    """Decide on every record, in their order."""
    questions = _questions(records, circumstances=circumstances)
    entities = ruling.closing.entities(_RECORD, {one.entity: one.asked.facts.entity_json for one in questions})
    table = _Table(ruling, entities)
    if circumstances.addressee not in TEAM:
        table.find_audiences(questions, circumstances=circumstances)
    table.walk(questions)
    table.mark([question for question in questions if question.outcome in MARKING_OF])
    return tuple(_decision(question, ruling=ruling) for question in questions)


def _questions(records: Sequence[Asked], *, circumstances: Circumstances) -> list[_Question]:
    context = circumstances.plain(onward_if_shared=())
    text = json.dumps(context, sort_keys=True)
    return [_Question(asked, f"record-{number}", context, text) for number, asked in enumerate(records)]


def _decision(question: _Question, *, ruling: Ruling) -> Decision:
    asked = question.asked
    applied = Applied(
        question.outcome,
        ruling.named(question.closings),
        question.marks,
        asked.facts.lists,
        ruling.roles,
        asked.approved,
    )
    seen = asked.facts.canonical(question.context_json)
    return applied.decision(asked.record_id, failed=question.failed, pack_hash=ruling.pack_hash, seen=seen)


@dataclass(frozen=True)
class _Table:
    """The records of one response, before the rules of one pack."""

    ruling: Ruling
    entities: Entities

    def find_audiences(self, questions: Sequence[_Question], *, circumstances: Circumstances) -> None:
        """Learn who might receive each record if it were shared, for an addressee outside the team (§6.18)."""
        marking = MARKING_OF[Outcome.SHARE]
        for question, answer in self._ask(self.ruling.marking, [(one, marking) for one in questions]):
            marks = self.ruling.named(answer.policies)
            question.context = circumstances.plain(onward_if_shared=narrowed(marks, "onward"))
            question.context_json = json.dumps(question.context, sort_keys=True)

    def walk(self, questions: Sequence[_Question]) -> None:
        """Ask rung by rung, passing over those that a rule which already applied has closed."""
        waiting = list(questions)
        while waiting:
            asked = [(question, str(question.outcome)) for question in waiting]
            answers = self._ask(self.ruling.closing, asked)
            waiting = [question for question, answer in answers if self._goes_on(question, answer)]

    def _goes_on(self, question: _Question, answer: Answer) -> bool:
        """Let a record stop where it is allowed, or go down to what closed it; say whether it is to be asked again."""
        if answer.allows and not (question.failed and question.rung < _WITHHOLD):
            self._refuse_an_empty_referral(question)
            return False
        proposed = {name: self.ruling.policies[name].proposes for name in answer.policies}
        closings = {name: _RUNG[outcome] for name, outcome in proposed.items() if outcome is not None}
        question.closings.update(closings)
        question.rung = max([question.rung + 1, *closings.values()])
        return question.outcome is not Outcome.WITHHOLD_SILENT

    def _refuse_an_empty_referral(self, question: _Question) -> None:
        if question.outcome is Outcome.REFER_TO_ORIGINATOR and not question.asked.facts.lists["controllers"]:
            question.rung = _WITHHOLD

    def mark(self, questions: Sequence[_Question]) -> None:
        """Ask what goes with each record; what nothing marks is withheld."""
        for question, answer in self._ask(self.ruling.marking, [(one, MARKING_OF[one.outcome]) for one in questions]):
            if answer.allows:
                question.marks = self.ruling.named(answer.policies)
            else:
                question.rung = _WITHHOLD

    def _ask(self, rules: RuleSet, asked: Sequence[tuple[_Question, str]]) -> Iterable[tuple[_Question, Answer]]:
        resources = [(action, (_RECORD, question.entity), question.context_json) for question, action in asked]
        answers = rules.ask(resources, holder=self.ruling.holder, entities=self.entities)
        for (question, _), answer in zip(asked, answers, strict=True):
            question.failed = question.failed or answer.failed
            yield question, answer
