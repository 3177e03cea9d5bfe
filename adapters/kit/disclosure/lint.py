"""Rules that can never apply: the kind of mistake that leaves a record open while everybody believes it is closed.

For every rule, all values that its conditions speak of are tried, as far as a record of that agency can have them, and
Cedar is asked about the rule alone. The search is over what a rule mentions, so it is complete for what it says: a rule
that is reported here applies to no record that the agency's facts allow.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from typing import Any, Final

from adapters.kit.disclosure.cedar import RuleSet, print_policies
from adapters.kit.disclosure.pack import Pack, load_pack
from adapters.kit.disclosure.policy import Policy
from adapters.kit.disclosure.possible import contexts, records, requests, values_of
from adapters.kit.disclosure.vocabulary import ANSWER
from schemas.agency import AGENCY_KINDS

_MOST_TRIALS: Final = 50_000
_ONE_OF_GROUP: Final = {"mark_anything": "mark_shared", "mark_content": "mark_shared"}


@dataclass(frozen=True)
class Finding:
    """One rule that can never apply, and why."""

    agency: str
    rule: str
    why: str

    def as_plain(self) -> dict[str, str]:
        """Give the finding as plain values."""
        return {"agency": self.agency, "rule": self.rule, "why": self.why}

    def line(self) -> str:
        """Give the finding as one line of text."""
        return f"{self.agency}: {self.rule} can never apply: {self.why}"


def idle_rules(kinds: tuple[str, ...]) -> tuple[Finding, ...]:
    """Find the idle rules of these kinds, and the common rules that are idle at all fourteen."""
    own = [finding for kind in kinds for finding in idle_in(load_pack(kind))]
    return (*own, *_idle_common())


def idle_in(pack: Pack) -> tuple[Finding, ...]:
    """Find those of a pack's own rules that can never apply."""
    idle = (policy for policy in pack.own if not applies(policy, pack=pack))
    return tuple(Finding(pack.kind, policy.id, _why(policy, pack=pack)) for policy in idle)


def applies(policy: Policy, *, pack: Pack) -> bool:
    """Say whether there is anything at all to which `policy` applies in `pack`."""
    alone = RuleSet(print_policies([policy.plain]), schema=pack.files.schema)
    action = _an_action(policy)
    mentioned, literals = _mentioned(policy.plain["conditions"])
    kind = "Request" if action == ANSWER else "Record"
    entities = requests(literals) if action == ANSWER else records(mentioned, literals, agency=pack.agency)
    around = [{}] if action == ANSWER else list(contexts(mentioned, literals))
    trials = islice(product(entities, around), _MOST_TRIALS)
    return any(_hit(alone, action, kind=kind, holder=pack.kind, trial=trial) for trial in trials)


def _hit(
    alone: RuleSet, action: str, kind: str, holder: str, trial: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> bool:

    attributes, context = trial
    entities = alone.entities(kind, {"one": json.dumps(attributes)})
    (answer,) = alone.ask([(action, (kind, "one"), json.dumps(context))], holder=holder, entities=entities)
    return bool(answer.policies)


def _an_action(policy: Policy) -> str:
    """Give one action to which the rule speaks; every group of the ladder holds `share`."""
    if policy.proposes:
        return "share"
    action = min(policy.actions)
    return _ONE_OF_GROUP.get(action, action)


def _idle_common() -> Iterator[Finding]:
    packs = [load_pack(kind) for kind in AGENCY_KINDS]
    for policy in packs[0].common:
        if not any(applies(policy, pack=pack) for pack in packs):
            yield Finding("common", policy.id, _why(policy, pack=packs[0]))


def _mentioned(plain: Any) -> tuple[frozenset[str], frozenset[str]]:
    """Give the attributes and the literal words that stand in conditions, as Cedar's JSON has them."""
    attributes, literals = set(), set()
    for node in _nodes(plain):
        attributes |= {node["attr"]} if "attr" in node else set()
        literals |= {node["Value"]} if isinstance(node.get("Value"), str) else set()
    return frozenset(attributes), frozenset(literals)


def _nodes(plain: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(plain, Mapping):
        yield plain
        plain = list(plain.values())
    if isinstance(plain, list):
        for inner in plain:
            yield from _nodes(inner)


def _why(policy: Policy, *, pack: Pack) -> str:
    mentioned, literals = _mentioned(policy.plain["conditions"])
    stray = sorted(literals - values_of(mentioned, agency=pack.agency))
    if stray:
        return f"no record here can have {', '.join(stray)}"
    return "its conditions exclude one another, or the facts of the agency exclude them"
