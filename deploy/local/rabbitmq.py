"""A private RabbitMQ: its own node name, ports, cookie and data folder, on loopback only, gone when the block ends.

Runs the packaged broker directly, because the wrapper in /usr/sbin changes user and uses the machine's own node. Its
one account is an administrator with a random password; `guest` and the vhost `/` never exist. Without `tls` clients
use TCP on loopback and passwords: the profile for development. With it the broker is configured as in production.
"""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from deploy.local.process import LocalServerError, answers, free_ports, running, wait_until

INSTALL: Final = "RabbitMQ is not installed: sudo apt-get install rabbitmq-server"
VHOST: Final = "mash"
ADMIN: Final = "hub.operator"
"""No participant can be called so: their names have no dot."""
_PRODUCTION: Final = Path(__file__).parents[1] / "rabbitmq"
_START_SECONDS: Final = 90.0


@dataclass(frozen=True)
class TlsFiles:
    """Where the broker finds its certificate, its key, and the authority that it trusts (PEM)."""

    authority: Path
    certificate: Path
    key: Path


@dataclass(frozen=True)
class LocalRabbitMQ:
    """Where a private RabbitMQ can be reached. `port` speaks TLS if it was started with TLS, plain AMQP otherwise.

    `folder` holds everything that it writes, where it was started by us.
    """

    port: int
    management_port: int
    tls: bool
    admin_password: str = field(repr=False)
    admin: str = ADMIN
    host: str = "127.0.0.1"
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def control(self, *arguments: str) -> None:
        """Run `rabbitmqctl` on this node and no other. Raises `LocalServerError` if it fails."""
        if not self.environment:
            raise LocalServerError("this broker was not started here: it cannot be controlled")
        command = [str(find_broker().with_name("rabbitmqctl")), *arguments]
        done = subprocess.run(command, env=dict(self.environment), capture_output=True, text=True)
        if done.returncode:
            raise LocalServerError(f"rabbitmqctl {arguments[0]} failed: {done.stderr.strip()}")

    @property
    def admin_url(self) -> str:
        """The administrator's AMQP address; meaningless under TLS, where nobody logs in with a password."""
        return f"amqp://{self.admin}:{self.admin_password}@{self.host}:{self.port}/{VHOST}"

    @property
    def management_url(self) -> str:
        """The management interface, with the administrator's account in it."""
        return f"http://{self.admin}:{self.admin_password}@{self.host}:{self.management_port}"


@contextmanager
def rabbitmq(*, tls: TlsFiles | None = None, extra: Mapping[str, str] | None = None) -> Iterator[LocalRabbitMQ]:
    """Run a private RabbitMQ for the block; `extra` adds lines of rabbitmq.conf.

    Raises `LocalServerError` if the package is missing or the broker does not start.
    """
    program = find_broker()
    port, management_port, distribution_port, epmd_port = free_ports(4)
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="mash-rabbitmq-", ignore_cleanup_errors=True))
        )
        password = secrets.token_urlsafe(24)
        server = LocalRabbitMQ(port, management_port, tls is not None, password, folder=folder)
        _write_configuration(folder, server=server, tls=tls, extra=extra or {})
        env = _environment(folder, distribution_port=distribution_port, epmd_port=epmd_port)
        server = replace(server, environment=env)
        log = folder / "log"
        epmd = ["epmd", "-address", "127.0.0.1", "-port", str(epmd_port)]
        mapper = stack.enter_context(running(epmd, env=env, log=folder / "epmd.log"))
        wait_until(lambda: answers(epmd_port), process=mapper, log=folder / "epmd.log", seconds=10)
        broker = stack.enter_context(running([str(program)], env=env, log=log, stop=signal.SIGKILL))
        wait_until(lambda: _is_up(server), process=broker, log=log, seconds=_START_SECONDS)
        yield server


def find_broker() -> Path:
    """Find the packaged broker's own start script. Raises `LocalServerError` saying what to install."""
    found = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    if not found:
        raise LocalServerError(INSTALL)
    return found[-1]


def _write_configuration(
    folder: Path, *, server: LocalRabbitMQ, tls: TlsFiles | None, extra: Mapping[str, str]
) -> None:
    settings = {**production_settings(), **_private(server), **(_tls(server, tls) if tls else _plain(server)), **extra}
    lines = [f"{key} = {value}" for key, value in settings.items() if value]
    (folder / "rabbitmq.conf").write_text("\n".join([*lines, ""]))
    (folder / "rabbitmq.conf").chmod(0o600)
    shutil.copy(_PRODUCTION / "enabled_plugins", folder / "enabled_plugins")
    (folder / "home").mkdir()
    cookie = folder / "home" / ".erlang.cookie"
    cookie.write_text(secrets.token_hex(16))
    cookie.chmod(0o400)


def production_settings() -> dict[str, str]:
    """Read the settings of the production broker, so that what runs here is what runs there."""
    lines = (_PRODUCTION / "rabbitmq.conf").read_text().splitlines()
    triples = (line.partition(" = ") for line in lines if line and not line.startswith("#"))
    return {key: value for key, _, value in triples}


def _private(server: LocalRabbitMQ) -> dict[str, str]:
    return {
        "default_vhost": VHOST,
        "default_user": server.admin,
        "default_pass": server.admin_password,
        "default_user_tags.administrator": "true",
        "management.tcp.port": str(server.management_port),
        "log.console": "true",
        "log.console.level": "info",
        "log.file": "false",
        "disk_free_limit.absolute": "50MB",
    }


def _tls(server: LocalRabbitMQ, tls: TlsFiles) -> dict[str, str]:
    return {
        "listeners.ssl.1": f"{server.host}:{server.port}",
        "ssl_options.cacertfile": str(tls.authority),
        "ssl_options.certfile": str(tls.certificate),
        "ssl_options.keyfile": str(tls.key),
    }


def _plain(server: LocalRabbitMQ) -> dict[str, str]:
    """Replace what is about certificates: TCP on loopback, and passwords."""
    removed = {key: "" for key in production_settings() if key.startswith(("listeners.", "ssl_", "auth_mechanisms"))}
    return {**removed, "listeners.tcp.1": f"{server.host}:{server.port}"}


def _environment(folder: Path, *, distribution_port: int, epmd_port: int) -> dict[str, str]:
    return {
        "PATH": f"/usr/sbin:/usr/bin:/sbin:/bin:{os.environ.get('PATH', '')}",
        "LANG": "C.UTF-8",
        "HOME": str(folder / "home"),
        "ERL_EPMD_PORT": str(epmd_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_NODENAME": f"mash-{secrets.token_hex(4)}@localhost",
        "RABBITMQ_NODE_PORT": "",
        "RABBITMQ_DIST_PORT": str(distribution_port),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "logs"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        # Replaces the start script by the broker itself, so that the process we hold is the one that listens.
        "RUNNING_UNDER_SYSTEMD": "true",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +S 2:2",
    }


def _is_up(server: LocalRabbitMQ) -> bool:
    """Ask for the vhost over the management interface: it answers once the boot is complete."""
    request = urllib.request.Request(f"http://{server.host}:{server.management_port}/api/vhosts/{VHOST}")
    account = b64encode(f"{server.admin}:{server.admin_password}".encode()).decode()
    request.add_header("Authorization", f"Basic {account}")
    try:
        with urllib.request.urlopen(request, timeout=2) as answer:  # noqa: S310 - a constant http address
            return bool(answer.status == 200) and answers(server.port)
    except (urllib.error.URLError, OSError):
        return False
