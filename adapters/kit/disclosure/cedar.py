"""The one place that speaks to Cedar.

Guarantees: rules are validated strictly against the schema before they answer anything; every question is asked with
the schema; a question at which any policy failed is answered with a refusal that says so, because Cedar itself skips
a `forbid` that fails and would thereby open what it closes. Refuses to know what outcomes, records or persons are.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cedarpy

POLICIES: Final = "staticPolicies"
Entities = Any
# An action, a resource as entity type and name, and the context as JSON.
Question = tuple[str, tuple[str, str], str]


class RulesRefusedByCedarError(Exception):
    """The rule files do not parse, or do not agree with the schema. Correct the lines named; nothing has started."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


@dataclass(frozen=True)
class Answer:
    """What Cedar said to one question: whether it allows, by which policies (`@id`), and whether any failed."""

    allows: bool
    policies: tuple[str, ...]
    failed: bool


class RuleSet:
    """Policies parsed and validated once, asked many times. Pure: the same question has the same answer."""

    def __init__(self, text: str, *, schema: str) -> None:
        """Parse and validate `text`. Raises `RulesRefusedByCedarError`."""
        self._schema = _schema(schema)
        validation = cedarpy.validate_policies(text, self._schema)
        if not validation.validation_passed:
            raise RulesRefusedByCedarError([str(error) for error in validation.errors])
        self._policies = cedarpy.PolicySet.from_str(text)

    def entities(self, kind: str, attributes: Mapping[str, str]) -> Entities:
        """Hold entities, by name with their attributes as JSON, against the schema.

        Raises ValueError when an attribute is missing, unknown or mistyped.
        """
        names = ((json.dumps({"type": kind, "id": name}), plain) for name, plain in attributes.items())
        listed = ",".join(f'{{"uid":{uid},"attrs":{plain},"parents":[]}}' for uid, plain in names)
        return cedarpy.Entities.from_json_str(f"[{listed}]", self._schema)

    def ask(self, questions: Sequence[Question], *, holder: str, entities: Entities) -> list[Answer]:
        """Ask whether `holder` may do each action with each resource; one answer a question, in their order."""
        asked = [
            {
                "principal": {"type": "Agency", "id": holder},
                "action": {"type": "Action", "id": action},
                "resource": {"type": kind, "id": name},
                "context": context,
            }
            for action, (kind, name), context in questions
        ]
        results = cedarpy.is_authorized_batch(asked, self._policies, entities, schema=self._schema)
        return [_answer(result) for result in results]


def _answer(result: Any) -> Answer:
    failed = bool(result.diagnostics.errors)
    allows = result.decision is cedarpy.Decision.Allow and not failed
    return Answer(allows, tuple(result.diagnostics.id_annotations_by_reason.values()), failed)


def parse(text: str) -> tuple[Mapping[str, Any], ...]:
    """Give the policies of `text` as Cedar's own JSON, in their order. Raises `RulesRefusedByCedarError`.

    A template is refused: Cedar takes it for sound and asks it nothing, so that what it closes would be open.
    """
    try:
        plain = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        raise RulesRefusedByCedarError([str(error)]) from None
    if plain["templates"]:
        raise RulesRefusedByCedarError(
            [f"{name} is a template (`?principal`): it would apply to nobody" for name in plain["templates"]]
        )
    policies = plain[POLICIES]
    return tuple(policies[name] for name in sorted(policies, key=_number))


def print_policies(policies: Sequence[Mapping[str, Any]]) -> str:
    """Give Cedar text for policies as `parse` gave them, annotations included."""
    numbered = {f"policy{number}": policy for number, policy in enumerate(policies)}
    plain = {"templates": {}, POLICIES: numbered, "templateLinks": []}
    return cedarpy.policies_from_json_str(json.dumps(plain))


def _number(name: str) -> int:
    return int(name.removeprefix("policy"))


def _schema(text: str) -> Any:
    try:
        return cedarpy.Schema.from_str(text)
    except ValueError as error:
        raise RulesRefusedByCedarError([str(error)]) from None
