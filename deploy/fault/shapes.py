"""The faults: the four partition shapes that Jepsen uses, on three nodes, and kill -9.

Each is aimed at a node, the leader of a queue under traffic where that is known. But for the pulled cable, clients
still reach every node: a client on the wrong side of a partition is the dangerous case.
"""

from collections.abc import Callable, Mapping
from typing import Final

from deploy.fault.cluster import Cluster
from deploy.fault.network import NODES, Cut

Fault = Callable[[Cluster, int], None]


def _others(node: int) -> tuple[int, ...]:
    return tuple(each for each in NODES if each != node)


def _both_ways(one: int, other: int) -> tuple[Cut, ...]:
    return ((one, other), (other, one))


def single(cluster: Cluster, node: int) -> None:
    """Pull one node's cable."""
    cluster.net.take_down(node)


def halves(cluster: Cluster, node: int) -> None:
    """Put the leader alone on one side and the two others on the other."""
    cluster.net.cut([cut for other in _others(node) for cut in _both_ways(node, other)])


def bridge(cluster: Cluster, node: int) -> None:
    """Cut the leader from one other; the third sees both."""
    cluster.net.cut(_both_ways(node, _others(node)[0]))


def ring(cluster: Cluster, node: int) -> None:
    """Let every node lose the packets to the next: each sees a majority, and no two see the same."""
    del node
    cluster.net.cut([(each, each % len(NODES) + 1) for each in NODES])


def kill(cluster: Cluster, node: int) -> None:
    """Kill -9 the leader's node."""
    cluster.nodes[node].kill()


FAULTS: Final[Mapping[str, Fault]] = {"single": single, "halves": halves, "bridge": bridge, "ring": ring, "kill": kill}


def heal(cluster: Cluster, name: str, node: int) -> None:
    """Undo a fault; a killed node is started again."""
    cluster.net.heal()
    if name == "kill":
        cluster.nodes[node].start()
