"""A reader that is killed in the middle of a message: `python -m tests.support.dying_reader embedded|rabbitmq WHERE`.

Run as a process of its own; it kills itself with SIGKILL in its handler, so nothing of ours cleans up behind it.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from broker.embedded import EmbeddedHub
from broker.hub import Delivery, HubConnection
from broker.transport import connect
from schemas.routing import Lane
from tests.support.trio import POLICE, TOPOLOGY


async def die(delivery: Delivery) -> None:
    """Die with the message in hand."""
    sys.stdout.write(delivery.body.decode())
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


async def read(kind: str, where: str) -> None:
    """Read the routine lane of the police until it kills us."""
    connection: HubConnection
    if kind == "embedded":
        connection = await EmbeddedHub(TOPOLOGY, Path(where)).connect(POLICE)
    else:
        connection = await connect(where, participant=POLICE)
    await connection.consume(Lane.ROUTINE, die)
    await asyncio.sleep(30)


if __name__ == "__main__":
    asyncio.run(read(*sys.argv[1:]))
