"""A rule file as values: what each policy is called, says, closes, and adds.

Guarantees that a policy which closes does so for everything more open than one outcome, so that the ladder of
outcomes holds (§1.1); that an agency's own file contains no policy that opens anything; that no policy refuses without
a ground or refers to nobody (§1.7, LAW-27), and none silences on a ground outside the closed list (DIS-22); and that
every code in an annotation is a known one. Whatever is wrong is said with the policy's name, all of it at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from adapters.kit.disclosure import cedar
from adapters.kit.disclosure.vocabulary import (
    ANNOTATIONS,
    ANNOTATIONS_EVERY_RULE_HAS,
    ANSWER,
    MARKINGS,
    MORE_OPEN_THAN,
    ORIGINATOR_TOKENS,
    PERSON_TOKENS,
    REDACTED_KINDS,
    ROLE_TOKENS,
    SILENT_GROUNDS,
    STAND_ON_AN_INDICATOR,
)
from schemas.content.codes import Alert, Audience, Condition, Outcome, Reason

_ROLE_ANNOTATIONS: Final = ("approver", "writer", "refusal_approver", "silence_approver")
_NEED_A_GROUND: Final = frozenset({Outcome.WITHHOLD, Outcome.WITHHOLD_SILENT})
_CODES: Final = {
    "reason": frozenset(Reason),
    "conditions": frozenset(Condition),
    "onward": frozenset(Audience),
    "seals": frozenset(Audience),
    "alert": frozenset(Alert),
    "redact": PERSON_TOKENS | REDACTED_KINDS,
    "refer_to": ORIGINATOR_TOKENS,
    "refer_beside": ORIGINATOR_TOKENS,
}


@dataclass(frozen=True)
class Policy:
    """One policy. `proposes` is the outcome that it leaves at most, None for a permission or a marking."""

    id: str
    proposes: Outcome | None
    actions: frozenset[str]
    annotations: Mapping[str, str]
    plain: Mapping[str, Any]

    def words(self, annotation: str) -> tuple[str, ...]:
        """Give the codes of one annotation in their order; none where the policy does not bear it."""
        return tuple(self.annotations.get(annotation, "").split())

    @property
    def marks(self) -> bool:
        """Say whether this is a marking, which opens and closes nothing."""
        return self.actions <= MARKINGS


def read_policies(text: str) -> tuple[Policy, ...]:
    """Read a rule file. Raises `cedar.RulesRefusedByCedarError` when it does not parse."""
    return tuple(_policy(plain) for plain in cedar.parse(text))


def problems(policies: Iterable[Policy], *, own_file: bool, roles: frozenset[str]) -> Iterator[str]:
    """Say everything that is wrong with `policies`. `own_file`: an agency's, which may close and mark but not open."""
    seen: set[str] = set()
    for policy in policies:
        if policy.id in seen:
            yield f"{policy.id}: the name is used twice"
        seen.add(policy.id)
        found = (*_shape(policy, own_file=own_file), *_refusal(policy), *_words(policy, roles=roles))
        for problem in found:
            yield f"{policy.id or 'a policy without @id'}: {problem}"


def _policy(plain: Mapping[str, Any]) -> Policy:
    actions = _actions(plain["action"])
    closes = plain["effect"] == "forbid"
    proposes = next((MORE_OPEN_THAN[action] for action in actions if action in MORE_OPEN_THAN), None)
    annotations = {key: value or "" for key, value in plain.get("annotations", {}).items()}
    return Policy(annotations.get("id", ""), proposes if closes else None, actions, annotations, plain)


def _actions(scope: Mapping[str, Any]) -> frozenset[str]:
    entities = scope.get("entities") or ([scope["entity"]] if "entity" in scope else [])
    return frozenset(entity["id"] for entity in entities)


def _shape(policy: Policy, *, own_file: bool) -> Iterator[str]:
    closes = policy.plain["effect"] == "forbid"
    if closes and not (len(policy.actions) == 1 and policy.actions <= MORE_OPEN_THAN.keys() | {ANSWER}):
        yield 'a rule that closes names exactly one group: action in Action::"more_open_than_…"'
    if closes and policy.plain["action"]["op"] == "==" and policy.actions != {ANSWER}:
        yield "a rule that closes names its group with `in`, not with `==`"
    if closes and ANSWER not in policy.actions and not set(policy.words("conditions")) <= STAND_ON_AN_INDICATOR:
        yield "a rule that closes may add only conditions that stand on an indicator"
    if not closes and not policy.actions:
        yield "a permission names its actions"
    if not closes and own_file and not policy.marks:
        yield "an agency's own rules may close and mark; they never open"
    if policy.actions & {"mark_anything", "mark_indicated"} and not (
        set(policy.words("conditions")) <= STAND_ON_AN_INDICATOR
    ):
        yield "an indicator must give nothing away: this condition may not stand on it"


def _refusal(policy: Policy) -> Iterator[str]:
    """Say what a policy that refuses or refers does not tell those who have to answer for it."""
    if policy.proposes in _NEED_A_GROUND and not policy.words("reason"):
        yield "a rule that refuses gives its ground: @reason is missing (LAW-27)"
    if policy.proposes is Outcome.REFER_TO_ORIGINATOR and not policy.words("refer_to"):
        yield "a rule that refers says to whom: @refer_to is missing"
    if policy.proposes is not Outcome.WITHHOLD_SILENT:
        return
    if not set(policy.words("reason")) <= SILENT_GROUNDS:
        yield f"silence rests on {', '.join(sorted(SILENT_GROUNDS))} and on nothing else (DIS-22)"
    if not policy.words("silence_approver"):
        yield "silence needs a second approver: @silence_approver is missing (DIS-22)"


def _words(policy: Policy, *, roles: frozenset[str]) -> Iterator[str]:
    for name in ANNOTATIONS_EVERY_RULE_HAS:
        if not policy.annotations.get(name, "").strip():
            yield f"@{name} is missing"
    yield from (f"@{name} is no annotation of ours" for name in sorted(policy.annotations.keys() - ANNOTATIONS))
    for name, known in _CODES.items():
        yield from (f"@{name}: {word} is no known code" for word in policy.words(name) if word not in known)
    for name in _ROLE_ANNOTATIONS:
        known_roles = roles | ROLE_TOKENS
        yield from (f"@{name}: {word} is no known role" for word in policy.words(name) if word not in known_roles)
