"""The table as a RabbitMQ definitions file: what a new node may load before the operator's first `mash-hub apply`.

Pure: written from the same items that `apply` compares, so that a node which has loaded it has nothing to change.
No account in it has a password, and none is an administrator's.
"""

import json
from collections.abc import Mapping
from typing import Any

from broker.provision import ByCertificate, Item, Kind, State, desired_state
from broker.topology import Topology

_HASHING = "rabbit_password_hashing_sha256"


def definitions(topology: Topology, *, vhost: str = "mash") -> str:
    """Write `topology` as the JSON that `rabbitmqctl import_definitions` reads."""
    state = desired_state(topology, accounts=ByCertificate())
    plain = {
        "vhosts": [{"name": vhost}],
        "users": _users(state),
        "permissions": [{"user": item.name[0], "vhost": vhost, **row} for item, row in _of(state, Kind.PERMISSION)],
        "parameters": [_vhost_limits(state, vhost)],
        "policies": _named(state, Kind.POLICY, vhost),
        "exchanges": _named(state, Kind.EXCHANGE, vhost),
        "queues": _named(state, Kind.QUEUE, vhost),
        "bindings": [_binding(item, vhost) for item, _ in _of(state, Kind.BINDING)],
    }
    return json.dumps(plain, indent=1) + "\n"


def _of(state: State, kind: Kind) -> list[tuple[Item, Mapping[str, Any]]]:
    return sorted(((item, row) for item, row in state.items() if item.kind is kind), key=lambda pair: pair[0])


def _named(state: State, kind: Kind, vhost: str) -> list[dict[str, Any]]:
    return [{"name": item.name[0], "vhost": vhost, **row} for item, row in _of(state, kind)]


def _users(state: State) -> list[dict[str, Any]]:
    return [
        {"name": item.name[0], "hashing_algorithm": _HASHING, "limits": _user_limits(state, item.name[0]), **row}
        for item, row in _of(state, Kind.USER)
    ]


def _user_limits(state: State, user: str) -> dict[str, int]:
    return {item.name[1]: row["value"] for item, row in _of(state, Kind.USER_LIMIT) if item.name[0] == user}


def _vhost_limits(state: State, vhost: str) -> dict[str, Any]:
    limits = {item.name[0]: row["value"] for item, row in _of(state, Kind.VHOST_LIMIT)}
    return {"component": "vhost-limits", "name": "limits", "vhost": vhost, "value": limits}


def _binding(item: Item, vhost: str) -> dict[str, Any]:
    source, destination, key = item.name
    ends = {"source": source, "vhost": vhost, "destination": destination, "destination_type": "queue"}
    return {**ends, "routing_key": key, "arguments": {}}
