"""What the hub itself says: dead letters, consumers, messages that wait, and until when certificates are good.

The watch's own account may read its taps and nothing else, so these figures come over the management interface, with
an account that has the tag `monitoring` and no permission on any resource, or from an embedded hub directly.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from broker import peer_certificates
from broker.alerts import HubFigures
from broker.embedded import EmbeddedHub
from broker.management import open_management
from broker.peer_certificates import certificates_of
from broker.topology import DEAD_QUEUE, Topology
from schemas.routing import Lane

Probe = Callable[[], Awaitable[HubFigures]]
"""Asks the hub for its figures. Raises `HubError` when it does not answer."""

_QUEUE: Final = re.compile(r"mash\.q\.([a-z0-9-]+)\.(urgent|routine|receipt)")
_COLUMNS: Final = "name,messages,consumers"


def figures_of(rows: Sequence[Mapping[str, Any]]) -> HubFigures:
    """Read figures off the management interface's rows; a queue that has not reported yet is left out."""
    found = [(_QUEUE.fullmatch(row["name"]), row) for row in rows]
    own = [((name[1], Lane(name[2])), row) for name, row in found if name]
    dead = sum(int(row.get("messages", 0)) for row in rows if row["name"] == DEAD_QUEUE)
    return HubFigures(
        dead=dead,
        consumers={queue: int(row["consumers"]) for queue, row in own if "consumers" in row},
        waiting={queue: int(row["messages"]) for queue, row in own if "messages" in row},
    )


def management_probe(url: str, *, vhost: str) -> Probe:
    """Ask a RabbitMQ over its management interface."""

    async def ask() -> HubFigures:
        async with open_management(url, vhost=vhost) as management:
            figures = figures_of(await management.get(f"queues/{quote(vhost, safe='')}?columns={_COLUMNS}"))
            shown = certificates_of(await management.get(peer_certificates.PATH))
        return replace(figures, certificates=shown)

    return ask


def embedded_probe(hub: EmbeddedHub, topology: Topology) -> Probe:
    """Ask the embedded hub, which knows what waits and not who reads."""

    async def ask() -> HubFigures:
        rows = [{"name": queue.name, "messages": await hub.depth(queue.name)} for queue in topology.queues]
        return figures_of(rows)

    return ask
