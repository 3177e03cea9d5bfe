"""Which test runs which line, and how long it takes: one run of the tests, measured in a process of its own."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import coverage
import pytest

from tests.mutation.killing import PYTEST

OUTPUT: Final = "output.txt"


@dataclass(frozen=True)
class Covered:
    """`lines`: by file and line, the tests that run it; `seconds`: by test; `total`: of the whole run."""

    lines: Mapping[str, Mapping[int, Sequence[str]]]
    seconds: Mapping[str, float]
    total: float

    def first(self, path: Path, line: int) -> dict[str, float]:
        """Give the tests that run a line, with their seconds."""
        return {name: self.seconds.get(name, 0.0) for name in self.lines.get(str(path), {}).get(line, ())}


class TestsAreRed(Exception):
    """The tests fail without any fault in the code; mend them first, since a red test kills everything."""


class _Contexts:
    """Tells coverage which test is running, by its node id."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self._measured = measured
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logstart(self, nodeid: str, location: object) -> None:
        self._measured.switch_context(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration


def covered(paths: Sequence[Path], *, tests: Sequence[str], scratch: Path) -> Covered:
    """Run the tests once without a fault. Raises `TestsAreRed`."""
    answer = scratch / "covered.json"
    child = os.fork()
    if child == 0:
        _measure(paths, tests=tests, answer=answer)
    _, status = os.waitpid(child, 0)
    if status != 0:
        raise TestsAreRed(f"\n{(scratch / OUTPUT).read_text('utf-8')}")
    plain = json.loads(answer.read_text("utf-8"))
    lines = {path: {int(line): names for line, names in each.items()} for path, each in plain["lines"].items()}
    return Covered(lines, plain["seconds"], plain["total"])


def _measure(paths: Sequence[Path], *, tests: Sequence[str], answer: Path) -> None:
    code = 1
    try:
        output = os.open(answer.with_name(OUTPUT), os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        measured = coverage.Coverage(data_file=None, include=[str(path) for path in paths], config_file=False)
        contexts = _Contexts(measured)
        began = time.monotonic()
        measured.start()
        code = int(pytest.main([*PYTEST, *tests], plugins=[contexts]))
        measured.stop()
        data = measured.get_data()
        lines = {path: _named(data.contexts_by_lineno(path)) for path in data.measured_files()}
        total = time.monotonic() - began
        answer.write_text(json.dumps({"lines": lines, "seconds": contexts.seconds, "total": total}), "utf-8")
    finally:
        os._exit(code)


def _named(contexts: Mapping[int, Sequence[str]]) -> dict[int, list[str]]:
    return {line: [name for name in names if name] for line, names in contexts.items()}
