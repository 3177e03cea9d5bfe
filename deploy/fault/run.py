"""One run: boot, provision, send and receive, a fault after another, count.

Recovery is measured from the moment the fault is undone until every consumer of the product receives again and every
lane has a new confirm; the gap is the longest time that a lane had none, from the fault's beginning to that recovery.
"""

import asyncio
import sys
from asyncio import to_thread
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Final

from broker.management import provision_for_development
from broker.topology import Topology
from broker.transport import connect
from deploy.fault.balancer import PORT, Balancer
from deploy.fault.cluster import Cluster, cluster
from deploy.fault.network import network
from deploy.fault.shapes import FAULTS, heal
from deploy.fault.traffic import Traffic
from deploy.local.rabbitmq import ADMIN, VHOST
from schemas.routing import Lane, queue_name

SENDER: Final = "testford-la"
RECIPIENT: Final = "testford-police"
_STEADY_SECONDS: Final = 5.0
_RECOVERY_LIMIT: Final = 90.0
_DRAIN_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Round:
    """One fault: how long nothing was confirmed, and how long until all was well again. Seconds."""

    fault: str
    node: int
    gap: float
    recovery: float
    whole_cluster: float


@dataclass(frozen=True)
class Report:
    """The figures of a run."""

    attempts: int
    confirmed: int
    unknown: int
    returned: int
    lost: int
    duplicated: int
    unexpected: int
    unconfirmed_arrivals: int
    seconds: float
    rounds: tuple[Round, ...]

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    def text(self) -> str:
        """As lines for a person."""
        totals = {name: value for name, value in asdict(self).items() if name != "rounds"}
        head = [f"{name.replace('_', ' ')}: {value:,}" for name, value in totals.items()]
        rows = [
            f"{each.fault:8} node {each.node}  a lane without confirm for {each.gap:.1f} s;"
            f" product recovered {each.recovery:.1f} s, cluster whole {each.whole_cluster:.1f} s after the end"
            for each in self.rounds
        ]
        return "\n".join([*head, *rows])


async def run(folder: Path, *, confirmed: int, hold: float, senders: int) -> Report:
    """Make the run. Raises `LocalServerError` where it cannot be made."""
    with ExitStack() as stack:
        net = stack.enter_context(network(folder))
        nodes = stack.enter_context(cluster(net, folder))
        _say(f"three nodes are up: {nodes.running()}")
        return await _under_traffic(nodes, confirmed=confirmed, hold=hold, senders=senders)


async def _under_traffic(nodes: Cluster, *, confirmed: int, hold: float, senders: int) -> Report:
    balancer = Balancer()
    await balancer.start()
    admin = f"amqp://{ADMIN}:{nodes.password}@127.0.0.1:{PORT}/{VHOST}"
    topology = Topology.build([SENDER, RECIPIENT], [(SENDER, RECIPIENT)], monitor=False)
    management = nodes.nodes[1].management_url
    address = await provision_for_development(admin, topology=topology, management_url=management)
    ends = [await connect(address(name), participant=name) for name in (SENDER, RECIPIENT)]
    traffic = Traffic(*ends, recipient=RECIPIENT, senders=senders)
    begun = monotonic()
    await traffic.start()
    await asyncio.sleep(_STEADY_SECONDS)
    rounds = await _rounds(nodes, traffic, confirmed=confirmed, hold=hold)
    await traffic.stop(drain=_DRAIN_SECONDS)
    report = _report(traffic, rounds, seconds=monotonic() - begun)
    for end in ends:
        await end.close()
    await balancer.close()
    return report


async def _rounds(nodes: Cluster, traffic: Traffic, *, confirmed: int, hold: float) -> tuple[Round, ...]:
    rounds: list[Round] = []
    while True:
        for name in FAULTS:
            rounds.append(await _round(nodes, traffic, name=name, hold=hold))
            _say(f"{name}: {rounds[-1]}; {len(traffic.tally.confirmed):,} confirmed")
            await asyncio.sleep(_STEADY_SECONDS)
        if len(traffic.tally.confirmed) >= confirmed:
            return tuple(rounds)


async def _round(nodes: Cluster, traffic: Traffic, *, name: str, hold: float) -> Round:
    node = await to_thread(nodes.leader_of, queue_name(RECIPIENT, Lane.URGENT))
    traffic.tally.longest_gap = 0.0
    await to_thread(FAULTS[name], nodes, node)
    await asyncio.sleep(hold)
    await to_thread(heal, nodes, name, node)
    healed = monotonic()
    recovery = await _recovered(traffic, healed)
    limit = healed + _RECOVERY_LIMIT
    while monotonic() < limit and await to_thread(nodes.running) < len(nodes.nodes):  # noqa: ASYNC110 - it is asked, it tells nobody
        await asyncio.sleep(0.5)
    return Round(name, node, round(traffic.tally.longest_gap, 1), recovery, round(monotonic() - healed, 1))


async def _recovered(traffic: Traffic, healed: float) -> float:
    while monotonic() - healed < _RECOVERY_LIMIT:
        if min(traffic.tally.confirmed_at.values()) > healed and traffic.alive():
            break
        await asyncio.sleep(0.05)
    return round(monotonic() - healed, 1)


def _report(traffic: Traffic, rounds: tuple[Round, ...], *, seconds: float) -> Report:
    tally = traffic.tally
    return Report(
        attempts=tally.attempts,
        confirmed=len(tally.confirmed),
        unknown=sum(count for outcome, count in tally.outcomes.items() if outcome.value == "unknown"),
        returned=sum(count for outcome, count in tally.outcomes.items() if outcome.value == "returned"),
        lost=tally.lost,
        duplicated=tally.duplicated,
        unexpected=tally.unexpected,
        unconfirmed_arrivals=tally.unconfirmed_arrivals,
        seconds=round(seconds, 1),
        rounds=rounds,
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
