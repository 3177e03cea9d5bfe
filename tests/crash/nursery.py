"""Processes that are born with everything imported: most of a short life would go into starting Python otherwise.

A nursery process imports the victim once and forks a child for every life; the child is a process like any other, with
stores and connections of its own, and SIGKILL ends it as it ends any other. The failpoint is armed in the child alone;
that the environment variable arms it too is held by `tests/unit/store/test_failpoints.py` and by the life of C30.
"""

import asyncio
import os
import sys
from dataclasses import dataclass
from multiprocessing import get_context
from tempfile import NamedTemporaryFile

from adapters.kit import failpoints
from tests.crash.victim import Settings, live

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.crash.nursery"])


class NeverEnded(Exception):
    """A life neither died nor came to rest in the time that it had."""


@dataclass(frozen=True)
class Ended:
    """How a life ended: its exit code (-9 when it was killed), and what it complained of."""

    code: int
    complaint: str


def _live(settings: Settings, armed: str | None, complaints: str) -> None:
    """Be one life, in a process of its own."""
    os.dup2(os.open(complaints, os.O_WRONLY), sys.stderr.fileno())
    vars(failpoints)["_ARMED"] = failpoints._armed(armed)
    sys.exit(asyncio.run(live(settings)))


async def lived(settings: Settings, *, armed: str | None, seconds: float) -> Ended:
    """Run one life to its end. Raises `NeverEnded` after `seconds`."""
    with NamedTemporaryFile("rb") as complaints:
        process = _CONTEXT.Process(target=_live, args=(settings, armed, complaints.name))
        process.start()
        await asyncio.to_thread(process.join, seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise NeverEnded(complaints.read().decode()[-2000:])
        return Ended(process.exitcode, complaints.read().decode()[-2000:])
