"""Makes a broker equal to the table: what it should hold, what it holds, and the changes between the two.

Pure: `broker.management` reads and writes. Equal states give no change, so applying twice changes nothing the second
time. A change that would lose messages (a queue with other arguments, a queue that is not in the table) is named as a
conflict and never made here: a queue is deleted only after it was drained and everyone was told (GOV-11).
"""

import base64
import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote

from broker.topology import USER_LIMITS, VHOST_LIMITS, Topology


class Kind(StrEnum):
    """What a broker consists of, in the order in which it is made."""

    VHOST_LIMIT = "vhost limit"
    USER = "user"
    USER_LIMIT = "user limit"
    PERMISSION = "permission"
    TOPIC_PERMISSION = "topic permission"
    POLICY = "policy"
    EXCHANGE = "exchange"
    QUEUE = "queue"
    BINDING = "binding"


class Action(StrEnum):
    """What a change does."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    CONFLICT = "conflict"
    DRAIN = "drain"


@dataclass(frozen=True, order=True)
class Item:
    """One thing of the broker: its kind and the parts of its name."""

    kind: Kind
    name: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind} {' → '.join(part or '(empty)' for part in self.name)}"


State = Mapping[Item, Mapping[str, Any]]
"""What a broker holds: every item with the settings that matter."""


@dataclass(frozen=True)
class Change:
    """One step from what is to what should be. Settings are not shown: they may hold a password's hash."""

    action: Action
    item: Item
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return f"{self.action} {self.item}"


@dataclass(frozen=True)
class ByCertificate:
    """Accounts that have no usable password: production, where the certificate's name is the user (EXTERNAL)."""

    def credential(self, user: str) -> Mapping[str, str]:
        """Give the account settings of `user`."""
        del user
        return {"password_hash": "", "tags": ""}


@dataclass(frozen=True)
class ByPassword:
    """Accounts with a password each, all derived from one secret: a developer's broker, never production."""

    secret: str = field(repr=False)

    def password(self, user: str) -> str:
        """Derive `user`'s password."""
        return hmac.digest(self.secret.encode(), f"mash hub account {user}".encode(), "sha256").hex()

    def credential(self, user: str) -> Mapping[str, str]:
        """Give the account settings of `user`: RabbitMQ's salted SHA-256, with a salt derived too, so it compares."""
        password = self.password(user).encode()
        salt = hashlib.sha256(b"salt" + password).digest()[:4]
        digest = hashlib.sha256(salt + password).digest()
        return {"password_hash": base64.b64encode(salt + digest).decode(), "tags": ""}


Accounts = ByCertificate | ByPassword

# A queue, once there, is never changed or dropped by a plan; everything else is.
_IMMUTABLE: Final = frozenset({Kind.QUEUE})


def desired_state(topology: Topology, *, accounts: Accounts) -> State:
    """Spell the table out as the items that a broker should hold."""
    items: dict[Item, Mapping[str, Any]] = {}
    items |= {Item(Kind.VHOST_LIMIT, (name,)): {"value": value} for name, value in VHOST_LIMITS.items()}
    for permission in topology.permissions:
        user = permission.user
        items[Item(Kind.USER, (user,))] = accounts.credential(user)
        items |= {Item(Kind.USER_LIMIT, (user, name)): {"value": value} for name, value in USER_LIMITS.items()}
        items[Item(Kind.PERMISSION, (user,))] = {
            "configure": permission.configure,
            "write": permission.write,
            "read": permission.read,
        }
    for policy in topology.policies:
        items[Item(Kind.POLICY, (policy.name,))] = {
            "pattern": policy.pattern,
            "priority": policy.priority,
            "apply-to": policy.apply_to,
            "definition": dict(policy.definition),
        }
    for exchange in topology.exchanges:
        settings = {"type": exchange.kind, "durable": True, "auto_delete": False, "internal": exchange.internal}
        items[Item(Kind.EXCHANGE, (exchange.name,))] = {**settings, "arguments": {}}
    for queue in topology.queues:
        settings = {"durable": True, "auto_delete": False}
        items[Item(Kind.QUEUE, (queue.name,))] = {**settings, "arguments": dict(queue.arguments)}
    items |= {Item(Kind.BINDING, (each.source, each.destination, each.key)): {} for each in topology.bindings}
    return items


def plan(
    desired: State, actual: State, *, prune: bool = True, drained: Collection[str] = frozenset()
) -> tuple[Change, ...]:
    """List the changes that make `actual` equal to `desired`: what is too much goes first, least access in between.

    Without `prune` nothing is deleted: for a broker that others use too. The queues named `drained` belonged to
    somebody who has left: they are emptied and deleted at the very end, when nobody can write or read them any more.
    """
    kinds = list(Kind)
    surplus = sorted(set(actual) - set(desired), key=lambda item: (-kinds.index(item.kind), item.name))
    going = [item for item in surplus if item.kind is Kind.QUEUE and item.name[0] in drained] if prune else []
    surplus = [item for item in surplus if item not in going]
    missing_or_other = sorted(
        (item for item in desired if actual.get(item) != desired[item]),
        key=lambda item: (kinds.index(item.kind), item.name),
    )
    changes = [Change(Action.CONFLICT if each.kind in _IMMUTABLE else Action.DELETE, each) for each in surplus]
    if not prune:
        changes = []
    for item in missing_or_other:
        changes.append(Change(_making(item, known=item in actual), item, desired[item]))
    return (*changes, *(Change(Action.DRAIN, item) for item in going))


def _making(item: Item, *, known: bool) -> Action:
    if not known:
        return Action.CREATE
    return Action.CONFLICT if item.kind in _IMMUTABLE else Action.UPDATE


def participant_url(admin_url: str, *, participant: str, accounts: ByPassword) -> str:
    """Give `participant`'s own address on the broker of `admin_url` (development: password accounts)."""
    scheme, _, rest = admin_url.partition("://")
    place = rest.rpartition("@")[2]
    return f"{scheme}://{quote(participant, safe='')}:{accounts.password(participant)}@{place}"
