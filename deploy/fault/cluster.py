"""Three RabbitMQ nodes in one cluster, one in each namespace, with the production configuration but for TLS.

Clients are a machine of their own on the bridge and use passwords: the faults are about the cluster, and the tests of
admission are about TLS. `net_ticktime` is 5 s, so that a partition is noticed within a short run.
"""

import json
import os
import secrets
import shutil
import signal
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from deploy.fault.network import NODES, Network, address
from deploy.local.process import running, wait_until
from deploy.local.rabbitmq import ADMIN, VHOST, find_broker, production_settings

_PRODUCTION: Final = Path(__file__).parents[1] / "rabbitmq"
_BOOT_SECONDS: Final = 120.0


class Node:
    """One broker, which can be killed and started again."""

    def __init__(self, number: int, *, net: Network, folder: Path, password: str, cookie: str) -> None:
        self.number = number
        self._net, self._folder, self._password = net, folder / f"node-{number}", password
        self._life = ExitStack()
        self._write(cookie)

    @property
    def management_url(self) -> str:
        """The management interface with the administrator's account."""
        return f"http://{ADMIN}:{self._password}@{address(self.number)}:15672"

    def start(self) -> None:
        """Start the broker and the port mapper beside it; returns at once."""
        log = self._folder / "log"
        program = self._net.within(self.number, str(find_broker()))
        self._process = self._life.enter_context(
            running(program, env=self._environment(), log=log, stop=signal.SIGKILL)
        )

    def await_up(self) -> None:
        """Wait until the broker serves. Raises `LocalServerError` with the end of its log."""
        wait_until(self._is_up, process=self._process, log=self._folder / "log", seconds=_BOOT_SECONDS)

    def kill(self) -> None:
        """Kill -9, without a word to anybody."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._life.close()

    def get(self, path: str) -> Any:
        """Ask the management interface. Raises `OSError`."""
        request = urllib.request.Request(f"http://{address(self.number)}:15672/api/{path}")
        account = b64encode(f"{ADMIN}:{self._password}".encode()).decode()
        request.add_header("Authorization", f"Basic {account}")
        with urllib.request.urlopen(request, timeout=3) as answer:  # noqa: S310 - a constant http address
            return json.load(answer)

    def _is_up(self) -> bool:
        try:
            return bool(self.get(f"vhosts/{VHOST}"))
        except (urllib.error.URLError, OSError):
            return False

    def _write(self, cookie: str) -> None:
        home = self._folder / "home"
        home.mkdir(parents=True)
        (home / ".erlang.cookie").write_text(cookie)
        (home / ".erlang.cookie").chmod(0o400)
        shutil.copy(_PRODUCTION / "enabled_plugins", self._folder / "enabled_plugins")
        lines = [f"{name} = {value}" for name, value in self._settings().items()]
        (self._folder / "rabbitmq.conf").write_text("\n".join([*lines, ""]))

    def _settings(self) -> dict[str, str]:
        about_tls = ("listeners.", "ssl_", "auth_mechanisms")
        kept = {name: value for name, value in production_settings().items() if not name.startswith(about_tls)}
        peers = {f"cluster_formation.classic_config.nodes.{each}": f"r@{address(each)}" for each in NODES}
        return {
            **kept,
            **peers,
            "cluster_formation.peer_discovery_backend": "classic_config",
            "listeners.tcp.1": f"{address(self.number)}:5672",
            "management.tcp.ip": address(self.number),
            "default_vhost": VHOST,
            "default_user": ADMIN,
            "default_pass": self._password,
            "default_user_tags.administrator": "true",
            "disk_free_limit.absolute": "50MB",
            "log.console": "true",
            "log.console.level": "info",
            "log.file": "false",
        }

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(self._folder / "home"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_USE_LONGNAME": "true",
            "RABBITMQ_NODENAME": f"r@{address(self.number)}",
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "data"),
            "RABBITMQ_LOG_BASE": str(self._folder / "logs"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "enabled_plugins"),
            "RABBITMQ_PID_FILE": str(self._folder / "pid"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self._folder / "generated"),
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel net_ticktime 5 +sbwt none +S 1:1",
        }


class Cluster:
    """The three nodes and the network between them."""

    def __init__(self, nodes: dict[int, Node], net: Network, password: str) -> None:
        self.nodes, self.net = nodes, net
        self.password = password

    def leader_of(self, queue: str) -> int:
        """Say on which node a queue's leader is; the first node where nobody can tell."""
        for node in self.nodes.values():
            with suppress(OSError, KeyError, ValueError):
                leader: str = node.get(f"queues/{VHOST}/{queue}")["leader"]
                return int(leader.rpartition(".")[2])
        return NODES[0]

    def running(self) -> int:
        """Count the nodes that some node sees running."""
        seen = [0]
        for node in self.nodes.values():
            with suppress(OSError, ValueError):
                seen.append(sum(bool(each["running"]) and not each.get("partitions") for each in node.get("nodes")))
        return max(seen)


@contextmanager
def cluster(net: Network, folder: Path) -> Iterator[Cluster]:
    """Run the three nodes for the block. Raises `LocalServerError`."""
    password, cookie = secrets.token_urlsafe(24), secrets.token_hex(16)
    nodes = {each: Node(each, net=net, folder=folder, password=password, cookie=cookie) for each in NODES}
    with ExitStack() as stack:
        for each in NODES:
            epmd = net.within(each, "epmd", "-port", "4369")
            stack.enter_context(running(epmd, env={"PATH": "/usr/bin:/bin"}, log=folder / "epmd.log"))
        for node in nodes.values():
            stack.callback(node.kill)
        nodes[1].start()
        nodes[1].await_up()
        for each in (2, 3):
            nodes[each].start()
        for each in (2, 3):
            nodes[each].await_up()
        yield Cluster(nodes, net, password)
