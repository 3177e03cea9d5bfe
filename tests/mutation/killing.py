"""Runs the tests against one fault at a time, each in a process of its own that has nothing of ours imported yet.

The parent imports only what cannot import the faulty module, and forks; the child reads the rest anew with the fault
in it, so that what is read at import (tables, models, rule packs) is faulty too. Nothing on disk changes. The tests
that run the faulty line come first, the quickest of them before the others, and the first that fails ends the run.
"""

import importlib.abc
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PYTEST = ("-x", "-q", "-p", "no:cacheprovider")


class Verdict(StrEnum):
    """What became of a fault. A run that does not end counts as killed: somebody would notice."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"


@dataclass(frozen=True)
class Faulty:
    """A module's name, its file, and the source with the fault in it."""

    module: str
    path: Path
    source: str


class _Importer(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module from faulty source instead of its file."""

    def __init__(self, faulty: Faulty) -> None:
        self._faulty = faulty

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname != self._faulty.module:
            return None
        return importlib.util.spec_from_file_location(fullname, self._faulty.path, loader=self)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._faulty.source, str(self._faulty.path), "exec"), module.__dict__)  # noqa: S102 the fault

    def get_source(self, fullname: str) -> str:
        return self._faulty.source


class _Order:
    """Runs the tests that touch the faulty line first, and of those the quickest."""

    def __init__(self, first: Mapping[str, float]) -> None:
        self._first = first

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: (item.nodeid not in self._first, self._first.get(item.nodeid, 0.0)))


def tried(faulty: Faulty, *, tests: Sequence[str], first: Mapping[str, float], limit: float) -> Verdict:
    """Run `tests` against the fault; `first`: node ids that touch it, with their seconds; `limit`: seconds for all."""
    child = os.fork()
    if child == 0:
        _run(faulty, tests=tests, first=first)
    return _awaited(child, limit=limit)


def _run(faulty: Faulty, *, tests: Sequence[str], first: Mapping[str, float]) -> None:
    code = 1
    try:
        os.setpgid(0, 0)
        quiet = os.open(os.devnull, os.O_RDWR)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        assert faulty.module not in sys.modules
        sys.meta_path.insert(0, _Importer(faulty))
        code = int(pytest.main([*PYTEST, *tests], plugins=[_Order(first)]))
    finally:
        os._exit(min(code, 100))


def _awaited(child: int, *, limit: float) -> Verdict:
    until = time.monotonic() + limit
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            passed = os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0
            return Verdict.SURVIVED if passed else Verdict.KILLED
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return Verdict.TIMED_OUT
