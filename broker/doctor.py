"""Names everything about a live broker that is not as the table and the house rules want it.

`diagnose` is pure: it judges an `Observation`, which `observe` reads over the management interface. Whatever cannot be
read is a deviation itself: silence is no proof of health.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from broker.errors import ManagementRefused
from broker.management import Management, read_state
from broker.provision import Accounts, Action, State, desired_state, plan
from broker.topology import DEAD_QUEUE, Topology

_MECHANISMS: Final = frozenset({"EXTERNAL"})
_FLAGS: Final = ("quorum_queue", "stream_queue", "user_limits")
"""At-least-once dead-lettering needs `stream_queue` on 3.10; a quiet fallback to at-most-once would lose messages."""


_REPORT_SECONDS: Final = 20


@dataclass(frozen=True)
class Deviation:
    """One thing that is not as it should be: a stable code, what it is about, and a sentence for the operator."""

    code: str
    subject: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.code} {self.subject}: {self.sentence}"


@dataclass(frozen=True)
class Observation:
    """What the management interface said, row by row as it said it."""

    state: State
    operator: str
    nodes: Sequence[Mapping[str, Any]]
    listeners: Sequence[Mapping[str, Any]]
    vhosts: Sequence[str]
    users: Sequence[Mapping[str, Any]]
    queues: Sequence[Mapping[str, Any]]
    flags: Mapping[str, str]
    certificates_are_good: bool


async def observe(management: Management) -> Observation:
    """Read everything that `diagnose` judges. Raises `Unreachable` and `ManagementRefused`."""
    nodes, queues = await _reports(management)
    return Observation(
        state=await read_state(management),
        operator=management.operator,
        nodes=nodes,
        listeners=(await management.get("overview"))["listeners"],
        vhosts=[row["name"] for row in await management.get("vhosts")],
        users=await management.get("users"),
        queues=queues,
        flags={row["name"]: row["state"] for row in await management.get("feature-flags")},
        certificates_are_good=await _certificates_are_good(management),
    )


async def _reports(management: Management) -> tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]:
    """Read nodes and queues once all have reported: a node says nothing for 5 s after its start, a queue for 10."""
    for _ in range(_REPORT_SECONDS):
        nodes, queues = await management.get("nodes"), await _queues(management)
        silent = [row for row in nodes if "auth_mechanisms" not in row]
        silent += [row for row in queues if "effective_policy_definition" not in row]
        if not silent:
            break
        await asyncio.sleep(1)
    return nodes, queues


async def _queues(management: Management) -> Sequence[Mapping[str, Any]]:
    """Read the queues one by one: only a queue's own page tells the policy that is really in effect."""
    vhost = quote(management.vhost, safe="")
    names = [row["name"] for row in await management.get(f"queues/{vhost}?columns=name")]
    return [await management.get(f"queues/{vhost}/{quote(name, safe='')}") for name in names]


async def _certificates_are_good(management: Management) -> bool:
    try:
        await management.get("health/checks/certificate-expiration/1/months")
    except ManagementRefused:
        return False
    return True


def diagnose(topology: Topology, seen: Observation, *, accounts: Accounts) -> tuple[Deviation, ...]:
    """List every deviation, in the order of the checks; none means that the broker is as it should be."""
    drift = [
        Deviation(_DRIFT[change.action], str(change.item), _DRIFT_SENTENCES[change.action])
        for change in plan(desired_state(topology, accounts=accounts), seen.state, drained=topology.drained)
    ]
    return (*drift, *(deviation for check in _CHECKS for deviation in check(topology, seen)))


_DRIFT: Final = {
    Action.CREATE: "D01",
    Action.UPDATE: "D02",
    Action.DELETE: "D03",
    Action.CONFLICT: "D04",
    Action.DRAIN: "D05",
}
_DRIFT_SENTENCES: Final = {
    Action.CREATE: "is missing; run mash-hub apply",
    Action.UPDATE: "is not as the table says; run mash-hub apply",
    Action.DELETE: "is one too many; run mash-hub apply",
    Action.CONFLICT: "cannot be changed without losing messages; drain it and remove it by hand",
    Action.DRAIN: "belongs to somebody who has left; run mash-hub apply, which drains it and deletes it",
}


def _mechanisms(topology: Topology, seen: Observation) -> Iterator[Deviation]:
    for node in seen.nodes:
        offered = {row["name"] for row in node.get("auth_mechanisms", ()) if row["enabled"]}
        for name in sorted(offered - _MECHANISMS):
            yield Deviation("D10", f"mechanism {name}", "is on; a password over another's certificate logs in with it")
        if not offered >= _MECHANISMS:
            yield Deviation("D11", "mechanism EXTERNAL", "is off; nobody can log in with a certificate")


def _listeners(topology: Topology, seen: Observation) -> Iterator[Deviation]:
    for listener in seen.listeners:
        if listener["protocol"] == "amqp":
            yield Deviation("D12", f"port {listener['port']}", "speaks AMQP without TLS (SEC-01)")


def _accounts(topology: Topology, seen: Observation) -> Iterator[Deviation]:
    for user in seen.users:
        tags = user["tags"] if isinstance(user["tags"], list) else user["tags"].split(",")
        if user["name"] == "guest":
            yield Deviation("D13", "user guest", "exists, and everybody knows its password")
        elif "administrator" in tags and user["name"] != seen.operator:
            yield Deviation("D14", f"user {user['name']}", "is an administrator beside the operator")


def _vhosts(topology: Topology, seen: Observation) -> Iterator[Deviation]:
    if "/" in seen.vhosts:
        yield Deviation("D15", "vhost /", "exists; the hub uses one vhost, and this one is everybody's default")


def _policies(topology: Topology, seen: Observation) -> Iterator[Deviation]:
    for queue in seen.queues:
        policy = topology.policy_of(queue["name"])
        if policy is None:
            continue
        if queue.get("effective_policy_definition") != dict(policy.definition):
            yield Deviation("D20", f"queue {queue['name']}", f"is not under the policy {policy.name} that is meant")
        if queue.get("operator_policy"):
            yield Deviation("D21", f"queue {queue['name']}", "is under an operator policy, which overrides ours")


def _flags(topology: Topology, seen: Observation) -> Iterator[Deviation]:
    for name in _FLAGS:
        # A release that no longer knows a flag has made it permanent.
        if seen.flags.get(name, "enabled") != "enabled":
            yield Deviation("D22", f"feature flag {name}", "is off; dead letters or limits would quietly not work")


def _certificates(topology: Topology, seen: Observation) -> Iterator[Deviation]:
    if not seen.certificates_are_good:
        yield Deviation("D23", "the broker's certificate", "has expired, or does within a month")


def _consumers(topology: Topology, seen: Observation) -> Iterator[Deviation]:
    for queue in seen.queues:
        if queue["name"] != DEAD_QUEUE and not queue.get("consumers"):
            yield Deviation("D30", f"queue {queue['name']}", "has no consumer: its messages wait for nobody")


def _dead_letters(topology: Topology, seen: Observation) -> Iterator[Deviation]:
    for queue in seen.queues:
        if queue["name"] == DEAD_QUEUE and queue.get("messages"):
            yield Deviation("D31", f"queue {DEAD_QUEUE}", f"holds {queue['messages']} dead letters: replay them")


def _members(topology: Topology, seen: Observation) -> Iterator[Deviation]:
    for queue in seen.queues:
        if set(queue.get("members", ())) - set(queue.get("online", ())):
            yield Deviation("D32", f"queue {queue['name']}", "has a member that is not online")


def _nodes(topology: Topology, seen: Observation) -> Iterator[Deviation]:
    for node in seen.nodes:
        subject = f"node {node['name']}"
        if not node.get("running"):
            yield Deviation("D33", subject, "does not run")
        if node.get("mem_alarm") or node.get("disk_free_alarm"):
            yield Deviation("D34", subject, "is short of memory or disk, and blocks publishers")
        if node.get("partitions"):
            yield Deviation("D35", subject, "is partitioned from others")


_CHECKS: Final[tuple[Callable[[Topology, Observation], Iterator[Deviation]], ...]] = (
    _mechanisms,
    _listeners,
    _accounts,
    _vhosts,
    _policies,
    _flags,
    _certificates,
    _consumers,
    _dead_letters,
    _members,
    _nodes,
)
