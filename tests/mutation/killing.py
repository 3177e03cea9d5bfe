"""Runs the tests against one fault at a time, each in a process forked off after the tests were collected.

The child puts the faulty module in the place of the sound one: it executes the changed source and gives every module of
ours that had taken a name from it the new one, and forgets what was cached. Nothing on disk changes. The tests that run
the faulty line come first, the quickest of them before the others, and the first that fails ends the run. What holds an
old object in a way that cannot be seen (a table of functions elsewhere) makes a fault survive, never be killed.
A test that goes round in a circle is ended by its own processor time, one that waits for ever by the run's limit.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import pytest

PYTEST = ("-x", "-q", "-p", "no:cacheprovider")
OURS = ("adapters", "broker", "schemas", "tests")
# Processor time, which does not pass while the machine is busy elsewhere or the process is stopped.
_MOST_SECONDS_A_TEST: Final = 10


class Verdict(StrEnum):
    """What became of a fault. A run that does not end counts as killed: somebody would notice."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"


@dataclass(frozen=True)
class Faulty:
    """A module's name, its file, the source with the fault in it, and the tests that run its line, with seconds.

    `beside`: other modules to put in their places with it, as the control does with all of them, sound. `most`: how
    many of the tests that run its line may try; all tests there are without it, and where no test runs the line.
    """

    module: str
    path: Path
    source: str
    first: Mapping[str, float]
    beside: tuple["Faulty", ...] = ()
    most: int | None = None


class Killer:
    """A pytest plugin that runs the collected tests once for each fault instead of once."""

    def __init__(
        self, faults: Sequence[Faulty], *, limit: float, jobs: int, told: Callable[[int, Verdict], None]
    ) -> None:
        self._faults = faults
        self._limit = limit
        self._jobs = jobs
        self._told = told

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try every fault; `told` is called with its number and the verdict."""
        running: dict[int, tuple[int, float]] = {}
        waiting = list(enumerate(self._faults))
        while waiting or running:
            while waiting and len(running) < self._jobs:
                number, faulty = waiting.pop(0)
                running[_started(faulty, session)] = (number, time.monotonic() + self._limit)
            for child, (number, until) in list(running.items()):
                verdict = _ended(child, until=until)
                if verdict is not None:
                    del running[child]
                    self._told(number, verdict)
            time.sleep(0.005)
        return True


def _started(faulty: Faulty, session: pytest.Session) -> int:
    child = os.fork()
    if child == 0:
        _run(faulty, session)
    return child


def _run(faulty: Faulty, session: pytest.Session) -> None:
    code = 1
    try:
        os.setpgid(0, 0)
        quiet = os.open(os.devnull, os.O_RDWR)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        put_in_place(faulty)
        order = _chosen(faulty, session)
        for item, following in zip(order, [*order[1:], None], strict=True):
            signal.setitimer(signal.ITIMER_PROF, _MOST_SECONDS_A_TEST + 10 * _seconds(faulty, item))
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                break
        code = 1 if session.testsfailed else 0
    finally:
        os._exit(code)


def _chosen(faulty: Faulty, session: pytest.Session) -> list[pytest.Item]:
    order = sorted(session.items, key=lambda item: (item.nodeid not in faulty.first, _seconds(faulty, item)))
    if faulty.most is None or not faulty.first:
        return order
    return order[: min(faulty.most, len(faulty.first))]


def _seconds(faulty: Faulty, item: pytest.Item) -> float:
    return faulty.first.get(item.nodeid, 0.0)


def put_in_place(faulty: Faulty) -> None:
    """Execute the faulty source as its module, and give the new names to everybody who had taken the old ones."""
    for one in (faulty, *faulty.beside):
        _put(one)


def _put(faulty: Faulty) -> None:
    module = sys.modules[faulty.module]
    before = dict(module.__dict__)
    exec(compile(faulty.source, str(faulty.path), "exec"), module.__dict__)  # noqa: S102 the fault
    ours = [one for name, one in sys.modules.items() if name.split(".")[0] in OURS and one is not module]
    for name, new in list(module.__dict__.items()):
        old = before.get(name)
        if name.startswith("__") or old is new:
            continue
        for other in ours:
            if name in other.__dict__ and other.__dict__[name] is old:
                setattr(other, name, new)
    for other in (*ours, module):
        for value in list(other.__dict__.values()):
            forget = getattr(value, "cache_clear", None)
            if callable(forget) and not isinstance(value, type):
                forget()


def _ended(child: int, *, until: float) -> Verdict | None:
    ended, status = os.waitpid(child, os.WNOHANG)
    if ended:
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF:
            return Verdict.TIMED_OUT
        passed = os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0
        return Verdict.SURVIVED if passed else Verdict.KILLED
    if time.monotonic() < until:
        return None
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return Verdict.TIMED_OUT
