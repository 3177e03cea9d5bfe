"""Three machines on one: a network namespace each, on a bridge, and the ways to cut them apart.

Works inside a network namespace of its own (`inside_own_namespace`), so that nothing of the machine's network changes
and everything is gone with the last process. `netem` is not needed: cuts are blackhole routes and links that go down.
"""

import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from deploy.local.process import LocalServerError, running

NODES: Final = (1, 2, 3)
_INSIDE: Final = "MASH_FAULT_INSIDE"

Cut = tuple[int, int]
"""One direction: the first node's packets to the second vanish."""


def address(node: int) -> str:
    """Give a node's address."""
    return f"10.9.0.{node}"


def inside_own_namespace() -> bool:
    """Say whether this process has a network of its own already."""
    return os.environ.get(_INSIDE) == "1"


def enter_own_namespace(arguments: Collection[str]) -> None:
    """Start this program again in a network of its own; does not return. Raises `OSError` without `unshare`."""
    mapped = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    command = ["unshare", *mapped, "--net", sys.executable, "-m", "deploy.fault", *arguments]
    os.execvpe("unshare", command, {**os.environ, _INSIDE: "1"})  # noqa: S606 - our own program again


class Network:
    """The bridge, and for each node the process that holds its namespace open."""

    def __init__(self, holders: dict[int, int]) -> None:
        self._holders = holders
        self._cuts: set[Cut] = set()
        self._down: set[int] = set()

    def within(self, node: int, *command: str) -> list[str]:
        """Give the command that runs `command` on `node`."""
        return ["nsenter", "--target", str(self._holders[node]), "--net", "--", *command]

    def cut(self, cuts: Collection[Cut]) -> None:
        """Let the packets of these directions vanish; clients still reach every node."""
        for source, target in cuts:
            _run(*self.within(source, "ip", "route", "add", "blackhole", f"{address(target)}/32"))
            self._cuts.add((source, target))

    def take_down(self, node: int) -> None:
        """Pull the cable of `node`: neither nodes nor clients reach it."""
        _run("ip", "link", "set", f"p{node}", "down")
        self._down.add(node)

    def heal(self) -> None:
        """Undo every cut."""
        for source, target in self._cuts:
            _run(*self.within(source, "ip", "route", "del", "blackhole", f"{address(target)}/32"))
        for node in self._down:
            _run("ip", "link", "set", f"p{node}", "up")
        self._cuts.clear()
        self._down.clear()


@contextmanager
def network(folder: Path) -> Iterator[Network]:
    """Build the three namespaces for the block. Raises `LocalServerError` if the system does not allow it."""
    _run("ip", "link", "set", "lo", "up")
    _run("ip", "link", "add", "br0", "type", "bridge")
    _run("ip", "addr", "add", "10.9.0.254/24", "dev", "br0")
    _run("ip", "link", "set", "br0", "up")
    with ExitStack() as stack:
        holders: dict[int, int] = {}
        for node in NODES:
            held = running(["unshare", "--net", "sleep", "infinity"], env=dict(os.environ), log=folder / "holders.log")
            holders[node] = stack.enter_context(held).pid
        built = Network(holders)
        for node, pid in holders.items():
            _await_own_namespace(pid)
            _plug_in(built, node, pid)
        yield built


def _await_own_namespace(pid: int) -> None:
    ours = Path("/proc/self/ns/net").readlink()
    for _ in range(200):
        if Path(f"/proc/{pid}/ns/net").readlink() != ours:
            return
        subprocess.run(["sleep", "0.02"], check=True)
    raise LocalServerError("no network namespace could be made")


def _plug_in(built: Network, node: int, pid: int) -> None:
    _run("ip", "link", "add", f"p{node}", "type", "veth", "peer", "name", f"c{node}")
    _run("ip", "link", "set", f"p{node}", "master", "br0", "up")
    _run("ip", "link", "set", f"c{node}", "netns", str(pid))
    _run(*built.within(node, "ip", "addr", "add", f"{address(node)}/24", "dev", f"c{node}"))
    for device in ("lo", f"c{node}"):
        _run(*built.within(node, "ip", "link", "set", device, "up"))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise LocalServerError(f"{' '.join(command)} failed: {done.stderr.strip()}")
