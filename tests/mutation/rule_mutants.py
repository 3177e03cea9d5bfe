"""Small faults to put into the disclosure rules, one at a time: a lost policy, a lost condition, another word.

Pure: the texts of one rule file in, changed texts out. A fault is named by the policy's `@id` or by the type of record,
and by what was done to it.
"""

import copy
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from adapters.kit.disclosure.cedar import parse, print_policies
from schemas.content.codes import OUTCOMES_OPEN_TO_STRICT

# Prose and bookkeeping: what a decision is made of does not depend on them.
_PROSE: Final = frozenset({"id", "says", "source", "change"})
_GROUPS: Final = tuple(f"more_open_than_{outcome}" for outcome in OUTCOMES_OPEN_TO_STRICT[1:])
# A line permits up to its outcome: one that withholds silently permits what one that withholds does, nothing.
_RUNGS_OF_A_LINE: Final = OUTCOMES_OPEN_TO_STRICT[:-1]
_SWAPPED: Final = {"&&": "||", "||": "&&", "==": "!=", "!=": "=="}


@dataclass(frozen=True)
class RuleMutant:
    """One fault: what was done to which policy or type, and the whole file with it."""

    name: str
    change: str
    text: str

    def __str__(self) -> str:
        return f"{self.name}: {self.change}"


def policy_mutants(text: str) -> Iterator[RuleMutant]:
    """Give every fault for one file of policies."""
    policies = list(parse(text))
    for number, policy in enumerate(policies):
        name = policy["annotations"]["id"]
        yield RuleMutant(name, "dropped", print_policies([*policies[:number], *policies[number + 1 :]]))
        for change, faulty in _faulty(policy):
            changed = [*policies[:number], faulty, *policies[number + 1 :]]
            yield RuleMutant(name, change, print_policies(changed))


def _faulty(policy: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    flipped = {"permit": "forbid", "forbid": "permit"}[policy["effect"]]
    yield f"{policy['effect']} -> {flipped}", {**policy, "effect": flipped}
    yield from _annotations(policy)
    yield from _scopes(policy)
    for number, condition in enumerate(policy["conditions"]):
        rest = [*policy["conditions"][:number], *policy["conditions"][number + 1 :]]
        yield "condition dropped", {**policy, "conditions": rest}
        other = {"when": "unless", "unless": "when"}[condition["kind"]]
        yield f"{condition['kind']} -> {other}", {**policy, "conditions": [*rest, {**condition, "kind": other}]}
        for change, body in _bodies(condition["body"]):
            yield change, {**policy, "conditions": [*rest, {**condition, "body": body}]}


def _annotations(policy: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    annotations = policy["annotations"]
    for name in annotations.keys() - _PROSE:
        words = (annotations[name] or "").split()
        for word in words:
            left = " ".join(other for other in words if other != word)
            kept = {**annotations, name: left} if left else {k: v for k, v in annotations.items() if k != name}
            yield f"@{name} without {word}", {**policy, "annotations": kept}


def _scopes(policy: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    action = policy["action"]
    group = action.get("entity", {}).get("id")
    if group in _GROUPS:
        place = _GROUPS.index(group)
        for other in (*_GROUPS[max(place - 1, 0) : place], *_GROUPS[place + 1 : place + 2]):
            yield f"{group} -> {other}", {**policy, "action": {**action, "entity": {**action["entity"], "id": other}}}
    for number, entity in enumerate(action.get("entities", ())):
        left = [*action["entities"][:number], *action["entities"][number + 1 :]]
        yield f"action {entity['id']} dropped", {**policy, "action": {**action, "entities": left}}


def _bodies(body: Any) -> Iterator[tuple[str, Any]]:
    """Give an expression with one fault in it, for every place in it that can have one."""
    if isinstance(body, list):
        for number, part in enumerate(body):
            if len(body) > 1:
                yield f"{_said(part)} dropped", [*body[:number], *body[number + 1 :]]
            for change, changed in _bodies(part):
                yield change, [*body[:number], changed, *body[number + 1 :]]
    if isinstance(body, Mapping):
        yield from _here(body)
        for key, part in body.items():
            for change, changed in _bodies(part):
                yield change, {**body, key: changed}


def _here(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for operator in body.keys() & _SWAPPED.keys():
        yield f"{operator} -> {_SWAPPED[operator]}", {_SWAPPED[operator]: copy.deepcopy(body[operator])}
    for operator in body.keys() & {"&&", "||"}:
        for side in ("left", "right"):
            yield f"{side} of {operator} alone", body[operator][side]
    if "!" in body:
        yield "! dropped", body["!"]["arg"]
    if isinstance(body.get("Value"), str):
        yield f"{body['Value']!r} changed", {"Value": f"XX{body['Value']}"}


def _said(part: Any) -> str:
    return repr(part.get("Value", "a part")) if isinstance(part, Mapping) else "a part"


def type_mutants(text: str) -> Iterator[RuleMutant]:
    """Give every fault for the facts and types of records of one agency (`agency.toml`)."""
    plain = tomllib.loads(text)
    for name, kind in plain["record_types"].items():
        line = next(line for line in text.splitlines() if line.startswith(f"{name} = "))
        place = _RUNGS_OF_A_LINE.index(kind["allows"])
        for other in _RUNGS_OF_A_LINE[max(place - 1, 0) : place] + _RUNGS_OF_A_LINE[place + 1 : place + 2]:
            faulty = line.replace(f'allows = "{kind["allows"]}"', f'allows = "{other}"')
            yield RuleMutant(name, f"{kind['allows']} -> {other}", text.replace(line, faulty))
        for trait in kind.keys() - {"allows"}:
            faulty = f"{name} = {_inline({key: value for key, value in kind.items() if key != trait})}"
            yield RuleMutant(name, f"{trait} dropped", text.replace(line, faulty))
        yield RuleMutant(name, "dropped", text.replace(line, ""))
    yield from _settings(text, plain)


def _settings(text: str, plain: Mapping[str, Any]) -> Iterator[RuleMutant]:
    for name in plain.keys() - {"kind", "version", "record_types", "approvers", "roles"}:
        line = next(line for line in text.splitlines() if line.startswith(f"{name} = "))
        faulty = f'{name} = "identity_checker"' if name == "safeguarding_lead" else ""
        yield RuleMutant(name, "dropped", text.replace(line, faulty))
    for name in plain.get("approvers", {}):
        line = next(line for line in text.splitlines() if line.startswith(f"{name} = "))
        yield RuleMutant(f"approvers.{name}", "dropped", text.replace(line, ""))


def _inline(values: Mapping[str, Any]) -> str:
    said = (
        f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}" for key, value in values.items()
    )
    return "{ " + ", ".join(said) + " }"
