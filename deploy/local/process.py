"""Programs that live as long as a `with` block, and not a moment longer.

Each is started in a process group of its own, dies with us should we be killed (where the system can do that), and is
stopped with everything it started when the block ends, however it ends.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path


class LocalServerError(RuntimeError):
    """A private server could not be started; the message says why, and what to install."""


def free_ports(count: int) -> list[int]:
    """Find `count` distinct free TCP ports of the loopback interface."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def running(
    command: Sequence[str], *, env: Mapping[str, str], log: Path, stop: signal.Signals = signal.SIGTERM
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `command` with its output in `log`; at the end send `stop` to its group, and after 10 s kill the group."""
    mortal = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*mortal, *command],
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _stop(process, first=stop)


def wait_until(ready: Callable[[], bool], *, process: "subprocess.Popen[bytes]", log: Path, seconds: float) -> None:
    """Poll `ready` until it holds. Raises `LocalServerError` with the end of `log` if the process dies or is late."""
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            lines = log.read_text(errors="replace").splitlines()[-15:]
            reason = "is late" if process.poll() is None else f"ended with status {process.returncode}"
            raise LocalServerError("\n".join([f"a private server {reason}; the end of its log:", *lines]))
        time.sleep(0.05)


def answers(port: int) -> bool:
    """Say whether something listens on the loopback `port`."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _stop(process: "subprocess.Popen[bytes]", *, first: signal.Signals) -> None:
    # The second round is for what the leader left behind in its group.
    for number, patience in ((first, 10.0), (signal.SIGKILL, 10.0)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
