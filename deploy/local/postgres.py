"""A private PostgreSQL: its own port and data folder, on loopback only, gone when the block ends.

PostgreSQL refuses to run as root, so root hands the folder and the process to `nobody`.
"""

import os
import secrets
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deploy.local.process import LocalServerError, answers, free_ports, running, wait_until

INSTALL: Final = "PostgreSQL is not installed: sudo apt-get install postgresql"
USER: Final = "operator"
_START_SECONDS: Final = 60.0
# The kernel forgets the death signal when the user changes: it is set again here, after that.
_UNPRIVILEGED: Final = (
    *("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"),
    *("--pdeathsig", "KILL", "--"),
)


@dataclass(frozen=True)
class LocalPostgres:
    """Where a private PostgreSQL can be reached, and by whom: a superuser with a random password."""

    port: int
    password: str = field(repr=False)
    user: str = USER
    host: str = "127.0.0.1"

    def url(self, database: str = "postgres") -> str:
        """Give SQLAlchemy's asynchronous address of `database`."""
        return f"postgresql+asyncpg://{self.user}:{self.password}@{self.host}:{self.port}/{database}"


@contextmanager
def postgres() -> Iterator[LocalPostgres]:
    """Run a private PostgreSQL for the block.

    Raises `LocalServerError` if the package is missing or the server does not start.
    """
    binaries = find_binaries()
    (port,) = free_ports(1)
    server = LocalPostgres(port, secrets.token_urlsafe(24))
    with ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="mash-postgres-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(temporary))
        _create(folder, binaries=binaries, password=server.password)
        # Durability as in production: what a crash test proves here must hold there.
        command = [
            *_as_whom(), str(binaries / "postgres"), "-D", str(folder / "data"), "-p", str(port),
            "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=60",
        ]  # fmt: skip
        log = folder / "log"
        process = stack.enter_context(running(command, env=_environment(), log=log, stop=signal.SIGINT))
        wait_until(lambda: _is_up(binaries, server), process=process, log=log, seconds=_START_SECONDS)
        yield server


def find_binaries() -> Path:
    """Find the newest installed server's programs. Raises `LocalServerError` saying what to install."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise LocalServerError(INSTALL)
    return found[-1].parent


def _create(folder: Path, *, binaries: Path, password: str) -> None:
    secret = folder / "password"
    secret.write_text(password)
    if os.geteuid() == 0:
        for path in (folder, secret):
            subprocess.run(["chown", "nobody:nogroup", str(path)], check=True)
    command = [
        *_as_whom(), str(binaries / "initdb"), "-D", str(folder / "data"), "-U", USER, "--pwfile", str(secret),
        "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8",
    ]  # fmt: skip
    made = subprocess.run(command, env=_environment(), cwd=folder, capture_output=True, text=True)
    if made.returncode:
        raise LocalServerError(f"PostgreSQL's initdb failed: {made.stderr.strip()}")
    secret.unlink()


def _as_whom() -> tuple[str, ...]:
    return _UNPRIVILEGED if os.geteuid() == 0 else ()


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def _is_up(binaries: Path, server: LocalPostgres) -> bool:
    if not answers(server.port):
        return False
    probe = [str(binaries / "pg_isready"), "-q", "-h", server.host, "-p", str(server.port)]
    return subprocess.run(probe, env=_environment()).returncode == 0
