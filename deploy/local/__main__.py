"""Run a command beside a private server: `python -m deploy.local rabbitmq|postgres -- COMMAND...`.

The command finds the server in its environment: `MASH_TEST_RABBITMQ` (the administrator's AMQP address) and
`MASH_TEST_RABBITMQ_MANAGEMENT`, or `MASH_TEST_POSTGRES`. The server stops when the command ends; its status is ours.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.local.postgres import postgres
from deploy.local.process import LocalServerError
from deploy.local.rabbitmq import rabbitmq


@contextmanager
def _rabbitmq() -> Iterator[dict[str, str]]:
    with rabbitmq() as server:
        yield {"MASH_TEST_RABBITMQ": server.admin_url, "MASH_TEST_RABBITMQ_MANAGEMENT": server.management_url}


@contextmanager
def _postgres() -> Iterator[dict[str, str]]:
    with postgres() as server:
        yield {"MASH_TEST_POSTGRES": server.url()}


_SERVERS = {"rabbitmq": _rabbitmq, "postgres": _postgres}


def main(arguments: list[str]) -> int:
    """Run the command and return its status; 2 for a usage error, 1 if the server cannot be had."""
    if len(arguments) < 3 or arguments[0] not in _SERVERS or arguments[1] != "--":
        print("usage: python -m deploy.local rabbitmq|postgres -- COMMAND...", file=sys.stderr)
        return 2
    try:
        with _SERVERS[arguments[0]]() as where:
            return subprocess.run(arguments[2:], env={**os.environ, **where}).returncode
    except LocalServerError as fault:
        print(fault, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
