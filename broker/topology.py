"""The hub's broker as one table: every exchange, queue, binding, user, permission, limit and policy.

Pure: made from the participants and the permitted pairs, and from nothing else; `broker.provision` makes a broker equal
to it. Two properties rest on its shape (each has a test that names its attack):

- A sender may write one exchange, its own, and queues are bound to it directly. What arrives through `mash.in.<S>` was
  published by S, and reaches only whom S may write to, whatever CC or BCC header S adds.
- There is no alternate exchange, and the monitor's taps are bound with exactly the permitted keys: a message that
  nobody may read comes back to its sender as unroutable.

With a monitor the hub has an ingress of its own. What it says there (the daily manifests) reaches those who take part,
and they can answer it; it leads to no other queue, and nobody else may write it.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, Self

from broker.errors import Misuse
from schemas.agency import is_participant_id
from schemas.directory import Directory
from schemas.routing import Lane, ingress_exchange, queue_name, routing_key

MONITOR: Final = "monitor"
HUB: Final = "hub"
"""The name under which the monitor speaks; no participant can have it, nor the monitor's."""
HUB_LANE: Final = Lane.ROUTINE
ANSWER_LANE: Final = Lane.RECEIPT
DEAD_EXCHANGE: Final = "mash.dead"
DEAD_QUEUE: Final = "mash.q.dead"
NOTHING: Final = "^$"
"""The pattern that permits no resource at all."""
DELIVERY_LIMIT: Final = 100
# A dead letter that is looked at, and a stub of a watch that dies, count as deliveries; 4.x would drop them after 20.
# No number means "never" on 3.10 to 4.x alike.
NEVER_GIVEN_UP: Final = 1_000_000
QUORUM_GROUP: Final = 3
TAP_LENGTH: Final = 500_000
_GIB: Final = 1024**3

_QUORUM: Final[Mapping[str, Any]] = MappingProxyType(
    {"x-queue-type": "quorum", "x-quorum-initial-group-size": QUORUM_GROUP}
)


@dataclass(frozen=True)
class Exchange:
    """A durable exchange; `internal` ones cannot be published to by anyone."""

    name: str
    kind: str
    internal: bool = False


@dataclass(frozen=True)
class Queue:
    """A durable queue, declared with `arguments`."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, order=True)
class Binding:
    """A way from exchange `source` to queue `destination` for the routing key `key`."""

    source: str
    destination: str
    key: str


@dataclass(frozen=True)
class Permission:
    """What `user` may do, as three anchored patterns of resource names."""

    user: str
    configure: str
    write: str
    read: str


@dataclass(frozen=True)
class Policy:
    """A policy the operator sets on every queue that `pattern` matches."""

    name: str
    pattern: str
    priority: int
    definition: Mapping[str, Any]
    apply_to: str = "queues"


POLICIES: Final = (
    # At-least-once dead-lettering silently falls back to at-most-once unless the overflow is reject-publish.
    Policy(
        "mash-main",
        r"^mash\.q\.",
        1,
        {
            "delivery-limit": DELIVERY_LIMIT,
            "dead-letter-exchange": DEAD_EXCHANGE,
            "dead-letter-strategy": "at-least-once",
            "overflow": "reject-publish",
            "max-length": 200_000,
            "max-length-bytes": 4 * _GIB,
        },
    ),
    Policy(
        "mash-dead",
        r"^mash\.q\.dead$",
        10,
        {"delivery-limit": NEVER_GIVEN_UP, "overflow": "reject-publish", "max-length-bytes": 4 * _GIB},
    ),
    Policy(
        "mash-mon",
        r"^mash\.q\.monitor\.",
        10,
        {"delivery-limit": NEVER_GIVEN_UP, "overflow": "drop-head", "max-length": TAP_LENGTH},
    ),
)

# Six live connections (two a lane), and as many again while the broker still counts those a cut has killed.
USER_LIMITS: Final[Mapping[str, int]] = MappingProxyType({"max-connections": 12, "max-channels": 24})
VHOST_LIMITS: Final[Mapping[str, int]] = MappingProxyType({"max-connections": 400, "max-queues": 200})


def canary_key(participant: str, lane: Lane) -> str:
    """Name the key by which `participant` sends itself the sign of life of a lane; no tap and no other queue has it."""
    return f"{routing_key(participant, lane)}.canary"


def ingress_of(user: str) -> str:
    """Name the one exchange that `user` may write to; the monitor's is the hub's."""
    return ingress_exchange(HUB if user == MONITOR else user)


def owner_of(exchange: str) -> str:
    """Name whose ingress this is; a dead letter's exchange names nobody."""
    prefix = ingress_exchange("")
    return exchange.removeprefix(prefix) if exchange.startswith(prefix) else ""


@dataclass(frozen=True)
class Topology:
    """The table. Build it with `Topology.build`; equal inputs give equal tables."""

    participants: tuple[str, ...]
    suspended: frozenset[str]
    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: frozenset[Binding]
    permissions: tuple[Permission, ...]
    policies: tuple[Policy, ...] = POLICIES
    left: frozenset[str] = frozenset()

    @classmethod
    def build(
        cls,
        participants: Sequence[str],
        pairs: Iterable[tuple[str, str]],
        *,
        monitor: bool,
        suspended: Collection[str] = (),
        left: Collection[str] = (),
    ) -> Self:
        """Make the table for `participants` of whom each `(sender, recipient)` of `pairs` is permitted.

        A participant without a pair is listed and reaches nobody (GOV-01). A suspended one keeps its queues, so that
        nothing in flight is lost, and neither writes nor reads (REC-06). One that has `left` has nothing here, and its
        queues may be drained (GOV-11). Raises `Misuse` for a name that is no participant id, for a pair with a stranger
        and for a pair with oneself.
        """
        names = tuple(sorted(set(participants) - set(left)))
        _check(names, permitted := frozenset(pairs))
        usable = frozenset(pair for pair in permitted if not set(pair) & set(suspended))
        readers = (*names, MONITOR) if monitor else names
        return cls(
            participants=names,
            suspended=frozenset(suspended) & set(names),
            exchanges=(
                Exchange(DEAD_EXCHANGE, "fanout", internal=True),
                *(Exchange(ingress_of(name), "direct") for name in readers),
            ),
            queues=(
                Queue(DEAD_QUEUE, _QUORUM),
                *(Queue(queue_name(name, lane), _QUORUM) for name in readers for lane in Lane),
            ),
            bindings=frozenset(_bindings(names, usable, monitor=monitor)),
            permissions=tuple(_permission(name, suspended=suspended) for name in readers),
            left=frozenset(left),
        )

    @classmethod
    def of(cls, directory: Directory, *, monitor: bool = True) -> Self:
        """Make the table of a verified directory: a pair without a service class, or held here, permits nothing."""
        pairs = [pair for pair in directory.pairs if directory.permits(*pair)]
        out = directory.suspended | directory.held
        return cls.build(tuple(directory.records), pairs, monitor=monitor, suspended=out, left=tuple(directory.left))

    def policy_of(self, queue: str) -> Policy | None:
        """Give the policy that should be in effect on `queue`: the matching one of highest priority."""
        matching = [policy for policy in self.policies if re.search(policy.pattern, queue)]
        return max(matching, key=lambda policy: policy.priority, default=None)

    @property
    def drained(self) -> frozenset[str]:
        """The queues of those who have left: emptied to the dead letters, then deleted."""
        return frozenset(queue_name(name, lane) for name in self.left for lane in Lane)

    @property
    def users(self) -> tuple[str, ...]:
        """Every account of the broker, in the order of the permissions; none of them is an administrator."""
        return tuple(permission.user for permission in self.permissions)

    def routes(self, exchange: str, *, key: str) -> tuple[str, ...]:
        """List the queues that a message published to `exchange` with `key` reaches; none means unroutable."""
        return self._routing_table.get((exchange, key), ())

    @cached_property
    def _routing_table(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        table: dict[tuple[str, str], tuple[str, ...]] = {}
        for binding in sorted(self.bindings):
            place = (binding.source, binding.key)
            table[place] = (*table.get(place, ()), binding.destination)
        return table


def _check(names: Sequence[str], pairs: Collection[tuple[str, str]]) -> None:
    for name in names:
        if not is_participant_id(name):
            raise Misuse("(a name that is no participant id)")
    known = set(names)
    for sender, recipient in pairs:
        if sender == recipient:
            raise Misuse("(a participant is never permitted to itself)")
        if not {sender, recipient} <= known:
            raise Misuse("(a pair names a stranger)")


def _bindings(names: Sequence[str], pairs: Collection[tuple[str, str]], *, monitor: bool) -> Iterable[Binding]:
    yield Binding(DEAD_EXCHANGE, DEAD_QUEUE, "")
    for name in (*names, MONITOR) if monitor else names:
        for lane in Lane:
            yield Binding(ingress_of(name), queue_name(name, lane), canary_key(name, lane))
    for name in sorted({end for pair in pairs for end in pair}) if monitor else ():
        yield Binding(ingress_exchange(HUB), queue_name(name, HUB_LANE), routing_key(name, HUB_LANE))
        yield Binding(ingress_exchange(name), queue_name(MONITOR, ANSWER_LANE), routing_key(HUB, ANSWER_LANE))
    for sender, recipient in pairs:
        for lane in Lane:
            source, key = ingress_exchange(sender), routing_key(recipient, lane)
            yield Binding(source, queue_name(recipient, lane), key)
            if monitor:
                yield Binding(source, queue_name(MONITOR, lane), key)


def _permission(user: str, *, suspended: Collection[str]) -> Permission:
    lanes = "|".join(lane.value for lane in Lane)
    read = rf"^mash\.q\.{user}\.({lanes})$"
    if user in suspended:
        return Permission(user, NOTHING, NOTHING, NOTHING)
    return Permission(user, NOTHING, f"^{re.escape(ingress_of(user))}$", read)
